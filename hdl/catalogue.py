"""The catalogue: codes and priors of all films, striped over the lanes, and marks on films to leave out."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import In, Out, Signature

from .block_ram import make_memory, registered_read
from .delay import delayed
from .geometry import Geometry
from .layouts import film_layout, film_row_layout, place_layout

__all__ = [
    "MARKS_LATENCY",
    "Catalogue",
    "CatalogueScan",
    "Marks",
    "catalogue_signature",
    "film_latency",
    "marks_signature",
    "read_latency",
]

MARKS_LATENCY = 2
"""Clocks from a row's number to its marks: block RAM, and a register of its own, as block RAM is slow."""


def film_latency(geometry: Geometry, lane: int) -> int:
    """Clocks from a row's number to its film of a lane: as for marks, and the way to the lane."""
    return MARKS_LATENCY + geometry.hop_of(lane)


def read_latency(geometry: Geometry) -> int:
    """Clocks from a row's number to its last film and its marks."""
    return MARKS_LATENCY + geometry.hops


def marks_signature(geometry: Geometry) -> Signature:
    """Access to the marks, as :class:`Marks` gives it."""
    place, row = place_layout(geometry), range(geometry.rows)
    return Signature(
        {
            "row": In(row),
            "marks": Out(geometry.lanes),
            "mark": In(Signature({"en": Out(1), "place": Out(place), "marked": Out(1)})),
            "fill": In(Signature({"en": Out(1), "row": Out(row), "marked": Out(1)})),
        }
    )


def catalogue_signature(geometry: Geometry) -> Signature:
    """Access to films and marks, as :class:`Catalogue` gives it."""
    film, place = film_layout(geometry), place_layout(geometry)
    return Signature(
        {
            **marks_signature(geometry).members,
            "ask": In(1),
            "ready": Out(1),
            "films": Out(ArrayLayout(film, geometry.lanes)),
            "write": In(Signature({"en": Out(1), "place": Out(place), "film": Out(film)})),
        }
    )


class Marks(wiring.Component):
    """One mark beside each film, which leaves it out of rankings; they start at zero.

    One row is read, `MARKS_LATENCY` clocks later, and one mark or row of marks written per clock.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    row : ``In``, to read
    marks : ``Out``, of that row
    mark : ``In(...)``: ``en``, ``place``, ``marked``
    fill : ``In(...)``: ``en``, ``row``, ``marked``: mark or unmark a whole row
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(marks_signature(geometry))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._geometry.lanes
        m.submodules.marks = marks = make_memory(unsigned(lanes), self._geometry.rows)
        write = marks.write_port(granularity=1)
        m.d.comb += [
            write.addr.eq(self.mark.place.row),
            write.data.eq(self.mark.marked.replicate(lanes)),
        ]
        m.d.sync += self.marks.eq(registered_read(m, marks, self.row))
        with m.If(self.fill.en):
            m.d.comb += [
                write.addr.eq(self.fill.row),
                write.data.eq(self.fill.marked.replicate(lanes)),
                write.en.eq(~0),
            ]
        with m.Elif(self.mark.en):
            m.d.comb += write.en.eq(1 << self.mark.place.lane)
        return m


class Catalogue(wiring.Component):
    """Film ``i`` lies in row ``i // lanes`` of lane ``i % lanes``, beside its mark.

    One row is read and one film or mark written per clock; a read gives what was written before it. Everything
    starts at zero.

    The lanes lie all over the chip, so what they are told goes from one group of lanes to the next in one clock
    each. So a row comes askew: each of its films after `film_latency` clocks, its marks after `read_latency`.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    row : ``In``, to read
    ask : ``In(1)``, and means it; here every row is read
    ready : ``Out(1)``, it is read in this clock; always
    films, marks : ``Out``, of that row
    write : ``In(...)``: ``en``, ``place``, ``film``
    mark, fill : :class:`Marks`'
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(catalogue_signature(geometry))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        hops = geometry.hops
        rows = delayed(m, self.row, hops, name="row")
        enables = delayed(m, self.write.en, hops, name="write_en")
        places = delayed(m, self.write.place, hops, name="write_place")
        written = delayed(m, self.write.film, hops, name="write_film")
        for lane in range(geometry.lanes):
            hop = geometry.hop_of(lane)
            memory = make_memory(film_layout(geometry), geometry.rows)
            m.submodules[f"lane_{lane}"] = memory
            write = memory.write_port()
            m.d.comb += [
                write.en.eq(enables[hop] & (places[hop].lane == lane)),
                write.addr.eq(places[hop].row),
                write.data.eq(written[hop]),
            ]
            film = Signal(film_layout(geometry), name=f"film_{lane}")
            m.d.sync += film.eq(registered_read(m, memory, rows[hop]))
            m.d.comb += self.films[lane].eq(film)

        m.submodules.marks = marks = Marks(geometry)
        m.d.comb += [
            self.ready.eq(1),
            marks.row.eq(rows[-1]),
            self.marks.eq(marks.marks),
            marks.mark.en.eq(delayed(m, self.mark.en, hops, name="mark_en")[-1]),
            marks.mark.place.eq(delayed(m, self.mark.place, hops, name="mark_place")[-1]),
            marks.mark.marked.eq(delayed(m, self.mark.marked, hops, name="marked")[-1]),
            marks.fill.en.eq(delayed(m, self.fill.en, hops, name="fill_en")[-1]),
            marks.fill.row.eq(delayed(m, self.fill.row, hops, name="fill_row")[-1]),
            marks.fill.marked.eq(delayed(m, self.fill.marked, hops, name="filled")[-1]),
        ]
        return m


