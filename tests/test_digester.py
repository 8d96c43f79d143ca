"""Digester, reading a real memory, catalogue and scorer, against the golden digests."""

import random

import numpy as np
import pytest
from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Out, connect
from ramrec.hdl.catalogue import Catalogue
from ramrec.hdl.digester import Digester
from ramrec.hdl.protocol import digest
from ramrec.hdl.scorer import TableScorer
from ramrec.hdl.user_memory import UserMemory
from ramrec.sim.golden import Agent
from ramrec.sim.pysim import Bench, strobe

from .bench import LEARNING, agent_entries, fill_memory, random_code


class Digested(wiring.Component):
    """What a digest covers; strengths and bias are those of ``agent``. Idle, the memories are the test's."""

    def __init__(self, geometry, agent):
        self.geometry, self.agent = geometry, agent
        self.digester, self.memory = Digester(geometry), UserMemory(geometry)
        self.catalogue, self.scorer = Catalogue(geometry), TableScorer(geometry)
        super().__init__({"crc": Out(32)})

    def elaborate(self, platform):
        m = Module()
        geometry = self.geometry
        m.submodules.digester = digester = self.digester
        m.submodules.memory = memory = self.memory
        m.submodules.catalogue = catalogue = self.catalogue
        m.submodules.scorer = scorer = self.scorer
        learned = self.agent.learned
        m.submodules.alphas = alphas = Memory(
            shape=signed(geometry.alpha_bits), depth=geometry.memory_depth, init=learned.alpha.tolist()
        )
        alpha = alphas.read_port()
        connect(m, digester.entry, memory.read)
        connect(m, digester.film_read, catalogue.read)
        connect(m, scorer.tap, digester.tap)
        m.d.comb += [
            digester.kept.eq(memory.kept),
            alpha.addr.eq(digester.alpha_slot),
            digester.alpha.eq(alpha.data),
            digester.bias.eq(learned.bias),
            scorer.i.p.films[0].eq(digester.film.p),
            scorer.i.p.mask.eq(1),
            scorer.i.valid.eq(digester.film.valid),
            digester.film.ready.eq(scorer.i.ready),
            digester.score.p.eq(scorer.o.p.scores[0]),
            digester.score.valid.eq(scorer.o.valid),
            scorer.o.ready.eq(digester.score.ready),
            self.crc.eq(digester.crc),
        ]
        return m

    async def prepare(self, ctx, films):
        await fill_memory(ctx, self.memory, self.agent.entries)
        write = self.scorer.write
        width, bits = self.geometry.neurons_per_clock, self.geometry.tuple_bits
        ctx.set(write.valid, 1)
        for group in range(self.geometry.groups):
            for address in range(self.geometry.cells):
                ctx.set(write.group, group)
                ctx.set(write.tuples, sum(address << (q * bits) for q in range(width)))
                ctx.set(write.cells, self.agent.learned.tables[group * width :, address][:width].tolist())
                await ctx.tick()
        ctx.set(write.valid, 0)
        ctx.set(self.catalogue.write.en, 1)
        for item, (code, prior) in enumerate(films):
            ctx.set(self.catalogue.write.item, item)
            ctx.set(self.catalogue.write.film, {"code": int.from_bytes(code, "little"), "prior": prior})
            await ctx.tick()
        ctx.set(self.catalogue.write.en, 0)

    async def digest(self, bench, ctx, *, of_catalogue=0, loaded=0):
        """The digest, and how many clocks it took."""
        ctx.set(self.digester.of_catalogue, of_catalogue)
        ctx.set(self.digester.loaded, loaded)
        assert not ctx.get(self.digester.busy)
        start = ctx.get(bench.clock)
        await strobe(ctx, self.digester.start)
        while ctx.get(self.digester.busy):
            await ctx.tick()
        clocks = ctx.get(bench.clock) - start
        for _ in range(self.scorer.latency):
            assert not ctx.get(self.scorer.o.valid), "whoever scores next would take this for its own"
            await ctx.tick()
        return ctx.get(self.crc), clocks


def catalogue_words(films):
    words = (code + prior.to_bytes(2, "little", signed=True) for code, prior in films)
    return len(films).to_bytes(2, "little") + b"".join(words)


def random_films(rng, geometry):
    return [(random_code(rng, geometry), rng.randrange(-128, 128)) for _ in range(geometry.catalogue_depth)]


@pytest.mark.parametrize("kind", ["random", "loud"])
@pytest.mark.parametrize("name", LEARNING)
def test_digest(name, kind):
    """Of a user and of catalogues of several lengths, one after the other; twice the same."""
    geometry = LEARNING[name]
    rng = random.Random(4)
    films = random_films(rng, geometry)
    for kept in (0, geometry.memory_depth):
        agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
        bench = Bench(dut := Digested(geometry, agent))

        async def testbench(ctx, dut=dut, bench=bench, agent=agent):
            await dut.prepare(ctx, films)
            for loaded in (0, len(films)):
                crc, _ = await dut.digest(bench, ctx)
                assert crc == digest(agent.words())
                crc, _ = await dut.digest(bench, ctx, of_catalogue=1, loaded=loaded)
                assert crc == digest(catalogue_words(films[:loaded]))

        bench.run(testbench)


@pytest.mark.parametrize("name", LEARNING)
def test_clocks(name):
    """A clock per word of an entry or film and one for itself; ``groups + 2`` per cell."""
    geometry = LEARNING[name]
    rng = random.Random(5)
    agent = Agent(geometry, agent_entries(rng, geometry, geometry.memory_depth))
    films = random_films(rng, geometry)
    bench = Bench(dut := Digested(geometry, agent))
    code_words = geometry.code_bits // 16

    async def testbench(ctx):
        await dut.prepare(ctx, films)
        empty = (await dut.digest(bench, ctx, of_catalogue=1, loaded=0))[1]
        full = (await dut.digest(bench, ctx, of_catalogue=1, loaded=len(films)))[1]
        assert full - empty == len(films) * (code_words + 1 + 1)
        user = (await dut.digest(bench, ctx))[1]
        entries = geometry.memory_depth * (code_words + 3 + 1)
        cells = geometry.neurons * geometry.cells * (geometry.groups + 2)
        assert 0 <= user - entries - cells - empty <= dut.scorer.latency

    bench.run(testbench)


def test_rule_nearest_has_no_tables():
    """All cells are zero, and no scorer is asked."""
    geometry = LEARNING["tiny"].with_(rule="nearest", lanes=1)
    agent = Agent(geometry, agent_entries(random.Random(6), geometry, 5))
    assert not np.any(agent.learned.tables)
    bench = Bench(dut := Digested(geometry, agent))

    async def testbench(ctx):
        await dut.prepare(ctx, [])
        crc, _ = await dut.digest(bench, ctx)
        assert crc == digest(agent.words())

    bench.run(testbench)
