"""Looking films up by their numbers."""

from itertools import groupby

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout, Layout
from amaranth.lib.wiring import In, Out, Signature

from .catalogue import MARKS_LATENCY, read_latency
from .delay import delayed
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
    busy : ``Out(1)``, from the clock after an item until it is out
    o_valid, place, film, o_tag : ``Out``, of the item
    known : ``Out(1)``, the item is loaded; if not, place and film mean nothing
    """

    def __init__(self, geometry: Geometry, tag: Layout) -> None:
        self._geometry = geometry
        self._tag = tag
        self.latency = Locator.latency + read_latency(geometry) + 1
        super().__init__(lookup_signature(geometry, tag))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        item, known = Signal(16), Signal()
        m.submodules.locator = locator = Locator(geometry)
        m.d.comb += [locator.item.eq(self.item), self.row.eq(locator.place.row), self.ask.eq(1)]

        m.d.sync += item.eq(self.item)
        m.d.sync += known.eq(item < self.loaded)
        asked = delayed(m, self.i_valid, self.latency, name="asked")
        places = delayed(m, locator.place, self.latency - locator.latency, name="place")

        # The film is picked out of its row on the way from one group of lanes to the next.
        film = self.films[0]
        for hop, group in groupby(range(geometry.lanes), geometry.hop_of):
            passed_on, film = film, Signal(film_layout(geometry), name=f"film_{hop}")
            m.d.sync += film.eq(passed_on)
            with m.Switch(places[MARKS_LATENCY + hop].lane):
                for lane in group:
                    with m.Case(lane):
                        m.d.sync += film.eq(self.films[lane])
        m.d.comb += [
            self.film.eq(film),
            self.busy.eq(Cat(asked[1:]).any()),
            self.o_valid.eq(asked[-1]),
            self.known.eq(delayed(m, known, self.latency - 2, name="known")[-1]),
            self.o_tag.eq(delayed(m, self.tag, self.latency, name="tag")[-1]),
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

    def __init__(self, geometry: Geometry, tag: Layout) -> None:
        if geometry.lanes != 1:
            raise ValueError(f"one film at a time is looked up in one lane, not in {geometry.lanes!r}")
        self._read_latency = read_latency(geometry)
        self.latency = 1 + self._read_latency
        super().__init__(lookup_signature(geometry, tag))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        item = Signal(16)
        reading = Signal(self._read_latency)
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
