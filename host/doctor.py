"""What is wrong between this machine and a board: one check after the other, each with one line."""

import errno
import os
import statistics
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..hdl.geometry import TINY
from ..hdl.protocol import DEFAULT_BAUD, VERSION, Hello
from .driver import DeviceRefused, Driver, Mismatch
from .errors import RamrecError
from .link import DeviceRestarted, Link
from .self_test import self_test
from .transport import LinkError, Transport, open_transport

__all__ = ["BAUDS", "Check", "Failed", "Port", "check_board", "choose_port", "serial_ports"]

BAUDS = (1_000_000, 115_200, 3_000_000, 2_000_000, 12_000_000, 921_600, 460_800, 230_400)
"""Speeds at which a board is looked for, the likely ones first."""

_PROBE_SECONDS = 0.3
_ROUND_TRIPS = 50
_UNSTABLE = "its clock is too fast for it, or its supply too weak; build it with a lower --clock"


class Failed(RamrecError):
    """A check failed; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Check:
    """A check that was passed: what was looked at, and what was found."""

    name: str
    said: str


@dataclass(frozen=True)
class Port:
    """A serial port of this machine: its device file, and what is behind it."""

    device: str
    description: str


def serial_ports() -> list[Port]:
    """The serial ports behind USB."""
    from serial.tools import list_ports

    return [Port(port.device, port.description or "") for port in sorted(list_ports.comports()) if port.vid is not None]


def choose_port(ports: Sequence[Port], wanted: str | None) -> str:
    """The port to look at: the wanted one, or the only one.

    Raises
    ------
    Failed
        If there is no such port, or no telling which.
    """
    here = ", ".join(port.device for port in ports)
    known = f"here are {here}" if here else "no USB serial port is here"
    if wanted is not None:
        if not Path(wanted).exists():
            raise Failed(f"wrong port: there is no {wanted}; {known}")
        return wanted
    if not ports:
        raise Failed(
            "no board: no USB serial port is here; plug the board in, with a cable that carries data, "
            "and on Linux see whether `dmesg` names it"
        )
    if len(ports) > 1:
        raise Failed(f"several ports are here: say which, as in `ramrec doctor {ports[-1].device}` ({here})")
    return ports[0].device


def check_board(port: str, baud: int = DEFAULT_BAUD, *, loops: int = 0) -> Iterator[Check]:
    """Look at the board behind a port. A self-test empties it; without one, it keeps what it holds.

    Parameters
    ----------
    port, baud
        Where it is.
    loops
        How often it tests itself.

    Yields
    ------
    Check
        Each check that was passed, as soon as it was.

    Raises
    ------
    Failed
        At the first one that was not.
    """
    _require_access(port)
    yield Check("port", f"{port} can be read and written")
    transport = _opened(port, baud)
    try:
        said = _hello(transport)
        if said is None:
            transport.close()  # the port is one program's at a time
            raise _silence(port, baud)
        hello = _understood(said)
        yield Check("line", f"a ramrec board answers at {baud:,} baud")
        yield from _check_device(transport, hello, loops)
    except (LinkError, DeviceRestarted) as error:
        raise Failed(f"the board stopped answering: {error}") from error
    finally:
        transport.close()


def _check_device(transport: Transport, hello: Hello, loops: int) -> Iterator[Check]:
    device = Driver(transport, hello.geometry, timeout=2.0)
    try:
        device.hello()
    except Mismatch as error:
        raise Failed(f"old gateware: {error}; `ramrec build` makes it and `ramrec flash` loads it") from None
    g = hello.geometry
    yield Check(
        "gateware",
        f"build {hello.build:08x}, protocol {VERSION}: {g.code_bits}-bit codes, {g.lanes} lanes, "
        f"{g.users} users, {g.catalogue_depth:,} films ({hello.loaded:,} loaded)",
    )
    try:
        before = device.stats()
        times = []
        for _ in range(_ROUND_TRIPS):
            start = time.perf_counter()
            device.stats()
            times.append(1000 * (time.perf_counter() - start))
        after = device.stats()
        lost = after.dropped - before.dropped
        if lost:
            raise Failed(
                f"a bad line: {lost} of {_ROUND_TRIPS} requests came damaged; try a shorter cable, or a lower speed"
            )
        yield Check("round trips", f"{_ROUND_TRIPS} in order, median {statistics.median(times):.2f} ms")
        first, second = device.digest(), device.digest()
        if first != second:
            raise Failed(f"the board's catalogue reads {first:08x} once and {second:08x} then: {_UNSTABLE}")
        yield Check("memory", f"the catalogue reads the same twice ({first:08x})")
        if loops:
            start = time.perf_counter()
            fault = self_test(device, g, loops=loops)
            if fault is not None:
                raise Failed(f"the board fails its self-test: {fault}; {_UNSTABLE}")
            yield Check(
                "self-test",
                f"{g.catalogue_depth:,} films and {g.users} users written, learned and ranked {2 * loops} times as in "
                f"the model ({time.perf_counter() - start:.1f} s); the board is empty now",
            )
    except DeviceRefused as error:
        raise Failed(f"the board refuses what it should do: {error}; load it again") from None


def _require_access(port: str) -> None:
    path = Path(port)
    if not path.is_char_device():
        raise Failed(f"wrong port: {port} is no serial port")
    if not os.access(port, os.R_OK | os.W_OK):
        raise Failed(f"no permission for {port}: `sudo usermod -a -G {_group(path)} $USER`, then log out and in again")


def _group(path: Path) -> str:
    try:
        return path.group()
    except (KeyError, NotImplementedError):
        return "dialout"


def _opened(port: str, baud: int) -> Transport:
    try:
        return open_transport(f"serial://{port}?baud={baud}", TINY)  # a board has its own geometry
    except LinkError as error:
        cause = error.__cause__
        if getattr(cause, "errno", None) in (errno.EBUSY, errno.EAGAIN) or "lock" in str(cause):
            raise Failed(f"busy port: another program has {port} open; end it and try again") from None
        raise Failed(f"wrong port: {error}") from None


def _silence(port: str, baud: int) -> Failed:
    """Why nothing answers at this speed."""
    for other in BAUDS:
        if other != baud and _answers_at(port, other):
            return Failed(
                f"wrong baud rate: the board answers at {other:,}, not at {baud:,}; say serial://{port}?baud={other}"
            )
    return Failed(
        f"no board answers on {port} at any speed: is it the board's port, is the bitstream loaded "
        "(`ramrec flash`), and are the lines not swapped?"
    )


def _understood(reply: bytes) -> Hello:
    """What a board says of itself; Failed if it is not of this version."""
    version = int.from_bytes(reply[:2], "little")
    if version != VERSION:
        raise Failed(
            f"old gateware: the board speaks protocol {version}, this program {VERSION}; "
            "`ramrec build` makes it and `ramrec flash` loads it"
        )
    try:
        return Hello.unpack(reply)
    except (ValueError, struct.error) as error:
        raise Failed(f"old gateware: the board describes itself wrongly ({error}); build and load it again") from None


def _answers_at(port: str, baud: int) -> bool:
    try:
        transport = _opened(port, baud)
    except Failed:  # a speed that this port can not have
        return False
    try:
        return _hello(transport) is not None
    finally:
        transport.close()


def _hello(transport: Transport) -> bytes | None:
    """What the board says of itself, None if it says nothing."""
    try:
        return Link(transport, timeout=_PROBE_SECONDS, retries=1).hello().data
    except LinkError:
        return None
