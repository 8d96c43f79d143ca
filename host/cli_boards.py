"""Boards on the command line: a name from the list, or a file of the user's own."""

from pathlib import Path
from typing import Annotated

import typer

from ..boards.board import Board
from ..boards.registry import BOARDS, BoardFileError, board_from_file
from .errors import UsageError

__all__ = ["BoardName", "find_board"]

BoardName = Annotated[
    str, typer.Argument(metavar="BOARD", help="A name from `ramrec boards`, or a file my_board.py that sets BOARD.")
]


def find_board(name: str) -> Board:
    """The board of that name, or the one that a file defines.

    Raises
    ------
    UsageError
        If there is no such board, or the file defines none.
    """
    if name in BOARDS:
        return BOARDS[name]
    if not name.endswith(".py"):
        raise UsageError(f"a board is one of {', '.join(BOARDS)}, or a file my_board.py, not {name!r}")
    if not Path(name).is_file():
        raise UsageError(f"there is no file {name}")
    try:
        return board_from_file(Path(name))
    except BoardFileError as error:
        raise UsageError(str(error)) from None
