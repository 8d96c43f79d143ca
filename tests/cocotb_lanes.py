"""RankingLanes against the golden model's table view, with tables written before every run."""

import random

import cocotb
import numpy as np
from bench import film_rows, fused_tables, plain, row_scores
from cocotb.triggers import RisingEdge
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import film_row_layout, score_row_layout, table_write_layout
from ramrec.sim.bench import Checker, clocks, start
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])
SETTLE = 32
"""Enough clocks for a write to reach every lane."""


async def write_tables(dut, tables):
    """Write all cells, one address of one part per clock, and wait until the last one is in every lane."""
    layout, fused = table_write_layout(GEOMETRY), fused_tables(GEOMETRY, tables)
    width = GEOMETRY.tables_per_write
    dut.write_valid.value = 1
    for part in range(GEOMETRY.tables // width):
        for address in range(GEOMETRY.table_cells):
            cells = fused[part * width :, address][:width].tolist()
            dut.write.value = layout.const({"part": part, "address": address, "cells": cells}).as_bits()
            await RisingEdge(dut.clk)
    dut.write_valid.value = 0
    await clocks(dut, SETTLE)


async def monitor(dut, checker):
    layout = score_row_layout(GEOMETRY)
    while True:
        await RisingEdge(dut.clk)
        if dut.o_valid.value:
            checker.see(plain(layout.from_bits(int(dut.o.value))))


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(extreme=[False, True], idle=[0.0, 0.4])
async def scores(dut, extreme, idle):
    numbers = np.random.default_rng(3)
    rng = random.Random(4)
    top = GEOMETRY.cell_max
    tables = numbers.integers(-top, top + 1, (GEOMETRY.neurons, GEOMETRY.cells))
    if extreme:
        tables[:] = -top
    offset = -GEOMETRY.bias_gain * top
    dut.write_valid.value = 0
    dut.i_valid.value = 0
    await start(dut)
    dut.offset.value = offset & (1 << GEOMETRY.score_bits) - 1
    await write_tables(dut, tables)
    checker = Checker()
    cocotb.start_soon(monitor(dut, checker))
    rows = film_rows(rng, GEOMETRY, 200)
    for row in rows:
        while rng.random() < idle:
            dut.i_valid.value = 0
            await RisingEdge(dut.clk)
        dut.i_valid.value = 1
        dut.i.value = film_row_layout(GEOMETRY).const(row).as_bits()
        await RisingEdge(dut.clk)
        due = row_scores(GEOMETRY, tables, offset, row["films"])
        checker.expect({"scores": due, "mask": row["mask"], "last": row["last"]})
    dut.i_valid.value = 0
    await checker.finished(timeout_clocks=100)
    assert checker.checked == len(rows)
