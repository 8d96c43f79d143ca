"""The virtual board: the device's gateware compiled to machine code, bytes in and bytes out."""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path

from ..hdl.geometry import Geometry
from ..hdl.protocol import build_id
from .compiled import NoCompiler, shared_library

__all__ = ["CompiledBoard", "NoCompiler", "VirtualBoard"]

_SLICE = 200_000
"""Clocks between two chances for Ctrl-C."""


class CompiledBoard:
    """Gateware in a shared library. It keeps no time: clocks run only inside :meth:`run`."""

    def __init__(self, library: Path, trace: Path | None = None) -> None:
        self._library = _bind(ctypes.CDLL(str(library)))
        self._board = self._library.board_open(os.fsencode(trace) if trace is not None else None)
        if not self._board:
            raise OSError(f"cannot write waveforms to {trace}")

    def write(self, data: bytes) -> None:
        """Queue bytes for the board."""
        self._library.board_write(self._open(), data, len(data))

    def run(self, limit: int) -> bool:
        """Run until a frame ended or the board has nothing to do; False if ``limit`` clocks passed before."""
        return self._library.board_run(self._open(), limit)

    def take(self) -> bytes:
        """Bytes that came out since the last call."""
        taken = bytearray()
        buffer = ctypes.create_string_buffer(512)
        while size := self._library.board_read(self._open(), buffer, len(buffer)):
            taken += buffer.raw[:size]
        return bytes(taken)

    def read(self, limit: int = 20_000_000) -> bytes:
        """Run until a whole frame is out, the board has nothing to do, or ``limit`` clocks have passed.

        Returns the bytes that came out: a frame with its final zero, none, or after ``limit`` clocks perhaps
        a part of a frame.
        """
        while limit > 0 and not self.run(min(limit, _SLICE)):
            limit -= _SLICE
        return self.take()

    def switch_on(self, fault: int) -> None:
        """Let a planted fault show, or with 0 none."""
        self._library.board_fault(self._open(), fault)

    @property
    def clocks(self) -> int:
        """Clocks since the start."""
        return self._library.board_clocks(self._open())

    def close(self) -> None:
        """Switch off; waveforms are complete afterwards."""
        if self._board:
            self._library.board_close(self._board)
            self._board = None

    def __enter__(self) -> "CompiledBoard":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self) -> int:
        if not self._board:
            raise ValueError("the board is closed")
        return self._board


class VirtualBoard(CompiledBoard):
    """A device made of compiled gateware, without a serial line.

    The first board of a geometry is built, which takes a C++ compiler and some seconds; later ones, also in
    other processes, come from a cache in a few milliseconds.

    Parameters
    ----------
    geometry
        What the gateware is made for.
    cache
        Folder for built gateware; by default ``$RAMREC_CACHE/virtual`` or this platform's folder for caches.
    on_status
        Is told in a line what takes long.
    trace
        File for waveforms (VCD) of every clock; slow, and built apart.

    Raises
    ------
    NoCompiler
        If this machine has no C++ compiler.
    """

    def __init__(
        self,
        geometry: Geometry,
        cache: Path | None = None,
        on_status: Callable[[str], None] | None = None,
        *,
        trace: Path | None = None,
    ) -> None:
        def device() -> object:
            from ..hdl.device import Device

            return Device(geometry)

        design = f"Device {build_id():08x} {geometry}"
        traced = trace is not None
        super().__init__(shared_library(design, device, traced=traced, cache=cache, on_status=on_status), trace)


def _bind(library: ctypes.CDLL) -> ctypes.CDLL:
    board, size = ctypes.c_void_p, ctypes.c_size_t
    for name, result, arguments in (
        ("board_open", board, [ctypes.c_char_p]),
        ("board_close", None, [board]),
        ("board_write", None, [board, ctypes.c_char_p, size]),
        ("board_run", ctypes.c_bool, [board, ctypes.c_uint64]),
        ("board_read", size, [board, ctypes.c_char_p, size]),
        ("board_fault", None, [board, ctypes.c_uint]),
        ("board_clocks", ctypes.c_uint64, [board]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
