"""A device on a board's pins."""

from typing import Any

from amaranth import Cat, Elaboratable, Module
from amaranth.lib import io

from ..hdl.top import Top
from .board import Board
from .clock import make_clock, reached_mhz
from .lights import Lights

__all__ = ["BoardTop", "line_divisor"]

_LINE_TOLERANCE = 0.02
"""By how much the line's speed may be off; a receiver that samples in the middle of a bit bears 4 % in all."""


class BoardTop(Elaboratable):
    """The chip on its board: clock, serial line and lights.

    Raises
    ------
    ValueError
        On elaboration, if the clock can not be made, or the line's speed not from the clock.
    """

    def __init__(self, board: Board) -> None:
        self._board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        board = self._board
        clock_mhz = reached_mhz(board, platform)
        divisor = line_divisor(clock_mhz, board.baud)
        clock = make_clock(board, platform)
        if clock is not None:
            m.domains += clock.domain
            m.submodules.clock = clock
        m.submodules.top = top = Top(board.geometry, divisor)

        uart = platform.request("uart", board.uart, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [top.rx.eq(rx.i), tx.o.eq(top.tx)]

        m.submodules.lights = lights = Lights(round(clock_mhz * 1e6))
        m.d.comb += [lights.working.eq(top.busy), lights.failed.eq(top.error)]
        for number in sorted({led for led in board.leds if led is not None}):
            m.submodules[f"led_{number}"] = led = io.Buffer("o", platform.request("led", number, dir="-"))
            shown = zip((lights.alive, lights.busy, lights.error), board.leds, strict=True)
            m.d.comb += led.o.eq(Cat(*(light for light, place in shown if place == number)).any())
        return m


def line_divisor(clock_mhz: float, baud: int) -> int:
    """Clocks per bit of a serial line; ValueError if none comes near enough to its speed."""
    divisor = max(1, round(clock_mhz * 1e6 / baud))
    off = abs(clock_mhz * 1e6 / divisor / baud - 1)
    if off > _LINE_TOLERANCE:
        raise ValueError(f"no divisor of {clock_mhz:g} MHz comes near {baud:,} baud: the nearest is {off:.1%} off")
    return divisor
