"""Where the catalogue holds a film."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import place_layout

__all__ = ["Locator"]

_ITEM_BITS = 16


class Locator(wiring.Component):
    """Divides an item number by the number of lanes: the quotient is the film's row, the rest its lane.

    One item per clock; its place comes ``latency`` clocks later. The quotient is a product with a rounded-up
    reciprocal, exact for every item number (Granlund & Montgomery 1994).

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    item : ``In(16)``; of an item beyond the catalogue the place means nothing
    place : ``Out(place_layout(geometry))``
    """

    latency = 3

    def __init__(self, geometry: Geometry) -> None:
        self._lanes = geometry.lanes
        super().__init__({"item": In(_ITEM_BITS), "place": Out(place_layout(geometry))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shift = _ITEM_BITS + (self._lanes - 1).bit_length()
        reciprocal = -(-(1 << shift) // self._lanes)
        asked, item, row = Signal(_ITEM_BITS), Signal(_ITEM_BITS), Signal(_ITEM_BITS)
        product = Signal(_ITEM_BITS + reciprocal.bit_length())
        m.d.comb += row.eq(product >> shift)
        m.d.sync += [
            asked.eq(self.item),
            product.eq(asked * reciprocal),
            item.eq(asked),
            self.place.row.eq(row),
            self.place.lane.eq(item - row * self._lanes),
        ]
        return m
