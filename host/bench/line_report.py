"""What a board's serial line carries at each speed, next to what it could carry at best."""

from collections.abc import Mapping
from typing import Any

from ...boards.board import Board
from ...boards.board_top import line_divisor
from ...boards.kept import geometry_name
from ...hdl.geometry import Geometry
from ...hdl.protocol import FRAMING, Op, Request, build_id, max_count
from .. import console
from .document import Section
from .line import BITS_PER_BYTE, RATING_TO_LIST, commands, loading
from .workload import FILMS

__all__ = ["BAUDS", "line_document", "line_report"]

BAUDS = (115_200, 1_000_000, 2_000_000, 3_000_000, 12_000_000)
"""From what every adapter can do to what an FT2232H can."""

_DELAYS_MS = (0, 16)
"""What adapter and system take for a question and its answer: nothing, and what FTDI's take unless told otherwise."""

_FEWEST_DIVISOR = 4
_CLOCKS, _FRAMES = 2_500_000, 4
"""Loading is simulated for so many clocks, and at least for so many frames."""


def line_report(board: Board, *, films: int = FILMS) -> dict[str, Any]:
    """Simulate a board's chip at each speed of its line.

    Parameters
    ----------
    board
        Its geometry and clock are simulated, at any speed that its clock can make.
    films
        Whose loading is told; as many as the geometry holds, if those are fewer.

    Returns
    -------
    dict
        In values for JSON: ``board, geometry, clock_mhz, build_id, films``, ``rows`` by speed, and ``left_out``: speeds
        that the clock can not make. Seconds are simulated clocks over the board's clock, and bits of films over the
        line's speed next to them.
    """
    geometry, mhz = board.geometry, board.clock_mhz
    films = min(films, geometry.catalogue_depth)
    divisors: dict[int, int] = {}
    left_out: list[dict[str, Any]] = []
    for baud in BAUDS:
        try:
            divisors[baud] = _divisor(mhz, baud)
        except ValueError as error:
            left_out.append({"baud": baud, "why": str(error)})
    rows = []
    with console.progress("simulating the line", len(divisors), unit="speeds") as bar:
        for baud, divisor in divisors.items():
            rows.append({"baud": baud, "divisor": divisor, **_row(geometry, mhz, divisor, films)})
            bar.advance()
    return {
        "board": board.name,
        "geometry": geometry_name(geometry),
        "clock_mhz": mhz,
        "build_id": f"{build_id():08x}",
        "films": films,
        "rows": rows,
        "left_out": left_out,
    }


def _divisor(mhz: float, baud: int) -> int:
    divisor = line_divisor(mhz, baud)
    if divisor < _FEWEST_DIVISOR:
        raise ValueError(f"{mhz:g} MHz are {divisor} clocks per bit, and the receiver needs {_FEWEST_DIVISOR}")
    return divisor


