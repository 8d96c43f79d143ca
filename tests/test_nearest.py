# amaranth: UnusedElaboratable=no
"""NearestScorer against the golden model's rule ``nearest``."""

import random

import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.geometry import TINY
from ramrec.hdl.layouts import film_row_layout, score_row_layout
from ramrec.hdl.nearest import NearestScorer
from ramrec.hdl.working_memory import WorkingMemory
from ramrec.sim.golden import Agent

from .bench import FLOWS, GEOMETRIES, agent_entries, code_array, fill_memory, film_rows, run_stream

NEAREST = {name: geometry.with_(rule="nearest", lanes=1, compact=0) for name, geometry in GEOMETRIES.items()}


class Remembering(wiring.Component):
    """A memory behind a scorer."""

    def __init__(self, geometry):
        self.memory, self.scorer = WorkingMemory(geometry), NearestScorer(geometry)
        super().__init__(
            {
                "i": In(stream.Signature(film_row_layout(geometry))),
                "o": Out(stream.Signature(score_row_layout(geometry))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory, m.submodules.scorer = self.memory, self.scorer
        connect(m, self.scorer.read, self.memory.read)
        connect(m, flipped(self.i), self.scorer.i)
        connect(m, self.scorer.o, flipped(self.o))
        return m


def scored(geometry, entries, rows, **flow):
    """Send rows of films; return rows of scores, when rows were taken and scores came, and the scorer."""
    dut = Remembering(geometry)

    async def prepare(ctx):
        junk = agent_entries(random.Random(0), geometry, geometry.memory_depth, "loud")
        await fill_memory(ctx, dut.memory, junk)
        await fill_memory(ctx, dut.memory, entries)
        ctx.set(dut.scorer.kept, len(entries))

    return *run_stream(dut, rows, len(rows), prepare=prepare, **flow), dut.scorer


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", NEAREST)
def test_scores(name, idle, wait):
    geometry = NEAREST[name]
    rng = random.Random(2)
    depth = geometry.memory_depth
    for kept, kind in ((0, "random"), (1, "loud"), (depth, "random"), (depth, "alike")):
        agent = Agent(geometry, agent_entries(rng, geometry, kept, kind))
        rows = film_rows(rng, geometry, 8)
        for row, entry in zip(rows, agent.entries, strict=False):
            row["films"][0]["code"] = int.from_bytes(entry.code, "little")
        got, *_ = scored(geometry, agent.entries, rows, idle=idle, wait=wait)
        films = [row["films"][0] for row in rows]
        codes = code_array(geometry, [film["code"].to_bytes(geometry.code_bytes, "little") for film in films])
        scores = agent.scores(codes, [film["prior"] for film in films]).tolist()
        assert [row["scores"] for row in got] == [[score] for score in scores]
        assert [(row["mask"], row["last"]) for row in got] == [(row["mask"], row["last"]) for row in rows]


@pytest.mark.parametrize("name", NEAREST)
def test_latency(name):
    """``latency`` clocks from a film to its score, and one more per memory row in use after the first."""
    geometry = NEAREST[name]
    rng = random.Random(3)
    for kept in range(geometry.memory_depth + 1):
        rows = film_rows(rng, geometry, 3)
        entries = agent_entries(rng, geometry, kept)
        _, sent, received, scorer = scored(geometry, entries, rows)
        more = max(0, -(-kept // geometry.comparators) - 1)
        clocks = scorer.latency + more
        assert [later - earlier for earlier, later in zip(sent, received, strict=True)] == [1] * len(rows)
        # The next film is offered in the clock after its predecessor was taken.
        assert [later - earlier for earlier, later in zip(sent, received[1:], strict=False)] == [clocks + 1] * 2


def test_refuses_several_lanes():
    with pytest.raises(ValueError, match="not 2"):
        NearestScorer(TINY)
