"""Looking films up by their numbers."""

from itertools import pairwise

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, Layout, StructLayout
from amaranth.lib.wiring import In, Out, Signature

from .catalogue import READ_LATENCY
from .geometry import Geometry
from .layouts import film_layout, place_layout
from .locator import Locator

__all__ = ["FilmLookup", "OneFilmLookup", "lookup_signature"]


def lookup_signature(geometry: Geometry, tag: Layout) -> Signature:
    """Ports of :class:`FilmLookup`, as it describes them."""
    film = film_layout(geometry)
    return Signature(
        {
            "i_valid": In(1),
            "item": In(16),
            "tag": In(tag),
            "loaded": In(16),
            "row": Out(range(geometry.rows)),
            "ask": Out(1),
            "ready": In(1),
            "films": In(ArrayLayout(film, geometry.lanes)),
            "busy": Out(1),
            "o_valid": Out(1),
            "place": Out(place_layout(geometry)),
            "film": Out(film),
            "known": Out(1),
            "o_tag": Out(tag),
        }
    )


class FilmLookup(wiring.Component):
    """Finds the place of an item in the catalogue, and the film there.

    One item per clock; its film comes ``latency`` clocks later. Nothing stalls.

    Parameters
    ----------
    geometry : :class:`Geometry`
    tag : layout of what travels along with an item

    Members
    -------
    i_valid, item, tag : ``In``
    loaded : ``In(16)``, films in the catalogue
    row, ask, ready, films : the catalogue's, which must always be ready
    busy : ``Out(1)``, items are on their way
    o_valid, place, film, o_tag : ``Out``, of the item
    known : ``Out(1)``, the item is loaded; if not, place and film mean nothing
    """

    latency = Locator.latency + READ_LATENCY + 1

    def __init__(self, geometry: Geometry, tag: Layout) -> None:
        self._geometry = geometry
        self._tag = tag
        super().__init__(lookup_signature(geometry, tag))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.locator = locator = Locator(self._geometry)
        m.d.comb += [locator.item.eq(self.item), self.row.eq(locator.place.row), self.ask.eq(1)]

        layout = StructLayout({"valid": 1, "known": 1, "tag": self._tag})
        stages = [Signal(layout, name=f"stage_{stage}") for stage in range(self.latency)]
        item = Signal(16)
        m.d.sync += [item.eq(self.item), stages[0].valid.eq(self.i_valid), stages[0].tag.eq(self.tag)]
        for before, after in pairwise(stages):
            m.d.sync += after.eq(before)
        m.d.sync += stages[1].known.eq(item < self.loaded)
        places = [locator.place, *(Signal(place_layout(self._geometry)) for _ in range(READ_LATENCY + 1))]
        for before, after in pairwise(places):
            m.d.sync += after.eq(before)
        m.d.sync += self.film.eq(self.films[places[READ_LATENCY].lane])
        valid = stages[-1].valid
        for stage in stages[:-1]:
            valid |= stage.valid
        m.d.comb += [
            self.busy.eq(self.i_valid | valid),
            self.o_valid.eq(stages[-1].valid),
            self.known.eq(stages[-1].known),
            self.o_tag.eq(stages[-1].tag),
            self.place.eq(places[-1]),
        ]
        return m


class OneFilmLookup(wiring.Component):
    """The same for one item at a time, and for one lane: it waits until the catalogue is ready.

    An item comes once the one before has been found, at the earliest ``latency`` clocks after it; ``place``,
    ``film``, ``known`` and ``o_tag`` stay until then.

    Parameters
    ----------
    geometry : :class:`Geometry`, with one lane
    tag : layout of what travels along with an item

    Members
    -------
    all of :class:`FilmLookup`
    """

    latency = 1 + READ_LATENCY

    def __init__(self, geometry: Geometry, tag: Layout) -> None:
        if geometry.lanes != 1:
            raise ValueError(f"one film at a time is looked up in one lane, not in {geometry.lanes!r}")
        super().__init__(lookup_signature(geometry, tag))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        item = Signal(16)
        reading = Signal(READ_LATENCY)
        with m.If(self.i_valid):
            m.d.sync += [item.eq(self.item), self.o_tag.eq(self.tag), self.ask.eq(1)]
        with m.Elif(self.ready):
            m.d.sync += self.ask.eq(0)
        m.d.sync += [reading.eq(Cat(self.ask & self.ready, reading)), self.known.eq(item < self.loaded)]
        m.d.comb += [
            self.row.eq(item),
            self.place.row.eq(item),
            self.film.eq(self.films[0]),
            self.busy.eq(self.i_valid | self.ask | reading.any()),
            self.o_valid.eq(reading[-1]),
        ]
        return m
