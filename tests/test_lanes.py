"""RankingLanes against the golden model's table view."""

import random

import numpy as np
import pytest
from ramrec.hdl.geometry import TINY
from ramrec.hdl.lanes import RankingLanes
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, film_rows, fused_tables, plain, random_tables, row_scores

PARTS = TINY.with_(code_bits=96, shift=8, neurons_per_clock=48, lanes=7)
"""24 tables, written by twelve."""

LANES = GEOMETRIES | {f"{lanes} lanes": TINY.with_(lanes=lanes) for lanes in (7, 20)} | {"parts": PARTS}


async def write_tables(ctx, dut, geometry, tables, rng, idle=0.0):
    """Write every fused cell, in any order, now and then none; then wait until all lanes have them."""
    fused = fused_tables(geometry, tables)
    width = geometry.tables_per_write
    where = [(part, address) for part in range(geometry.tables // width) for address in range(geometry.table_cells)]
    for part, address in rng.sample(where, len(where)):
        ctx.set(dut.write_valid, 1)
        ctx.set(dut.write.part, part)
        ctx.set(dut.write.address, address)
        ctx.set(dut.write.cells, fused[part * width :, address][:width].tolist())
        await ctx.tick()
        ctx.set(dut.write_valid, 0)
        ctx.set(dut.write.cells, [-1] * width)
        while rng.random() < idle:
            await ctx.tick()
    for _ in range(dut.write_latency - 1):
        await ctx.tick()


@pytest.mark.parametrize("idle", [0.0, 0.4])
@pytest.mark.parametrize("name", LANES)
def test_scores(name, idle):
    """Rows in every clock or now and then, askew as a catalogue gives them, their scores ``latency`` clocks later.

    Masks and ``last`` come with them.
    """
    geometry = LANES[name]
    rng = random.Random(5)
    bench = Bench(dut := RankingLanes(geometry))
    loudest = np.full((geometry.neurons, geometry.cells), geometry.cell_max)
    top = geometry.bias_gain * geometry.cell_max

    async def testbench(ctx):
        for tables, offset in ((random_tables(rng, geometry), top), (loudest, top), (-loudest, -top)):
            ctx.set(dut.offset, offset)
            await write_tables(ctx, dut, geometry, tables, rng, idle)
            rows = []
            for row in film_rows(rng, geometry, 25):
                rows += [row] + [None] * (rng.random() < idle)
            rows = [None] * geometry.hops + rows + [None] * (dut.latency + 1)
            for clock, row in enumerate(rows):
                ctx.set(dut.i_valid, row is not None)
                if row is not None:
                    ctx.set(dut.i.mask, row["mask"])
                    ctx.set(dut.i.last, row["last"])
                for lane in range(geometry.lanes):
                    ahead = geometry.hops - geometry.hop_of(lane)
                    coming = rows[clock + ahead] if clock + ahead < len(rows) else None
                    if coming is not None:
                        ctx.set(dut.i.films[lane], coming["films"][lane])
                due = rows[clock - dut.latency] if clock >= dut.latency else None
                assert ctx.get(dut.o_valid) == (due is not None)
                if due is not None:
                    scores = row_scores(geometry, tables, offset, due["films"])
                    assert plain(ctx.get(dut.o)) == {"scores": scores, "mask": due["mask"], "last": due["last"]}
                await ctx.tick()

    bench.run(testbench)


@pytest.mark.parametrize("lanes", [1, 2, 3, 4, 7, 8, 20, 48])
def test_write_latency(lanes):
    """A row that comes ``write_latency`` clocks after a write sees it in every lane; in one clock less, not."""
    geometry = TINY.with_(lanes=lanes)
    bench = Bench(dut := RankingLanes(geometry))
    cells = geometry.tables_per_write
    film = {"code": 0, "prior": 0}
    seen = []

    async def testbench(ctx):
        ctx.set(dut.i, {"films": [film] * lanes, "mask": 0, "last": 0})
        ctx.set(dut.write, {"part": 0, "address": 0, "cells": [1] * cells})
        ctx.set(dut.write_valid, 1)
        for clock in range(dut.write_latency + 1 + dut.latency):
            ctx.set(dut.i_valid, 1)
            if clock >= dut.latency:
                seen.append(plain(ctx.get(dut.o.scores)))
            await ctx.tick()
            ctx.set(dut.write_valid, 0)

    bench.run(testbench)
    assert seen[-1] == [cells] * lanes
    assert seen[-2] != [cells] * lanes
