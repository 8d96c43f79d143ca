"""WorkingMemory against a dictionary: entries and rows, with a read in every clock, and writes."""

import random

import pytest
from ramrec.hdl.working_memory import WorkingMemory, entry_latency
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, agent_entries, as_payload, plain

NO_ENTRY = {"item": 0, "e": 0, "code": 0}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_entries(name):
    """A read takes ``entry_latency`` clocks with ``en``; a slot that is written as it is read may be anything.

    It is read in the second of these clocks.
    """
    geometry = GEOMETRIES[name]
    rng = random.Random(4)
    bench = Bench(dut := WorkingMemory(geometry))
    width = geometry.comparators
    latency, entries = entry_latency(geometry), {}
    seen = {"clash": 0, "written": 0, "still": 0}

    async def testbench(ctx):
        asked, answers = [], []
        for _ in range(400):
            slots = [rng.randrange(geometry.memory_depth) for _ in range(2)]
            entry = as_payload(agent_entries(rng, geometry, 1, "loud")[0])
            reading, writing = rng.random() < 0.8, rng.random() < 0.5
            ctx.set(dut.read.en, reading)
            ctx.set(dut.read.slot, slots[0])
            ctx.set(dut.write.slot, slots[1])
            ctx.set(dut.write.entry, entry)
            ctx.set(dut.write.en, writing)
            seen["still"] += not reading
            if reading:
                asked.append(slots[0])
            if reading and len(asked) > 1:
                slot = asked[-2]
                first = slot // width * width
                row = [entries.get(first + place, NO_ENTRY) for place in range(width)]
                clash = writing and slot // width == slots[1] // width
                known = [place for place in range(width) if not (clash and place == slots[1] % width)]
                answers.append((slot, row, known))
                seen["clash"] += clash
                seen["written"] += row[slot % width] != NO_ENTRY
            if writing:
                entries[slots[1]] = entry
            await ctx.tick()
            ctx.set(dut.read.slot, rng.randrange(geometry.memory_depth))  # the answer is to an earlier clock's
            if len(asked) < latency:
                continue
            slot, row, known = answers[len(asked) - latency]
            got = plain(ctx.get(dut.read.row))
            assert [got[place] for place in known] == [row[place] for place in known]
            assert plain(ctx.get(dut.read.entry)) == row[slot % width] or slot % width not in known

    bench.run(testbench)
    assert min(seen.values()) > 5
