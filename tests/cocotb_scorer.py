"""TableScorer against the golden model's table view, with tables written before every run."""

import random

import cocotb
import numpy as np
from bench import code_array, film_rows, plain
from cocotb.triggers import RisingEdge
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import film_row_layout, score_row_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.golden import addresses
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])


async def write_tables(dut, tables):
    """Write all cells, one address of one group per clock."""
    width, bits, cell = GEOMETRY.neurons_per_clock, GEOMETRY.tuple_bits, GEOMETRY.cell_bits
    dut.write__valid.value = 1
    for group in range(GEOMETRY.groups):
        for address in range(GEOMETRY.cells):
            cells = tables[group * width :, address][:width].tolist()
            dut.write__group.value = group
            dut.write__tuples.value = sum(address << q * bits for q in range(width))
            dut.write__cells.value = sum((value & (1 << cell) - 1) << q * cell for q, value in enumerate(cells))
            await RisingEdge(dut.clk)
    dut.write__valid.value = 0


def model(tables, offset, payload):
    row = plain(film_row_layout(GEOMETRY).from_bits(payload))
    codes = code_array(GEOMETRY, [film["code"].to_bytes(GEOMETRY.code_bytes, "little") for film in row["films"]])
    cells = tables[np.arange(GEOMETRY.neurons), addresses(GEOMETRY, codes)].sum(axis=1)
    priors = np.array([film["prior"] for film in row["films"]]) << GEOMETRY.prior_shift
    return {"scores": (priors + cells + offset).tolist(), "mask": row["mask"], "last": row["last"]}


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(extreme=[False, True], idle=[0.0, 0.4], wait=[0.0, 0.4])
async def scores(dut, extreme, idle, wait):
    numbers = np.random.default_rng(3)
    top = GEOMETRY.cell_max
    tables = numbers.integers(-top, top + 1, (GEOMETRY.neurons, GEOMETRY.cells))
    if extreme:
        tables[:] = -top
    offset = -GEOMETRY.bias_gain * top
    source = StreamSource(dut, "i", idle=idle)
    dut.write__valid.value = 0
    await start(dut)
    dut.offset.value = offset & (1 << GEOMETRY.score_bits) - 1
    await write_tables(dut, tables)
    checker = Checker()
    layout = score_row_layout(GEOMETRY)
    StreamMonitor(dut, "i", lambda payload: checker.expect(model(tables, offset, payload)))
    StreamMonitor(dut, "o", lambda payload: checker.see(plain(layout.from_bits(payload))))
    StreamSink(dut, "o", wait=wait)
    rows = [film_row_layout(GEOMETRY).const(row).as_bits() for row in film_rows(random.Random(4), GEOMETRY, 200)]
    await source.send(rows)
    await clocks(dut, 1)
    await checker.finished(timeout_clocks=400)
    assert checker.checked == len(rows)
