"""Testbenches for Amaranth's own simulator: streams, a clock count, and a limit to every run."""

from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

__all__ = ["Bench", "strobe"]


class Bench:
    """One component under one clock.

    ``clock`` counts clocks from 0: read before a tick, it numbers the clock that the tick ends.
    """

    def __init__(self, dut, *, clock_limit=200_000):
        self.dut = dut
        self.clock = Signal(64)
        self.clock_limit = clock_limit

    def run(self, *testbenches):
        """Run until all testbenches are through; TimeoutError after ``clock_limit`` clocks."""
        m = Module()
        m.submodules.dut = self.dut
        m.d.sync += self.clock.eq(self.clock + 1)

        simulator = Simulator(m)
        simulator.add_clock(1e-6)
        for testbench in testbenches:
            simulator.add_testbench(testbench)
        time_steps = 2 * self.clock_limit
        while simulator.advance():
            time_steps -= 1
            if time_steps == 0:
                raise TimeoutError(f"not through after {self.clock_limit} clocks")

    async def put(self, ctx, stream, payload):
        """Offer one payload until it is taken; return that clock's number."""
        ctx.set(stream.payload, payload)
        ctx.set(stream.valid, 1)
        (clock,) = await ctx.tick().sample(self.clock).until(stream.ready)
        ctx.set(stream.valid, 0)
        return clock

    async def get(self, ctx, stream):
        """Take one payload; return it and the number of the clock in which it was taken."""
        ctx.set(stream.ready, 1)
        payload, clock = await ctx.tick().sample(stream.payload, self.clock).until(stream.valid)
        ctx.set(stream.ready, 0)
        return payload, clock


async def strobe(ctx, signal):
    """Hold a signal high for one clock."""
    ctx.set(signal, 1)
    await ctx.tick()
    ctx.set(signal, 0)
