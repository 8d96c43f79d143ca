"""The boards: name -> platform, geometry preset and line speed."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..hdl.geometry import ECP5_25F, ECP5_85F, UP5K, Geometry
from ..hdl.protocol import DEFAULT_BAUD

__all__ = ["BOARDS", "Board"]


@dataclass(frozen=True)
class Board:
    """A board that can carry a device.

    Attributes
    ----------
    name : how users call it
    platform_path : ``module:class`` of its amaranth-boards platform, which knows pins, clock and tools
    geometry : what it is made for
    fpga : its device, as people say it
    baud : speed of the serial line behind its USB port
    """

    name: str
    platform_path: str
    geometry: Geometry
    fpga: str
    baud: int = DEFAULT_BAUD

    def platform(self) -> Any:
        """A new platform object; ImportError if the extra ``build`` is not installed."""
        module, name = self.platform_path.split(":")
        make: Callable[[], Any] = getattr(import_module(module), name)
        return make()


BOARDS = {
    board.name: board
    for board in (
        Board("icebreaker", "amaranth_boards.icebreaker:ICEBreakerPlatform", UP5K, "Lattice iCE40 UP5K"),
        Board("ulx3s-25f", "amaranth_boards.ulx3s:ULX3S_25F_Platform", ECP5_25F, "Lattice ECP5 25F"),
        Board("ulx3s-85f", "amaranth_boards.ulx3s:ULX3S_85F_Platform", ECP5_85F, "Lattice ECP5 85F"),
    )
}
