"""Fuser on RamNeurons against sums of cells."""

import random

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from ramrec.hdl.fuser import Fuser
from ramrec.hdl.geometry import TINY
from ramrec.hdl.neurons import RamNeurons
from ramrec.sim.pysim import Bench, strobe

from .bench import COMPACT, GEOMETRIES, fused_tables, plain, random_tables, write_cells

FUSED = {
    **GEOMETRIES,
    **{
        f"{tuple_bits}-bit tuples, {table_bits}-bit tables": TINY.with_(
            code_bits=32,
            shift=6,
            tuple_bits=tuple_bits,
            table_bits=table_bits,
            neurons_per_clock=table_bits // tuple_bits,
        )
        for tuple_bits, table_bits in ((1, 1), (1, 4), (2, 2), (2, 8), (4, 8))
    },
    "a table at a time": COMPACT.with_(neurons_per_clock=COMPACT.fused),
    "groups in parts": TINY.with_(code_bits=192, shift=8, neurons_per_clock=48, lanes=20),
}


class Fused(wiring.Component):
    """A fuser and the neurons that it reads."""

    def __init__(self, geometry):
        self.fuser, self.neurons = Fuser(geometry), RamNeurons(geometry)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.fuser, m.submodules.neurons = self.fuser, self.neurons
        connect(m, self.fuser.read, self.neurons.read)
        return m


@pytest.mark.parametrize("name", FUSED)
def test_tables(name):
    """Every cell once, within ``clocks``; twice, with other neurons and the loudest ones."""
    geometry = FUSED[name]
    rng = random.Random(2)
    bench = Bench(dut := Fused(geometry))
    fuser = dut.fuser
    per_write = geometry.tables_per_write
    loudest = np.full((geometry.neurons, geometry.cells), -geometry.cell_max)

    async def testbench(ctx):
        for tables in (random_tables(rng, geometry), loudest, -loudest):
            await write_cells(ctx, dut.neurons.write, geometry, tables)
            written = {}
            await strobe(ctx, fuser.start)
            start = ctx.get(bench.clock) - 1
            while ctx.get(fuser.busy):
                if ctx.get(fuser.valid):
                    write = plain(ctx.get(fuser.write))
                    for place, cell in enumerate(write["cells"]):
                        where = write["part"] * per_write + place, write["address"]
                        assert where not in written
                        written[where] = cell
                await ctx.tick()
            assert ctx.get(bench.clock) - start == fuser.clocks
            assert not ctx.get(fuser.valid)
            due = fused_tables(geometry, tables)
            assert written == {where: int(cell) for where, cell in np.ndenumerate(due)}

    bench.run(testbench)
