"""Digester, reading a real memory, neurons and catalogue, against the golden digests."""

import random

import numpy as np
import pytest
from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import connect
from ramrec.hdl.catalogue import Catalogue
from ramrec.hdl.digester import Digester
from ramrec.hdl.lookup import FilmLookup
from ramrec.hdl.neurons import RamNeurons
from ramrec.hdl.protocol import digest
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent
from ramrec.sim.pysim import Bench, strobe

from .bench import LEARNING, agent_entries, fill_catalogue, fill_memory, random_film, write_cells


class Digested(wiring.Component):
    """What a digest covers; strengths and bias are those of ``agent``."""

    def __init__(self, geometry, agent):
        self.geometry, self.agent = geometry, agent
        self.digester, self.memory, self.neurons = Digester(geometry), WorkingMemory(geometry), RamNeurons(geometry)
        self.catalogue, self.lookup = Catalogue(geometry), FilmLookup(geometry, 1)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        geometry = self.geometry
        m.submodules.digester = digester = self.digester
        m.submodules.memory, m.submodules.neurons = self.memory, self.neurons
        m.submodules.catalogue = catalogue = self.catalogue
        m.submodules.lookup = lookup = self.lookup
        learned = self.agent.learned
        m.submodules.alphas = alphas = Memory(
            shape=signed(geometry.alpha_bits), depth=geometry.memory_depth, init=learned.alpha.tolist()
        )
        alpha = alphas.read_port()
        connect(m, digester.entry, self.memory.read)
        connect(m, digester.neurons, self.neurons.read)
        m.d.comb += [
            digester.kept.eq(len(self.agent.entries)),
            alpha.addr.eq(digester.alpha_slot),
            digester.alpha.eq(alpha.data),
            digester.bias.eq(learned.bias),
            lookup.i_valid.eq(digester.look),
            lookup.item.eq(digester.item),
            lookup.loaded.eq(digester.loaded),
            lookup.films.eq(catalogue.films),
            catalogue.row.eq(lookup.row),
            digester.found.eq(lookup.o_valid),
            digester.film.eq(lookup.film),
        ]
        return m

    async def prepare(self, ctx, films):
        await fill_memory(ctx, self.memory, self.agent.entries)
        await write_cells(ctx, self.neurons.write, self.geometry, self.agent.learned.tables)
        await fill_catalogue(ctx, self.catalogue, films)

    async def digest(self, bench, ctx, *, of_catalogue=0, loaded=0):
        """The digest, and how many clocks it took."""
        ctx.set(self.digester.of_catalogue, of_catalogue)
        ctx.set(self.digester.loaded, loaded)
        assert not ctx.get(self.digester.busy)
        start = ctx.get(bench.clock)
        await strobe(ctx, self.digester.start)
        while ctx.get(self.digester.busy):
            await ctx.tick()
        return ctx.get(self.digester.crc), ctx.get(bench.clock) - start


def catalogue_words(geometry, films):
    words = (
        film["code"].to_bytes(geometry.code_bytes, "little") + film["prior"].to_bytes(2, "little", signed=True)
        for film in films
    )
    return len(films).to_bytes(2, "little") + b"".join(words)


def random_films(rng, geometry):
    return [random_film(rng, geometry) for _ in range(geometry.catalogue_depth)]


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
                assert crc == digest(catalogue_words(geometry, films[:loaded]))

        bench.run(testbench)


@pytest.mark.parametrize("name", [name for name in LEARNING if not LEARNING[name].compact])
def test_clocks(name):
    """A clock per word of an entry and two for itself; per film the way through the lookup; four per cell."""
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
        assert full - empty == len(films) * (code_words + 1 + 1 + dut.lookup.latency)
        user = (await dut.digest(bench, ctx))[1]
        entries = geometry.memory_depth * (code_words + 3 + 2)
        cells = geometry.neurons * geometry.cells * 4
        assert 0 <= user - entries - cells - empty <= 2

    bench.run(testbench)


def test_rule_nearest_has_no_tables():
    """All cells are zero, whatever the neurons would say."""
    geometry = LEARNING["tiny"].with_(rule="nearest", lanes=1)
    agent = Agent(geometry, agent_entries(random.Random(6), geometry, 5))
    assert not np.any(agent.learned.tables)
    bench = Bench(dut := Digested(geometry, agent))

    async def testbench(ctx):
        await dut.prepare(ctx, [])
        await write_cells(ctx, dut.neurons.write, geometry, agent.learned.tables + 1)
        crc, _ = await dut.digest(bench, ctx)
        assert crc == digest(agent.words())

    bench.run(testbench)
