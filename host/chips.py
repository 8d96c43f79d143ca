"""Boards' whole chips in simulation: the gateware with pads and clock, or the netlist that synthesis made of it."""

from contextlib import AbstractContextManager
from pathlib import Path

from ..boards.board import Board
from ..boards.build import cache_folder
from ..boards.build_plan import Plan, digest, make_plan
from ..boards.build_stages import synthesise
from ..boards.build_tools import BuildError, yowasp
from ..boards.chip import make_chip
from ..hdl.geometry import Geometry
from ..sim.compiled import BuildFailed, NoCompiler, library
from ..sim.pty import PtyChip
from ..sim.virtual import CompiledBoard
from . import console
from .errors import RamrecError, UsageError
from .transport import PtyTransport, Transport

__all__ = ["CHIP_BACKENDS", "compile_chip", "open_chip"]

CHIP_BACKENDS = ("pty", "gates")
"""What `ramrec verify --board` takes."""

_SYNTHESIS_SECONDS = 60
_COMPILE_SECONDS = 60
"""For the smallest geometry, on two cores."""


class _Line:
    """A chip whose serial line is driven bit by bit, without a terminal between."""

    def __init__(self, library: Path) -> None:
        self._board = CompiledBoard(library)

    def write(self, data: bytes) -> None:
        self._board.write(data)

    def read(self, timeout: float) -> bytes:
        return self._board.read()

    def close(self) -> None:
        self._board.close()


def compile_chip(backend: str, board: Board, geometry: Geometry) -> Path:
    """A board's chip as a shared library: ``pty``, as it was written, or ``gates``, as it was synthesised.

    Raises
    ------
    UsageError
        If the board can not carry the geometry.
    RamrecError
        If a tool is missing, or refuses the gateware.
    """
    try:
        plan = make_plan(board, geometry)
        netlist = _netlist(plan) if backend == "gates" else None
        chip = make_chip(board, plan, netlist)
        with console.when_told(seconds=_COMPILE_SECONDS) as say:
            return library(chip.design, chip.write, chip.definitions, on_status=say)
    except ValueError as error:
        raise UsageError(f"{board.name}: {error}") from None
    except (BuildError, BuildFailed, NoCompiler) as error:
        raise RamrecError(str(error)) from None


def open_chip(backend: str, library: Path) -> Transport:
    """A chip of :func:`compile_chip`, switched on."""
    return PtyTransport(PtyChip(CompiledBoard(library))) if backend == "pty" else _Line(library)


def _netlist(plan: Plan) -> Path:
    tools = yowasp(["yosys"])

    def show(stage: str) -> AbstractContextManager[object]:
        return console.progress(stage, seconds=_SYNTHESIS_SECONDS)

    return synthesise(plan, tools, cache_folder() / digest(plan, tools.versions), show) / "top.json"
