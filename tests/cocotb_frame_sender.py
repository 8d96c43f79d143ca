"""FrameSender against the software's half of the protocol, with discarded bodies and replays."""

import random

import cocotb
from cocotb.triggers import RisingEdge
from ramrec.hdl.protocol import MAX_BODY, encode_frame
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, start


class Model:
    """What comes out of a sender for the bytes and strobes that went in."""

    def __init__(self):
        self._body = bytearray()
        self._last = b""

    def take(self, payload):
        """Bytes of the frame that a byte of a body completes, or nothing."""
        self._body.append(payload & 0xFF)
        if not payload >> 8:
            return b""
        self._last, self._body = encode_frame(bytes(self._body)), bytearray()
        return self._last

    def discard(self):
        self._body.clear()

    def replay(self):
        return self._last


async def strobe(dut, signal):
    while not dut.idle.value:
        await RisingEdge(dut.clk)
    signal.value = 1
    await RisingEdge(dut.clk)
    signal.value = 0
    await RisingEdge(dut.clk)


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=[1, 2], idle=[0.0, 0.3], wait=[0.0, 0.3])
async def agrees_with_the_software(dut, seed, idle, wait):
    rng = random.Random(seed)
    model, checker = Model(), Checker()
    dut.discard.value = 0
    dut.replay.value = 0
    source = StreamSource(dut, "i", idle=idle, seed=seed)
    await start(dut)
    StreamMonitor(dut, "i", lambda payload: checker.expect(*model.take(payload)))
    StreamMonitor(dut, "o", checker.see)
    StreamSink(dut, "o", wait=wait, seed=seed)
    for _ in range(60):
        zeros = rng.choice((0.0, 0.05, 0.5, 1.0))
        length = rng.choice((1, 2, 3, 20, 70, MAX_BODY - 1, MAX_BODY))
        body = [0 if rng.random() < zeros else rng.randrange(256) for _ in range(length)]
        unfinished = rng.random() < 0.2
        if not unfinished:
            body[-1] |= 1 << 8
        await source.send(body)
        await RisingEdge(dut.clk)
        if unfinished:
            await strobe(dut, dut.discard)
            model.discard()
        if rng.random() < 0.3:
            await checker.finished(timeout_clocks=2000)
            await strobe(dut, dut.replay)
            checker.expect(*model.replay())
    await checker.finished(timeout_clocks=2000)
    assert checker.checked > 1000
