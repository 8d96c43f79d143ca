# amaranth: UnusedElaboratable=no
"""Ranker on a Catalogue and RamNeurons against the golden ranking, and to the clock."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import connect
from ramrec.hdl.catalogue import Catalogue
from ramrec.hdl.fuser import Fuser
from ramrec.hdl.geometry import TINY
from ramrec.hdl.neurons import RamNeurons
from ramrec.hdl.ranker import Ranker
from ramrec.hdl.shared_memory import SharedMemory
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent
from ramrec.sim.pysim import Bench, strobe

from .bench import (
    COMPACT,
    agent_entries,
    code_array,
    collect,
    fill_catalogue,
    fill_memory,
    mark_films,
    meaning,
    random_film,
    random_tables,
    ranking,
    row_scores,
    write_cells,
)

RANKED = {
    "one lane": TINY.with_(lanes=1, catalogue_depth=40, top_k=1),
    "two lanes, more rows than the queue holds": TINY.with_(lanes=2, catalogue_depth=150, top_k=9),
    "three lanes, wide tables": TINY.with_(lanes=3, table_bits=8, catalogue_depth=25, top_k=5),
    "five lanes, narrow tables": TINY.with_(lanes=5, table_bits=2, neurons_per_clock=8, catalogue_depth=31, top_k=8),
    "seven lanes, one-bit tuples": TINY.with_(lanes=7, tuple_bits=1, neurons_per_clock=4, catalogue_depth=50, top_k=6),
    "twenty lanes, counting": TINY.with_(
        lanes=20, rule="counting", prior_shift=7, catalogue_depth=45, neurons_per_clock=8, top_k=20
    ),
    "forty-eight lanes": TINY.with_(lanes=48, catalogue_depth=49, tuple_bits=4, top_k=41),
    "fewer films than lanes": TINY.with_(lanes=11, catalogue_depth=4, top_k=7),
    "compact": COMPACT.with_(catalogue_depth=90, top_k=7),
    "compact, one place": COMPACT.with_(code_bits=64, shift=5, catalogue_depth=41, top_k=1),
}


class Ranked(wiring.Component):
    """A ranker and what it reads."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.ranker, self.memories = Ranker(geometry), (SharedMemory if geometry.compact else Catalogue)(geometry)
        self.catalogue = self.memories.catalogue if geometry.compact else self.memories
        self.neurons, self.memory = RamNeurons(geometry), WorkingMemory(geometry)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.ranker = ranker = self.ranker
        m.submodules.memories, catalogue = self.memories, self.catalogue
        m.submodules.neurons, m.submodules.memory = self.neurons, self.memory
        connect(m, ranker.neurons, self.neurons.read)
        connect(m, ranker.entry, self.memory.read)
        m.d.comb += [
            catalogue.row.eq(ranker.row),
            catalogue.ask.eq(ranker.ask),
            ranker.ready.eq(catalogue.ready),
            ranker.films.eq(catalogue.films),
            ranker.marks.eq(catalogue.marks),
        ]
        return m

    async def rank(self, bench, ctx, loaded, due, **flow):
        """Rank the first ``loaded`` films and compare; return the clocks in which the ranker was busy."""
        ctx.set(self.ranker.loaded, loaded)
        assert not ctx.get(self.ranker.busy)
        await strobe(ctx, self.ranker.start)
        start = ctx.get(bench.clock)
        while ctx.get(self.ranker.busy):
            await ctx.tick()
        clocks = ctx.get(bench.clock) - start
        assert ctx.get(self.ranker.o.valid), "the list is complete"
        got = await collect(bench, ctx, self.ranker.o, len(due), **flow)
        assert [meaning(record) for record, _ in got] == due
        await ctx.tick()
        assert not ctx.get(self.ranker.o.valid)
        return clocks


def sizes(geometry):
    """Films loaded: none, one, around a row, around two rows, all."""
    lanes, depth = geometry.lanes, geometry.catalogue_depth
    return sorted({n for n in (0, 1, lanes - 1, lanes, lanes + 1, 2 * lanes, depth - 1, depth) if 0 <= n <= depth})


def films_of(rng, geometry, count, kind):
    """Films whose scores are all sorts, all alike, or rise: then each is better than all before."""
    films = [random_film(rng, geometry) for _ in range(count)]
    if kind == "ties":
        films = [films[0] | {"prior": rng.choice((3, 3, 3, 4))} for _ in films]
    if kind == "rising":
        films = [films[0] | {"prior": min(place - 128, 127)} for place in range(count)]
    return films


