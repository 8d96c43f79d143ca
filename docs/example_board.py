"""A board of one's own, for ``ramrec build docs/example_board.py``: a Colorlight i9 v7.2 on its extension board.

A board is a platform that knows the pins - from amaranth-boards, or a class like this one - and a ``BOARD``.
"""

from amaranth.build import Attrs, Clock, Pins, Resource
from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.resources import LEDResources, UARTResource
from ramrec.boards.board import Board
from ramrec.hdl.geometry import ECP5_25F

VOLTS = Attrs(IO_TYPE="LVCMOS33")


class ColorlightI9Platform(LatticeECP5Platform):
    """Pins as at https://github.com/wuxx/Colorlight-FPGA-Projects and in LiteX-Boards."""

    device = "LFE5U-45F"
    package = "BG381"
    speed = "6"
    default_clk = "clk25"
    resources = (
        Resource("clk25", 0, Pins("P3", dir="i"), Clock(25e6), VOLTS),
        *LEDResources(pins="L2", invert=True, attrs=VOLTS),
        UARTResource(0, tx="J17", rx="H18", attrs=VOLTS),
    )
    connectors = ()


BOARD = Board(
    name="colorlight-i9",
    fpga="Lattice ECP5 45F",
    platform=ColorlightI9Platform,
    geometry=ECP5_25F.with_(catalogue_depth=8192, users=128),
    clock_mhz=80,  # a PLL makes it from the 25 MHz above
    leds=(0, 0, 0),  # alive, busy and error share the only one; None for one that is not there
    loader=("-b", "colorlight-i9"),  # as openFPGALoader calls it
)
