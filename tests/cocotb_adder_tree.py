"""AdderTree: sums in order, whatever the flow."""

import random

import cocotb
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start
from ramrec.sim.runner import parameters

WIDTH, COUNT, TAG_BITS, SUM_BITS = (parameters()[name] for name in ("width", "count", "tag_bits", "sum_bits"))


def signed(value, width):
    return value - ((value >> (width - 1) & 1) << width)


def model(payload):
    """The payload of the output for one of the input: terms, then the tag above them."""
    terms = [signed(payload >> j * WIDTH & (1 << WIDTH) - 1, WIDTH) for j in range(COUNT)]
    return sum(terms) & (1 << SUM_BITS) - 1 | payload >> COUNT * WIDTH << SUM_BITS


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(idle=[0.0, 0.4], wait=[0.0, 0.4])
async def adds(dut, idle, wait):
    await start(dut)
    checker = Checker()
    rng = random.Random(1)
    bits = COUNT * WIDTH + TAG_BITS
    lowest = sum(1 << j * WIDTH + WIDTH - 1 for j in range(COUNT))
    highest = ((1 << COUNT * WIDTH) - 1) ^ lowest
    payloads = [lowest, highest, 0, (1 << bits) - 1, *(rng.getrandbits(bits) for _ in range(400))]
    StreamMonitor(dut, "i", lambda payload: checker.expect(model(payload)))
    StreamMonitor(dut, "o", checker.see)
    StreamSink(dut, "o", wait=wait)
    await StreamSource(dut, "i", idle=idle).send(payloads)
    await clocks(dut, 1)
    await checker.finished(timeout_clocks=200)
    assert checker.checked == len(payloads)
