# amaranth: UnusedElaboratable=no
"""The serial line in Amaranth's own simulator."""

import random

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from ramrec.boards.board_top import line_divisor
from ramrec.boards.registry import BOARDS
from ramrec.hdl.uart import UartReceiver, UartTransmitter
from ramrec.sim.pysim import Bench


class Loop(wiring.Component):
    """A transmitter wired to a receiver of another speed."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(self, sender_divisor, receiver_divisor):
        self.sender = UartTransmitter(sender_divisor)
        self.receiver = UartReceiver(receiver_divisor)
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        m.submodules.sender = self.sender
        m.submodules.receiver = self.receiver
        m.d.comb += self.receiver.rx.eq(self.sender.tx)
        wiring.connect(m, wiring.flipped(self.i), self.sender.i)
        wiring.connect(m, self.receiver.o, wiring.flipped(self.o))
        return m


async def drive(ctx, line, bits, divisor):
    for bit in bits:
        ctx.set(line, bit)
        await ctx.tick().repeat(divisor)


def frame(byte):
    return [0, *(byte >> bit & 1 for bit in range(8)), 1]


@pytest.mark.parametrize(
    ("sender_divisor", "receiver_divisor"),
    [(4, 4), (5, 5), (16, 16), (104, 104), (50, 48), (50, 52)],
)
def test_bytes_arrive(sender_divisor, receiver_divisor):
    rng = random.Random(1)
    expected = [0x00, 0xFF, 0x55, 0xAA, *(rng.randrange(256) for _ in range(12))]
    bench = Bench(dut := Loop(sender_divisor, receiver_divisor))

    async def source(ctx):
        for byte in expected:
            await bench.put(ctx, dut.i, byte)

    async def sink(ctx):
        for byte in expected:
            assert (await bench.get(ctx, dut.o))[0] == byte

    bench.run(source, sink)


@pytest.mark.parametrize("divisor", [4, 7, 16])
def test_receiver_timing(divisor):
    """A byte is valid in the middle of its stop bit."""
    bench = Bench(dut := UartReceiver(divisor))
    fell = []

    async def source(ctx):
        await ctx.tick().repeat(5)
        fell.append(ctx.get(bench.clock))
        await drive(ctx, dut.rx, frame(0xA5), divisor)

    async def sink(ctx):
        byte, clock = await bench.get(ctx, dut.o)
        assert byte == 0xA5
        assert clock - fell[0] == 9 * divisor + divisor // 2 + 3

    bench.run(source, sink)


@pytest.mark.parametrize("divisor", [4, 16])
def test_transmitter_timing(divisor):
    """Each bit lasts ``divisor`` clocks, from one clock after its byte was taken; without gaps."""
    data = [0x00, 0xC3, 0xFF]
    bench = Bench(dut := UartTransmitter(divisor))
    line = []

    async def source(ctx):
        taken = [await bench.put(ctx, dut.i, byte) for byte in data]
        assert taken == [taken[0] + number * 10 * divisor for number in range(len(data))]
        await ctx.tick().repeat(10 * divisor + 1)
        bits = [bit for byte in data for bit in frame(byte) for _ in range(divisor)]
        assert line[taken[0] + 1 : taken[0] + 1 + len(bits)] == bits
        assert set(line[: taken[0] + 1]) == {1}

    async def watch(ctx):
        async for _, _, level in ctx.tick().sample(dut.tx):
            line.append(level)
            if len(line) > 35 * divisor:
                break

    bench.run(source, watch)


BAUDS = (1_000_000, 2_000_000, 3_000_000, 12_000_000)


def lines_of_boards():
    """Boards' clocks, and some a board may have, with each speed that they can make: (MHz, baud)."""

    def can_make(mhz, baud):
        try:
            return line_divisor(mhz, baud) >= 4
        except ValueError:
            return False

    clocks = sorted({48, 80, 100, *(board.clock_mhz for board in BOARDS.values())})
    return [(mhz, baud) for mhz in clocks for baud in BAUDS if can_make(mhz, baud)]


def level(bits, time):
    """The line at a time in bits of the sender; idle before and after."""
    return bits[int(time)] if 0 <= time < len(bits) else 1


@pytest.mark.parametrize("error", [-0.01, 0, 0.01])
@pytest.mark.parametrize(("mhz", "baud"), lines_of_boards())
def test_boards_understand_an_adapter(mhz, baud, error):
    """Bytes without a gap from an adapter whose own clock is up to 1 % off, at the divisor of the board's clock."""
    divisor = line_divisor(mhz, baud)
    data = [0x00, 0xFF, 0x55, 0x00, 0xA5]
    bits = [bit for byte in data for bit in frame(byte)]
    per_clock = baud * (1 + error) / (mhz * 1e6)
    bench = Bench(dut := UartReceiver(divisor))
    came = []

    async def line(ctx):
        ctx.set(dut.o.ready, 1)
        for clock in range(round((len(bits) + 2) / per_clock)):
            ctx.set(dut.rx, level(bits, clock * per_clock - 0.77))
            _, _, valid, byte = await ctx.tick().sample(dut.o.valid, dut.o.payload)
            if valid:
                came.append(byte)

    bench.run(line)
    assert came == data


@pytest.mark.parametrize("error", [-0.01, 0, 0.01])
@pytest.mark.parametrize(("mhz", "baud"), lines_of_boards())
def test_an_adapter_understands_boards(mhz, baud, error):
    """It samples in the middle of each of its bits, from the edge that begins a byte on."""
    data = [0x00, 0xFF, 0x55, 0xA5]
    bench = Bench(dut := UartTransmitter(line_divisor(mhz, baud)))
    clocks_per_bit = mhz * 1e6 / (baud * (1 + error))
    line = []

    async def source(ctx):
        for byte in data:
            await bench.put(ctx, dut.i, byte)

    async def watch(ctx):
        for _ in range(round((10 * len(data) + 2) * clocks_per_bit * 1.05)):
            _, _, level = await ctx.tick().sample(dut.tx)
            line.append(level)

    bench.run(source, watch)
    at, came = 0, []
    while 0 in line[at:]:
        start = line.index(0, at)
        came.append([line[round(start + (bit + 0.5) * clocks_per_bit)] for bit in range(10)])
        at = round(start + 9.5 * clocks_per_bit)
    assert came == [frame(byte) for byte in data]


def test_receiver_drops_a_byte_without_stop_bit():
    divisor = 8
    bench = Bench(dut := UartReceiver(divisor))

    async def source(ctx):
        await drive(ctx, dut.rx, [*frame(0x12)[:-1], 0, 0, 0, 1], divisor)
        await drive(ctx, dut.rx, frame(0x34), divisor)

    async def sink(ctx):
        assert (await bench.get(ctx, dut.o))[0] == 0x34

    bench.run(source, sink)


def test_receiver_ignores_a_glitch():
    divisor = 16
    bench = Bench(dut := UartReceiver(divisor))

    async def source(ctx):
        await drive(ctx, dut.rx, [0], 3)
        await drive(ctx, dut.rx, [1], 3 * divisor)
        await drive(ctx, dut.rx, frame(0x77), divisor)

    async def sink(ctx):
        assert (await bench.get(ctx, dut.o))[0] == 0x77

    bench.run(source, sink)


@pytest.mark.parametrize("component", [UartReceiver, UartTransmitter])
def test_divisor_is_checked(component):
    with pytest.raises(TypeError, match=r"not 8\.0$"):
        component(8.0)
    with pytest.raises(ValueError, match=r"not 3$"):
        component(3)
