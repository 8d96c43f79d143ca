# amaranth: UnusedElaboratable=no
"""Learner with a TableScorer and a UserMemory against the golden model, down to every cell."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect
from ramrec.hdl.geometry import TINY
from ramrec.hdl.learner import Learner
from ramrec.hdl.scorer import TableScorer
from ramrec.hdl.user_memory import UserMemory
from ramrec.sim.golden import Agent, Entry
from ramrec.sim.pysim import Bench, strobe

from .bench import KINDS, LEARNING, agent_entries, code_array, collect, fill_memory, plain, random_code


class Learning(wiring.Component):
    """A memory, a scorer, and who learns; the scorer's stream is the test's while nothing is learned."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.memory, self.scorer = UserMemory(geometry), TableScorer(geometry)
        self.learner = Learner(geometry, self.scorer.latency)
        super().__init__(
            {"film": In(self.scorer.i.signature.flip()), "score": Out(self.scorer.o.signature), "start": In(1)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = self.memory
        m.submodules.scorer = scorer = self.scorer
        m.submodules.learner = learner = self.learner
        connect(m, learner.read, memory.read)
        connect(m, learner.write, scorer.write)
        connect(m, scorer.tap, learner.tap)
        m.d.comb += [
            learner.start.eq(self.start),
            learner.kept.eq(memory.kept),
            scorer.offset.eq(learner.offset),
            learner.score.p.eq(scorer.o.p),
            self.score.p.eq(scorer.o.p),
        ]
        with m.If(learner.busy):
            m.d.comb += [
                scorer.i.p.eq(learner.film.p),
                scorer.i.valid.eq(learner.film.valid),
                learner.film.ready.eq(scorer.i.ready),
                learner.score.valid.eq(scorer.o.valid),
                scorer.o.ready.eq(learner.score.ready),
            ]
        with m.Else():
            m.d.comb += [
                scorer.i.p.eq(self.film.p),
                scorer.i.valid.eq(self.film.valid),
                self.film.ready.eq(scorer.i.ready),
                self.score.valid.eq(scorer.o.valid),
                scorer.o.ready.eq(self.score.ready),
            ]
        return m

    async def learn(self, bench, ctx, entries, user=0):
        """Learn; return the clocks in which the learner was busy."""
        await fill_memory(ctx, self.memory, entries, user=user)
        assert not ctx.get(self.learner.busy)
        await strobe(ctx, self.start)
        start = ctx.get(bench.clock)
        while ctx.get(self.learner.busy):
            await ctx.tick()
        return ctx.get(bench.clock) - start

    async def state(self, bench, ctx):
        """Strengths, bias, and the cells in the order of the golden model, from every lane's point of view."""
        geometry = self.geometry
        alphas = []
        for slot in range(ctx.get(self.memory.kept)):
            ctx.set(self.learner.alpha_slot, slot)
            await ctx.tick()
            alphas.append(ctx.get(self.learner.alpha))
        tables = [[None] * geometry.cells for _ in range(geometry.neurons)]
        width = geometry.neurons_per_clock
        ctx.set(self.score.ready, 1)
        for address in range(geometry.cells):
            code = uniform(geometry, address)
            films = [{"code": code, "prior": 0}] * geometry.lanes
            ctx.set(self.film.payload, {"films": films, "mask": 0, "last": 0})
            ctx.set(self.film.valid, 1)
            for group in range(geometry.groups):
                await ctx.tick()
                for q, cell in enumerate(plain(ctx.get(self.scorer.tap.cells))):
                    tables[group * width + q][address] = cell
            ctx.set(self.film.valid, 0)
            await ctx.tick().until(self.score.valid)
        return alphas, ctx.get(self.learner.bias), tables

    async def scores(self, bench, ctx, codes):
        """Scores of one film per lane, through the learned tables, with priors of zero."""
        films = [{"code": int.from_bytes(code, "little"), "prior": 0} for code in codes]
        await bench.put(ctx, self.film, {"films": films, "mask": 0, "last": 0})
        ((row, _),) = await collect(bench, ctx, self.score, 1)
        return row["scores"]


def uniform(geometry, address):
    """The code that makes every neuron look at one cell."""
    return sum(address << m * geometry.tuple_bits for m in range(geometry.neurons))


def golden_state(agent):
    learned = agent.learned
    return learned.alpha.tolist(), learned.bias, learned.tables.tolist()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LEARNING)
def test_state(name, kind):
    """Alphas, bias and every cell; list after list, so that nothing of the last one may stay."""
    geometry = LEARNING[name]
    rng = random.Random(7)
    bench = Bench(dut := Learning(geometry))
    depth = geometry.memory_depth

    async def testbench(ctx):
        for kept in (depth, 1, depth - 1, 0, depth):
            agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
            await dut.learn(bench, ctx, agent.entries, user=rng.randrange(geometry.users))
            assert await dut.state(bench, ctx) == golden_state(agent)
            codes = [random_code(rng, geometry) for _ in range(geometry.lanes)]
            expected = agent.scores(code_array(geometry, codes), [0] * geometry.lanes).tolist()
            assert await dut.scores(bench, ctx, codes) == expected

    bench.run(testbench)


def test_extreme_agent_fills_its_cells():
    """Equal codes of one sign and the loudest surprises: every alpha at its limit, every cell at ``cell_max``."""
    geometry = TINY.with_(ridge=0, bias_gain=0)
    bench = Bench(dut := Learning(geometry))
    code = bytes(geometry.code_bytes)

    async def testbench(ctx):
        for e, sign in ((geometry.surprise_max - 1, 1), (-geometry.surprise_max, -1)):
            await dut.learn(bench, ctx, [Entry(j, code, e) for j in range(geometry.memory_depth)])
            alphas, bias, tables = await dut.state(bench, ctx)
            assert alphas == [sign * geometry.alpha_max] * geometry.memory_depth
            assert bias == sign * geometry.cell_max
            assert [row[0] for row in tables] == [sign * geometry.cell_max] * geometry.neurons

    bench.run(testbench)


@pytest.mark.parametrize("name", LEARNING)
def test_clocks(name):
    """Clearing, and a step with and without a change of its entry's strength, take what is promised."""
    geometry = LEARNING[name].with_(sweeps=3, memory_depth=8, drift=min(1, LEARNING[name].drift))
    bench = Bench(dut := Learning(geometry))
    step, groups = dut.learner.step_clocks, geometry.groups
    sweeps = 1 if geometry.rule == "counting" else 2
    rng = random.Random(1)

    def entries(kept, e):
        return [Entry(j, random_code(rng, geometry), e) for j in range(kept)]

    async def testbench(ctx):
        clear = groups * geometry.cells
        nothing = await dut.learn(bench, ctx, [])
        assert nothing - clear in (2, 3)
        for kept in (1, 2, 8):
            assert await dut.learn(bench, ctx, entries(kept, 0)) == nothing + kept * (step - groups)
        # Surprises so loud that every alpha reaches its limit at once, and the second sweep changes nothing.
        loud = [await dut.learn(bench, ctx, entries(kept, geometry.surprise_max - 1)) for kept in (1, 2, 8)]
        per_entry = step + (sweeps - 1) * (step - groups)
        assert [clocks - loud[0] for clocks in loud] == [0, per_entry, 7 * per_entry]

    bench.run(testbench)


@pytest.mark.parametrize("rule", ["nearest", "wisard"])
def test_refuses_other_rules(rule):
    with pytest.raises(ValueError, match=f"not '{rule}'"):
        Learner(TINY.with_(rule=rule, lanes=1), 5)
