"""Collector and TopK, apart and together, against the golden ranking."""

import random
from itertools import pairwise

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import score_row_layout
from ramrec.hdl.topk import Collector, TopK, candidate_layout
from ramrec.sim.golden import top_k
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, GEOMETRIES, collect, run_stream, send

EMPTY = {"score": 0, "item": 0, "keep": 0, "last": 1}


class Ranker(wiring.Component):
    """Rows of scores in, a ranking out."""

    def __init__(self, geometry):
        self.collector, self.topk = Collector(geometry), TopK(geometry)
        super().__init__(
            {
                "start": In(1),
                "i": In(stream.Signature(score_row_layout(geometry))),
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.collector, m.submodules.topk = self.collector, self.topk
        connect(m, flipped(self.i), self.collector.i)
        connect(m, self.collector.o, self.topk.i)
        connect(m, self.topk.o, flipped(self.o))
        m.d.comb += [
            self.collector.start.eq(self.start),
            self.collector.full.eq(self.topk.full),
            self.collector.threshold.eq(self.topk.threshold),
        ]
        return m


SCORES = {
    "random": lambda rng, top, _: rng.randrange(-top, top + 1),
    "close": lambda rng, _, __: rng.randrange(5, 10),
    "ties": lambda rng, _, __: rng.choice((0, 0, 1, -1)),
    "equal": lambda _, __, ___: -5,
    "rising": lambda _, top, place: min(place - 3, top),
    "falling": lambda _, top, place: max(3 - place, -top),
    "extreme": lambda rng, top, _: rng.choice((-top - 1, top)),
}


def score_rows(rng, geometry, rows, kind, keep):
    """Rows of scores, and the same as a flat ranking problem."""
    top = (1 << (geometry.score_bits - 1)) - 1
    films = rows * geometry.lanes
    scores = [SCORES[kind](rng, top, place) for place in range(films)]
    allowed = [rng.random() < keep for _ in range(films)]
    lanes = geometry.lanes
    payloads = [
        {
            "scores": scores[row * lanes : (row + 1) * lanes],
            "mask": sum(allowed[row * lanes + lane] << lane for lane in range(lanes)),
            "last": int(row == rows - 1),
        }
        for row in range(rows)
    ]
    return payloads, np.array(scores), np.array(allowed)


def ranking(geometry, scores, allowed):
    """What comes out of a TopK; the fields of the record for an empty list are of no meaning but two."""
    best = top_k(scores, allowed, geometry.top_k)
    return [
        {"score": int(scores[item]), "item": item, "keep": 1, "last": int(place == len(best) - 1)}
        for place, item in enumerate(best)
    ] or [EMPTY]


def meaning(record):
    return record if record["keep"] else EMPTY | {"last": record["last"]}


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_ranking(name, idle, wait):
    """Ranking after ranking: no film left, fewer than ``top_k``, many; ties by item number."""
    geometry = GEOMETRIES[name]
    rng = random.Random(3)
    problems = [
        score_rows(rng, geometry, rows, kind, keep)
        for kind in SCORES
        for rows, keep in ((1, 1.0), (geometry.top_k + 9, 1.0), (6, 0.0), (12, 0.3))
    ]
    bench = Bench(dut := Ranker(geometry))

    async def testbench(ctx):
        for index, (_, scores, allowed) in enumerate(problems):
            expected = ranking(geometry, scores, allowed)
            got = await collect(bench, ctx, dut.o, len(expected), wait=wait, seed=index)
            assert [meaning(record) for record, _ in got] == expected

    async def source(ctx):
        for index, (rows, *_) in enumerate(problems):
            await ctx.tick().until(~dut.topk.o.valid)
            await strobe(ctx, dut.start)
            await send(bench, ctx, dut.i, rows, idle=idle, seed=index)
            await ctx.tick().until(dut.topk.o.valid)

    bench.run(source, testbench)


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", GEOMETRIES)
def test_collector_alone(name, idle, wait):
    """With a fixed threshold: the candidates that beat it, in item order; ``last`` ends every scan once."""
    geometry = GEOMETRIES[name]
    for full in (0, 1):
        rows, scores, allowed = score_rows(random.Random(full), geometry, 30, "close", 0.6)
        passing = [int(item) for item in np.flatnonzero(allowed & ((scores > 7) | (full == 0)))]
        dut = Collector(geometry)
        count = len(passing) + (not passing or passing[-1] < 29 * geometry.lanes)

        async def prepare(ctx, dut=dut, full=full):
            ctx.set(dut.full, full)
            ctx.set(dut.threshold, 7)
            await strobe(ctx, dut.start)

        got, _, _ = run_stream(dut, rows, count, idle=idle, wait=wait, prepare=prepare)
        assert [(c["item"], c["score"]) for c in got if c["keep"]] == [(j, int(scores[j])) for j in passing]
        assert [c["last"] for c in got] == [0] * (count - 1) + [1]


def test_collector_timing():
    """The first candidate 2 clocks after its row; 1 clock for a row with none or one, ``n`` for one with ``n``."""
    geometry = TINY.with_(lanes=4)
    masks = [0b1111, 0, 0b0001, 0b0110, 0, 0, 0b1000, 0b0101, 0b1011]
    rows = [
        {"scores": [1, 2, 3, 4], "mask": mask, "last": int(place == len(masks) - 1)} for place, mask in enumerate(masks)
    ]
    _, sent, received = run_stream(Collector(geometry), rows, sum(mask.bit_count() for mask in masks))
    # A row is taken while the last candidate of the one before it moves out.
    assert [later - earlier for earlier, later in pairwise(sent)] == [max(1, mask.bit_count()) for mask in masks[:-1]]
    expected = [clock + 2 + place for clock, mask in zip(sent, masks, strict=True) for place in range(mask.bit_count())]
    assert received == expected


@pytest.mark.parametrize("name", GEOMETRIES)
def test_topk_timing(name):
    """One candidate per clock in, and from one clock after the last one a place per clock out."""
    geometry = GEOMETRIES[name]
    count = geometry.top_k + 3
    candidates = [{"score": j % 3, "item": j, "keep": 1, "last": int(j == count - 1)} for j in range(count)]
    dut = TopK(geometry)
    got, sent, received = run_stream(dut, candidates, geometry.top_k)
    assert sent == list(range(sent[0], sent[0] + count))
    assert received == list(range(sent[-1] + 1, sent[-1] + 1 + geometry.top_k))
    scores = np.arange(count) % 3
    assert got == ranking(geometry, scores, np.ones(count, np.bool_))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_topk_full_and_threshold(name):
    """``full`` and ``threshold`` follow the list, clock by clock, and a list given away is empty again."""
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
                assert ctx.get(dut.full) == (len(kept) == geometry.top_k)
                if len(kept) == geometry.top_k:
                    assert ctx.get(dut.threshold) == kept[-1]
            await send(bench, ctx, dut.i, [EMPTY])
            got = await collect(bench, ctx, dut.o, len(kept), wait=0.3)
            assert [record["score"] for record, _ in got] == kept

    bench.run(testbench)
