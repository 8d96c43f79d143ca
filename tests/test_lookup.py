"""FilmLookup on a Catalogue: item numbers in, places and films out."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from ramrec.hdl.catalogue import Catalogue
from ramrec.hdl.lookup import FilmLookup
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, fill_catalogue, plain, random_film


class LookedUp(wiring.Component):
    """A lookup in front of a catalogue."""

    def __init__(self, geometry):
        self.catalogue, self.lookup = Catalogue(geometry), FilmLookup(geometry, 12)
        super().__init__({})

    def elaborate(self, platform):
        m = Module()
        m.submodules.catalogue, m.submodules.lookup = self.catalogue, self.lookup
        m.d.comb += [self.catalogue.row.eq(self.lookup.row), self.lookup.films.eq(self.catalogue.films)]
        return m


@pytest.mark.parametrize("name", GEOMETRIES)
def test_items(name):
    """An item in every clock or now and then, its film ``latency`` clocks later; some that are not loaded."""
    geometry = GEOMETRIES[name]
    rng = random.Random(1)
    bench = Bench(dut := LookedUp(geometry))
    lookup, depth = dut.lookup, geometry.catalogue_depth
    films = [random_film(rng, geometry) for _ in range(depth)]
    loaded = max(1, depth - 3)
    questions = [None if rng.random() < idle else rng.randrange(depth) for idle in (0.0, 0.3, 0.9) for _ in range(60)]
    questions[40:40] = [loaded - 1, loaded, loaded + 1, 0xFFFF]
    questions += [None] * (lookup.latency + 2)
    seen = {"known": 0, "unknown": 0, "idle": 0}

    async def testbench(ctx):
        await fill_catalogue(ctx, dut.catalogue, films)
        ctx.set(lookup.loaded, loaded)
        for clock, item in enumerate(questions):
            ctx.set(lookup.i_valid, item is not None)
            ctx.set(lookup.item, item if item is not None else rng.randrange(1 << 16))
            ctx.set(lookup.tag, clock)
            under_way = questions[max(0, clock - lookup.latency) : clock]
            busy = any(question is not None for question in under_way)
            assert ctx.get(lookup.busy) == busy
            asked = questions[clock - lookup.latency] if clock >= lookup.latency else None
            assert ctx.get(lookup.o_valid) == (asked is not None)
            seen["idle"] += not busy
            if asked is not None:
                known = asked < loaded
                assert ctx.get(lookup.known) == known
                assert ctx.get(lookup.o_tag) == clock - lookup.latency
                seen["known" if known else "unknown"] += 1
                if known:
                    row, lane = divmod(asked, geometry.lanes)
                    assert plain(ctx.get(lookup.place)) == {"row": row, "lane": lane}
                    assert plain(ctx.get(lookup.film)) == films[asked]
            await ctx.tick()

    bench.run(testbench)
    assert min(seen.values()) > 0
