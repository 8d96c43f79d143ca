"""UserMemory against dictionaries: every user's entries and count, with reads and writes in the same clock."""

import random

import pytest
from ramrec.hdl.user_memory import UserMemory
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, agent_entries, plain

NOTHING = {"item": 0, "e": 0, "code": 0}


def as_payload(entry):
    return {"item": entry.item, "e": entry.e, "code": int.from_bytes(entry.code, "little")}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_entries_and_counts(name):
    """One read and one write in every clock; what is read is one clock old, and old where both meet."""
    geometry = GEOMETRIES[name]
    rng = random.Random(4)
    bench = Bench(dut := UserMemory(geometry))
    width = geometry.comparators
    entries, kept = {}, {}
    seen = {"clash": 0, "row": 0}

    async def testbench(ctx):
        for _ in range(600):
            user = rng.randrange(geometry.users)
            slots = [rng.randrange(geometry.memory_depth) for _ in range(2)]
            entry = as_payload(agent_entries(rng, geometry, 1, "loud")[0])
            writing, counting = rng.random() < 0.5, rng.random() < 0.2
            count = rng.randrange(geometry.memory_depth + 1)
            ctx.set(dut.user, user)
            ctx.set(dut.read.slot, slots[0])
            ctx.set(dut.write.slot, slots[1])
            ctx.set(dut.write.entry, entry)
            ctx.set(dut.write.en, writing)
            ctx.set(dut.set_kept.en, counting)
            ctx.set(dut.set_kept.kept, count)
            first = slots[0] // width * width
            row = [entries.get((user, first + place), NOTHING) for place in range(width)]
            due = kept.get(user, 0)
            seen["clash"] += writing and slots[0] == slots[1]
            seen["row"] += any(film != NOTHING for film in row)
            if writing:
                entries[user, slots[1]] = entry
            if counting:
                kept[user] = count
            await ctx.tick()
            ctx.set(dut.read.slot, rng.randrange(geometry.memory_depth))  # the answer is to the last clock's
            assert plain(ctx.get(dut.read.row)) == row
            assert plain(ctx.get(dut.read.entry)) == row[slots[0] % width]
            assert ctx.get(dut.kept) == due

    bench.run(testbench)
    assert min(seen.values()) > 5
