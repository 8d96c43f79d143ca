"""RecordWriter: the bytes of records, lowest first; empty records vanish."""

import random

import cocotb
from bench import plain
from ramrec.hdl.records import sized_record_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.runner import parameters

MAX_BYTES = parameters()["max_bytes"]
LAYOUT = sized_record_layout(MAX_BYTES)


def model(payload):
    record = plain(LAYOUT.from_bits(payload))
    data = record["data"].to_bytes(MAX_BYTES, "little")[: record["bytes"]]
    return [byte | (record["last"] and place == len(data) - 1) << 8 for place, byte in enumerate(data)]


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def writes(dut, idle, wait):
    rng = random.Random(10)
    await start(dut)
    checker = Checker()
    StreamMonitor(dut, "i", lambda payload: checker.expect(*model(payload)))
    StreamMonitor(dut, "o", checker.see)
    StreamSink(dut, "o", wait=wait)
    records = [
        LAYOUT.const(
            {
                "data": rng.getrandbits(8 * MAX_BYTES),
                "bytes": rng.choice((0, 1, 2, MAX_BYTES, rng.randrange(MAX_BYTES + 1))),
                "last": rng.randrange(2),
            }
        ).as_bits()
        for _ in range(200)
    ]
    await StreamSource(dut, "i", idle=idle).send(records)
    await clocks(dut, 1)
    await checker.finished(timeout_clocks=200)
    assert checker.checked > 400
