"""SELFTEST: the pattern, its source, and a device that fills itself with it."""

import random
from itertools import pairwise

import pytest
from amaranth.hdl import Module, Signal
from ramrec.hdl.device import Device
from ramrec.hdl.geometry import PRESETS, TINY
from ramrec.hdl.pattern import INVERT, PATTERN_BITS, advance, bounded_item, first_state, pattern
from ramrec.hdl.protocol import ALL, Op, Reply, Request, Status, decode_frame, encode_frame
from ramrec.hdl.self_test import PatternSource
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, collect, send
from .test_device import DEVICES

SEEDS = (0, 1, 0x1234, 0x7FFF, INVERT, 0xFFFF)
DEPTHS = {geometry.catalogue_depth for geometry in (*PRESETS.values(), *GEOMETRIES.values())} | {3, 4096, 65535}


def test_the_pattern_has_the_longest_period():
    state, count = advance(1), 1
    while state != 1:
        state, count = advance(state), count + 1
    assert count == (1 << PATTERN_BITS) - 1
    assert first_state(0) != 0


@pytest.mark.parametrize("seed", [0, 77, 0x7FFF])
def test_two_runs_write_a_0_and_a_1_into_every_bit(seed):
    assert all(a ^ b == 0xFF for a, b in zip(pattern(seed, 999), pattern(seed | INVERT, 999), strict=True))


@pytest.mark.parametrize("name", PRESETS)
def test_films_whose_rows_differ_by_one_address_bit_are_not_alike(name):
    geometry = PRESETS[name]
    size, lanes = geometry.code_bytes + 1, geometry.lanes
    data = pattern(3, size * geometry.catalogue_depth)
    films = [data[at : at + size] for at in range(0, len(data), size)]
    for item, film in enumerate(films):
        row, lane = divmod(item, lanes)
        for bit in range(geometry.rows.bit_length()):
            other = (row ^ 1 << bit) * lanes + lane
            assert other >= len(films) or film != films[other]


@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_item_numbers_are_loaded_and_as_many_as_are_cheap(depth):
    items = {bounded_item(bits, depth) for bits in range(1 << 16)}
    top = 1 << (depth.bit_length() - 1)
    assert items == set(range(len(items)))
    assert top + (depth - top) / 2 <= len(items) <= depth


@pytest.mark.parametrize("depth", sorted(DEPTHS))
def test_item_numbers_are_the_same_in_gates(depth):
    bits, item = Signal(16), Signal(16)
    m = Module()
    m.d.comb += item.eq(bounded_item(bits, depth))
    rng = random.Random(depth)

    async def testbench(ctx):
        for value in (0, 0xFFFF, *(1 << bit for bit in range(16)), *(rng.randrange(1 << 16) for _ in range(100))):
            ctx.set(bits, value)
            assert ctx.get(item) == bounded_item(value, depth)

    Bench(m).run(testbench)


def test_source():
    """The same bytes each time that it runs, one per clock."""
    bench = Bench(dut := PatternSource())

    async def testbench(ctx):
        for seed in SEEDS:
            ctx.set(dut.seed, seed)
            await ctx.tick()
            assert not ctx.get(dut.o.valid)
            ctx.set(dut.run, 1)
            for wait in (0, 0.5):
                came = await collect(bench, ctx, dut.o, 200, wait=wait)
                assert bytes(byte for byte, _ in came) == pattern(seed, 200)
                assert wait or all(b - a == 1 for (_, a), (_, b) in pairwise(came))
                ctx.set(dut.run, 0)
                await ctx.tick()
                ctx.set(dut.run, 1)
            ctx.set(dut.run, 0)

    bench.run(testbench)


