"""Plays exchanges on a device and compares its answers with the expected ones, byte for byte."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ..hdl.protocol import ALL, Op, Reply, Request, Stats, Status, decode_frame, encode_frame
from .steps import Command, Exchange, body_of, split_frames

__all__ = ["Line", "Outcome", "play", "reset"]

_UNDER_WAY = 512
"""Bytes that a device takes in while it works."""

_EXTRA = 0.02
"""Seconds in which a reply that nobody asked for would come."""


class Line(Protocol):
    """A byte stream to a device and back."""

    def write(self, data: bytes) -> None:
        """Send all of ``data``."""

    def read(self, timeout: float) -> bytes:
        """Bytes that came, after up to ``timeout`` seconds; none if none came, or none will."""

    def close(self) -> None:
        """Give the device back."""


@dataclass(frozen=True)
class Outcome:
    """What came of playing exchanges.

    ``wrong`` is the place of the first exchange that was answered wrongly, None if there is none, and
    ``received`` what came instead. ``clocks`` are those between the first and the last STATS.
    """

    clocks: int
    wrong: int | None = None
    received: bytes = b""


def reset(line: Line, timeout: float) -> None:
    """Empty a device, whatever it was used for before, and drop its answers; a silent one is left alone."""
    hello, empty = Request(seq=0, op=Op.HELLO), Request(seq=1, op=Op.RESET, user=ALL)
    # The zero ends what may be left of a frame.
    line.write(b"\0" + encode_frame(hello.pack()) + encode_frame(empty.pack()))
    last = encode_frame(Reply(seq=1, op=Op.RESET, data=bytes(2)).pack())
    received = b""
    while last not in received and (data := line.read(timeout)):
        received += data


def play(line: Line, exchanges: Sequence[Exchange], *, pipelined: bool = False, timeout: float = 2.0) -> Outcome:
    """Send all steps, until one is answered wrongly.

    Replies are compared as they came. Of those to STATS, clocks are not compared, and the other counters
    count from the first such reply on: a device need not have been started for this.

    Parameters
    ----------
    line
        Leads to the device.
    exchanges
        What is sent, and what must come.
    pipelined
        Whether up to 512 bytes are sent before the replies to them are waited for.
    timeout
        Seconds to wait for a reply.
    """
    first: tuple[Stats, Stats] | None = None
    clocks, pending = 0, b""
    for batch in _batches(exchanges, pipelined):
        line.write(b"".join(exchanges[index].sent for index in batch))
        for index in batch:
            for expected in exchanges[index].replies:
                while b"\0" not in pending and (data := line.read(timeout)):
                    pending += data
                frames, _ = split_frames(pending)
                received = frames[0] if frames else pending
                pending = pending[len(received) :]
                want, got = stats_of(expected), stats_of(received)
                if want is None or got is None:
                    same = received == expected
                else:
                    first = first or (want, got)
                    clocks = (got.clocks - first[1].clocks) % (1 << 32)
                    same = _since(first[0], expected) == _since(first[1], received)
                if not same:
                    return Outcome(clocks, index, received)
    pending += line.read(min(timeout, _EXTRA))
    return Outcome(clocks, len(exchanges) - 1, pending) if pending else Outcome(clocks)


def _batches(exchanges: Sequence[Exchange], pipelined: bool) -> Iterator[range]:
    """Places of exchanges that are sent together.

    Nothing is sent behind a STATS: a damaged frame that comes while it is executed may be counted already.
    """
    start, size = 0, 0
    for index, exchange in enumerate(exchanges):
        if index > start:
            before = exchanges[index - 1].step
            counts = isinstance(before, Command) and before.op == Op.STATS
            if not pipelined or counts or size + len(exchange.sent) > _UNDER_WAY:
                yield range(start, index)
                start, size = index, 0
        size += len(exchange.sent)
    if exchanges:
        yield range(start, len(exchanges))


def stats_of(frame: bytes) -> Stats | None:
    """The counters in a reply to STATS; None if the frame is something else."""
    reply = body_of(frame)
    if reply is None or (reply.op, reply.status) != (Op.STATS, Status.OK) or len(reply.data) != Stats.LAYOUT.size:
        return None
    return Stats.unpack(reply.data)


def _since(first: Stats, frame: bytes) -> Reply:
    """A reply to STATS, counted from an earlier one on and without clocks."""
    reply = Reply.unpack(decode_frame(frame[:-1]))
    now = Stats.unpack(reply.data)
    counted = replace(
        now,
        clocks=0,
        command_clocks=0,
        learn_clocks=0,
        rank_clocks=0,
        commands=(now.commands - first.commands) % (1 << 32),
        dropped=(now.dropped - first.dropped) % (1 << 32),
    )
    return replace(reply, data=counted.pack())
