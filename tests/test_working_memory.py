"""WorkingMemory against a dictionary: entries and rows, with a read in every clock, and writes."""

import random

import pytest
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, agent_entries, as_payload, plain

NO_ENTRY = {"item": 0, "e": 0, "code": 0}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_entries(name):
    """A read takes 2 clocks with ``en``; a slot that is read while being written may be anything."""
    geometry = GEOMETRIES[name]
    rng = random.Random(4)
    bench = Bench(dut := WorkingMemory(geometry))
    width = geometry.comparators
    entries = {}
    seen = {"clash": 0, "written": 0, "still": 0}

    async def testbench(ctx):
        on_their_way = []
        for _ in range(400):
            slots = [rng.randrange(geometry.memory_depth) for _ in range(2)]
            entry = as_payload(agent_entries(rng, geometry, 1, "loud")[0])
            reading, writing = rng.random() < 0.8, rng.random() < 0.5
            ctx.set(dut.read.en, reading)
            ctx.set(dut.read.slot, slots[0])
            ctx.set(dut.write.slot, slots[1])
            ctx.set(dut.write.entry, entry)
            ctx.set(dut.write.en, writing)
            first = slots[0] // width * width
            row = [entries.get(first + place, NO_ENTRY) for place in range(width)]
            clash = writing and slots[0] // width == slots[1] // width
            seen["clash"] += clash and reading
            seen["written"] += row[slots[0] % width] != NO_ENTRY
            seen["still"] += not reading
            if writing:
                entries[slots[1]] = entry
            if reading:
                known = [place for place in range(width) if not (clash and place == slots[1] % width)]
                on_their_way = [*on_their_way, (slots[0], row, known)][-dut.latency :]
            await ctx.tick()
            ctx.set(dut.read.slot, rng.randrange(geometry.memory_depth))  # the answer is to an earlier clock's
            if len(on_their_way) < dut.latency:
                continue
            slot, row, known = on_their_way[0]
            got = plain(ctx.get(dut.read.row))
            assert [got[place] for place in known] == [row[place] for place in known]
            assert plain(ctx.get(dut.read.entry)) == row[slot % width] or slot % width not in known

    bench.run(testbench)
    assert min(seen.values()) > 5
