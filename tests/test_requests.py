"""RequestCheck against the golden device's check of a request."""

import random

import pytest
from ramrec.hdl.geometry import ECP5_85F, UP5K
from ramrec.hdl.protocol import (
    ALL,
    INLINE,
    Op,
    Request,
    Status,
    max_count,
    pattern_record_bytes,
    record_bytes,
    serves,
)
from ramrec.hdl.requests import RequestCheck
from ramrec.hdl.user_store import KeptCounts
from ramrec.sim.golden_device import GoldenDevice, _Refused
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES

CHECKED = {**GEOMETRIES, "UP5K": UP5K, "ECP5_85F": ECP5_85F}


def golden_status(device, request, kept):
    """Status with which the golden device refuses a request, or OK."""
    if request.user < device.geometry.users:
        device.agents[request.user].entries = [None] * kept
    try:
        device._check(request)
    except _Refused as refused:
        return refused.status
    return Status.OK


def around(rng, *limits):
    """A number at or next to a limit, or any."""
    return rng.choice([limit + step for limit in limits for step in (-1, 0, 1)] + [rng.randrange(1 << 16)]) & 0xFFFF


def random_request(rng, geometry, loaded, kept):
    """Mostly right, with trouble in each field now and then."""
    known = [op for op in range(256) if serves(geometry, op)]
    op = rng.choice((*known * 4, rng.randrange(256), Op.HELLO | INLINE, len(Op)))
    most = max_count(geometry, op) if serves(geometry, op) else 3
    count = rng.choice((0, 1, most, most, min(255, most + 1), rng.randrange(256), rng.randrange(most + 1)))
    user = rng.choice((0, geometry.users - 1, geometry.users - 1, geometry.users, ALL, rng.randrange(1 << 16)))
    top = geometry.target_max
    arg = {
        Op.LOAD: around(rng, 0, loaded, geometry.catalogue_depth, geometry.catalogue_depth - count),
        Op.RATE: around(rng, top, -top, 0, 1 << 15),
        Op.RANK: around(rng, 0, geometry.top_k),
        Op.RESTORE: around(rng, kept, geometry.memory_depth - count, 0),
    }.get(op & ~INLINE, rng.randrange(1 << 16))
    size = record_bytes(geometry, op) if serves(geometry, op) else rng.randrange(4)
    longest = 252 - Request.HEADER.size
    length = rng.choice((count * size, count * size, count * size, count * size, count * size + rng.choice((-1, 1))))
    length = min(max(length, 0), longest)
    return Request(seq=0, op=op, user=user, arg=arg, count=count, records=bytes(length))


@pytest.mark.parametrize("name", CHECKED)
def test_status(name):
    """``status`` comes ``latency`` clocks after the request, the size of its records 1 clock after it."""
    geometry = CHECKED[name]
    rng = random.Random(12)
    device = GoldenDevice(geometry)
    bench = Bench(dut := RequestCheck(geometry))
    seen = dict.fromkeys(Status, 0)

    async def testbench(ctx):
        for _ in range(1500):
            loaded = device.loaded = rng.choice((0, geometry.catalogue_depth, rng.randrange(geometry.catalogue_depth)))
            kept = rng.choice((0, geometry.memory_depth, rng.randrange(geometry.memory_depth + 1)))
            request = random_request(rng, geometry, loaded, kept)
            header = Request.HEADER.pack(0, request.op, request.user, request.arg, request.count)
            ctx.set(dut.header.as_value(), int.from_bytes(header, "little"))
            ctx.set(dut.length, len(request.pack()))
            ctx.set(dut.loaded, loaded)
            await ctx.tick()
            if serves(geometry, request.op):
                size = record_bytes(geometry, request.op)
                if request.op == Op.SELFTEST:
                    size = pattern_record_bytes(geometry, of_catalogue=request.user == ALL)
                assert ctx.get(dut.record_bytes) == size
            await ctx.tick().repeat(KeptCounts.latency - 1)
            ctx.set(dut.kept, kept)
            await ctx.tick().repeat(dut.latency - KeptCounts.latency)
            due = golden_status(device, request, kept)
            assert Status(ctx.get(dut.status)) == due, (request, loaded, kept)
            seen[due] += 1

    bench.run(testbench)
    header_statuses = (Status.OK, Status.BAD_OP, Status.BAD_LENGTH, Status.BAD_USER, Status.BAD_ARGUMENT)
    assert min(seen[status] for status in header_statuses) > 20
