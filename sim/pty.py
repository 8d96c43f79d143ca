"""A board behind a pseudo-terminal: the whole chip, down to the bits of its serial line."""

import os
import select
import threading
import tty
from collections.abc import Callable
from pathlib import Path

from ..hdl.geometry import Geometry
from .serial_board import SerialBoard
from .virtual import CompiledBoard

__all__ = ["PtyBoard", "PtyChip"]

_SLICE = 20_000
"""Clocks between two looks at the terminal."""


class PtyChip:
    """A compiled chip whose serial line ends in a pseudo-terminal, served by a thread of this process.

    Parameters
    ----------
    board
        The chip; closed with this.

    Attributes
    ----------
    port
        Device file for a serial driver, at any speed.
    """

    def __init__(self, board: CompiledBoard) -> None:
        self._board = board
        self._terminal, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._terminal, False)
        self.port = os.ttyname(self._slave)
        self._stopped, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="PtyChip", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Unplug the board."""
        if self._thread.is_alive():
            os.write(self._stop, b"\0")
            self._thread.join()
            for descriptor in (self._terminal, self._slave, self._stopped, self._stop):
                os.close(descriptor)
            self._board.close()

    def __enter__(self) -> "PtyChip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        output = b""
        running = False
        while True:
            readable, writable, _ = select.select(
                [self._terminal, self._stopped],
                [self._terminal] if output else [],
                [],
                0 if running else None,
            )
            if self._stopped in readable:
                return
            if self._terminal in readable:
                self._board.write(os.read(self._terminal, 4096))
                running = True
            if self._terminal in writable:
                output = output[os.write(self._terminal, output) :]
            if running:
                idle = self._board.run(_SLICE)
                came = self._board.take()
                output += came
                running = not idle or came != b""


class PtyBoard(PtyChip):
    """A device with a serial line, without the pins and the clock of a board.

    Parameters
    ----------
    geometry
        What the gateware is made for.
    divisor
        Clocks per bit of the line, at least 4; the fewer, the faster.
    cache, on_status
        As of :class:`.virtual.VirtualBoard`.

    Raises
    ------
    NoCompiler
        If this machine has no C++ compiler.
    """

    def __init__(
        self,
        geometry: Geometry,
        divisor: int = 4,
        cache: Path | None = None,
        on_status: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(SerialBoard(geometry, divisor, cache, on_status))
