"""CatalogueScan on a catalogue that this bench plays: all loaded rows, in order, once."""

import random

import cocotb
from bench import plain, random_code
from cocotb.triggers import RisingEdge
from ramrec.hdl.catalogue import film_read_signature
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import film_row_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, clocks, start
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])
LANES = GEOMETRY.lanes


async def catalogue(dut, rows):
    """Answer reads one clock later, and keep the answer until the next read."""
    films = film_read_signature(GEOMETRY).members["films"].shape
    while True:
        await RisingEdge(dut.clk)
        if dut.read__en.value:
            row, marks = rows[int(dut.read__row.value) % len(rows)]
            dut.read__films.value = films.const(row).as_bits()
            dut.read__marks.value = marks


def expected(rows, loaded):
    count = max(1, -(-loaded // LANES))
    for row in range(count):
        films, marks = rows[row]
        inside = sum(1 << lane for lane in range(LANES) if row * LANES + lane < loaded)
        yield {"films": films, "mask": inside & ~marks, "last": int(row == count - 1)}


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(wait=[0.0, 0.3, 0.8])
async def scans(dut, wait):
    rng = random.Random(7)
    rows = [
        (
            [
                {"code": int.from_bytes(random_code(rng, GEOMETRY), "little"), "prior": rng.randrange(-128, 128)}
                for _ in range(LANES)
            ],
            rng.getrandbits(LANES),
        )
        for _ in range(GEOMETRY.rows)
    ]
    dut.start.value = 0
    await start(dut)
    cocotb.start_soon(catalogue(dut, rows))
    checker = Checker()
    layout = film_row_layout(GEOMETRY)
    StreamMonitor(dut, "o", lambda payload: checker.see(plain(layout.from_bits(payload))))
    StreamSink(dut, "o", wait=wait)
    for loaded in (0, 1, LANES, LANES + 1, GEOMETRY.catalogue_depth - 1, GEOMETRY.catalogue_depth):
        dut.loaded.value = loaded
        dut.start.value = 1
        checker.expect(*expected(rows, loaded))
        await clocks(dut, 1)
        dut.start.value = 0
        await checker.finished(timeout_clocks=500)
        await clocks(dut, 5)
