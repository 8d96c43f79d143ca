# amaranth: UnusedElaboratable=no
"""Learner on a WorkingMemory against the golden model, down to every cell, and to the clock."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from ramrec.hdl.geometry import TINY
from ramrec.hdl.learner import Learner
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent, Entry, learn, learn_by_tables
from ramrec.sim.pysim import Bench, strobe

from .bench import (
    KINDS,
    LEARNING,
    agent_entries,
    code_array,
    fill_memory,
    plain,
    random_code,
    random_film,
    row_scores,
)

WIDTHS = {
    f"{tuple_bits}-bit tuples, {per_clock} a clock": TINY.with_(
        code_bits=32, tuple_bits=tuple_bits, table_bits=tuple_bits, neurons_per_clock=per_clock, shift=6
    )
    for tuple_bits in (1, 2, 4)
    for per_clock in (1, 2, 8, 32 // tuple_bits)
}


class Learning(wiring.Component):
    """A memory, and who learns it."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.memory, self.learner = WorkingMemory(geometry), Learner(geometry)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.learner = self.memory, self.learner
        connect(m, self.learner.entry, self.memory.read)
        return m

    async def learn(self, bench, ctx, entries):
        """Learn; return the clocks in which the learner was busy."""
        await fill_memory(ctx, self.memory, entries)
        ctx.set(self.learner.kept, len(entries))
        assert not ctx.get(self.learner.busy)
        await strobe(ctx, self.learner.start)
        start = ctx.get(bench.clock)
        while ctx.get(self.learner.busy):
            await ctx.tick()
        return ctx.get(bench.clock) - start

    async def state(self, ctx, kept):
        """Strengths, bias, and the cells in the order of the golden model."""
        geometry, learner = self.geometry, self.learner
        alphas = []
        for slot in range(kept):
            ctx.set(learner.alpha_slot, slot)
            await ctx.tick().repeat(2)
            alphas.append(ctx.get(learner.alpha))
        tables = [[None] * geometry.cells for _ in range(geometry.neurons)]
        width = geometry.neurons_per_clock
        for address in range(geometry.cells):
            ctx.set(learner.read.tuples, sum(address << q * geometry.tuple_bits for q in range(width)))
            for group in range(geometry.groups):
                ctx.set(learner.read.group, group)
                await ctx.tick()
                for q, cell in enumerate(plain(ctx.get(learner.read.cells))):
                    tables[group * width + q][address] = cell
        assert ctx.get(learner.offset) == geometry.bias_gain * ctx.get(learner.bias)
        return alphas, ctx.get(learner.bias), tables

    async def score(self, bench, ctx, film):
        """Score of one film, and the clocks it took."""
        ctx.set(self.learner.query.film, film)
        start = ctx.get(bench.clock)
        await strobe(ctx, self.learner.query.en)
        ctx.set(self.learner.query.film, {"code": 0, "prior": 0})
        while ctx.get(self.learner.asking):
            await ctx.tick()
        return ctx.get(self.learner.score), ctx.get(bench.clock) - start


def state_of(learned):
    return learned.alpha.tolist(), learned.bias, learned.tables.tolist()


def sweeps_of(geometry, entries):
    """Sweeps until one has changed nothing, or all of them."""
    if geometry.rule == "counting":
        return 1
    codes, e = code_array(geometry, [entry.code for entry in entries]), [entry.e for entry in entries]
    alphas = [[0] * len(entries)]
    while len(alphas) <= geometry.sweeps:
        alphas.append(learn(geometry.with_(sweeps=len(alphas)), codes, e).alpha.tolist())
        if alphas[-1] == alphas[-2]:
            break
    return len(alphas) - 1


def busy_clocks(learner, geometry, entries):
    """Clearing, then fetching the first entry and the steps, if there are any; and one more."""
    clear = geometry.groups * geometry.cells
    steps = sweeps_of(geometry, entries) * len(entries) * learner.step_clocks
    return clear + (3 + steps if entries else 0) + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LEARNING)
