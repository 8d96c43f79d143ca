"""Device against GoldenDevice, frame for frame."""

import random

import pytest
from ramrec.hdl.device import Device
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import (
    ALL,
    INLINE,
    Op,
    Reply,
    Request,
    Stats,
    Status,
    decode_frame,
    encode_frame,
    max_count,
)
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.pysim import Bench

from .bench import COMPACT, random_code, send

DEVICES = {
    "tiny": TINY,
    "counting, one lane": TINY.with_(rule="counting", tuple_bits=1, neurons_per_clock=16, lanes=1, prior_shift=7),
    "seven lanes, wide tables": TINY.with_(lanes=7, table_bits=8, comparators=1, users=2),
    "nearest": TINY.with_(rule="nearest", lanes=1, tuple_bits=4, neurons_per_clock=2, comparators=1),
    "compact": COMPACT,
    "compact, long codes": COMPACT.with_(code_bits=64, shift=5, memory_depth=6, users=2, table_bits=8),
}
WEIGHTS = {
    Op.HELLO: 1,
    Op.LOAD: 3,
    Op.RATE: 8,
    Op.FORGET: 3,
    Op.SCORE: 2,
    Op.SCORE | INLINE: 2,
    Op.RANK: 3,
    Op.SKIP: 2,
    Op.ONLY: 3,
    Op.EXPLAIN: 1,
    Op.EXPLAIN | INLINE: 2,
    Op.SAVE: 1,
    Op.RESTORE: 2,
    Op.DIGEST: 3,
    Op.STATS: 1,
    Op.RESET: 1,
    Op.SELFTEST: 2,
    0x3F: 1,
}
LOADED = 21
"""Films loaded at first; a few more come later."""


def records_of(rng, geometry, op, count):
    def item():
        return (rng.randrange(8) if rng.random() < 0.6 else rng.randrange(LOADED + 1)).to_bytes(2, "little")

    def film():
        return random_code(rng, geometry) + rng.randbytes(1)

    match op:
        case Op.LOAD:
            return b"".join(film() for _ in range(count))
        case Op.RATE | Op.SCORE | Op.EXPLAIN | Op.SKIP | Op.ONLY:
            return b"".join(item() for _ in range(count))
        case Op.RESTORE:
            return b"".join(item() + rng.randbytes(2) for _ in range(count))
    return b"".join(item() + film() for _ in range(count)) if op & INLINE else b""


def random_request(rng, geometry, seq, op):
    most = max_count(geometry, op)
    count = min(most, rng.randrange(1, 5)) if op != Op.RESTORE else rng.randrange(0, 4)
    whole = op in (Op.DIGEST, Op.SELFTEST) and rng.random() < 0.4
    user = ALL if whole else rng.randrange(geometry.users)
    arg = {
        Op.LOAD: rng.choice((0, rng.randrange(LOADED), LOADED)),
        Op.RATE: rng.choice((-geometry.target_max, geometry.target_max, rng.randrange(-400, 400))) & 0xFFFF,
        Op.FORGET: rng.randrange(8),
        Op.RANK: rng.randrange(1, geometry.top_k + 1),
        Op.SELFTEST: rng.randrange(1 << 16),
    }.get(op & ~INLINE, rng.randrange(geometry.memory_depth // 2))
    return Request(seq=seq, op=op, user=user, arg=arg, count=count, records=records_of(rng, geometry, op, count))


def session(rng, geometry, length):
    """Frames of a host with trouble on its line: some twice, some damaged, some out of sequence."""
    seq = 0

    def frame(**fields):
        nonlocal seq
        seq = (seq + 1) % 256
        return encode_frame(Request(seq=seq, **fields).pack())

    yield frame(op=Op.STATS)  # before HELLO
    seq = 253
    yield frame(op=Op.HELLO)
    for first in range(0, LOADED, 8):
        count = min(8, LOADED - first)
        yield frame(op=Op.LOAD, arg=first, count=count, records=records_of(rng, geometry, Op.LOAD, count))
    yield frame(op=Op.FORGET, arg=3)
    for item in (LOADED - 1, LOADED):
        yield frame(op=Op.SCORE, count=1, records=item.to_bytes(2, "little"))
    for user in range(geometry.users):
        for _ in range(geometry.memory_depth + 1):
            target = rng.randrange(-300, 300) & 0xFFFF
            yield frame(op=Op.RATE, user=user, arg=target, count=1, records=records_of(rng, geometry, Op.RATE, 1))
        yield frame(op=Op.RANK, user=user, arg=geometry.top_k)
        yield frame(op=Op.DIGEST, user=user)
    ops = [*WEIGHTS, *rng.choices(list(WEIGHTS), WEIGHTS.values(), k=length)]
    for op in rng.sample(ops, len(ops)):
        seq = (seq + 1) % 256
        request = random_request(rng, geometry, seq, op)
        whole = encode_frame(request.pack())
        match rng.randrange(10):
            case 0:
                yield whole
                yield whole
            case 1:
                damaged = bytearray(whole)
                damaged[rng.randrange(len(whole) - 1)] ^= 1 << rng.randrange(8)
                yield bytes(damaged)
                yield whole
            case 2:
                yield encode_frame(Request(seq=(seq + 5) % 256, op=Op.RESET, user=ALL).pack())
                yield whole
            case _:
                yield whole


def same(reply, due):
    """Whether two frames say the same; the clocks of STATS are the gateware's own."""
    got, due = (Reply.unpack(decode_frame(frame)) for frame in (reply, due))
    if due.op == Op.STATS and due.status == Status.OK:
        counted, expected = Stats.unpack(got.data), Stats.unpack(due.data)
        assert counted.clocks > 0
        return (got.seq, counted.commands, counted.dropped) == (due.seq, expected.commands, expected.dropped)
    return got == due


def play(geometry, frames):
    """Send frames to a device and to a golden one, and compare what they say; statuses, and frames dropped."""
    golden = GoldenDevice(geometry)
    bench = Bench(dut := Device(geometry), clock_limit=100_000)
    statuses = set()

    async def line(ctx):
        for index, frame in enumerate(frames):
            due = b"".join(golden.receive(piece) for piece in frame.split(b"\0")[:-1] if piece)
            await send(bench, ctx, dut.i, frame, idle=0.3 * (index % 2), seed=index)
            reply = bytearray()
            ctx.set(dut.o.ready, 1)
            while due and not reply.endswith(b"\0"):
                _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
                if valid:
                    reply.append(byte)
            if due:
                statuses.add(Reply.unpack(decode_frame(bytes(reply[:-1]))).status)
                assert same(bytes(reply[:-1]), due[:-1]), f"frame {index}: {frame.hex()}"
        await ctx.tick().until(~dut.busy)
        assert not ctx.get(dut.o.valid)
        assert ctx.get(dut.dropped) == golden._dropped

    bench.run(line)
    return statuses, golden._dropped


@pytest.mark.parametrize("name", DEVICES)
def test_device_is_the_golden_device(name):
    geometry = DEVICES[name]
    statuses, dropped = play(geometry, list(session(random.Random(name), geometry, 40)))
    assert dropped > 0
    assert statuses >= {Status.OK, Status.BAD_SEQUENCE, Status.BAD_OP, Status.BAD_ITEM, Status.NOT_KEPT}
