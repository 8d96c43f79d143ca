# amaranth: UnusedElaboratable=no
"""ByteQueue against a list."""

import random
from itertools import pairwise

import pytest
from ramrec.hdl.byte_queue import ByteQueue
from ramrec.sim.pysim import Bench

from .bench import FLOWS, run_stream


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("depth", [2, 8])
def test_bytes(depth, idle, wait):
    """All bytes, in order, at the latest every other clock."""
    sent = list(random.Random(depth).randbytes(100))
    got, _, clocks = run_stream(ByteQueue(depth), sent, len(sent), idle=idle, wait=wait)
    assert got == sent
    if not idle and not wait:
        assert {b - a for a, b in pairwise(clocks[3:])} == {2}


def test_capacity_and_latency():
    """One place stays free, and a byte comes 2 clocks after it went in."""
    bench = Bench(dut := ByteQueue(8))

    async def testbench(ctx):
        ctx.set(dut.i.valid, 1)
        taken = 0
        for clock in range(20):
            assert ctx.get(dut.o.valid) == (clock >= 2)
            taken += ctx.get(dut.i.ready)
            await ctx.tick()
        assert taken == 7 + 1, "one waits at the output"

    bench.run(testbench)


def test_depth():
    with pytest.raises(ValueError, match="power of two and at least 2, not 6"):
        ByteQueue(6)