@pytest.mark.parametrize("name", RANKED)
def test_rankings(name):
    """Numbers of films around the lanes', marks on some, all or all but one, ties, rising scores, waiting sinks."""
    geometry = RANKED[name]
    rng = random.Random(name)
    bench = Bench(dut := Ranked(geometry))

    depth = geometry.catalogue_depth
    everything = set(range(depth))

    async def testbench(ctx):
        for kind in ("random", "ties", "rising"):
            tables = random_tables(rng, geometry)
            offset = geometry.bias_gain * rng.randrange(-geometry.cell_max, geometry.cell_max + 1)
            films = films_of(rng, geometry, depth, kind)
            scores = row_scores(geometry, tables, offset, films)
            await write_cells(ctx, dut.neurons.write, geometry, tables)
            await fill_catalogue(ctx, dut.catalogue, films)
            ctx.set(dut.ranker.offset, offset)
            some = set(rng.sample(range(depth), depth // 3))
            marked = {"random": (set(), some, everything, everything - {depth // 2}), "ties": (some,), "rising": ((),)}
            for marks in marked[kind]:
                await mark_films(ctx, dut.catalogue, geometry, marks)
                for loaded in sizes(geometry) if marks is some and kind == "random" else (depth,):
                    due = ranking(geometry, scores[:loaded], [item not in marks for item in range(loaded)])
                    await dut.rank(bench, ctx, loaded, due, wait=rng.choice((0.0, 0.5, 1.0)), seed=loaded)

    bench.run(testbench)


@pytest.mark.parametrize("name", [name for name in RANKED if RANKED[name].rows > 4])
def test_clocks(name):
    """Fusing, and one row per clock; only the way through the parts comes on top, if all but one film are marked."""
    geometry = RANKED[name].with_(top_k=2)
    bench = Bench(dut := Ranked(geometry))
    rng = random.Random(3)
    clocks = []

    async def testbench(ctx):
        code = random_film(rng, geometry)["code"]
        films = [{"code": code, "prior": max(100 - place, -128)} for place in range(geometry.catalogue_depth)]
        await fill_catalogue(ctx, dut.catalogue, films)
        marked = [film >= 1 for film in range(len(films))]
        await mark_films(ctx, dut.catalogue, geometry, [film for film, mark in enumerate(marked) if mark])
        for rows in range(geometry.rows // 2, geometry.rows, max(1, geometry.rows // 8)):
            scores = [film["prior"] << geometry.prior_shift for film in films[: rows * geometry.lanes]]
            due = ranking(geometry, scores, [not mark for mark in marked[: len(scores)]])
            read = rows + geometry.compact * -(-rows // (geometry.code_bits // 8))  # with the rows of priors
            clocks.append(await dut.rank(bench, ctx, len(scores), due) - read)

    bench.run(testbench)
    assert max(clocks) - min(clocks) <= 1
    fuser = Fuser(geometry)
    going_back = 24 * geometry.compact  # once or twice, while the list fills
    assert fuser.clocks < clocks[0] < fuser.clocks + 2 * geometry.hops + 44 + going_back


def test_nearest():
    """Through the memory view, film by film; with no rating kept, the prior alone."""
    geometry = TINY.with_(rule="nearest", lanes=1, memory_depth=4, catalogue_depth=12, top_k=5)
    rng = random.Random(4)
    bench = Bench(dut := Ranked(geometry))

    async def testbench(ctx):
        for kept in (0, 1, 4):
            agent = Agent(geometry, agent_entries(rng, geometry, kept))
            await fill_memory(ctx, dut.memory, agent.entries)
            ctx.set(dut.ranker.kept, kept)
            films = films_of(rng, geometry, 12, rng.choice(("random", "ties")))
            codes = code_array(geometry, [film["code"].to_bytes(geometry.code_bytes, "little") for film in films])
            scores = agent.scores(codes, [film["prior"] for film in films])
            marks = rng.sample(range(12), 3)
            await fill_catalogue(ctx, dut.catalogue, films)
            await mark_films(ctx, dut.catalogue, geometry, marks)
            for loaded in (0, 1, 12):
                due = ranking(geometry, scores[:loaded], [item not in marks for item in range(loaded)])
                await dut.rank(bench, ctx, loaded, due, wait=0.4)

    bench.run(testbench)
