"""What a board's lights tell a person."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Lights"]

_STRETCH = 5
"""A busy light changes at most 2^5 times as often as the alive light, slow enough to be seen."""


class Lights(wiring.Component):
    """Alive blinks about once a second; busy stays long enough to be seen; error stays.

    Parameters
    ----------
    clock_hz
        Frequency of the clock, at least 64 Hz.

    Members
    -------
    working : In(1)
        A request is being executed.
    failed : In(1)
        A damaged frame has come since the start.
    alive, busy, error : Out(1)
        Lights; 1 is lit.
    """

    def __init__(self, clock_hz: int) -> None:
        if clock_hz < 2 << _STRETCH:
            raise ValueError(f"clock_hz must be at least {2 << _STRETCH}, not {clock_hz!r}")
        self._bits = clock_hz.bit_length() - 1
        super().__init__({"working": In(1), "failed": In(1), "alive": Out(1), "busy": Out(1), "error": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        counter = Signal(self._bits)
        m.d.sync += counter.eq(counter + 1)
        m.d.comb += [self.alive.eq(counter[-1]), self.error.eq(self.failed)]
        with m.If(self.working | (counter[: self._bits - _STRETCH] == 0)):
            m.d.sync += self.busy.eq(self.working)
        return m
