"""Collector and TopK together: rankings of rows of scores, one after the other."""

import random

import cocotb
from bench import meaning, plain, ranking
from ramrec.hdl.collector import candidate_layout
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import score_row_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])


class Model:
    """What comes out for the rows that went in: nothing, or with the last row a ranking."""

    def __init__(self):
        self._scores, self._allowed = [], []

    def take(self, payload):
        row = plain(score_row_layout(GEOMETRY).from_bits(payload))
        self._scores += row["scores"]
        self._allowed += [bool(row["mask"] >> lane & 1) for lane in range(GEOMETRY.lanes)]
        if not row["last"]:
            return []
        due = ranking(GEOMETRY, self._scores, self._allowed)
        self.__init__()
        return due


def rankings(rng):
    """Lists of rows: from one row to many, from no film left to all, from all equal to all different."""
    layout, lanes = score_row_layout(GEOMETRY), GEOMETRY.lanes
    for _ in range(40):
        count, keep, spread = rng.choice((1, 2, 5, 30)), rng.choice((0.0, 0.2, 1.0)), rng.choice((0, 1, 900))
        yield [
            layout.const(
                {
                    "scores": [rng.randint(-spread, spread) for _ in range(lanes)],
                    "mask": sum((rng.random() < keep) << lane for lane in range(lanes)),
                    "last": int(row == count - 1),
                }
            ).as_bits()
            for row in range(count)
        ]


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def ranks(dut, idle, wait):
    dut.start.value = 0
    source = StreamSource(dut, "i", idle=idle)
    await start(dut)
    model, checker = Model(), Checker()
    StreamMonitor(dut, "i", lambda payload: checker.expect(*model.take(payload)))
    StreamMonitor(dut, "o", lambda payload: checker.see(meaning(plain(candidate_layout(GEOMETRY).from_bits(payload)))))
    StreamSink(dut, "o", wait=wait)
    for rows in rankings(random.Random(6)):
        dut.start.value = 1
        await clocks(dut, 1)
        dut.start.value = 0
        await source.send(rows)
        await clocks(dut, 1)
        await checker.finished(timeout_clocks=400)
        await clocks(dut, 2)
    assert checker.checked > 60
