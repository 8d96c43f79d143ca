"""``ramrec build`` and ``ramrec boards``: bitstreams, and what is known of the boards they are for."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from ..boards.board import Board
from ..boards.build import build, deliver
from ..boards.build_area import RESOURCES
from ..boards.build_plan import Plan, make_plan
from ..boards.build_report import missed
from ..boards.build_tools import BuildError, native, yowasp
from ..boards.kept import COLUMNS, NUMBERS, describe, keep, kept, markdown, row
from ..boards.registry import BOARDS
from . import console
from .cli_boards import BoardName, find_board
from .cli_options import AsJson
from .cli_table import show_lines, show_table
from .errors import RamrecError, UsageError
from .geometries import parse_geometry

__all__ = ["boards_command", "build_command"]

_USUAL = {"elaboration": 3.0, "synthesis": 30.0, "placement": 160.0, "routing": 70.0, "packing": 2.0, "report": 2.0}
"""Seconds on two cores, for a board without a kept report."""


class _Stopped(RamrecError):
    exit_code = 130


def build_command(
    board: BoardName,
    geometry: Annotated[
        str | None,
        typer.Option(
            metavar="NAME[:FIELD=VALUE,...]", help="What the device is made for. [default: the board's own geometry]"
        ),
    ] = None,
    clock: Annotated[
        float | None,
        typer.Option(metavar="MHZ", help="Frequency of the chip, made by a PLL. [default: the board's own]"),
    ] = None,
    seed: Annotated[int, typer.Option(min=1, help="Seed of placement and routing.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds to try, from --seed on, until timing is met.")] = 1,
    jobs: Annotated[int, typer.Option(min=1, help="Seeds to try at the same time.")] = 1,
    native_tools: Annotated[
        bool, typer.Option("--native", help="Use Yosys, nextpnr and packer from the PATH, not pip's.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where bitstream, report and page go.")] = Path(),
    keep_report: Annotated[
        bool,
        typer.Option("--keep", help="Also keep the report, with simulated clocks, in the source tree for the table."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a board's bitstream, with tools that pip installs: pip install 'ramrec[build]'

    Beside it come a report (.json) and a page with pictures (.html). Finished stages are cached. A bitstream that
    misses timing is written under a name that says so.

    \b
    Examples:
      ramrec build ulx3s-25f
      ramrec build ulx3s-25f --geometry ECP5_25F:users=4 --clock 50 --seeds 8 --jobs 4 --out bitstreams
      ramrec build path/to/my_board.py
    """
    carrier = find_board(board)
    if keep_report and (geometry, clock) != (None, None):
        raise UsageError("--keep is for the board's own geometry and clock: leave out --geometry and --clock")
    if keep_report and carrier.name not in BOARDS:
        raise UsageError("--keep is for the boards of `ramrec boards`")
    if keep_report and find_spec("numba") is None:
        raise UsageError("--keep simulates the bench's commands, which needs numba: pip install 'ramrec[bench]'")
    try:
        out.mkdir(parents=True, exist_ok=True)  # a build takes minutes: better to fail here than behind it
        plan = _planned(carrier, geometry, clock)
        show = partial(_stage, usual=_USUAL | kept().get(carrier.name, {}).get("seconds", {}))
        tools = native(plan.tools) if native_tools else yowasp(plan.tools)
        report = deliver(build(plan, tools, seed=seed, seeds=seeds, jobs=jobs, show=show), out)
        if keep_report:
            from .projection import measure_cycles

            console.say(f"report kept in {keep(report | measure_cycles(plan.geometry))}")
    except BuildError as error:
        raise RamrecError(str(error)) from None
    except OSError as error:
        raise RamrecError(f"can not write {error.filename or out}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        raise _Stopped("interrupted; finished stages are kept") from None
    failure = None if report["timing_met"] else missed(report, seeds)
    if as_json:
        console.emit_json(report if failure is None else report | {"error": failure})
    else:
        _show(report)
    if failure is not None:
        if not as_json:
            raise RamrecError(failure)
        raise typer.Exit(1)


def boards_command(
    as_markdown: Annotated[bool, typer.Option("--table", help="Print the table of docs/boards.md.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the boards, with what place and route made of those that were built.

    Example: ramrec boards
    """
    boards = describe(kept())
    if as_json:
        console.emit_json({"boards": boards})
    elif as_markdown:
        show_lines(markdown(list(map(row, boards))).splitlines())
    else:
        show_table(COLUMNS, map(row, boards), numbers=NUMBERS)


def _planned(board: Board, geometry: str | None, clock: float | None) -> Plan:
    wanted = board.geometry if geometry is None else parse_geometry(geometry)
    with _stage("elaboration", _USUAL):
        try:
            return make_plan(board, wanted, clock_mhz=clock)
        except ValueError as error:
            raise UsageError(f"{board.name}: {error}") from None


@contextmanager
def _stage(name: str, usual: Mapping[str, float]) -> Iterator[None]:
    """Show that a stage runs, with the time left if it takes what it usually takes, and then what it took."""
    start = time.monotonic()
    with console.progress(name, seconds=usual.get(name.split()[0])):
        yield
    console.say(f"{name:<12}{time.monotonic() - start:7.1f} s")


def _show(report: dict[str, Any]) -> None:
    rows = []
    for key, (name, _) in RESOURCES.items():
        used, available = report[key], report[f"{key}_available"]
        if available:
            rows.append((name, f"{used:,}", f"{available:,}", f"{used / available:.0%}"))
    show_table(("resource", "used", "available", "share"), rows, numbers=("used", "available", "share"))
    shown = [key for key in RESOURCES if report[key]]
    columns = [RESOURCES[key][0] for key in shown]
    parts = [(part["component"], *(f"{part[key]:,}" for key in shown)) for part in report["components"]]
    show_table(("component", *columns), parts, numbers=columns)
    path = report["critical_path"]
    way = ", ".join(f"{step['component']} {step['ns']} ns" for step in path["through"])
    show_lines(
        [
            f"Fmax {report['fmax_mhz']} MHz, demanded {report['clock_mhz']} MHz (seed {report['seed']})",
            f"critical path {path['ns']} ns from {path['from']} to {path['to']}: {way}",
            f"pictures  {report['page']}",
            f"bitstream {report['bitstream']}",
        ]
    )