def session(geometry):
    """Requests around self-tests; films too few, of another seed, ratings of others, marks, and repeated numbers."""

    def film(byte):
        return bytes([byte]) * (geometry.code_bytes + 1)

    def item(number):
        return number.to_bytes(2, "little")

    def asked(user):
        yield dict(op=Op.DIGEST, user=user)
        yield dict(op=Op.SAVE, user=user)
        yield dict(op=Op.RANK, user=user, arg=geometry.top_k)

    top = geometry.users - 1
    yield dict(op=Op.SELFTEST, user=ALL, arg=5)  # before HELLO
    yield dict(op=Op.HELLO)
    yield dict(op=Op.LOAD, count=2, records=film(1) + film(2))
    yield dict(op=Op.RATE, user=top, arg=99, count=1, records=item(1))
    yield dict(op=Op.SELFTEST, arg=5)  # the catalogue is not full
    yield dict(op=Op.SELFTEST, user=ALL, arg=5, count=1)
    yield dict(op=Op.SELFTEST, user=ALL, arg=5)
    yield from asked(top)
    for seed in (5, 5 | INVERT):
        yield dict(op=Op.SELFTEST, user=ALL, arg=seed)
        yield dict(op=Op.SKIP, user=top, count=1, records=item(0))
        for user in range(geometry.users):
            yield dict(op=Op.SELFTEST, user=user, arg=seed + 77 * user)
            yield dict(op=Op.RANK, user=user, arg=geometry.top_k)
        for user in (top, 0):
            yield from asked(user)
        yield dict(op=Op.DIGEST, user=ALL)
    yield dict(op=Op.SELFTEST, user=geometry.users, arg=5)
    yield dict(op=Op.SELFTEST, user=ALL - 1, arg=5)
    yield dict(op=Op.SELFTEST, user=0, arg=5, count=1, records=item(0))
    yield dict(op=Op.LOAD, arg=geometry.catalogue_depth - 1, count=1, records=film(3))
    yield dict(op=Op.RATE, user=0, arg=-99, count=1, records=item(geometry.catalogue_depth - 1))
    yield from asked(0)
    yield dict(op=Op.RESET, user=ALL)
    yield dict(op=Op.SELFTEST, user=0, arg=5)
    yield dict(op=Op.DIGEST, user=ALL)


def frames(geometry):
    """A session's frames; every self-test is repeated under its own number, with another seed."""
    for seq, fields in enumerate(session(geometry)):
        yield encode_frame(Request(seq=seq, **fields).pack())
        if fields["op"] == Op.SELFTEST:
            yield encode_frame(Request(seq=seq, **fields | {"arg": 6}).pack())


@pytest.mark.parametrize("name", ["tiny", "nearest"])
def test_device_tests_itself_like_the_golden_device(name):
    """Requests wait at the door while the device is busy, so a test must leave their bytes alone."""
    geometry = DEVICES[name]
    golden = GoldenDevice(geometry)
    sent = list(frames(geometry))
    due = b"".join(golden.receive(frame[:-1]) for frame in sent)
    replies = [Reply.unpack(decode_frame(frame)) for frame in due.split(b"\0")[:-1]]
    seen = [reply.status for reply in replies if reply.op == Op.SELFTEST]
    assert {*seen} == {Status.OK, Status.BAD_SEQUENCE, Status.BAD_LENGTH, Status.BAD_USER, Status.BAD_ARGUMENT}
    digests = [reply.data for reply in replies if reply.op == Op.SELFTEST and reply.status == Status.OK]
    assert len(set(digests)) == 2 + 2 * geometry.users
    bench = Bench(dut := Device(geometry), clock_limit=200_000)
    came = []

    async def host(ctx):
        await send(bench, ctx, dut.i, b"".join(sent))

    async def line(ctx):
        came.extend(byte for byte, _ in await collect(bench, ctx, dut.o, len(due), wait=0.2))

    bench.run(host, line)
    got = bytes(came).split(b"\0")[:-1]
    for request, reply, expected in zip(sent, got, due.split(b"\0")[:-1], strict=True):
        assert reply == expected, Request.unpack(decode_frame(request[:-1]))


def test_a_self_test_is_a_load_and_a_restore():
    """Nothing else is learned than what LOAD and RESTORE of the same bytes give."""
    tested, told = GoldenDevice(TINY), GoldenDevice(TINY)
    depth, memory, size = TINY.catalogue_depth, TINY.memory_depth, TINY.code_bytes + 1

    def ask(device, seq, **fields):
        return Reply.unpack(device.answer(Request(seq=seq, **fields)))

    films, ratings = pattern(9, depth * size), pattern(7 | INVERT, 4 * memory)
    items = b"".join(
        bounded_item(int.from_bytes(ratings[at : at + 2], "little"), depth).to_bytes(2, "little")
        + ratings[at + 2 : at + 4]
        for at in range(0, len(ratings), 4)
    )
    for device in (tested, told):
        ask(device, 0, op=Op.HELLO)
    ask(told, 1, op=Op.LOAD, count=depth, records=films)
    ask(told, 2, op=Op.RESTORE, user=2, count=memory, records=items)
    of_films = ask(tested, 1, op=Op.SELFTEST, user=ALL, arg=9)
    of_user = ask(tested, 2, op=Op.SELFTEST, user=2, arg=7 | INVERT)
    assert of_films.data == ask(told, 3, op=Op.DIGEST, user=ALL).data
    assert of_user.data == ask(told, 4, op=Op.DIGEST, user=2).data
