"""``ramrec flash``: a bitstream onto its board."""

import time
from pathlib import Path
from typing import Annotated

import typer

from ..boards.loader import LoaderError, find_loader, load, loader_command
from . import console
from .cli_boards import BoardName, find_board
from .cli_options import AsJson
from .cli_table import show_lines
from .errors import RamrecError, UsageError

__all__ = ["flash_command"]

_SECONDS = {False: 5.0, True: 30.0}
"""What loading usually takes, by whether it is kept."""


def flash_command(
    board: BoardName,
    bitstream: Annotated[
        Path | None, typer.Option(metavar="FILE", help="[default: what `ramrec build BOARD` left in this folder]")
    ] = None,
    persist: Annotated[
        bool, typer.Option("--persist/--volatile", help="Into the board's flash memory, or until power is off.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Put a bitstream on a board, by openFPGALoader, fujprog or iceprog.

    \b
    Examples:
      ramrec flash ulx3s-25f
      ramrec flash icebreaker --persist
      ramrec flash ulx3s-25f --bitstream bitstreams/ulx3s-25f.bit
    """
    carrier = find_board(board)
    file = _left_by_build(carrier.name) if bitstream is None else bitstream
    if not file.is_file():
        raise UsageError(f"there is no file {file}")
    start = time.monotonic()
    try:
        command = loader_command(carrier, find_loader(carrier, persist=persist), file, persist=persist)
        with console.progress(f"loading {file.name}", seconds=_SECONDS[persist]):
            load(command)
    except LoaderError as error:
        raise RamrecError(str(error)) from None
    seconds = round(time.monotonic() - start, 1)
    if as_json:
        said = {"board": carrier.name, "bitstream": str(file), "persist": persist, "seconds": seconds}
        console.emit_json(said | {"command": command})
    else:
        kept = "kept in its flash memory" if persist else "until power is off"
        show_lines([f"{file} is on {carrier.name}, {kept} ({seconds} s)", "next: ramrec doctor"])


def _left_by_build(board: str) -> Path:
    for suffix in (".bit", ".bin"):
        if (file := Path(board + suffix)).is_file():
            return file
    raise UsageError(
        f"there is no {board}.bit or {board}.bin here: `ramrec build {board}` makes it, or name one by --bitstream"
    )
