"""RecordReader: bodies of any length cut into records of any size, the rest of some dropped."""

import random
from collections import deque

import cocotb
from bench import plain
from ramrec.hdl.records import record_layout
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.runner import parameters

MAX_BYTES = parameters()["max_bytes"]


class Model:
    """Records in the bytes that went in, and none of what is dropped."""

    def __init__(self, dut):
        self._dut = dut
        self._record = bytearray()
        self._sizes = deque()

    def take(self, payload):
        if self._dut.drop.value:
            return []
        self._record.append(payload & 0xFF)
        last = payload >> 8
        if len(self._record) < int(self._dut.size.value) and not last:
            return []
        record, self._record = bytes(self._record), bytearray()
        self._sizes.append(len(record))
        return [(record, last)]

    def meaning(self, payload):
        """What a record says; bytes above those that came for it mean nothing."""
        record = plain(record_layout(MAX_BYTES).from_bits(payload))
        return record["data"].to_bytes(MAX_BYTES, "little")[: self._sizes.popleft()], record["last"]


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def reads(dut, idle, wait):
    rng = random.Random(9)
    dut.take.value = 0
    dut.drop.value = 0
    source = StreamSource(dut, "i", idle=idle)
    await start(dut)
    model, checker = Model(dut), Checker()
    StreamMonitor(dut, "i", lambda payload: checker.expect(*model.take(payload)))
    StreamMonitor(dut, "o", lambda payload: checker.see(model.meaning(payload)))
    StreamSink(dut, "o", wait=wait)
    for _ in range(50):
        size, length = rng.randrange(1, MAX_BYTES + 1), rng.randrange(1, 3 * MAX_BYTES)
        body = [rng.randrange(256) | (place == length - 1) << 8 for place in range(length)]
        kept = rng.choice((length, length, min(size, length)))
        dut.size.value = size
        dut.take.value = 1
        await source.send(body[:kept])
        await clocks(dut, 1)
        await checker.finished(timeout_clocks=100)
        await clocks(dut, 1)
        dut.take.value = 0
        dut.drop.value = 1
        await clocks(dut, 1)
        await source.send(body[kept:])
        dut.drop.value = 0
    assert checker.checked > 50
