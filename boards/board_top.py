"""A device on a board's pins."""

from typing import Any

from amaranth import Elaboratable, Module
from amaranth.lib import io

from ..hdl.top import Top
from .registry import Board

__all__ = ["BoardTop"]


class BoardTop(Elaboratable):
    """The chip on its board: serial line 0, LED 0 for busy and LED 1 for a damaged frame since the start.

    Runs on the platform's default clock, so the line's divisor is that clock over the board's baud rate.
    """

    def __init__(self, board: Board) -> None:
        self._board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        divisor = round(platform.default_clk_frequency / self._board.baud)
        m.submodules.top = top = Top(self._board.geometry, divisor)

        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [top.rx.eq(rx.i), tx.o.eq(top.tx)]

        for number, status in enumerate((top.busy, top.error)):
            led = io.Buffer("o", platform.request("led", number, dir="-"))
            m.submodules[f"led_{number}"] = led
            m.d.comb += led.o.eq(status)
        return m
