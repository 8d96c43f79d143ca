"""A whole device against the golden device, frame by frame, with pauses, back-pressure and damaged frames."""

import random

import cocotb
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.protocol import ALL, INLINE, Op, Reply, Request, Stats, decode_frame, encode_frame, max_count
from ramrec.sim.bench import CLOCK_NS, Checker, StreamMonitor, StreamSink, StreamSource, start
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.runner import parameters

REPLY_CLOCKS = 50_000


class Session:
    """Requests of a host that makes mistakes: every operation, good, out of range and repeated."""

    def __init__(self, geometry, seed):
        self.geometry = geometry
        self._random = random.Random(seed)
        self._seq = 0

    def _request(self, op, **fields):
        frame = encode_frame(Request(seq=self._seq % 256, op=op, **fields).pack())
        self._seq += 1
        return frame

    def _item(self):
        return self._random.randrange(self.geometry.catalogue_depth + 2).to_bytes(2, "little")

    def start(self):
        yield self._request(Op.HELLO)
        geometry = self.geometry
        per_frame = max_count(geometry, Op.LOAD)
        for first in range(0, geometry.catalogue_depth, per_frame):
            count = min(per_frame, geometry.catalogue_depth - first)
            records = self._random.randbytes(count * (geometry.code_bytes + 1))
            yield self._request(Op.LOAD, arg=first, count=count, records=records)

    def any(self):
        """One request, or the same one twice."""
        rng, geometry = self._random, self.geometry
        user = rng.randrange(geometry.users + 1) if rng.random() < 0.2 else 0
        film = rng.randbytes(geometry.code_bytes + 1)
        match rng.randrange(12):
            case 0 | 1 | 2:
                frame = self._request(Op.RATE, user=user, arg=rng.randrange(-1000, 1000), count=1, records=self._item())
            case 3:
                count = rng.randrange(4)
                records = b"".join(self._item() + rng.randbytes(2) for _ in range(count))
                frame = self._request(Op.RESTORE, user=user, arg=rng.randrange(3), count=count, records=records)
            case 4:
                frame = self._request(Op.FORGET, user=user, arg=rng.randrange(geometry.catalogue_depth))
            case 5:
                count = rng.randrange(1, 6)
                frame = self._request(
                    Op.SCORE, user=user, count=count, records=b"".join(self._item() for _ in range(count))
                )
            case 6 | 7:
                frame = self._request(Op.RANK, user=user, arg=rng.randrange(geometry.top_k + 2))
            case 8:
                frame = self._request(
                    rng.choice((Op.SKIP, Op.ONLY)), user=user, count=2, records=self._item() + self._item()
                )
            case 9:
                frame = self._request(Op.EXPLAIN | INLINE, user=user, count=1, records=self._item() + film)
            case 10:
                frame = self._request(Op.SAVE, user=user, arg=rng.randrange(3))
            case _:
                frame = self._request(Op.DIGEST, user=rng.choice((user, ALL)))
        return frame * rng.choice((1, 1, 1, 2))

    def damaged(self):
        frame = bytearray(encode_frame(Request(seq=self._seq % 256, op=Op.DIGEST).pack()))
        frame[self._random.randrange(len(frame) - 1)] ^= 0x40
        return bytes(frame)

    def end(self):
        yield self._request(Op.DIGEST, user=0)
        yield self._request(Op.STATS)


def comparable(frame):
    """A reply without what only a clocked device knows."""
    reply = Reply.unpack(decode_frame(frame))
    if reply.op == Op.STATS and reply.data:
        stats = Stats.unpack(reply.data)
        return reply.seq, reply.op, reply.status, stats.commands, stats.dropped
    return frame


class Model:
    """The golden device behind bytes."""

    def __init__(self, geometry, checker):
        self._device = GoldenDevice(geometry)
        self._frame = bytearray()
        self._checker = checker

    def receive(self, byte):
        if byte:
            self._frame.append(byte)
            return
        frame, self._frame = bytes(self._frame), bytearray()
        if frame and (reply := self._device.receive(frame)):
            self._checker.expect(comparable(reply[:-1]))


class Replies:
    """Puts bytes together to frames."""

    def __init__(self, checker):
        self._frame = bytearray()
        self._checker = checker

    def receive(self, byte):
        if byte:
            self._frame.append(byte)
            return
        frame, self._frame = bytes(self._frame), bytearray()
        self._checker.see(comparable(frame))


@cocotb.test(timeout_time=2_000_000 * CLOCK_NS, timeout_unit="ns")
@cocotb.parametrize((("seed", "idle", "wait"), ((1, 0.0, 0.0), (2, 0.2, 0.4))))
async def answers_like_the_golden_device(dut, seed, idle, wait):
    checker = Checker()
    geometry = Geometry(**parameters()["geometry"])
    source = StreamSource(dut, "i", idle=idle, seed=seed)
    await start(dut)
    StreamMonitor(dut, "i", Model(geometry, checker).receive)
    StreamMonitor(dut, "o", Replies(checker).receive)
    StreamSink(dut, "o", wait=wait, seed=seed)
    session = Session(geometry, seed)
    for frame in session.start():
        await source.send(frame)
        await checker.finished(REPLY_CLOCKS)
    for step in range(30):
        await source.send(session.damaged() if step % 7 == 3 else session.any())
        await checker.finished(REPLY_CLOCKS)
    for frame in session.end():
        await source.send(frame)
        await checker.finished(REPLY_CLOCKS)
    assert checker.checked > 30