class CatalogueScan(wiring.Component):
    """Streams loaded rows of the catalogue in order, one per clock while there is ``room`` for them.

    A row's mask comes `read_latency` clocks after the clock that asked for it and was ``ready``, the first one at
    least one more after ``start``; its films come as :class:`Catalogue` gives them, up to then. An empty catalogue
    gives one row with an empty mask, so that a scan always ends with ``last``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while no row is asked for
    first : ``In(16)``, film at which to start; 0 unless there is one lane
    loaded : ``In(16)``, films in the catalogue
    room : ``In(1)``, one more row may be asked for in this clock
    issued : ``Out(1)``, a row is asked for and read in this clock
    row, ask, ready, films, marks : :class:`Catalogue`'s
    valid, o : ``Out``, ``o.mask`` and ``o.last`` are of a row, and ``film_row_layout(geometry)``; the mask leaves out
        marked films and padding
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "first": In(16),
                "loaded": In(16),
                "room": In(1),
                "issued": Out(1),
                "row": Out(range(geometry.rows)),
                "ask": Out(1),
                "ready": In(1),
                "films": In(ArrayLayout(film_layout(geometry), geometry.lanes)),
                "marks": In(geometry.lanes),
                "valid": Out(1),
                "o": Out(film_row_layout(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._geometry.lanes
        running, at_end, loaded = Signal(), Signal(), Signal(lanes)
        m.d.comb += [
            self.ask.eq(running & self.room),
            self.issued.eq(self.ask & self.ready),
        ]
        with m.If(self.issued):
            m.d.sync += self.row.eq(self.row + 1)
            with m.If(at_end):
                m.d.sync += running.eq(0)
        with m.If(self.start):
            m.d.sync += [running.eq(1), self.row.eq(self.first if lanes == 1 else 0)]
        if lanes == 1:
            final = Signal(16)
            m.d.sync += [final.eq(self.loaded - 1), loaded.eq(self.loaded != 0)]
            m.d.comb += at_end.eq((self.row == final) | ~loaded)
        else:
            left = Signal(16)
            m.d.comb += at_end.eq(left <= lanes)
            with m.If(self.issued):
                m.d.sync += left.eq(left - lanes)
            with m.If(self.start):
                m.d.sync += left.eq(self.loaded)
            for lane in range(lanes):
                m.d.comb += loaded[lane].eq(left > lane)

        latency = read_latency(self._geometry)
        m.d.comb += [
            self.valid.eq(delayed(m, self.issued, latency, name="issued")[-1]),
            self.o.films.eq(self.films),
            self.o.mask.eq(delayed(m, loaded, latency, name="loaded")[-1] & ~self.marks),
            self.o.last.eq(delayed(m, at_end, latency, name="at_end")[-1]),
        ]
        return m
