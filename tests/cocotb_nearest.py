"""NearestScorer, and in it the MemoryView, on a memory that this bench plays."""

import random

import cocotb
from bench import agent_entries, code_array, film_rows, plain
from cocotb.triggers import RisingEdge
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import entry_layout, film_row_layout, score_row_layout
from ramrec.hdl.working_memory import entry_latency
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.golden import Agent
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])
WIDTH = GEOMETRY.comparators


async def memory(dut, entries):
    """Answer reads as a working memory does; slots that hold no rating hold junk."""
    layout = entry_layout(GEOMETRY)
    junk = (1 << layout.size) - 1
    slots = [
        layout.const({"item": entry.item, "e": entry.e, "code": int.from_bytes(entry.code, "little")}).as_bits()
        for entry in entries
    ]
    slots += [junk] * (GEOMETRY.memory_depth - len(slots))
    asked = [0] * entry_latency(GEOMETRY)
    while True:
        await RisingEdge(dut.clk)
        if dut.read__en.value:
            asked = [*asked[1:], int(dut.read__slot.value) % GEOMETRY.memory_depth]
        slot = asked[0]
        first = slot // WIDTH * WIDTH
        dut.read__entry.value = slots[slot]
        dut.read__row.value = sum(slots[first + place] << place * layout.size for place in range(WIDTH))


def model(agent, payload):
    row = plain(film_row_layout(GEOMETRY).from_bits(payload))
    (film,) = row["films"]
    codes = code_array(GEOMETRY, [film["code"].to_bytes(GEOMETRY.code_bytes, "little")])
    return {"scores": agent.scores(codes, [film["prior"]]).tolist(), "mask": row["mask"], "last": row["last"]}


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def scores(dut, idle, wait):
    rng = random.Random(8)
    source = StreamSource(dut, "i", idle=idle)
    await start(dut)
    StreamSink(dut, "o", wait=wait)
    checker = Checker()
    agent = Agent(GEOMETRY)
    StreamMonitor(dut, "i", lambda payload: checker.expect(model(agent, payload)))
    StreamMonitor(dut, "o", lambda payload: checker.see(plain(score_row_layout(GEOMETRY).from_bits(payload))))
    for kept in range(GEOMETRY.memory_depth + 1):
        agent.replace(agent_entries(rng, GEOMETRY, kept, rng.choice(("random", "alike", "opposite"))))
        dut.kept.value = kept
        played = cocotb.start_soon(memory(dut, agent.entries))
        rows = film_rows(rng, GEOMETRY, 12)
        await source.send(film_row_layout(GEOMETRY).const(row).as_bits() for row in rows)
        await clocks(dut, 1)
        await checker.finished(timeout_clocks=200)
        await clocks(dut, 2)
        played.cancel()
    assert checker.checked == 12 * (GEOMETRY.memory_depth + 1)
