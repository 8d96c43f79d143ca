"""The geometry of a device that nobody has named."""

from contextlib import closing

from ..hdl.geometry import ECP5_85F, TINY, Geometry
from .driver import Driver
from .geometries import parse_geometry
from .transport import open_transport

__all__ = ["board_geometry", "geometry_of"]


def board_geometry(backend: str) -> Geometry:
    """What the board behind a serial backend says that it is made for.

    Raises
    ------
    RamrecError
        If it can not be opened, does not answer, or speaks another protocol.
    """
    with closing(open_transport(backend, TINY)) as transport:
        return Driver(transport, TINY, retries=2).describe().geometry


def geometry_of(backend: str, text: str | None) -> Geometry:
    """The geometry that ``text`` names; without one a board's own, and ECP5_85F for what can be made for any.

    Raises
    ------
    RamrecError
        If the text names none, or the board does not say.
    """
    if text is not None:
        return parse_geometry(text)
    return board_geometry(backend) if backend.startswith("serial:") else ECP5_85F
