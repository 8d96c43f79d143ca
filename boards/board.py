"""What a board is: a platform with a clock, a serial line and lights, and the device it carries."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..hdl.geometry import Geometry
from ..hdl.protocol import DEFAULT_BAUD

__all__ = ["Board"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board that can carry a device.

    Attributes
    ----------
    name : how users call it
    fpga : its device, as people say it
    platform : its Amaranth platform, which knows pins, oscillator and tools: a class, or ``"module:class"``
    geometry : what it is made for
    clock_mhz : wanted frequency of the whole chip; a PLL makes the nearest one it can from the oscillator
    pll_in_pad : iCE40 only: the oscillator's pin is the PLL's own, so the PLL takes it before the fabric does
    baud : speed of the serial line
    uart : number of the platform's resource ``uart``
    leds : numbers of its resources ``led`` for alive, busy and error; None where there is none, and a number
        twice where two share one
    loader : arguments that name the board to openFPGALoader; none if it does not know it
    other_loader : a program besides that can load it: fujprog or iceprog
    flash_only : it takes a bitstream through its flash memory alone
    """

    name: str
    fpga: str
    platform: str | Callable[[], Any]
    geometry: Geometry
    clock_mhz: float
    pll_in_pad: bool = False
    baud: int = DEFAULT_BAUD
    uart: int = 0
    leds: tuple[int | None, int | None, int | None] = (0, 1, 2)
    loader: tuple[str, ...] = ()
    other_loader: str | None = None
    flash_only: bool = False

    def new_platform(self) -> Any:
        """A platform object; ImportError if the extra ``build`` is not installed."""
        if not isinstance(self.platform, str):
            return self.platform()
        module, name = self.platform.split(":")
        return getattr(import_module(module), name)()
