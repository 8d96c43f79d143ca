"""The clock of the whole chip: from the board's oscillator, through a PLL, and nothing moves until it is stable."""

from typing import Any

from amaranth import ClockDomain, ClockSignal, Const, Elaboratable, Instance, Module, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from .board import Board
from .pll import Ecp5Pll, Ice40Pll, ecp5_pll, ice40_pll

__all__ = ["Ecp5Clock", "Ice40Clock", "choose_pll", "make_clock", "reached_mhz"]

_WAKE_SECONDS = 15e-6
"""iCE40 block RAMs read as zeros for about 3 us after configuration (icestorm's issue 76), with a margin of 5."""


def choose_pll(board: Board, platform: Any) -> Ecp5Pll | Ice40Pll | None:
    """Dividers that make a board's clock; None where the oscillator itself does.

    Raises
    ------
    ValueError
        If the PLL can not make it.
    """
    oscillator = platform.default_clk_frequency / 1e6
    if board.clock_mhz == oscillator:
        return None
    return (ecp5_pll if platform.device.startswith("LFE5") else ice40_pll)(oscillator, board.clock_mhz)


def make_clock(board: Board, platform: Any) -> "Ecp5Clock | Ice40Clock | None":
    """What drives the domain ``sync``; None where Amaranth's platform does it from the oscillator.

    Raises
    ------
    ValueError
        As :func:`choose_pll`.
    """
    pll = choose_pll(board, platform)
    if pll is None:
        return None
    return Ecp5Clock(pll) if isinstance(pll, Ecp5Pll) else Ice40Clock(pll, in_pad=board.pll_in_pad)


def reached_mhz(board: Board, platform: Any) -> float:
    """Frequency at which the chip really runs; ValueError as :func:`choose_pll`."""
    pll = choose_pll(board, platform)
    return board.clock_mhz if pll is None else pll.output_mhz


class Ecp5Clock(Elaboratable):
    """Drives a domain from an ``EHXPLLL``; its clock stands still until the PLL has locked.

    So nothing needs a reset after configuration, which sets all registers: a reset would lead to every slice of the
    chip by ordinary wires, and stand in the way of all others.

    Attributes
    ----------
    domain : ``sync``, for the module above to define
    """

    def __init__(self, pll: Ecp5Pll) -> None:
        self._pll = pll
        self.domain = ClockDomain("sync", reset_less=True)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pll = self._pll
        pin = platform.request(platform.default_clk, dir="-")
        m.submodules.oscillator = oscillator = io.Buffer("i", pin)
        clock, locked = Signal(), Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_CLKI_DIV=pll.divide,
            p_CLKFB_DIV=pll.multiply,
            p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_DIV=pll.post,
            p_CLKOP_CPHASE=pll.post // 2,
            p_CLKOP_FPHASE=0,
            p_OUTDIVIDER_MUXA="DIVA",
            i_CLKI=oscillator.i,
            i_CLKFB=clock,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(1),
            i_PHASESTEP=Const(1),
            i_PHASELOADREG=Const(1),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=clock,
            o_LOCK=locked,
        )
        m.domains += ClockDomain("waking", reset_less=True, local=True)
        m.d.comb += ClockSignal("waking").eq(clock)
        stable = Signal()
        m.submodules.stable = FFSynchronizer(locked, stable, o_domain="waking")
        m.submodules.gate = Instance("DCCA", i_CLKI=clock, i_CE=stable, o_CLKO=self.domain.clk)
        return m


class Ice40Clock(Elaboratable):
    """Drives a domain from an ``SB_PLL40``; its clock waits until the PLL has locked and the block RAMs are awake.

    As on an ECP5 nothing needs a reset, which would cost a LUT for each clock enable here.

    Parameters
    ----------
    pll
        Its dividers.
    in_pad
        The oscillator's pin is the PLL's own.

    Attributes
    ----------
    domain : ``sync``, for the module above to define
    """

    def __init__(self, pll: Ice40Pll, *, in_pad: bool) -> None:
        self._pll = pll
        self._in_pad = in_pad
        self.domain = ClockDomain("sync", reset_less=True)

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        pll = self._pll
        pin = platform.request(platform.default_clk, dir="-")
        if self._in_pad:
            source = {"i_PACKAGEPIN": pin.io}
        else:
            m.submodules.oscillator = oscillator = io.Buffer("i", pin)
            source = {"i_REFERENCECLK": oscillator.i}
        ungated, waking, locked = Signal(), Signal(), Signal()
        m.submodules.pll = Instance(
            "SB_PLL40_PAD" if self._in_pad else "SB_PLL40_CORE",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=Const(pll.divr, 4),
            p_DIVF=Const(pll.divf, 7),
            p_DIVQ=Const(pll.divq, 3),
            p_FILTER_RANGE=Const(pll.filter_range, 3),
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTCORE=ungated,
            o_PLLOUTGLOBAL=waking,
            o_LOCK=locked,
            **source,
        )
        m.domains += ClockDomain("waking", reset_less=True, local=True)
        m.domains += ClockDomain("gating", reset_less=True, local=True, clk_edge="neg")
        m.d.comb += [ClockSignal("waking").eq(waking), ClockSignal("gating").eq(waking)]
        stable, awake = Signal(), Signal()
        clocks = round(_WAKE_SECONDS * pll.output_mhz * 1e6)
        waited = Signal(range(clocks + 1))
        m.submodules.stable = FFSynchronizer(locked, stable, o_domain="waking")
        with m.If(waited == clocks):
            m.d.waking += awake.eq(1)
        with m.Elif(stable):
            m.d.waking += waited.eq(waited + 1)

        clock, open_gate = Signal(attrs={"keep": 1}), Signal()
        m.d.gating += open_gate.eq(awake)
        m.d.comb += clock.eq(ungated & open_gate)
        m.submodules.gate = Instance(
            "SB_GB", i_USER_SIGNAL_TO_GLOBAL_BUFFER=clock, o_GLOBAL_BUFFER_OUTPUT=self.domain.clk
        )
        platform.add_clock_constraint(clock, pll.output_mhz * 1e6)
        return m