def _row(geometry: Geometry, mhz: float, divisor: int, films: int) -> dict[str, Any]:
    per_frame = max_count(geometry, Op.LOAD)
    frame = Request.HEADER.size + per_frame * (geometry.code_bytes + 1) + FRAMING
    byte = BITS_PER_BYTE * divisor
    some = min(films, per_frame * max(_FRAMES, _CLOCKS // (frame * byte)))
    loads = [_load(geometry, mhz, divisor, some, delay) for delay in _DELAYS_MS]
    told = []
    for name, cost in commands(geometry, divisor).items():
        least = (cost["sent"] + cost["received"]) * byte
        told.append(
            {
                "name": name,
                **cost,
                "ms": cost["clocks"] / mhz / 1e3,
                "ms_limit": least / mhz / 1e3,
                "per_second": mhz * 1e6 / cost["clocks"],
                "per_second_limit": mhz * 1e6 / least,
            }
        )
    payload = films * (geometry.code_bytes + 1)
    return {
        "real_baud": mhz * 1e6 / divisor,
        "films_simulated": some,
        "load_seconds": payload * byte / loads[0]["payload_share"] / mhz / 1e6,
        "load_seconds_limit": payload * byte / mhz / 1e6,
        "loads": loads,
        "commands": told,
    }


def _load(geometry: Geometry, mhz: float, divisor: int, films: int, delay_ms: int) -> dict[str, Any]:
    delay = round(delay_ms * mhz * 1e3)
    found = loading(geometry, divisor, films, delay=delay)
    clocks = found["clocks"] - delay  # from the first bit on the line
    byte = BITS_PER_BYTE * divisor
    return {
        "delay_ms": delay_ms,
        "clocks": clocks,
        "line_busy": found["sent"] * byte / clocks,
        "payload_share": found["payload"] * byte / clocks,
        "equal": found["equal"],
    }


def line_document(results: Mapping[str, Any]) -> list[Section]:
    """What :func:`line_report` returned, for a reader."""
    return [_head(results), _loading(results), _commands(results), _ratings(results)]


def _head(results: Mapping[str, Any]) -> Section:
    return Section(
        "The serial line",
        (
            f"*Generated, do not edit:* `ramrec link {results['board']} --out docs`.",
            "**No hardware has run this.** The whole chip, down to the bits of its line, is simulated with the "
            f"geometry `{results['geometry']}`; a host that takes no time speaks to it through the driver. Seconds are "
            f"simulated clocks over {results['clock_mhz']:g} MHz, what the board {results['board']} is asked for. "
            f"*Limit*: the line at that speed, {BITS_PER_BYTE} bits per byte, and nothing else. Sources simulated: "
            f"`{results['build_id']}`.",
        ),
        tuple(f"{row['baud']:,} baud: {row['why']}." for row in results["left_out"]),
    )


def _loading(results: Mapping[str, Any]) -> Section:
    rows = [
        (
            f"{row['baud']:,}",
            f"{row['divisor']}",
            f"{row['load_seconds']:.2f}",
            f"{row['load_seconds_limit']:.2f}",
            *(f"{load['line_busy']:.1%} / {load['payload_share']:.1%}" for load in row["loads"]),
            f"{row['films_simulated']:,}",
        )
        for row in results["rows"]
    ]
    return Section(
        f"Loading {results['films']:,} films",
        (
            "Frames follow each other without waiting for replies, so the line is *busy* with frames nearly all the "
            "time; *films* are what is in the frames but headers and framing. The limit is that of the films' own "
            "bytes. A delay is what adapter and system take for a question and its answer: FTDI's take 16 ms unless "
            "they are told otherwise, which the program does where the system lets it. So many films were simulated; "
            "the seconds are for all of them at the same pace.",
        ),
        columns=(
            "baud",
            "clocks per bit",
            "seconds",
            "limit",
            *(f"busy / films, {delay} ms" for delay in _DELAYS_MS),
            "films simulated",
        ),
        rows=tuple(rows),
    )


def _commands(results: Mapping[str, Any]) -> Section:
    rows = [
        (
            f"{one['name']}, {row['baud']:,} baud",
            f"{one['sent']} + {one['received']}",
            f"{one['clocks']:,}",
            f"{one['per_second']:,.0f}",
            f"{one['per_second_limit']:,.0f}",
        )
        for row in results["rows"]
        for one in row["commands"]
        if one["name"] != RATING_TO_LIST
    ]
    return Section(
        "Commands",
        (
            "One after the other, each when the reply to the one before has come. Catalogue and memory are full, so a "
            "RATE learns all kept ratings anew. A byte counts as received in the middle of its stop bit, so a short "
            "command may seem to beat the limit by half a bit.",
        ),
        columns=("command", "bytes out + in", "clocks", "per second", "limit"),
        rows=tuple(rows),
    )


def _ratings(results: Mapping[str, Any]) -> Section:
    rows = [
        (f"{row['baud']:,}", f"{one['sent']} + {one['received']}", f"{one['ms']:.3f}", f"{one['ms_limit']:.3f}")
        for row in results["rows"]
        for one in row["commands"]
        if one["name"] == RATING_TO_LIST
    ]
    return Section(
        "A rating sent to the new list received",
        ("RATE, its reply, RANK and its reply; an adapter's delay comes on top, twice.",),
        columns=("baud", "bytes out + in", "ms", "limit"),
        rows=tuple(rows),
    )
