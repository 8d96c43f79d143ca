"""A counter of 32 bits, in a multiplier's accumulator where there is one to spare."""

from typing import Any

from amaranth import ClockSignal, Const, Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["WideCounter"]

_BITS = 32


class WideCounter(wiring.Component):
    """Counts strobes, in 32 bits that wrap; from 0.

    An iCE40 UltraPlus has more multipliers than a device wants, and one of them saves 32 of its few logic cells.

    Parameters
    ----------
    first : :class:`int`, what it begins with again

    Members
    -------
    again : ``In(1)``, strobe: begin with ``first``
    step : ``In(1)``, strobe: one more, unless ``again``
    value : ``Out(32)``, a clock later
    """

    again: In(1)
    step: In(1)
    value: Out(_BITS)

    def __init__(self, first: int = 0) -> None:
        self._first = first
        super().__init__()

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        if getattr(platform, "device", "").startswith("iCE40UP"):
            waking = Signal(init=1)
            m.d.sync += waking.eq(0)
            m.submodules.accumulator = self._accumulator(waking)
            return m
        with m.If(self.again):
            m.d.sync += self.value.eq(self._first)
        with m.Elif(self.step):
            m.d.sync += self.value.eq(self.value + 1)
        return m

    def _accumulator(self, reset: Signal) -> Instance:
        """The cell, whose halves add A and B to what they hold; it loads C and D (Lattice FPGA-TN-02007)."""
        registered, from_lower_half = 1, 3
        zero = Const(0, _BITS // 2)
        return Instance(
            "SB_MAC16",
            p_TOPOUTPUT_SELECT=registered,
            p_BOTOUTPUT_SELECT=registered,
            p_TOPADDSUB_CARRYSELECT=from_lower_half,
            i_CLK=ClockSignal(),
            i_CE=Const(1),
            i_ORSTTOP=reset,
            i_ORSTBOT=reset,
            i_A=zero,
            i_B=self.step | zero,
            i_C=zero,
            i_D=Const(self._first, _BITS // 2),
            i_ADDSUBTOP=Const(0),
            i_ADDSUBBOT=Const(0),
            i_OHOLDTOP=Const(0),
            i_OHOLDBOT=Const(0),
            i_OLOADTOP=self.again,
            i_OLOADBOT=self.again,
            o_O=self.value,
        )
