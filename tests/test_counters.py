"""Counters against a history of strobes."""

import random

from ramrec.hdl.counters import Counters
from ramrec.sim.pysim import Bench


def last_run(strobes, goings_on):
    """Clocks of the last job: its strobe, and what goes on after it."""
    clocks = 0
    for strobe, going_on in zip(strobes, goings_on, strict=True):
        clocks = 1 if strobe else clocks + going_on
    return clocks


def test_counts():
    """Clocks since the start; clocks and number of requests executed; clocks of the last learning and ranking."""
    rng = random.Random(1)
    bench = Bench(dut := Counters())
    history = {name: [] for name in ("begun", "executed", "learn", "learning", "rank", "ranking")}

    async def testbench(ctx):
        begun, command_clocks, commands = -1, 0, 0
        for clock in range(400):
            for name, values in history.items():
                values.append(int(rng.random() < (0.7 if name.endswith("ing") else 0.1)))
                ctx.set(getattr(dut, name), values[-1])
            if history["executed"][-1]:
                command_clocks, commands = clock - begun - 1, commands + 1
            if history["begun"][-1]:
                begun = clock
            await ctx.tick()
            assert ctx.get(dut.clocks) == clock + 1
            assert ctx.get(dut.commands) == commands
            assert ctx.get(dut.command_clocks) == command_clocks
            assert ctx.get(dut.learn_clocks) == last_run(history["learn"], history["learning"])
            assert ctx.get(dut.rank_clocks) == last_run(history["rank"], history["ranking"])

    bench.run(testbench)
