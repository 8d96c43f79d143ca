"""SharedMemory against dictionaries of films and ratings, and OneFilmLookup in front of it."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from ramrec.hdl.lookup import OneFilmLookup
from ramrec.hdl.shared_memory import SharedMemory
from ramrec.sim.pysim import Bench

from .bench import COMPACT, fill_catalogue, plain, random_film

SHARED = {
    "32 bits": COMPACT,
    "64 bits": COMPACT.with_(code_bits=64, shift=5, users=5, memory_depth=7, catalogue_depth=50),
    "128 bits, few films": COMPACT.with_(code_bits=128, shift=6, users=1, catalogue_depth=3),
}


class LookedUp(wiring.Component):
    """A lookup in front of a shared memory."""

    def __init__(self, geometry):
        self.shared, self.lookup = SharedMemory(geometry), OneFilmLookup(geometry, 12)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.shared, m.submodules.lookup = self.shared, self.lookup
        catalogue, lookup = self.shared.catalogue, self.lookup
        m.d.comb += [
            catalogue.row.eq(lookup.row),
            catalogue.ask.eq(lookup.ask),
            lookup.ready.eq(catalogue.ready),
            lookup.films.eq(catalogue.films),
        ]
        return m


@pytest.mark.parametrize("name", SHARED)
def test_films_and_ratings(name):
    """Films rewritten and looked up between ratings written and read; neither disturbs the other."""
    geometry = SHARED[name]
    rng = random.Random(name)
    bench = Bench(dut := LookedUp(geometry))
    catalogue, store, lookup = dut.shared.catalogue, dut.shared.store, dut.lookup
    depth = geometry.catalogue_depth
    films = [random_film(rng, geometry) for _ in range(depth)]
    ratings = {}

    async def rewrite(ctx):
        item = rng.randrange(depth)
        films[item] = random_film(rng, geometry)
        ctx.set(catalogue.write.place, {"row": item, "lane": 0})
        ctx.set(catalogue.write.film, films[item])
        ctx.set(catalogue.write.en, 1)
        await ctx.tick()
        ctx.set(catalogue.write.en, 0)
        await ctx.tick()

    async def look_up(ctx):
        item = rng.randrange(depth)
        ctx.set(lookup.item, item)
        ctx.set(lookup.tag, item * 7)
        ctx.set(lookup.i_valid, 1)
        await ctx.tick()
        ctx.set(lookup.i_valid, 0)
        ctx.set(lookup.item, rng.randrange(1 << 16))
        clocks = 1
        while not ctx.get(lookup.o_valid):
            assert ctx.get(lookup.busy)
            await ctx.tick()
            clocks += 1
        assert lookup.latency <= clocks <= lookup.latency + 1, "one more where the priors are not at hand"
        for _ in range(3):  # it stays
            assert plain(ctx.get(lookup.film)) == films[item]
            assert (ctx.get(lookup.o_tag), ctx.get(lookup.place.row)) == (item * 7, item)
            assert ctx.get(lookup.known) == (item < max(1, depth - 2))
            await ctx.tick()

    async def rate(ctx):
        user, slot = rng.randrange(geometry.users), rng.randrange(geometry.memory_depth)
        ratings[user, slot] = {"item": rng.randrange(1 << 16), "e": rng.choice((-(1 << 15), (1 << 15) - 1, 3))}
        ctx.set(store.user, user)
        ctx.set(store.write.slot, slot)
        ctx.set(store.write.rating, ratings[user, slot])
        ctx.set(store.write.en, 1)
        await ctx.tick()
        ctx.set(store.write.en, 0)

    async def recall(ctx):
        asked = rng.sample(sorted(ratings), min(4, len(ratings)))
        for place in range(len(asked) + 2):
            if place < len(asked):
                ctx.set(store.user, asked[place][0])
                ctx.set(store.slot, asked[place][1])
            if place >= 2:
                assert plain(ctx.get(store.rating)) == ratings[asked[place - 2]]
            await ctx.tick()

    async def testbench(ctx):
        await fill_catalogue(ctx, catalogue, films)
        ctx.set(lookup.loaded, max(1, depth - 2))
        for _ in range(400):
            await rng.choice((rewrite, look_up, look_up, rate, recall))(ctx)

    bench.run(testbench)
    assert len(ratings) == min(len(ratings), geometry.users * geometry.memory_depth) > 2
