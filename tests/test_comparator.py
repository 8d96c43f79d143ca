"""PopcountComparator and MemoryView against the golden model's match counts."""

import random

import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.comparator import PopcountComparator
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import match_row_layout
from ramrec.hdl.memory_view import MemoryView
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent, addresses, match
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, GEOMETRIES, agent_entries, code_array, collect, fill_memory, random_code, run_stream

VIEWED = GEOMETRIES | {"more rows than the comparator holds": TINY.with_(memory_depth=20, comparators=1)}


def golden_matches(geometry, query, codes):
    query, codes = code_array(geometry, [query]), code_array(geometry, codes)
    return match(addresses(geometry, query), addresses(geometry, codes))[0].tolist()


def near(rng, geometry, code):
    """A code that differs from another in few bits, or in all, or not at all."""
    flips = rng.choice((0, 1, 2, 3, geometry.code_bits))
    value = int.from_bytes(code, "little")
    for bit in rng.sample(range(geometry.code_bits), flips):
        value ^= 1 << bit
    return value.to_bytes(geometry.code_bytes, "little")


def comparator_rows(rng, geometry, count):
    rows, expected = [], []
    for index in range(count):
        query = random_code(rng, geometry)
        codes = [near(rng, geometry, query) for _ in range(geometry.comparators)]
        mask, last = rng.randrange(1 << geometry.comparators), index % 3 == 2
        numbers = [int.from_bytes(code, "little") for code in (query, *codes)]
        rows.append({"query": numbers[0], "codes": numbers[1:], "mask": mask, "last": int(last)})
        expected.append({"matches": golden_matches(geometry, query, codes), "mask": mask, "last": int(last)})
    return rows, expected


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_matches(name, idle, wait):
    geometry = GEOMETRIES[name]
    rows, expected = comparator_rows(random.Random(1), geometry, 40)
    got, _, _ = run_stream(PopcountComparator(geometry), rows, len(rows), idle=idle, wait=wait)
    assert got == expected
    assert {0, geometry.neurons} <= {count for row in expected for count in row["matches"]}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_comparator_timing(name):
    """One row per clock, its counts ``latency`` clocks later."""
    geometry = GEOMETRIES[name]
    rows, _ = comparator_rows(random.Random(2), geometry, 12)
    dut = PopcountComparator(geometry)
    _, sent, received = run_stream(dut, rows, len(rows))
    assert sent == list(range(sent[0], sent[0] + len(rows)))
    assert received == [clock + dut.latency for clock in sent]


class Viewed(wiring.Component):
    """A memory behind its view."""

    def __init__(self, geometry):
        self.memory, self.view = WorkingMemory(geometry), MemoryView(geometry)
        super().__init__({"o": Out(stream.Signature(match_row_layout(geometry))), "start": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.view = self.memory, self.view
        connect(m, self.view.read, self.memory.read)
        connect(m, self.view.o, flipped(self.o))
        m.d.comb += self.view.start.eq(self.start)
        return m


@pytest.mark.parametrize("wait", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("kind", ["random", "alike", "opposite"])
@pytest.mark.parametrize("name", VIEWED)
def test_memory_view(name, kind, wait):
    """All rows in use, and single rows as EXPLAIN asks for them; the best match is the latest of equals."""
    geometry = VIEWED[name]
    rng = random.Random(11)
    width = geometry.comparators
    bench = Bench(dut := Viewed(geometry))

    async def testbench(ctx):
        for kept in sorted({0, 1, geometry.memory_depth // 2, geometry.memory_depth}):
            agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
            await fill_memory(ctx, dut.memory, agent.entries)
            ctx.set(dut.view.kept, kept)
            rows = range(max(1, -(-kept // width)))
            for first, last in sorted({(0, rows[-1]), (rows[-1], rows[-1])}):
                query = near(rng, geometry, agent.entries[-1].code if kept else bytes(geometry.code_bytes))
                ctx.set(dut.view.query, int.from_bytes(query, "little"))
                ctx.set(dut.view.first_row, first)
                ctx.set(dut.view.last_row, last)
                assert not ctx.get(dut.view.busy)
                await strobe(ctx, dut.start)
                assert ctx.get(dut.view.busy)
                start = ctx.get(bench.clock) - 1
                got = await collect(bench, ctx, dut.o, last - first + 1, wait=wait, seed=kept)
                assert not ctx.get(dut.view.busy) and not ctx.get(dut.o.valid)
                matches = golden_matches(geometry, query, [entry.code for entry in agent.entries])
                slots = range(first * width, min(kept, (last + 1) * width))
                for row, (seen, _) in zip(range(first, last + 1), got, strict=True):
                    inside = [slot for slot in range(row * width, (row + 1) * width) if slot < kept]
                    assert seen["mask"] == sum(1 << (slot - row * width) for slot in inside)
                    assert seen["matches"][: len(inside)] == [matches[slot] for slot in inside]
                    assert seen["last"] == (row == last)
                best = max(slots, key=lambda slot: (matches[slot], slot), default=0)
                assert ctx.get(dut.view.best_slot) == best
                if wait == 0:
                    due = start + dut.view.latency
                    assert [clock for _, clock in got] == list(range(due, due + len(got)))

    bench.run(testbench)
