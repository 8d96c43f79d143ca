"""Collector against lists: which films become candidates, when, and where every row is accounted for."""

import random

import numpy as np
import pytest
from amaranth import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.collector import Collector, candidate_layout
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import score_row_layout
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, GEOMETRIES, collect, run_stream, send

COLLECTED = GEOMETRIES | {"twenty lanes": TINY.with_(lanes=20, top_k=20)}


class Collected(wiring.Component):
    """A collector whose rows wait while as many as fit are on their way."""

    def __init__(self, geometry):
        self.collector = Collector(geometry)
        self.on_their_way = Signal(16)
        super().__init__(
            {
                "start": In(1),
                "full": In(1),
                "threshold": In(signed(geometry.score_bits)),
                "i": In(stream.Signature(score_row_layout(geometry))),
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.collector = collector = self.collector
        connect(m, collector.o, flipped(self.o))
        m.d.sync += self.on_their_way.eq(self.on_their_way + collector.i_valid - collector.dropped - collector.taken)
        m.d.comb += [
            collector.start.eq(self.start),
            collector.full.eq(self.full),
            collector.threshold.eq(self.threshold),
            self.i.ready.eq(self.on_their_way != collector.capacity),
            collector.i_valid.eq(self.i.valid & self.i.ready),
            collector.i.eq(self.i.p),
        ]
        return m


def score_rows(scores, allowed, lanes):
    """Rows of scores, the last one with ``last``."""
    rows = len(scores) // lanes
    return [
        {
            "scores": scores[row * lanes : (row + 1) * lanes],
            "mask": sum(int(allowed[row * lanes + lane]) << lane for lane in range(lanes)),
            "last": int(row == rows - 1),
        }
        for row in range(rows)
    ]


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", COLLECTED)
def test_fixed_threshold(name, idle, wait):
    """The candidates that beat it, in item order; ``last`` ends every scan once; no row is left behind."""
    geometry = COLLECTED[name]
    for full, keep in ((0, 0.4), (1, 0.6), (1, 0.05)):
        rng = random.Random(full)
        dut = Collected(geometry)
        rows = dut.collector.capacity + 8
        films = rows * geometry.lanes
        scores = np.array([rng.randrange(5, 10) for _ in range(films)])
        allowed = np.array([rng.random() < keep for _ in range(films)])
        passing = [int(item) for item in np.flatnonzero(allowed & ((scores > 7) | (full == 0)))]
        count = len(passing) + (not passing or passing[-1] < (rows - 1) * geometry.lanes)

        async def prepare(ctx, dut=dut, full=full):
            ctx.set(dut.full, full)
            ctx.set(dut.threshold, 7)
            await strobe(ctx, dut.start)

        async def finish(ctx, dut=dut):
            assert ctx.get(dut.on_their_way) == 0

        got, _, _ = run_stream(
            dut,
            score_rows(scores.tolist(), allowed, geometry.lanes),
            count,
            idle=idle,
            wait=wait,
            prepare=prepare,
            finish=finish,
        )
        assert [(c["item"], c["score"]) for c in got if c["keep"]] == [(j, int(scores[j])) for j in passing]
        assert [c["last"] for c in got] == [0] * (count - 1) + [1]


@pytest.mark.parametrize("name", COLLECTED)
def test_capacity(name):
    """A sink that takes nothing stops the rows, each full of candidates; once it takes them, all come."""
    geometry = COLLECTED[name]
    bench = Bench(dut := Collected(geometry))
    rows = 2 * dut.collector.capacity
    films = rows * geometry.lanes
    most = (1 << (geometry.score_bits - 1)) - 1
    scores = [min(item - films // 2, most) if films // 2 <= most else item % 2 for item in range(films)]

    async def source(ctx):
        await strobe(ctx, dut.start)
        await send(bench, ctx, dut.i, score_rows(scores, [1] * films, geometry.lanes))

    async def sink(ctx):
        await ctx.tick().repeat(rows)
        assert ctx.get(dut.on_their_way) == dut.collector.capacity
        got = await collect(bench, ctx, dut.o, films)
        assert [(c["item"], c["score"]) for c, _ in got] == list(enumerate(scores))
        assert [c["last"] for c, _ in got] == [0] * (films - 1) + [1]
        clocks = np.array([clock for _, clock in got]).reshape(rows, geometry.lanes)[2:]
        assert (np.diff(clocks, axis=1) == 1).all(), "a candidate per clock"
        assert (np.diff(clocks[:, 0]) == geometry.lanes + 2).all(), "and two clocks more per row"
        assert ctx.get(dut.on_their_way) == 0

    bench.run(source, sink)


def test_timing():
    """A row's first candidate ``latency`` clocks after it, ``n + 2`` clocks for a row with ``n``, none if dropped."""
    geometry = TINY.with_(lanes=4)
    masks = [0b1111, 0, 0b0001, 0b0110, 0, 0, 0b1000, 0b0101, 0b1011]
    scores = [1, 2, 3, 4] * len(masks)
    rows = score_rows(scores, [mask >> lane & 1 for mask in masks for lane in range(4)], 4)
    dut = Collected(geometry)
    _, sent, received = run_stream(dut, rows, sum(mask.bit_count() for mask in masks))
    assert sent == list(range(sent[0], sent[0] + len(rows))), "one row per clock"
    due, clock = [], sent[0] + dut.collector.latency
    for candidates in filter(None, (mask.bit_count() for mask in masks)):
        due += [clock + number for number in range(candidates)]
        clock += candidates + 2
    assert received == due
    late = [{"scores": [1] * 4, "mask": mask, "last": int(mask != 0)} for mask in [0] * 9 + [0b1000]]
    _, sent, received = run_stream(Collected(geometry), late, 1)
    assert received == [sent[-1] + dut.collector.latency]


def test_second_look():
    """Rows that the threshold overtakes while they wait give no candidate and take 1 clock each."""
    geometry = TINY.with_(lanes=4)
    clocks = []
    for count in (40, 47, 65):
        bench = Bench(dut := Collected(geometry))
        scores = [3, 0, 5, 1] * (count - 1) + [7, 9, 6, 8]

        async def testbench(ctx, dut=dut, bench=bench, scores=scores, count=count):
            await strobe(ctx, dut.start)
            await send(bench, ctx, dut.i, score_rows(scores, [1] * len(scores), 4))
            await ctx.tick().repeat(2 * dut.collector.latency)
            ctx.set(dut.full, 1)
            ctx.set(dut.threshold, 6)
            start = ctx.get(bench.clock)
            got = await collect(bench, ctx, dut.o, 1)
            while not got[-1][0]["last"]:
                got += await collect(bench, ctx, dut.o, 1)
            clocks.append(got[-1][1] - start)
            passing = [candidate["item"] for candidate, _ in got if candidate["score"] > 6]
            assert passing == [4 * (count - 1) + lane for lane in (0, 1, 3)]
            assert len(got) <= len(passing) + 4, "those that were on their way when the threshold rose"

        bench.run(testbench)
    assert [clocks[1] - clocks[0], clocks[2] - clocks[1]] == [7, 18]
