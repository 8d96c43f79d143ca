"""The link's gateware against the software's half of the protocol, in Amaranth's own simulator."""

import random
from itertools import pairwise

import pytest
from cobs import cobs
from ramrec.hdl.frames import FrameReceiver, FrameSender
from ramrec.hdl.protocol import MAX_BODY, BadFrame, Request, crc16, decode_frame, encode_frame
from ramrec.sim.pysim import Bench, strobe


def accepted(frame):
    """The body that the software takes out of a frame, or None."""
    try:
        body = decode_frame(frame)
        Request.unpack(body)
    except BadFrame:
        return None
    return body


def body_of(rng, length):
    """A body with zeros never, sometimes or mostly."""
    zeros = rng.choice((0.0, 0.02, 0.5, 0.95))
    return bytes(0 if rng.random() < zeros else rng.randrange(1, 256) for _ in range(length))


def damaged(rng, frame):
    """A frame, given and returned without its final zero, after an accident."""
    at = rng.randrange(len(frame))
    match rng.randrange(5):
        case 0:
            return frame[:at] + bytes([frame[at] ^ 1 << rng.randrange(8)]) + frame[at + 1 :]
        case 1:
            return frame[:at] + frame[at + 1 :]
        case 2:
            return frame[:at] + bytes([rng.randrange(1, 256)]) + frame[at:]
        case 3:
            return frame[:at]
        case _:
            return bytes(rng.randrange(1, 256) for _ in range(rng.randrange(1, 300)))


def with_crc(body):
    """Like the bytes inside a frame, but of any length."""
    return body + crc16(body).to_bytes(2, "little")


EDGE_CASES = {
    "shortest request": encode_frame(bytes(7)),
    "one byte short of a request": encode_frame(bytes(6)),
    "shortest body": encode_frame(b"\x01"),
    "longest body, no zeros": encode_frame(b"\xa5" * MAX_BODY),
    "longest body, all zeros": encode_frame(bytes(MAX_BODY)),
    "one byte too long": cobs.encode(with_crc(b"\x5a" * (MAX_BODY + 1))) + b"\0",
    "much too long, all zeros": cobs.encode(with_crc(bytes(600))) + b"\0",
    "much too long, no zeros": cobs.encode(with_crc(b"\x01" * 600)) + b"\0",
    "empty": b"\0\0\0",
    "empty block": b"\x01\0",
    "only a CRC": cobs.encode(with_crc(b"")) + b"\0",
    "longest frame and more": cobs.encode(with_crc(b"\x33" * MAX_BODY) + b"\x44") + b"\0",
    "block one byte short": b"\x10" + cobs.encode(with_crc(b"\x33" * 12))[1:] + b"\0",
    "block cut short": b"\x09abc\0",
    "nothing after the code": b"\x02\0",
    "full block and an empty one": b"\xff" + with_crc(b"\x33" * MAX_BODY) + b"\x01\0",
    "full block and one more byte": b"\xff" + b"\x33" * 254 + b"\x02\x44\0",
}


def check_receiver(line, *, idle=0.0, wait=0.0, seed=0):
    """Send bytes to a receiver; its bodies, lengths and count must be the software's."""
    frames = [frame for frame in line.split(b"\0")[:-1] if frame]
    expected = [body for body in map(accepted, frames) if body is not None]
    bench = Bench(dut := FrameReceiver())

    async def source(ctx):
        rng = random.Random(seed)
        for byte in line:
            while rng.random() < idle:
                await ctx.tick()
            await bench.put(ctx, dut.i, byte)

    async def sink(ctx):
        rng = random.Random(seed + 1)
        for body in expected:
            received = bytearray()
            while True:
                while rng.random() < wait:
                    await ctx.tick()
                payload, _ = await bench.get(ctx, dut.o)
                received.append(payload.data)
                assert ctx.get(dut.length) == len(body)
                if payload.last:
                    break
            assert received == body
        await ctx.tick().until(dut.i.valid == 0)
        await ctx.tick().repeat(4)
        assert not ctx.get(dut.o.valid)
        assert ctx.get(dut.dropped) == len(frames) - len(expected)

    bench.run(source, sink)


@pytest.mark.parametrize("name", EDGE_CASES)
def test_receiver_edge_cases(name):
    """Each case alone, and between two good frames that must come through."""
    good = encode_frame(Request(seq=1, op=0).pack())
    check_receiver(EDGE_CASES[name])
    check_receiver(good + EDGE_CASES[name] + good)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("idle", "wait"), [(0.0, 0.0), (0.4, 0.0), (0.0, 0.4), (0.3, 0.3)])
def test_receiver_agrees_with_the_software(seed, idle, wait):
    rng = random.Random(seed)
    line = bytearray()
    for _ in range(40):
        frame = encode_frame(body_of(rng, rng.choice((*range(5, 12), 40, MAX_BODY))))[:-1]
        line += (damaged(rng, frame) if rng.random() < 0.5 else frame) + b"\0" * rng.choice((1, 1, 2))
    check_receiver(bytes(line), idle=idle, wait=wait, seed=seed)


def test_receiver_ignores_what_came_before_the_first_zero():
    """A host that starts in the middle of a frame loses that frame only."""
    good = encode_frame(Request(seq=1, op=0).pack())
    check_receiver(good[5:] + good)


