"""Reliable requests over an unreliable line: sequence numbers, time-outs, repetition, recovery."""

import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from ..hdl.protocol import FRAMING, BadFrame, Op, Reply, Request, Status, decode_frame, encode_frame
from .errors import RamrecError
from .transport import LinkError, Transport

__all__ = ["DEVICE_QUEUE", "LINE_WINDOW", "DeviceRestarted", "Link"]

DEVICE_QUEUE = 512
"""Bytes that a device takes in while it works; no more than these are under way while it may work for long."""

LINE_WINDOW = 8192
"""Bytes under way of requests that a device executes faster than a line brings the next one.

Enough for a line of 3 Mbaud to stay busy over 27 ms, more than a USB adapter holds a reply back, and little enough for
32 frames, far from where sequence numbers wrap.
"""


class DeviceRestarted(RamrecError):
    """The device was reset, or another program spoke to it. Say HELLO, then replay the journal."""


class Link:
    """Requests with sequence numbers over a transport.

    A device executes a request only if its number follows the last one, and answers the last number again
    from its stored reply. The line damages and loses bytes but keeps their order.

    Parameters
    ----------
    transport
        The line.
    timeout
        Seconds to wait for a reply, longer than any one operation takes.
    retries
        How often one request is repeated before the device counts as gone.
    """

    def __init__(self, transport: Transport, *, timeout: float, retries: int) -> None:
        self._transport = transport
        self._timeout = timeout
        self._retries = retries
        self._received = b""
        # A random start, so that late replies to an earlier program are not taken for ours.
        self._next = random.randrange(256)
        self._in_step = False

    def hello(self) -> Reply:
        """Send HELLO, which sets the device's sequence number. LinkError if the device does not answer."""
        request = self._numbered(Request(seq=0, op=Op.HELLO))
        reply = self._ask(request)
        self._in_step = True
        return reply

    def exchange(
        self, requests: Sequence[Request], *, idempotent: bool = False, window: int = DEVICE_QUEUE
    ) -> list[Reply]:
        """Replies to ``requests``, in order, whatever their status.

        Parameters
        ----------
        requests
            Executed in order. Their ``seq`` is ignored.
        idempotent
            Requests that may be executed twice, and out of order after a fault, share the line. Others are
            executed exactly once, each after the one before it was answered.
        window
            Bytes that may be under way of idempotent requests: `DEVICE_QUEUE`, or `LINE_WINDOW` if a device executes
            each of them in less time than the next one takes to arrive.

        Raises
        ------
        DeviceRestarted
            If the device does not know the sequence number, or an earlier exchange failed and there was no
            HELLO since. What the device holds is then unknown.
        LinkError
            If the device does not answer.
        """
        if not self._in_step:
            raise DeviceRestarted("the link to the device failed before, and was not opened again since")
        self._in_step = False
        replies: dict[int, Reply] = {}
        waiting = deque(enumerate(requests))
        flight: list[tuple[int, Request]] = []
        while waiting or flight:
            while waiting and self._has_room(flight, waiting[0][1], window if idempotent else 0):
                index, request = waiting.popleft()
                flight.append((index, self._numbered(request)))
                self._transport.write(_frame(flight[-1][1]))
            answer = self._await([request for _, request in flight])
            if answer is None or answer[1].status == Status.BAD_SEQUENCE:
                position, reply = self._recover([request for _, request in flight])
                again, left = flight[:position] + flight[position + 1 :], []
            else:
                position, reply = answer
                again, left = flight[:position], flight[position + 1 :]
            replies[flight[position][0]] = reply
            waiting.extendleft(reversed(again))
            flight = left
        self._in_step = True
        return [replies[index] for index in range(len(requests))]

    @staticmethod
    def _has_room(flight: list[tuple[int, Request]], request: Request, window: int) -> bool:
        """Whether one more request may be sent; the first one always may."""
        frames = (_frame_bytes(one) for one in (request, *(other for _, other in flight)))
        return not flight or sum(frames) <= window

    def _numbered(self, request: Request) -> Request:
        request = replace(request, seq=self._next)
        self._next = (self._next + 1) % 256
        return request

    def _recover(self, flight: list[Request]) -> tuple[int, Reply]:
        """Find the device's place after a fault: position and reply of the last request that it executed.

        The requests are tried from the last to the first. A device whose last number is among them, or just
        before them, refuses the later ones and answers or executes exactly one. One that restarted refuses
        all. So no request is executed that would not have been, and none after the one returned was.
        """
        for position in reversed(range(len(flight))):
            reply = self._ask(flight[position])
            if reply.status != Status.BAD_SEQUENCE:
                self._next = (flight[position].seq + 1) % 256
                return position, reply
        raise DeviceRestarted("the device restarted, or another program used it")

    def _ask(self, request: Request) -> Reply:
        """Send one request until it is answered."""
        for _ in range(self._retries + 1):
            # The zero ends what a fault may have left of an earlier frame.
            self._transport.write(b"\0" + _frame(request))
            answer = self._await([request])
            if answer is not None:
                return answer[1]
        raise LinkError(
            f"the device does not answer ({self._retries + 1} requests, {self._timeout:g} s each); "
            "check that it is programmed, its port and its baud rate"
        )

    def _await(self, requests: list[Request]) -> tuple[int, Reply] | None:
        """The next reply to one of ``requests`` and its position; None after damage or the time-out."""
        deadline = time.monotonic() + self._timeout
        while True:
            while b"\0" in self._received:
                frame, self._received = self._received.split(b"\0", 1)
                try:
                    reply = Reply.unpack(decode_frame(frame))
                except BadFrame:
                    return None
                for position, request in enumerate(requests):
                    if (request.seq, request.op) == (reply.seq, reply.op):
                        return position, reply
            left = deadline - time.monotonic()
            data = self._transport.read(left) if left > 0 else b""
            if not data:
                return None
            self._received += data


def _frame(request: Request) -> bytes:
    return encode_frame(request.pack())


def _frame_bytes(request: Request) -> int:
    return Request.HEADER.size + len(request.records) + FRAMING
