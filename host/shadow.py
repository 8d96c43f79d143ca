"""A transport that compares a device with the golden model, reply by reply."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from ..hdl.geometry import Geometry
from ..hdl.protocol import INLINE, BadFrame, Hello, Op, Reply, Request, Stats, Status, decode_frame
from ..sim.golden_device import GoldenDevice
from .transport import Transport

__all__ = ["Shadowed"]


class Shadowed:
    """A device, and a golden device that is told the same.

    The golden device executes a request when the device has answered it, so a line that loses or damages
    frames does no harm: what the driver repeats is repeated here. Replies are compared byte for byte, but for
    clocks, damaged frames, and what a device that has run before may hold or have counted.

    Parameters
    ----------
    device
        The device. It must be reset before it is asked for more than HELLO; :meth:`close` closes it.
    geometry
        What it is made for.

    Attributes
    ----------
    commands
        Requests answered and compared.
    mismatches
        A line about each reply that was not the golden device's.
    seconds
        Time spent on the device itself.
    """

    def __init__(self, device: Transport, geometry: Geometry) -> None:
        self.commands = 0
        self.mismatches: list[str] = []
        self.seconds = 0.0
        self._device = device
        self._golden = GoldenDevice(geometry)
        self._waiting: list[Request] = []
        self._sent = b""
        self._received = b""
        self._head_start: int | None = None

    def write(self, data: bytes) -> None:
        *frames, self._sent = (self._sent + data).split(b"\0")
        self._waiting += [Request.unpack(decode_frame(frame)) for frame in frames if frame]
        with self._timed():
            self._device.write(data)

    def read(self, timeout: float) -> bytes:
        with self._timed():
            data = self._device.read(timeout)
        *frames, self._received = (self._received + data).split(b"\0")
        for frame in frames:
            with suppress(BadFrame):
                self._compare(Reply.unpack(decode_frame(frame)))
        return data

    def close(self) -> None:
        self._device.close()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - start

    def _compare(self, reply: Reply) -> None:
        """Let the golden device catch up with an answered request, and compare the answers."""
        asked = [(request.seq, request.op) for request in self._waiting]
        if (reply.seq, reply.op) not in asked:
            return
        at = asked.index((reply.seq, reply.op))
        if reply.status == Status.BAD_SEQUENCE:
            del self._waiting[at]
            return
        executed, self._waiting = self._waiting[: at + 1], self._waiting[at + 1 :]
        expected = [Reply.unpack(self._golden.answer(request)) for request in executed][-1]
        self.commands += 1
        if self._comparable(reply, expected) != expected.pack():
            request = executed[-1]
            self.mismatches.append(
                f"command {self.commands}, {Op(request.op & ~INLINE).name} of user {request.user} with argument "
                f"{request.arg}: expected {expected.pack().hex()}, received {reply.pack().hex()}"
            )

    def _comparable(self, reply: Reply, expected: Reply) -> bytes:
        """A reply, with what is not compared replaced by what is expected."""
        if reply.status != expected.status or len(reply.data) != len(expected.data):
            return reply.pack()
        if reply.op == Op.HELLO:
            end = Hello.HEADER.size
            loaded = slice(end - 2, end)
            return replace(reply, data=reply.data[: end - 2] + expected.data[loaded] + reply.data[end:]).pack()
        if reply.op == Op.STATS:
            golden, commands = Stats.unpack(expected.data), Stats.unpack(reply.data).commands
            if self._head_start is None:
                self._head_start = commands - golden.commands
            counted = (commands - self._head_start) % (1 << 32)
            return replace(reply, data=replace(golden, commands=counted).pack()).pack()
        return reply.pack()