def test_receiver_timing():
    """First byte two clocks after the final zero; one byte per clock in and out."""
    frame = encode_frame(bytes(range(20)))
    bench = Bench(dut := FrameReceiver())
    taken, given = [], []

    async def source(ctx):
        for byte in frame:
            taken.append(await bench.put(ctx, dut.i, byte))

    async def sink(ctx):
        for _ in range(20):
            given.append((await bench.get(ctx, dut.o))[1])

    bench.run(source, sink)
    assert all(later - earlier == 1 for earlier, later in pairwise(taken))
    assert given == list(range(taken[-1] + 2, taken[-1] + 22))


async def send(ctx, bench, body):
    for position, byte in enumerate(body):
        await bench.put(ctx, bench.dut.i, {"data": byte, "last": position == len(body) - 1})


async def receive(ctx, bench):
    frame = bytearray()
    while not frame.endswith(b"\0"):
        frame.append((await bench.get(ctx, bench.dut.o))[0])
    return bytes(frame)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("idle", "wait"), [(0.0, 0.0), (0.3, 0.3)])
def test_sender_agrees_with_the_software(seed, idle, wait):
    rng = random.Random(seed)
    bodies = [body_of(rng, length) for length in (1, 2, 3, 7, MAX_BODY - 1, MAX_BODY, MAX_BODY)]
    bodies += [b"\xa5" * MAX_BODY, bytes(MAX_BODY), b"\0", b"\x01"]
    bodies += [body_of(rng, rng.randrange(1, 60)) for _ in range(20)]
    bench = Bench(dut := FrameSender())

    async def source(ctx):
        for body in bodies:
            for position, byte in enumerate(body):
                while rng.random() < idle:
                    await ctx.tick()
                await bench.put(ctx, dut.i, {"data": byte, "last": position == len(body) - 1})

    async def sink(ctx):
        waits = random.Random(seed)
        for body in bodies:
            frame = bytearray()
            while not frame.endswith(b"\0"):
                while waits.random() < wait:
                    await ctx.tick()
                frame.append((await bench.get(ctx, dut.o))[0])
            assert frame == encode_frame(body)

    bench.run(source, sink)


def test_sender_replays_the_last_frame():
    bench = Bench(dut := FrameSender())

    async def testbench(ctx):
        await strobe(ctx, dut.replay)
        for _ in range(8):
            await ctx.tick()
            assert ctx.get(dut.idle) and not ctx.get(dut.o.valid)
        for body in (b"first", bytes(9), b"\xff" * MAX_BODY):
            await send(ctx, bench, body)
            assert not ctx.get(dut.idle)
            assert await receive(ctx, bench) == encode_frame(body)
            for _ in range(2):
                assert ctx.get(dut.idle)
                await strobe(ctx, dut.replay)
                assert await receive(ctx, bench) == encode_frame(body)

    bench.run(testbench)


def test_sender_discards_an_unfinished_body():
    bench = Bench(dut := FrameSender())

    async def testbench(ctx):
        await send(ctx, bench, b"sent")
        await receive(ctx, bench)
        for byte in b"bad\0luck":
            await bench.put(ctx, dut.i, {"data": byte, "last": 0})
        await strobe(ctx, dut.discard)
        await strobe(ctx, dut.replay)
        assert await receive(ctx, bench) == encode_frame(b"sent")
        await send(ctx, bench, b"\0good")
        assert await receive(ctx, bench) == encode_frame(b"\0good")

    bench.run(testbench)


def test_sender_discards_the_byte_of_the_same_clock():
    bench = Bench(dut := FrameSender())

    async def testbench(ctx):
        ctx.set(dut.discard, 1)
        await bench.put(ctx, dut.i, {"data": 7, "last": 1})
        ctx.set(dut.discard, 0)
        assert ctx.get(dut.idle)
        await send(ctx, bench, b"next")
        assert await receive(ctx, bench) == encode_frame(b"next")

    bench.run(testbench)


def test_sender_replays_in_the_middle_of_a_body():
    bench = Bench(dut := FrameSender())

    async def testbench(ctx):
        await send(ctx, bench, b"before")
        await receive(ctx, bench)
        for byte in b"af":
            await bench.put(ctx, dut.i, {"data": byte, "last": 0})
        await strobe(ctx, dut.replay)
        assert await receive(ctx, bench) == encode_frame(b"before")
        await send(ctx, bench, b"ter")
        assert await receive(ctx, bench) == encode_frame(b"after")

    bench.run(testbench)


def test_sender_timing():
    """First byte six clocks after the last one of the body, two after replay; one byte per clock."""
    bench = Bench(dut := FrameSender())
    body = bytes(range(20))

    async def timed_frame(ctx):
        return [(await bench.get(ctx, dut.o))[1] for _ in encode_frame(body)]

    async def testbench(ctx):
        taken = [await bench.put(ctx, dut.i, {"data": byte, "last": byte == 19}) for byte in body]
        assert taken == list(range(taken[0], taken[0] + 20))
        start = taken[-1] + 6
        assert await timed_frame(ctx) == list(range(start, start + len(body) + 4))
        await strobe(ctx, dut.replay)
        start = ctx.get(bench.clock) + 1
        assert await timed_frame(ctx) == list(range(start, start + len(body) + 4))

    bench.run(testbench)
