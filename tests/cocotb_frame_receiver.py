"""FrameReceiver against the software's half of the protocol: intact, damaged and random frames."""

import random

import cocotb
from ramrec.hdl.protocol import MAX_BODY, BadFrame, Request, decode_frame, encode_frame
from ramrec.sim.bench import Checker, StreamMonitor, StreamSink, StreamSource, clocks, start


class Model:
    """What comes out of a receiver for the bytes that went in."""

    def __init__(self):
        self.dropped = 0
        self._frame = bytearray()

    def receive(self, byte):
        """Payloads of the output that a byte completes: a body, or nothing."""
        if byte:
            self._frame.append(byte)
            return []
        frame, self._frame = bytes(self._frame), bytearray()
        if not frame:
            return []
        try:
            body = decode_frame(frame)
            Request.unpack(body)
        except BadFrame:
            self.dropped += 1
            return []
        return [byte | (position == len(body) - 1) << 8 for position, byte in enumerate(body)]


def lines(rng):
    """Bytes on a line with trouble: half of the frames are damaged, and some are not frames at all."""
    for _ in range(60):
        zeros = rng.choice((0.0, 0.05, 0.5, 1.0))
        length = rng.choice((*range(1, 12), *range(MAX_BODY - 2, MAX_BODY + 1), 70))
        frame = bytearray(encode_frame(bytes(0 if rng.random() < zeros else rng.randrange(256) for _ in range(length))))
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            at = rng.randrange(len(frame))
            match rng.randrange(4):
                case 0:
                    frame[at] ^= 1 << rng.randrange(8)
                case 1:
                    del frame[at]
                case 2:
                    frame.insert(at, rng.randrange(256))
                case 3:
                    frame[at:] = b"\0"
        yield bytes(frame)
        if rng.random() < 0.2:
            # Whole blocks in a row decode too, to more than fits or without the zeros between them.
            codes = (255, 255, 1, rng.randrange(1, 256))
            yield bytes(rng.choice(codes) for _ in range(rng.randrange(600))) + b"\0"


@cocotb.test(timeout_time=5, timeout_unit="ms")
@cocotb.parametrize(seed=[1, 2], idle=[0.0, 0.3], wait=[0.0, 0.3])
async def agrees_with_the_software(dut, seed, idle, wait):
    await start(dut)
    model, checker = Model(), Checker()
    StreamMonitor(dut, "i", lambda byte: checker.expect(*model.receive(byte)))
    StreamMonitor(dut, "o", checker.see)
    StreamSink(dut, "o", wait=wait, seed=seed)
    await StreamSource(dut, "i", idle=idle, seed=seed).send(b"".join(lines(random.Random(seed))))
    await checker.finished(timeout_clocks=2000)
    await clocks(dut, 4)
    assert checker.checked > 1000
    assert model.dropped > 10
    assert int(dut.dropped.value) == model.dropped
