"""RecordReader and RecordWriter against plain byte strings."""

import random
from itertools import pairwise

import pytest
from ramrec.hdl.records import RecordReader, RecordWriter
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, collect, run_stream, send

MAX_BYTES = [7, 20, 36]


def as_bytes(body):
    return [{"data": byte, "last": int(place == len(body) - 1)} for place, byte in enumerate(body)]


def as_record(data, max_bytes, last):
    return {"data": int.from_bytes(data, "little"), "bytes": len(data), "last": int(last)}


def records_in(body, size):
    """Records of ``size`` bytes, the last one perhaps cut short."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return [(piece, place == len(pieces) - 1) for place, piece in enumerate(pieces)]


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("max_bytes", MAX_BYTES)
def test_reader(max_bytes, idle, wait):
    """Bodies of whole and of broken records, of every size there is between 1 and ``max_bytes``."""
    rng = random.Random(max_bytes)
    cases = []
    for size in {1, 2, 3, max_bytes - 1, max_bytes}:
        for length in (1, size, 3 * size, 2 * size + 1):
            cases.append((size, rng.randbytes(length)))
    bench = Bench(dut := RecordReader(max_bytes))

    async def source(ctx):
        for index, (_, body) in enumerate(cases):
            await send(bench, ctx, dut.i, as_bytes(body), idle=idle, seed=index)

    async def sink(ctx):
        for index, (size, body) in enumerate(cases):
            ctx.set(dut.size, size)
            ctx.set(dut.take, 1)
            for place, (piece, last) in enumerate(records_in(body, size)):
                ((record, _),) = await collect(bench, ctx, dut.o, 1, wait=wait, seed=index + place)
                given = record["data"] & ((1 << 8 * len(piece)) - 1)
                assert (given, record["last"]) == (int.from_bytes(piece, "little"), last)

    bench.run(source, sink)


def test_reader_takes_nothing_unasked():
    """Neither without ``take``, nor while a record waits."""
    bench = Bench(dut := RecordReader(8))
    body = bytes(range(1, 11))

    async def testbench(ctx):
        ctx.set(dut.size, 4)
        ctx.set(dut.i.payload, {"data": 1, "last": 0})
        ctx.set(dut.i.valid, 1)
        for _ in range(3):
            assert not ctx.get(dut.i.ready)
            await ctx.tick()
        ctx.set(dut.take, 1)
        await send(bench, ctx, dut.i, as_bytes(body)[:4])
        ctx.set(dut.i.valid, 1)
        for _ in range(3):
            assert ctx.get(dut.o.valid) and not ctx.get(dut.i.ready)
            await ctx.tick()
        ((record, _),) = await collect(bench, ctx, dut.o, 1)
        assert record["data"] % (1 << 32) == int.from_bytes(body[:4], "little")

    bench.run(testbench)


@pytest.mark.parametrize("idle", [0.0, 0.5])
def test_reader_drops_the_rest_of_a_body(idle):
    bench = Bench(dut := RecordReader(8))
    body = bytes(range(1, 12))

    async def testbench(ctx):
        ctx.set(dut.size, 2)
        ctx.set(dut.take, 1)
        await send(bench, ctx, dut.i, as_bytes(body)[:2], idle=idle)
        await collect(bench, ctx, dut.o, 1)
        ctx.set(dut.take, 0)
        ctx.set(dut.drop, 1)
        taken = await send(bench, ctx, dut.i, as_bytes(body)[2:], idle=idle)
        assert idle or taken == list(range(taken[0], taken[0] + 9))
        ctx.set(dut.drop, 0)
        await ctx.tick()
        assert not ctx.get(dut.o.valid)
        ctx.set(dut.take, 1)
        await send(bench, ctx, dut.i, as_bytes(b"\xaa\xbb"), idle=idle)
        ((record, _),) = await collect(bench, ctx, dut.o, 1)
        assert (record["data"] % (1 << 16), record["last"]) == (0xBBAA, 1)

    bench.run(testbench)


def test_reader_timing():
    """One byte per clock, the record 1 clock after its last byte."""
    bench = Bench(dut := RecordReader(8))

    async def testbench(ctx):
        ctx.set(dut.size, 8)
        ctx.set(dut.take, 1)
        taken = await send(bench, ctx, dut.i, as_bytes(bytes(8)))
        assert taken == list(range(taken[0], taken[0] + 8))
        ((_, clock),) = await collect(bench, ctx, dut.o, 1)
        assert clock == taken[-1] + 1

    bench.run(testbench)


def test_reader_takes_no_byte_too_many():
    """From 1 clock after ``take`` on, up to the record's end, though more bytes wait and nobody takes care."""
    bench = Bench(dut := RecordReader(8))

    async def testbench(ctx):
        ctx.set(dut.size, 3)
        ctx.set(dut.i.payload, {"data": 7, "last": 0})
        ctx.set(dut.i.valid, 1)
        ctx.set(dut.o.ready, 1)
        await ctx.tick().repeat(3)
        ctx.set(dut.take, 1)
        taken = []
        while not ctx.get(dut.o.valid):
            taken.append(ctx.get(dut.i.ready))
            await ctx.tick()
        assert taken == [0, 1, 1, 1]
        for _ in range(4):
            assert not ctx.get(dut.i.ready)
            await ctx.tick()
            ctx.set(dut.take, 0)

    bench.run(testbench)


def writer_case(rng, max_bytes, count):
    records = [rng.randbytes(rng.choice((0, 1, 2, max_bytes, rng.randrange(max_bytes + 1)))) for _ in range(count)]
    lasts = [rng.random() < 0.3 for _ in records]
    payloads = [as_record(record, max_bytes, last) for record, last in zip(records, lasts, strict=True)]
    due = [
        {"data": byte, "last": int(last and place == len(record) - 1)}
        for record, last in zip(records, lasts, strict=True)
        for place, byte in enumerate(record)
    ]
    return payloads, due


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("max_bytes", MAX_BYTES)
def test_writer(max_bytes, idle, wait):
    """Records of every length; empty ones vanish, ``last`` and all."""
    payloads, due = writer_case(random.Random(max_bytes), max_bytes, 40)
    got, _, _ = run_stream(RecordWriter(max_bytes), payloads, len(due), idle=idle, wait=wait)
    assert got == due


def test_writer_timing():
    """The first byte 1 clock after its record, one per clock, and no gap between records."""
    records = [b"abc", b"d", b"", b"efghijkl", b"mn"]
    payloads = [as_record(record, 8, False) for record in records]
    _, sent, received = run_stream(RecordWriter(8), payloads, 14)
    assert received[0] == sent[0] + 1
    gaps = [later - earlier for earlier, later in pairwise(received)]
    empty_record = 3
    assert gaps == [2 if place == empty_record else 1 for place in range(13)]
    assert sent[1] == received[2], "the next record is taken along with the last byte"


def test_reader_can_drop_and_take_again_at_once():
    """A body that ends in the clock in which the drop begins."""
    bench = Bench(dut := RecordReader(4))

    async def testbench(ctx):
        ctx.set(dut.size, 1)
        ctx.set(dut.drop, 1)
        await send(bench, ctx, dut.i, as_bytes(b"x"))
        ctx.set(dut.drop, 0)
        await strobe(ctx, dut.take)
        ctx.set(dut.take, 1)
        await send(bench, ctx, dut.i, as_bytes(b"y"))
        ((record, _),) = await collect(bench, ctx, dut.o, 1)
        assert record["data"] & 0xFF == ord("y") and record["last"]

    bench.run(testbench)
