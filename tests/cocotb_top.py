"""The whole chip over its serial line, spoken to by cocotbext-uart."""

import warnings

import cocotb
from cocotb.triggers import with_timeout
from ramrec.hdl.geometry import Geometry
from ramrec.hdl.protocol import Op, Request, encode_frame
from ramrec.sim.bench import CLOCK_NS, clocks, start
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.runner import parameters

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from cocotbext.uart import UartSink, UartSource


class Host:
    """Sends frames and compares replies."""

    def __init__(self, dut, geometry, divisor):
        baud = 1_000_000_000 // (CLOCK_NS * divisor)
        self._source, self._sink = UartSource(dut.rx, baud=baud), UartSink(dut.tx, baud=baud)
        self._golden = GoldenDevice(geometry)
        self._byte_ns = 10 * divisor * CLOCK_NS
        self._seq = 0

    async def send(self, frame):
        await self._source.write(frame)
        await self._source.wait()

    async def ask(self, *requests):
        """Send requests without waiting in between; every reply must be the golden device's."""
        frames = [encode_frame(self._request(**request)) for request in requests]
        expected = b"".join(self._golden.receive(frame[:-1]) for frame in frames)
        await self._source.write(b"".join(frames))
        received = bytearray()
        while len(received) < len(expected):
            received += await with_timeout(self._sink.read(), 2000 * self._byte_ns, "ns")
        assert received == expected

    def _request(self, **request):
        self._seq += 1
        return Request(seq=self._seq % 256, **request).pack()


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def answers_over_the_serial_line(dut):
    geometry = Geometry(**parameters()["geometry"])
    dut.rx.value = 1
    await start(dut)
    host = Host(dut, geometry, parameters()["divisor"])
    await clocks(dut, 100)
    film = bytes(range(geometry.code_bytes + 1))
    await host.ask(dict(op=Op.HELLO))
    await host.ask(dict(op=Op.LOAD, arg=0, count=2, records=film + film[::-1]))
    await host.ask(
        dict(op=Op.RATE, arg=300, count=1, records=b"\0\0"),
        dict(op=Op.RANK, arg=2),
        dict(op=Op.DIGEST),
        dict(op=Op.SAVE),
    )
    assert not dut.error.value


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def a_damaged_frame_lights_the_error(dut):
    geometry = Geometry(**parameters()["geometry"])
    dut.rx.value = 1
    await start(dut)
    host = Host(dut, geometry, parameters()["divisor"])
    await clocks(dut, 100)
    assert not dut.error.value
    await host.send(b"\x03no\0")
    await clocks(dut, 100)
    assert dut.error.value
    await host.ask(dict(op=Op.HELLO))
    assert dut.error.value