def test_state(name, kind):
    """Alphas, bias, every cell, scores, and the clocks; list after list, so that nothing of the last one may stay."""
    geometry = LEARNING[name]
    rng = random.Random(7)
    bench = Bench(dut := Learning(geometry))
    depth = geometry.memory_depth

    async def testbench(ctx):
        for kept in (depth, 1, depth - 1, 0, depth):
            agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
            clocks = await dut.learn(bench, ctx, agent.entries)
            assert clocks == busy_clocks(dut.learner, geometry, agent.entries)
            assert await dut.state(ctx, kept) == state_of(agent.learned)
            if geometry.rule == "sweep":
                assert state_of(agent.learned) == state_of(
                    learn_by_tables(geometry, agent.codes, [entry.e for entry in agent.entries])
                )
            films = [random_film(rng, geometry) for _ in range(3)]
            due = row_scores(geometry, agent.learned.tables, geometry.bias_gain * agent.learned.bias, films)
            for film, score in zip(films, due, strict=True):
                assert await dut.score(bench, ctx, film) == (score, dut.learner.query_clocks)
            assert await dut.state(ctx, kept) == state_of(agent.learned), "a question changes nothing"

    bench.run(testbench)


@pytest.mark.parametrize("rule", ["sweep", "counting"])
@pytest.mark.parametrize("name", WIDTHS)
def test_widths(name, rule):
    """One neuron at a time, all at once, and between, with deep and with shallow adder trees."""
    geometry = WIDTHS[name].with_(rule=rule)
    rng = random.Random(9)
    bench = Bench(dut := Learning(geometry))
    agent = Agent(geometry, agent_entries(rng, geometry, geometry.memory_depth))
    film = random_film(rng, geometry)

    async def testbench(ctx):
        clocks = await dut.learn(bench, ctx, agent.entries)
        assert clocks == busy_clocks(dut.learner, geometry, agent.entries)
        assert await dut.state(ctx, len(agent.entries)) == state_of(agent.learned)
        offset = geometry.bias_gain * agent.learned.bias
        (due,) = row_scores(geometry, agent.learned.tables, offset, [film])
        assert await dut.score(bench, ctx, film) == (due, dut.learner.query_clocks)

    bench.run(testbench)


def test_extreme_agent_fills_its_cells():
    """Equal codes of one sign and the loudest surprises: every alpha at its limit, every cell at ``cell_max``."""
    geometry = TINY.with_(ridge=0, bias_gain=0)
    bench = Bench(dut := Learning(geometry))
    code = bytes(geometry.code_bytes)
    depth = geometry.memory_depth

    async def testbench(ctx):
        for e, sign in ((geometry.surprise_max - 1, 1), (-geometry.surprise_max, -1)):
            await dut.learn(bench, ctx, [Entry(j, code, e) for j in range(depth)])
            alphas, bias, tables = await dut.state(ctx, depth)
            assert alphas == [sign * geometry.alpha_max] * depth
            assert bias == sign * geometry.cell_max
            assert [row[0] for row in tables] == [sign * geometry.cell_max] * geometry.neurons

    bench.run(testbench)


def test_stops_early():
    """After a sweep without a change, however many sweeps are allowed; and not before."""
    geometry = TINY.with_(sweeps=200)
    rng = random.Random(1)
    bench = Bench(dut := Learning(geometry))
    seen = set()

    async def testbench(ctx):
        for _ in range(12):
            e = rng.choice((5, 100, 400))
            entries = [Entry(j, random_code(rng, geometry), rng.randrange(-e, e)) for j in range(geometry.memory_depth)]
            seen.add(sweeps_of(geometry, entries))
            assert await dut.learn(bench, ctx, entries) == busy_clocks(dut.learner, geometry, entries)

    bench.run(testbench)
    assert 1 in seen and len(seen) > 2 and max(seen) < 200


@pytest.mark.parametrize("rule", ["nearest", "wisard"])
def test_refuses_other_rules(rule):
    with pytest.raises(ValueError, match=f"not '{rule}'"):
        Learner(TINY.with_(rule=rule, lanes=1))
