"""The device in Amaranth's own simulator: needs no compiler, and takes its time."""

from collections import deque
from typing import Any

from ..hdl.geometry import Geometry

__all__ = ["SimulatedBoard"]

_QUIET_CLOCKS = 64


class SimulatedBoard:
    """A device that is interpreted, some thousand times slower than :class:`.virtual.VirtualBoard`.

    Parameters
    ----------
    geometry
        What the gateware is made for.
    """

    def __init__(self, geometry: Geometry) -> None:
        from amaranth.sim import Simulator

        from ..hdl.device import Device

        self._device = Device(geometry)
        self._input: deque[int] = deque()
        self._output = bytearray()
        self._quiet = 0
        self._simulator = Simulator(self._device)
        self._simulator.add_clock(1e-6)
        self._simulator.add_testbench(self._serve, background=True)

    def write(self, data: bytes) -> None:
        """Queue bytes for the board."""
        self._input.extend(data)
        self._quiet = 0

    def read(self, timeout: float) -> bytes:
        """Run until a frame is out or the device has nothing to do; the bytes that came out.

        Time stands still between two calls, so ``timeout`` has no meaning.
        """
        while self._quiet < _QUIET_CLOCKS and not self._output.endswith(b"\0"):
            self._simulator.advance()
        data = bytes(self._output)
        self._output.clear()
        return data

    def close(self) -> None:
        """Nothing is held."""

    async def _serve(self, ctx: Any) -> None:
        device = self._device
        ctx.set(device.o.ready, 1)
        while True:
            ctx.set(device.i.valid, bool(self._input))
            ctx.set(device.i.payload, self._input[0] if self._input else 0)
            offered = bool(self._input)
            *_, taken, came, byte, busy = await ctx.tick().sample(
                device.i.ready, device.o.valid, device.o.payload, device.busy
            )
            if offered and taken:
                self._input.popleft()
            if came:
                self._output.append(byte)
            self._quiet = 0 if offered or came or busy else self._quiet + 1
