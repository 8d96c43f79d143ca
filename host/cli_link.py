"""``ramrec link``: what a board's serial line carries."""

import json
from pathlib import Path
from typing import Annotated

import typer

from . import console
from .bench.document import markdown
from .bench.line_report import line_document, line_report
from .bench.workload import FILMS
from .cli_boards import BoardName, find_board
from .cli_options import AsJson
from .cli_table import show_lines, show_table
from .errors import RamrecError

__all__ = ["link_command"]


def link_command(
    board: BoardName,
    films: Annotated[int, typer.Option(min=100, help="Whose loading is told; no more than fit.")] = FILMS,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write link.json and link.md there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a board's serial line at each speed in simulation, bit by bit: loading, commands, a rating's way.

    Simulated clocks are kept, so an interrupted run goes on where it stopped.

    \b
    Examples:
      ramrec link icebreaker
      ramrec link ulx3s-85f --json
    """
    results = line_report(find_board(board), films=films)
    sections = line_document(results)
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / "link.json").write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")
            (out / "link.md").write_text(markdown(sections))
        except OSError as error:
            raise RamrecError(f"can not write to {out}: {error.strerror or error}") from None
    if as_json:
        console.emit_json(results)
        return
    for section in sections:
        if section.columns:
            show_lines([section.title], style="bold")
            show_table(section.columns, section.rows, numbers=section.columns[1:])
            show_lines([""])
    show_lines([f"{row['baud']:,} baud left out: {row['why']}" for row in results["left_out"]])
