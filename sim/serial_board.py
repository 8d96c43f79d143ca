"""The whole chip compiled to machine code, down to the bits of its serial line."""

from collections.abc import Callable
from pathlib import Path

from ..hdl.geometry import Geometry
from ..hdl.protocol import build_id
from .compiled import shared_library
from .virtual import CompiledBoard

__all__ = ["SerialBoard"]


class SerialBoard(CompiledBoard):
    """A chip whose bytes travel as bits, without a gap wherever bytes wait.

    Parameters
    ----------
    geometry
        What the gateware is made for.
    divisor
        Clocks per bit of the line, at least 4; the fewer, the faster.
    cache, on_status
        As of :class:`.virtual.VirtualBoard`.

    Raises
    ------
    NoCompiler
        If this machine has no C++ compiler.
    """

    def __init__(
        self,
        geometry: Geometry,
        divisor: int,
        cache: Path | None = None,
        on_status: Callable[[str], None] | None = None,
    ) -> None:
        def top() -> object:
            from ..hdl.top import Top

            return Top(geometry, divisor)

        design = f"Top {divisor} {build_id():08x} {geometry}"
        super().__init__(shared_library(design, top, divisor=divisor, cache=cache, on_status=on_status))
