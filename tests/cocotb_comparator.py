"""PopcountComparator against the golden match counts."""

import random

import cocotb
from bench import code_array, plain
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.layouts import match_row_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.golden import addresses, match
from ramrec.sim.runner import parameters

GEOMETRY = Geometry(**parameters()["geometry"])
BITS, WIDTH = GEOMETRY.code_bits, GEOMETRY.comparators


def model(payload):
    """Query, then the stored codes, mask and last above it."""
    codes = [payload >> j * BITS & (1 << BITS) - 1 for j in range(1 + WIDTH)]
    where = addresses(GEOMETRY, code_array(GEOMETRY, [code.to_bytes(BITS // 8, "little") for code in codes]))
    above = payload >> (1 + WIDTH) * BITS
    return {"matches": match(where[:1], where[1:])[0].tolist(), "mask": above % (1 << WIDTH), "last": above >> WIDTH}


def rows(rng, count):
    """Codes that differ from the query in some bits, none or all."""
    for _ in range(count):
        query = rng.getrandbits(BITS)
        payload = query | rng.getrandbits(WIDTH + 1) << (1 + WIDTH) * BITS
        for place in range(1, 1 + WIDTH):
            differing = rng.choice((0, (1 << BITS) - 1, 1 << rng.randrange(BITS), rng.getrandbits(BITS)))
            payload |= (query ^ differing) << place * BITS
        yield payload


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def compares(dut, idle, wait):
    await start(dut)
    checker = Checker()
    layout = match_row_layout(GEOMETRY)
    StreamMonitor(dut, "i", lambda payload: checker.expect(model(payload)))
    StreamMonitor(dut, "o", lambda payload: checker.see(plain(layout.from_bits(payload))))
    StreamSink(dut, "o", wait=wait)
    await StreamSource(dut, "i", idle=idle).send(rows(random.Random(5), 300))
    await clocks(dut, 1)
    await checker.finished(timeout_clocks=200)
    assert checker.checked == 300
