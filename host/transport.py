"""The seam between driver and device: bytes out, bytes in. The driver does not know what is behind it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs

from ..hdl.geometry import Geometry
from ..hdl.protocol import DEFAULT_BAUD
from . import console
from .errors import RamrecError, UsageError

try:
    import termios
except ImportError:  # Windows
    _PORT_ERRORS: tuple[type[Exception], ...] = (OSError, TypeError, ValueError)
else:
    _PORT_ERRORS = (OSError, TypeError, ValueError, termios.error)

if TYPE_CHECKING:
    from ..sim.golden_device import GoldenDevice
    from ..sim.pty import PtyChip

__all__ = ["BACKENDS", "LinkError", "PtyTransport", "Transport", "open_transport", "require_backend", "require_rule"]

BACKENDS = ("golden", "native", "auto", "virtual", "pty", "serial://PORT[?baud=N]")
"""What :func:`open_transport` understands."""


_WRITE_SECONDS = 10
"""Longer than any request takes at a usual rate; a port that takes no more bytes is not waited for longer."""

_BUILD_SECONDS = 25
"""What compiling the largest preset takes on two cores."""


class LinkError(RamrecError):
    """The device can not be reached: port missing or unplugged, or no answer to repeated requests."""


class Transport(Protocol):
    """An ordered byte stream to a device and back. Bytes may be damaged or lost, never overtaken."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``. LinkError if the device is gone."""

    def read(self, timeout: float) -> bytes:
        """Return the bytes that came, waiting up to ``timeout`` seconds for the first; ``b""`` if none came.

        An implementation that knows that nothing will come may return ``b""`` at once.
        LinkError if the device is gone.
        """

    def close(self) -> None:
        """Give the device back. Closing twice is harmless."""


def open_transport(backend: str, geometry: Geometry) -> Transport:
    """Open a device.

    Parameters
    ----------
    backend
        ``golden``, the model in NumPy; ``native``, the same compiled by Numba, the fastest without a board;
        ``auto``, ``native`` where Numba is installed and else ``golden``; ``virtual``, the compiled gateware;
        ``pty``, the compiled gateware with its UART behind a pseudo-terminal; or ``serial://PORT`` with an
        optional ``?baud=N``, a board.
    geometry
        What the device is built with. A board has its own: the driver compares.

    Raises
    ------
    UsageError
        If the backend is unknown, or can not have this geometry.
    LinkError
        If the serial port can not be opened.
    RamrecError
        If the gateware or the native backend can not be compiled here.
    """
    require_backend(backend, geometry)
    if backend in _MODELS:
        return _Model(_MODELS[backend](geometry))
    if backend in ("virtual", "pty"):
        try:
            return _Virtual(geometry) if backend == "virtual" else _pty(geometry)
        except (RuntimeError, OSError) as error:
            raise RamrecError(f"{error}; the backend golden needs no compiler") from error
    return _Serial(*_serial_address(backend))


def require_backend(backend: str, geometry: Geometry) -> None:
    """UsageError if there is no such backend, or not with this geometry: to be asked before long work."""
    if backend.startswith("serial://"):
        _serial_address(backend)
    elif backend not in BACKENDS:
        raise UsageError(f"a backend is one of {', '.join(BACKENDS)}, not {backend!r}")
    require_rule(backend, geometry)


def require_rule(backend: str, geometry: Geometry) -> None:
    """UsageError if the geometry's rule does not exist in gateware, and the backend is gateware."""
    if geometry.rule == "wisard" and backend not in _MODELS:
        raise UsageError("the rule wisard exists in the golden model only: choose the backend golden")


def _serial_address(backend: str) -> tuple[str, int]:
    """Port and bits per second of ``serial://PORT[?baud=N]``."""
    port, _, options = backend.removeprefix("serial://").partition("?")
    query = parse_qs(options, keep_blank_values=True)
    baud = query.pop("baud", [str(DEFAULT_BAUD)])[-1]
    if not port or query or not baud.isdecimal() or int(baud) == 0:
        raise UsageError(f"a serial backend looks like serial:///dev/ttyUSB1?baud={DEFAULT_BAUD}, not {backend!r}")
    return port, int(baud)


