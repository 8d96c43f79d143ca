"""TopK, alone and behind a Collector, against the golden ranking."""

import random

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.collector import candidate_layout
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import score_row_layout
from ramrec.hdl.topk import TopK
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, GEOMETRIES, NOTHING, collect, meaning, ranking, run_stream, send
from .test_collector import Collected, score_rows


class Sorted(wiring.Component):
    """Rows of scores in, a ranking out."""

    def __init__(self, geometry):
        self.collected, self.topk = Collected(geometry), TopK(geometry)
        super().__init__(
            {
                "start": In(1),
                "i": In(stream.Signature(score_row_layout(geometry))),
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.collected, m.submodules.topk = self.collected, self.topk
        connect(m, flipped(self.i), self.collected.i)
        connect(m, self.collected.o, self.topk.i)
        connect(m, self.topk.o, flipped(self.o))
        m.d.comb += [
            self.collected.start.eq(self.start),
            self.collected.full.eq(self.topk.full),
            self.collected.threshold.eq(self.topk.threshold),
        ]
        return m


SORTED = GEOMETRIES | {"twenty lanes": TINY.with_(lanes=20, top_k=7)}
SCORES = {
    "random": lambda rng, top, _: rng.randrange(-top, top + 1),
    "close": lambda rng, _, __: rng.randrange(5, 10),
    "ties": lambda rng, _, __: rng.choice((0, 0, 1, -1)),
    "equal": lambda _, __, ___: -5,
    "rising": lambda _, top, place: min(place - 3, top),
    "falling": lambda _, top, place: max(3 - place, -top),
    "extreme": lambda rng, top, _: rng.choice((-top - 1, top)),
}


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", SORTED)
def test_ranking(name, idle, wait):
    """Ranking after ranking: no film left, fewer than ``top_k``, more than the queue holds; ties by item number."""
    geometry = SORTED[name]
    rng = random.Random(3)
    top = (1 << (geometry.score_bits - 1)) - 1
    bench = Bench(dut := Sorted(geometry))
    most = dut.collected.collector.capacity + 5
    problems = []
    for kind in SCORES:
        for rows, keep in ((1, 1.0), (6, 0.0), (12, 0.3), (most if kind == "rising" else 20, 1.0)):
            films = rows * geometry.lanes
            scores = [SCORES[kind](rng, top, place) for place in range(films)]
            problems.append((scores, [rng.random() < keep for _ in range(films)]))
    rng.shuffle(problems)

    async def testbench(ctx):
        for index, (scores, allowed) in enumerate(problems):
            expected = ranking(geometry, scores, allowed)
            got = await collect(bench, ctx, dut.o, len(expected), wait=wait, seed=index)
            assert [meaning(record) for record, _ in got] == expected

    async def source(ctx):
        for index, (scores, allowed) in enumerate(problems):
            await ctx.tick().until(~dut.topk.o.valid)
            assert ctx.get(dut.collected.on_their_way) == 0
            await strobe(ctx, dut.start)
            await send(bench, ctx, dut.i, score_rows(scores, allowed, geometry.lanes), idle=idle, seed=index)
            await ctx.tick().until(dut.topk.o.valid)

    bench.run(source, testbench)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_timing(name):
    """A candidate per clock in, and from ``drain_clocks`` after the last one a place per clock out."""
    geometry = GEOMETRIES[name]
    count = geometry.top_k + 3
    candidates = [{"score": j % 3, "item": j, "keep": 1, "last": int(j == count - 1)} for j in range(count)]
    dut = TopK(geometry)
    got, sent, received = run_stream(dut, candidates, geometry.top_k)
    assert sent == list(range(sent[0], sent[0] + count))
    first = sent[-1] + dut.drain_clocks
    assert received == list(range(first, first + geometry.top_k))
    assert got == ranking(geometry, np.arange(count) % 3, np.ones(count, np.bool_))


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_lists_in_a_row(name, idle, wait):
    """Candidates of the next list, offered at once, wait until the last one is out."""
    geometry = GEOMETRIES[name]
    rng = random.Random(4)
    candidates, due = [], []
    for length in (1, geometry.top_k, 2 * geometry.top_k + 1, 3):
        scores = [rng.randrange(-9, 9) for _ in range(length)]
        candidates += [
            {"score": score, "item": item, "keep": 1, "last": int(item == length - 1)}
            for item, score in enumerate(scores)
        ]
        due += ranking(geometry, scores, np.ones(length))
    got, _, _ = run_stream(TopK(geometry), candidates, len(due), idle=idle, wait=wait)
    assert got == due


@pytest.mark.parametrize("name", GEOMETRIES)
def test_full_and_threshold(name):
    """Never more than the list holds, and just that once all are in place; a list given away is empty again."""
    geometry = GEOMETRIES[name]
    rng = random.Random(9)
    bench = Bench(dut := TopK(geometry))

    async def testbench(ctx):
        for _ in range(3):
            kept = []
            assert not ctx.get(dut.full)
            for item in range(3 * geometry.top_k):
                score = rng.randrange(-9, 9)
                await send(bench, ctx, dut.i, [{"score": score, "item": item, "keep": 1, "last": 0}])
                kept = sorted([*kept, score], reverse=True)[: geometry.top_k]
                for settled in (False, True):
                    if ctx.get(dut.full):
                        assert len(kept) == geometry.top_k
                        assert ctx.get(dut.threshold) <= kept[-1]
                    if settled:
                        assert ctx.get(dut.full) == (len(kept) == geometry.top_k)
                        assert not ctx.get(dut.full) or ctx.get(dut.threshold) == kept[-1]
                    elif rng.random() < 0.5:
                        await ctx.tick().repeat(dut.drain_clocks - 1)
                    else:
                        break
            await send(bench, ctx, dut.i, [NOTHING])
            got = await collect(bench, ctx, dut.o, len(kept), wait=0.3)
            assert [record["score"] for record, _ in got] == kept

    bench.run(testbench)
