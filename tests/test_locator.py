"""Locator against counting: every item number there is, in many numbers of lanes."""

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import place_layout
from ramrec.hdl.locator import Locator
from ramrec.sim.pysim import Bench

ITEMS = (1 << 16) - 1
"""As many as a catalogue may hold."""


class Counted(wiring.Component):
    """A locator that is asked for item after item, beside counters of rows and lanes that wait for its answers."""

    def __init__(self, lanes):
        self.geometry = TINY.with_(lanes=lanes, catalogue_depth=ITEMS)
        super().__init__({"clock": Out(17), "compared": Out(16), "wrong": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.locator = locator = Locator(self.geometry)
        due = Signal(place_layout(self.geometry))
        m.d.comb += locator.item.eq(self.clock)
        m.d.sync += self.clock.eq(self.clock + 1)
        with m.If((self.clock >= locator.latency) & (self.compared != ITEMS)):
            m.d.sync += [self.compared.eq(self.compared + 1), self.wrong.eq(self.wrong | (locator.place != due))]
            m.d.sync += due.lane.eq(due.lane + 1)
            with m.If(due.lane == self.geometry.lanes - 1):
                m.d.sync += [due.lane.eq(0), due.row.eq(due.row + 1)]
        return m


@pytest.mark.parametrize("lanes", [1, 3, 7, 20, 47, 48])
def test_every_item(lanes):
    """One item per clock, its place ``latency`` clocks later."""
    bench = Bench(dut := Counted(lanes))

    async def testbench(ctx):
        await ctx.tick().repeat(ITEMS + Locator.latency)
        assert ctx.get(dut.compared) == ITEMS
        assert not ctx.get(dut.wrong)

    bench.run(testbench)
