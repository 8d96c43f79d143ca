"""Explainer on a real memory view against the golden explanation."""

import random

import pytest
from amaranth import Module, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out, connect, flipped
from ramrec.hdl.explainer import Explainer, contribution_layout
from ramrec.hdl.memory_view import MemoryView
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent
from ramrec.sim.pysim import Bench, strobe

from .bench import LEARNING, agent_entries, collect, fill_memory, random_code

EXPLAINED = LEARNING | {"nearest": LEARNING["tiny"].with_(rule="nearest", lanes=1)}


class Explained(wiring.Component):
    """An explainer, what it reads, and the strengths of ``agent``."""

    def __init__(self, geometry, agent):
        self.geometry, self.agent = geometry, agent
        self.explainer, self.view, self.memory = Explainer(geometry), MemoryView(geometry), WorkingMemory(geometry)
        super().__init__({"o": Out(stream.Signature(contribution_layout))})

    def elaborate(self, platform):
        m = Module()
        geometry = self.geometry
        m.submodules.explainer = explainer = self.explainer
        m.submodules.view = view = self.view
        m.submodules.memory = memory = self.memory
        m.submodules.alphas = alphas = Memory(
            shape=signed(geometry.alpha_bits),
            depth=geometry.memory_depth,
            init=self.agent.learned.alpha.tolist(),
        )
        alpha = alphas.read_port()
        connect(m, view.o, explainer.match)
        connect(m, explainer.o, flipped(self.o))
        m.d.comb += [
            view.start.eq(explainer.compare),
            view.first_row.eq(explainer.first_row),
            view.last_row.eq(explainer.last_row),
            view.kept.eq(len(self.agent.entries)),
            explainer.kept.eq(len(self.agent.entries)),
            explainer.comparing.eq(view.busy),
            explainer.best_slot.eq(view.best_slot),
            alpha.addr.eq(explainer.alpha_slot),
            explainer.alpha.eq(alpha.data),
            memory.read.en.eq(explainer.entry.en),
            memory.read.slot.eq(explainer.entry.slot),
        ]
        with m.If(view.busy):
            m.d.comb += [memory.read.slot.eq(view.read.slot), memory.read.en.eq(view.read.en)]
        for reader in (view.read, explainer.entry):
            m.d.comb += [reader.row.eq(memory.read.row), reader.entry.eq(memory.read.entry)]
        return m


@pytest.mark.parametrize("wait", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("kind", ["random", "alike"])
@pytest.mark.parametrize("name", EXPLAINED)
def test_explanation(name, kind, wait):
    """Whole memories and pages of them; the contributions and the nearest rating are the golden model's."""
    geometry = EXPLAINED[name]
    rng = random.Random(3)
    for kept in sorted({0, 1, geometry.memory_depth}):
        agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
        bench = Bench(dut := Explained(geometry, agent))
        explainer = dut.explainer

        async def testbench(ctx, dut=dut, bench=bench, agent=agent, kept=kept, explainer=explainer):
            await fill_memory(ctx, dut.memory, agent.entries)
            for first, count in sorted(
                {(0, kept), (kept // 2, kept - kept // 2), (kept, 0), (kept // 3, min(1, kept))}
            ):
                code = rng.choice([entry.code for entry in agent.entries] + [random_code(rng, geometry)])
                ctx.set(dut.view.query, int.from_bytes(code, "little"))
                ctx.set(explainer.first, first)
                ctx.set(explainer.count, count)
                await strobe(ctx, explainer.start)
                nearest, entries = agent.explain(code)
                due = [
                    {"item": item, "match": match, "contribution": said, "last": int(place == count - 1)}
                    for place, (item, match, said) in enumerate(entries[first : first + count])
                ]
                got = await collect(bench, ctx, dut.o, count, wait=wait, seed=kept)
                assert [said for said, _ in got] == due
                while ctx.get(explainer.busy):
                    await ctx.tick()
                assert ctx.get(explainer.nearest) == nearest
                assert not ctx.get(dut.o.valid)

        bench.run(testbench)


@pytest.mark.parametrize("name", EXPLAINED)
def test_clocks(name):
    """A clock per memory row for the nearest; the view's latency and 6 clocks for each contribution."""
    geometry = EXPLAINED[name]
    rng = random.Random(8)
    latency = None
    clocks = {}
    for kept in range(geometry.memory_depth + 1):
        bench = Bench(dut := Explained(geometry, Agent(geometry, agent_entries(rng, geometry, kept))))
        latency = dut.view.latency

        async def testbench(ctx, dut=dut, bench=bench, kept=kept):
            await fill_memory(ctx, dut.memory, dut.agent.entries)
            for count in sorted({0, min(1, kept), kept}):
                ctx.set(dut.explainer.count, count)
                start = ctx.get(bench.clock)
                await strobe(ctx, dut.explainer.start)
                await collect(bench, ctx, dut.o, count)
                while ctx.get(dut.explainer.busy):
                    await ctx.tick()
                clocks[kept, count] = ctx.get(bench.clock) - start

        bench.run(testbench)
    for (kept, count), taken in clocks.items():
        rows = max(1, -(-kept // geometry.comparators))
        assert taken - clocks[0, 0] == rows - 1 + count * (latency + 6)
