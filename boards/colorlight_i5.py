"""Colorlight i5 v7.0 on its extension board, whose USB port brings power, JTAG and the serial line.

Pins as documented at https://github.com/wuxx/Colorlight-FPGA-Projects and in LiteX-Boards.
"""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import LEDResources, UARTResource

__all__ = ["ColorlightI5Platform"]

_3V3 = Attrs(IO_TYPE="LVCMOS33")


class ColorlightI5Platform(LatticeECP5Platform):
    """A light-emitting-diode wall's receiver card, which makes a cheap ECP5 25F board."""

    device = "LFE5U-25F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = (
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), _3V3),
        *LEDResources(pins="U16", invert=True, attrs=_3V3),
        UARTResource(0, tx="J17", rx="H18", attrs=_3V3),
    )
    connectors = ()

    def toolchain_prepare(self, fragment, name, **kwargs):  # type: ignore[no-untyped-def]
        """The same, with a compressed bitstream: it loads several times as fast."""
        return super().toolchain_prepare(fragment, name, **({"ecppack_opts": "--compress"} | kwargs))
