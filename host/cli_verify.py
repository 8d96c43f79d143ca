"""``ramrec verify``: a device against the golden model, on random and adversarial commands."""

import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..hdl.geometry import Geometry
from ..sim import verify as core
from ..sim.play import Line
from ..sim.simulated import SimulatedBoard
from ..sim.virtual import VirtualBoard
from . import console
from .cli_options import AsJson, Seed, chosen_backend
from .driver import Driver
from .errors import RamrecError, UsageError
from .geometries import parse_geometry
from .mismatch_file import lines, read_sequence, write_sequence
from .own_geometry import board_geometry
from .transport import open_transport, require_rule

__all__ = ["verify", "verify_command"]

_BOARD = "the board"
_TRACED_SECONDS = 40
"""What compiling takes with waveforms."""
_SIMULATOR = "simulator"
_SESSIONS = {_SIMULATOR: 2}
_CHIP_SESSIONS = {"pty": 10, "gates": 3}
_GEOMETRIES = {_SIMULATOR: ["TINY"], "pty": ["TINY"]}


def verify(
    backend: str, geometry: Geometry, *, sessions: int, seed: int, progress: Callable[[], None] | None = None
) -> core.Report:
    """Compare a device with the golden device; see :func:`ramrec.sim.verify.verify`.

    Parameters
    ----------
    backend
        What :func:`.transport.open_transport` understands, or ``simulator``, Amaranth's own.

    Raises
    ------
    RamrecError
        If the device can not be had.
    """
    return core.verify(
        _opener(backend, geometry), geometry, backend=backend, sessions=sessions, seed=seed, progress=progress
    )


def verify_command(
    backend: Annotated[
        str | None,
        typer.Option(
            metavar="BACKEND",
            help="virtual, pty, golden, native, simulator, or serial:///dev/ttyUSB1?baud=115200. "
            "[default: virtual, or simulator where there is no C++ compiler]",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            metavar="BOARD",
            help="Simulate a board's whole chip, with its pins, clock and line: as it was written (backend pty, the "
            "default), or cell by cell as synthesis left it (backend gates).",
        ),
    ] = None,
    geometry: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:FIELD=VALUE,...]",
            help="What the device is made for; may be given several times. "
            "[default: TINY and ECP5_25F; a board is asked for its own]",
        ),
    ] = None,
    sessions: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Sessions of 60 commands and more per geometry. [default: 200; simulator: 2; --board: 10, gates: 3]",
        ),
    ] = None,
    seed: Seed = 1,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Play a sequence that failed before, instead of new ones.")
    ] = None,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where a sequence that fails is written.")] = Path(),
    as_json: AsJson = False,
) -> None:
    """Compare a device with the golden model, byte for byte.

    The commands are random, with a taste for corners. The first wrong answer is reduced to the shortest
    sequence that shows it, which is printed and written to a file, with waveforms of the virtual board.

    \b
    Examples:
      ramrec verify
      ramrec verify --geometry TINY:rule=nearest,lanes=1 --sessions 1000 --seed 3
      ramrec verify --backend serial:///dev/ttyUSB1
      ramrec verify --board icebreaker --geometry TINY --backend gates
    """
    if board is not None:
        _verify_board(board, backend or "pty", geometry, sessions, seed, out, as_json, replay)
        return
    device = chosen_backend(
        backend,
        otherwise=_SIMULATOR,
        note="verifying a little of it in Amaranth's simulator, which is far slower",
    )
    if replay is not None:
        reports = [_report(replay.name, _played(device, replay), None, as_json)]
    else:
        count = sessions or _SESSIONS.get(device, 200)
        chosen = {name: _geometry(device, name) for name in _names(device, geometry)}
        reports = []
        for name, wanted in chosen.items():
            _prepare(device, wanted)
            with console.progress(f"verifying {name}", count, unit="sessions") as bar:
                done = verify(device, wanted, sessions=count, seed=seed, progress=bar.advance)
            reports.append(_report(name, done, out, as_json))
    _finish(reports, device, seed, as_json)


def _verify_board(
    name: str,
    backend: str,
    geometry: list[str] | None,
    sessions: int | None,
    seed: int,
    out: Path,
    as_json: bool,
    replay: Path | None,
) -> None:
    """Verify a board's whole chip."""
    from .chips import CHIP_BACKENDS, compile_chip, open_chip
    from .cli_boards import find_board

    if backend not in CHIP_BACKENDS:
        raise UsageError(f"with --board, a backend is one of {', '.join(CHIP_BACKENDS)}, not {backend!r}")
    if replay is not None:
        raise UsageError("--replay plays on a device without a board: leave out --board")
    carrier = find_board(name)
    count = sessions or _CHIP_SESSIONS[backend]
    reports = []
    geometries: list[str | None] = [*geometry] if geometry else [None]
    for wanted in geometries:
        made_for = carrier.geometry if wanted is None else parse_geometry(wanted)
        library = compile_chip(backend, carrier, made_for)
        shown = carrier.name if wanted is None else f"{carrier.name} {wanted}"
        with console.progress(f"verifying {shown}", count, unit="sessions") as bar:
            done = core.verify(
                partial(open_chip, backend, library),
                made_for,
                backend=backend,
                sessions=count,
                seed=seed,
                progress=bar.advance,
            )
        reports.append(_report(shown, done, out, as_json))
    _finish(reports, backend, seed, as_json)


