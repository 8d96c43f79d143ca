"""TableScorer against the golden model's table view."""

import random

import numpy as np
import pytest
from ramrec.hdl.scorer import TableScorer
from ramrec.sim.golden import addresses
from ramrec.sim.pysim import Bench

from .bench import FLOWS, GEOMETRIES, code_array, film_rows, plain, run_stream


def extreme_tables(geometry):
    """A state that no list of ratings reaches: every cell and the bias at one end."""
    return np.full((geometry.neurons, geometry.cells), -geometry.cell_max), -geometry.cell_max


def random_tables(rng, geometry):
    numbers = np.random.default_rng(rng.randrange(1 << 32))
    top = geometry.cell_max
    return numbers.integers(-top, top + 1, (geometry.neurons, geometry.cells)), top


async def load(ctx, dut, geometry, tables, bias):
    """Write every cell of the tables, and the bias's part of the score."""
    ctx.set(dut.offset, geometry.bias_gain * bias)
    ctx.set(dut.write.valid, 1)
    width, bits = geometry.neurons_per_clock, geometry.tuple_bits
    for group in range(geometry.groups):
        for address in range(geometry.cells):
            ctx.set(dut.write.group, group)
            ctx.set(dut.write.tuples, sum(address << (q * bits) for q in range(width)))
            ctx.set(dut.write.cells, tables[group * width : (group + 1) * width, address].tolist())
            await ctx.tick()
    ctx.set(dut.write.valid, 0)


def golden_scores(geometry, tables, bias, row):
    codes = code_array(geometry, [film["code"].to_bytes(geometry.code_bytes, "little") for film in row["films"]])
    cells = tables[np.arange(geometry.neurons), addresses(geometry, codes)].sum(axis=1)
    priors = np.array([film["prior"] for film in row["films"]]) << geometry.prior_shift
    return {
        "scores": (priors + geometry.bias_gain * bias + cells).tolist(),
        "mask": row["mask"],
        "last": row["last"],
    }


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_scores(name, idle, wait):
    geometry = GEOMETRIES[name]
    rng = random.Random(5)
    for tables, bias in (extreme_tables(geometry), random_tables(rng, geometry)):
        dut = TableScorer(geometry)
        rows = film_rows(rng, geometry, 20)

        async def prepare(ctx, dut=dut, tables=tables, bias=bias):
            await load(ctx, dut, geometry, tables, bias)

        scores, _, _ = run_stream(dut, rows, len(rows), idle=idle, wait=wait, prepare=prepare)
        assert scores == [golden_scores(geometry, tables, bias, row) for row in rows]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_latency_and_throughput(name):
    """One row per ``groups`` clocks, its scores ``latency`` clocks after it was offered."""
    geometry = GEOMETRIES[name]
    dut = TableScorer(geometry)
    rows = film_rows(random.Random(1), geometry, 12)
    _, sent, received = run_stream(dut, rows, len(rows))
    offered = [clock - (geometry.groups - 1) for clock in sent]
    assert offered == list(range(0, len(rows) * geometry.groups, geometry.groups))
    assert received == [clock + dut.latency for clock in offered]


@pytest.mark.parametrize("name", GEOMETRIES)
def test_tap(name):
    """The tap shows each group of cells that lane 0 reads, once unless the scorer stalls, in order."""
    geometry = GEOMETRIES[name]
    rng = random.Random(2)
    tables, bias = random_tables(rng, geometry)
    bench = Bench(dut := TableScorer(geometry))
    rows = film_rows(rng, geometry, 6)
    width, bits = geometry.neurons_per_clock, geometry.tuple_bits
    expected = []
    for row in rows:
        code = row["films"][0]["code"].to_bytes(geometry.code_bytes, "little")
        where = addresses(geometry, code_array(geometry, [code]))[0]
        for group in range(geometry.groups):
            neurons = range(group * width, (group + 1) * width)
            picked = sum(int(where[m]) << (q * bits) for q, m in enumerate(neurons))
            expected.append((group, picked, [int(tables[m, where[m]]) for m in neurons]))

    async def testbench(ctx):
        await load(ctx, dut, geometry, tables, bias)
        ctx.set(dut.o.ready, 1)
        seen = []
        for row in rows:
            ctx.set(dut.i.payload, row)
            ctx.set(dut.i.valid, 1)
            taken = False
            while not taken:
                _, _, taken = await ctx.tick().sample(dut.i.ready)
                assert ctx.get(dut.tap.valid)
                tap = dut.tap
                seen.append((ctx.get(tap.group), ctx.get(tap.tuples), plain(ctx.get(tap.cells))))
        ctx.set(dut.i.valid, 0)
        await ctx.tick()
        assert not ctx.get(dut.tap.valid)
        assert seen == expected

    bench.run(testbench)
