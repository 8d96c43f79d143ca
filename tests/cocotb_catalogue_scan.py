"""CatalogueScan on a catalogue that this bench plays: all loaded rows, in order, once, however little room there is."""

import random

import cocotb
from bench import plain, random_film
from cocotb.triggers import RisingEdge
from ramrec.hdl.catalogue import read_latency
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import film_row_layout
from ramrec.sim.bench import Checker, clocks, start
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])
LANES = GEOMETRY.lanes


async def catalogue(dut, rows):
    """Answer every clock's row ``read_latency`` clocks later."""
    films = film_row_layout(GEOMETRY).members["films"]
    asked = [0] * read_latency(GEOMETRY)
    while True:
        await RisingEdge(dut.clk)
        asked = [*asked[1:], int(dut.row.value)]
        row, marks = rows[asked[0] % len(rows)]
        dut.films.value = films.const(row).as_bits()
        dut.marks.value = marks


async def room(dut, wait, rng):
    while True:
        dut.room.value = int(rng.random() >= wait)
        await RisingEdge(dut.clk)


async def monitor(dut, checker, issued):
    layout = film_row_layout(GEOMETRY)
    while True:
        await RisingEdge(dut.clk)
        if dut.issued.value:
            assert dut.room.value, "a row was asked for without room"
            issued.append(None)
        if dut.valid.value:
            checker.see(plain(layout.from_bits(int(dut.o.value))))


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
    rows = [([random_film(rng, GEOMETRY) for _ in range(LANES)], rng.getrandbits(LANES)) for _ in range(GEOMETRY.rows)]
    dut.start.value = 0
    dut.room.value = 0
    dut.ready.value = 1
    dut.first.value = 0
    await start(dut)
    checker, issued = Checker(), []
    cocotb.start_soon(catalogue(dut, rows))
    cocotb.start_soon(room(dut, wait, rng))
    cocotb.start_soon(monitor(dut, checker, issued))
    for loaded in (0, 1, LANES, LANES + 1, GEOMETRY.catalogue_depth - 1, GEOMETRY.catalogue_depth):
        dut.loaded.value = loaded
        dut.start.value = 1
        checker.expect(*expected(rows, loaded))
        await clocks(dut, 1)
        dut.start.value = 0
        await checker.finished(timeout_clocks=500)
        await clocks(dut, 5)
    assert checker.checked == len(issued)
