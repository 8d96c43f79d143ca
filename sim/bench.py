"""Parts of cocotb benches for gateware with streams: source, sink, monitor, and a checker in between.

What a design is checked against is computed from what its input monitor saw, not from what the source meant
to send.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Event, RisingEdge, SimTimeoutError, Timer, with_timeout

__all__ = ["CLOCK_NS", "Checker", "StreamMonitor", "StreamSink", "StreamSource", "clocks", "start"]

CLOCK_NS = 10


async def start(dut) -> None:
    """Start the clock and hold the reset for two clocks."""
    cocotb.start_soon(Clock(dut.clk, CLOCK_NS, unit="ns").start())
    dut.rst.value = 1
    await clocks(dut, 2)
    dut.rst.value = 0


async def clocks(dut, count: int) -> None:
    """Let clocks pass."""
    for _ in range(count):
        await RisingEdge(dut.clk)


class StreamSource:
    """Sends payloads, with a pause of a clock or more before each with probability ``idle``."""

    def __init__(self, dut, name: str, *, idle: float = 0.0, seed: int = 0) -> None:
        self._dut = dut
        self._valid, self._payload, self._ready = _stream(dut, name)
        self._idle = idle
        self._random = random.Random(seed)
        self._valid.value = 0

    async def send(self, payloads: Iterable[int]) -> None:
        """Return once the last payload has been taken."""
        for payload in payloads:
            while self._random.random() < self._idle:
                await RisingEdge(self._dut.clk)
            self._valid.value = 1
            self._payload.value = payload
            await RisingEdge(self._dut.clk)
            while not self._ready.value:
                await RisingEdge(self._dut.clk)
            self._valid.value = 0


class StreamSink:
    """Is ready in a clock with probability ``1 - wait``, whatever the source does."""

    def __init__(self, dut, name: str, *, wait: float = 0.0, seed: int = 0) -> None:
        _, _, ready = _stream(dut, name)
        cocotb.start_soon(self._run(dut, ready, wait, random.Random(seed)))

    @staticmethod
    async def _run(dut, ready, wait: float, rng: random.Random) -> None:
        while True:
            ready.value = int(rng.random() >= wait)
            await RisingEdge(dut.clk)


class StreamMonitor:
    """Calls ``on_transfer`` with each payload transferred, and fails if an offer is changed or withdrawn."""

    def __init__(self, dut, name: str, on_transfer: Callable[[int], None]) -> None:
        cocotb.start_soon(self._run(dut, name, on_transfer))

    @staticmethod
    async def _run(dut, name: str, on_transfer: Callable[[int], None]) -> None:
        valid, payload, ready = _stream(dut, name)
        offered = None
        while True:
            await RisingEdge(dut.clk)
            if dut.rst.value:
                continue
            if not valid.value:
                assert offered is None, f"{name}: valid fell before the transfer"
                continue
            now = int(payload.value)
            assert offered in (None, now), f"{name}: payload changed from {offered:#x} to {now:#x}"
            offered = now
            if ready.value:
                offered = None
                on_transfer(now)


class Checker:
    """Compares what comes out with what is due, in order."""

    def __init__(self) -> None:
        self._due: deque = deque()
        self._event = Event()
        self.checked = 0

    def expect(self, *values: object) -> None:
        """Add values that must come out next."""
        self._due.extend(values)

    def see(self, value: object) -> None:
        """Check one value that came out."""
        assert self._due, f"nothing was due, but {value!r} came"
        due = self._due.popleft()
        assert value == due, f"{due!r} was due, but {value!r} came (after {self.checked} good ones)"
        self.checked += 1
        if not self._due:
            self._event.set()

    async def finished(self, timeout_clocks: int) -> None:
        """Wait until nothing is due any more."""
        # The monitors of this clock come first.
        await Timer(1, "ns")
        while self._due:
            self._event.clear()
            try:
                await with_timeout(self._event.wait(), timeout_clocks * CLOCK_NS, "ns")
            except SimTimeoutError:
                raise AssertionError(
                    f"{len(self._due)} values still due after {timeout_clocks} clocks, first {self._due[0]!r}"
                ) from None


def _stream(dut, name: str):
    return (getattr(dut, f"{name}__{part}") for part in ("valid", "payload", "ready"))
