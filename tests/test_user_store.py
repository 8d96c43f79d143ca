"""UserStore against dictionaries: every user's ratings and count, with reads in every clock, and writes."""

import random

import pytest
from ramrec.hdl.geometry import TINY
from ramrec.hdl.user_store import KeptCounts, UserStore, rating_latency
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, plain

NO_RATING = {"item": 0, "e": 0}
STORED = {name: geometry for name, geometry in GEOMETRIES.items() if not geometry.compact} | {
    "many users": TINY.with_(users=19, memory_depth=14),
    "large": TINY.with_(users=300, memory_depth=64),
}


@pytest.mark.parametrize("name", STORED)
def test_ratings_and_counts(name):
    """Ratings and counts are as old as they say; what is read while being written may be anything."""
    geometry = STORED[name]
    rng = random.Random(4)
    bench = Bench(dut := UserStore(geometry))
    ratings, kept = {}, {}
    seen = {"clash": 0, "written": 0}

    async def testbench(ctx):
        answers, counts = [], []
        for _ in range(1000):
            user = rng.randrange(geometry.users)
            slots = [rng.randrange(geometry.memory_depth) for _ in range(2)]
            rating = {"item": rng.randrange(1 << 16), "e": rng.choice((-(1 << 15), (1 << 15) - 1, 3))}
            writing, counting = rng.random() < 0.5, rng.random() < 0.2
            count = rng.randrange(geometry.memory_depth + 1)
            ctx.set(dut.user, user)
            ctx.set(dut.slot, slots[0])
            ctx.set(dut.write.slot, slots[1])
            ctx.set(dut.write.rating, rating)
            ctx.set(dut.write.en, writing)
            ctx.set(dut.set_kept.en, counting)
            ctx.set(dut.set_kept.kept, count)
            clash = writing and slots[0] == slots[1]
            answers.append(None if clash else ratings.get((user, slots[0]), NO_RATING))
            counts.append(None if counting else kept.get(user, 0))
            seen["clash"] += clash
            seen["written"] += answers[-1] not in (None, NO_RATING)
            if writing:
                ratings[user, slots[1]] = rating
            if counting:
                kept[user] = count
            await ctx.tick()
            if len(counts) >= KeptCounts.latency:
                assert counts[-KeptCounts.latency] in (None, ctx.get(dut.kept))
            if len(answers) >= rating_latency(geometry):
                assert answers[-rating_latency(geometry)] in (None, plain(ctx.get(dut.rating)))

    bench.run(testbench)
    assert min(seen.values()) > 5