def _golden(geometry: Geometry) -> GoldenDevice:
    from ..sim.golden_device import GoldenDevice

    return GoldenDevice(geometry)


def _native(geometry: Geometry) -> GoldenDevice:
    try:
        from .native import NativeDevice
    except ImportError:
        raise UsageError(
            "the backend native needs Numba, which is missing: pip install 'ramrec[native]', or choose golden"
        ) from None
    return NativeDevice(geometry)


def _auto(geometry: Geometry) -> GoldenDevice:
    return _golden(geometry) if find_spec("numba") is None else _native(geometry)


_MODELS = {"golden": _golden, "native": _native, "auto": _auto}
"""Backends that are this process itself."""


class _Model:
    def __init__(self, device: GoldenDevice) -> None:
        self._device = device
        self._frame = b""
        self._replies = b""

    def write(self, data: bytes) -> None:
        *frames, self._frame = (self._frame + data).split(b"\0")
        self._replies += b"".join(self._device.receive(frame) for frame in frames)

    def read(self, timeout: float) -> bytes:
        data, self._replies = self._replies, b""
        return data

    def close(self) -> None:
        pass


class _Virtual:
    def __init__(self, geometry: Geometry) -> None:
        from ..sim.virtual import VirtualBoard

        with console.when_told(seconds=_BUILD_SECONDS) as say:
            self._board = VirtualBoard(geometry, on_status=say)

    def write(self, data: bytes) -> None:
        self._board.write(data)

    def read(self, timeout: float) -> bytes:
        return self._board.read()

    def close(self) -> None:
        self._board.close()


class _Serial:
    def __init__(self, port: str, baud: int) -> None:
        import serial

        self._name = port
        with self._reporting("open"):
            self._port = serial.Serial(port, baud, exclusive=True, write_timeout=_WRITE_SECONDS)
            self._port.reset_input_buffer()
        # FTDI's adapters hold a short reply back for 16 ms unless they are told not to. Not every system can tell them.
        with suppress(AttributeError, NotImplementedError, OSError, ValueError):
            self._port.set_low_latency_mode(True)

    def write(self, data: bytes) -> None:
        with self._reporting("write to"):
            self._port.write(data)

    def read(self, timeout: float) -> bytes:
        with self._reporting("read from"):
            self._port.timeout = timeout
            first = self._port.read(1)
            return first + self._port.read(self._port.in_waiting) if first else b""

    def close(self) -> None:
        with self._reporting("close"):
            self._port.close()

    @contextmanager
    def _reporting(self, verb: str) -> Iterator[None]:
        """Turn what pyserial and the system raise into one line. A vanished port raises any of these."""
        try:
            yield
        except _PORT_ERRORS as error:
            reason = getattr(error, "strerror", None) or error
            raise LinkError(f"can not {verb} {self._name}: {reason}; {_ADVICE[verb]}") from error


_ADVICE = {
    "open": "check the cable, the port's name, your permission for it, and that no other program has it open",
    "write to": "was the board unplugged? Plug it in and start again, nothing that was rated is lost",
    "read from": "was the board unplugged? Plug it in and start again, nothing that was rated is lost",
    "close": "was the board unplugged?",
}


class PtyTransport(_Serial):
    """A chip behind a pseudo-terminal; closing it unplugs the chip."""

    def __init__(self, chip: PtyChip) -> None:
        self._chip = chip
        try:
            super().__init__(chip.port, DEFAULT_BAUD)
        except BaseException:
            chip.close()
            raise

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._chip.close()


def _pty(geometry: Geometry) -> PtyTransport:
    from ..sim.pty import PtyBoard

    with console.when_told(seconds=_BUILD_SECONDS) as say:
        return PtyTransport(PtyBoard(geometry, on_status=say))