def _finish(reports: list[dict[str, Any]], backend: str, seed: int, as_json: bool) -> None:
    """Print what came of it all; ends with code 1 after a wrong answer."""
    total = {key: sum(report[key] for report in reports) for key in ("mismatches", "commands", "sessions", "seconds")}
    if as_json:
        console.emit_json(total | {"geometries": reports, "backend": backend, "seed": seed})
    if total["mismatches"]:
        raise typer.Exit(1)


def _names(backend: str, geometry: list[str] | None) -> list[str]:
    """Geometries to verify, as a person writes them."""
    if backend.startswith("serial:"):
        if geometry and len(geometry) > 1:
            raise UsageError(f"a board has one geometry, not {len(geometry)}")
        return geometry or [_BOARD]
    return geometry or _GEOMETRIES.get(backend, ["TINY", "ECP5_25F"])


def _geometry(backend: str, name: str) -> Geometry:
    geometry = board_geometry(backend) if name == _BOARD else parse_geometry(name)
    require_rule(backend, geometry)
    return geometry


def _opener(backend: str, geometry: Geometry) -> Callable[[], Line]:
    return partial(SimulatedBoard, geometry) if backend == _SIMULATOR else partial(open_transport, backend, geometry)


def _prepare(backend: str, geometry: Geometry) -> None:
    """Build the gateware before the clock runs; Mismatch if a board holds other gateware than this program's."""
    if backend in ("golden", _SIMULATOR):
        return
    with closing(open_transport(backend, geometry)) as transport:
        Driver(transport, geometry).hello()


def _played(backend: str, path: Path) -> core.Report:
    """Play a sequence from a file once."""
    geometry, steps, pipelined = read_sequence(path)
    _prepare(backend, geometry)
    start = time.monotonic()
    failure = core.replay(_opener(backend, geometry), geometry, steps, pipelined=pipelined)
    seconds = time.monotonic() - start
    return core.Report(backend, geometry, 0, 1, len(steps), 0, seconds, failure)


def _report(name: str, report: core.Report, folder: Path | None, as_json: bool) -> dict[str, Any]:
    """Say what came of a verification, keep in ``folder`` what failed, and return it in values for JSON."""
    files: list[str] = []
    if report.failure is not None and folder is not None:
        stem = re.sub(r"\W+", "-", f"mismatch-{name}-{report.seed}-{report.failure.session}")
        try:
            files = _keep(report, report.failure, folder / stem)
        except OSError as error:
            raise RamrecError(f"can not write to {folder}: {error.strerror or error}") from None
    if not as_json:
        verdict = "WRONG ANSWER after" if report.failure else "all answers right:"
        typer.echo(
            f"{name} on {report.backend}: {verdict} {report.commands:,} commands in {report.sessions:,} "
            f"sessions, {report.clocks:,} clocks, {report.seconds:.1f} s"
        )
        for line in [*lines(report.failure), *files] if report.failure else []:
            typer.echo(f"  {line}")
    return {
        "name": name,
        "mismatches": report.mismatches,
        "commands": report.commands,
        "sessions": report.sessions,
        "seconds": round(report.seconds, 3),
        "clocks": report.clocks,
        "geometry": asdict(report.geometry),
        "sequence": list(lines(report.failure)) if report.failure else [],
        "files": files,
    }


def _keep(report: core.Report, failure: core.Failure, stem: Path) -> list[str]:
    """Write the failing sequence, and the virtual board's waveforms of it; the files' paths."""
    sequence = stem.with_suffix(".json")
    write_sequence(sequence, report.geometry, report.seed, failure)
    if report.backend != "virtual":
        return [str(sequence)]
    waveforms = stem.with_suffix(".vcd")
    core.replay(
        partial(_Traced, report.geometry, waveforms), report.geometry, failure.steps, pipelined=failure.pipelined
    )
    return [str(sequence), str(waveforms)]


class _Traced:
    """The virtual board, writing waveforms."""

    def __init__(self, geometry: Geometry, path: Path) -> None:
        with console.when_told(seconds=_TRACED_SECONDS) as say:
            self._board = VirtualBoard(geometry, on_status=say, trace=path)

    def write(self, data: bytes) -> None:
        self._board.write(data)

    def read(self, timeout: float) -> bytes:
        return self._board.read()

    def close(self) -> None:
        self._board.close()
