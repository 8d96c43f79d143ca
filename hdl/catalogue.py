"""The catalogue: codes and priors of all films, striped over the lanes, and marks on films to leave out."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, Signature

from .geometry import Geometry
from .layouts import film_layout, film_row_layout, lane_of, row_of

__all__ = ["Catalogue", "CatalogueScan", "film_read_signature"]


def film_read_signature(geometry: Geometry) -> Signature:
    """Read access to the catalogue: ``en`` and ``row`` out, and one clock later the row's films and marks."""
    return Signature(
        {
            "en": Out(1),
            "row": Out(range(geometry.rows)),
            "films": In(ArrayLayout(film_layout(geometry), geometry.lanes)),
            "marks": In(geometry.lanes),
        }
    )


class Catalogue(wiring.Component):
    """Film ``i`` lies in row ``i // lanes`` of lane ``i % lanes``, beside one mark that leaves it out of rankings.

    One row per clock; a read takes 1 clock and its data stay until the next one. Everything starts at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    read : ``In(film_read_signature(geometry))``
    write : ``In(...)``: ``en``, ``item``, ``film``
    mark : ``In(...)``: ``en``, ``item``, ``marked``; items beyond the catalogue are ignored
    wipe : ``In(...)``: ``en``, ``row``: clear the marks of a whole row
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        film = film_layout(geometry)
        super().__init__(
            {
                "read": In(film_read_signature(geometry)),
                "write": In(Signature({"en": Out(1), "item": Out(16), "film": Out(film)})),
                "mark": In(Signature({"en": Out(1), "item": Out(16), "marked": Out(1)})),
                "wipe": In(Signature({"en": Out(1), "row": Out(range(geometry.rows))})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        for lane in range(geometry.lanes):
            memory = Memory(shape=film_layout(geometry), depth=geometry.rows, init=[])
            m.submodules[f"lane_{lane}"] = memory
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.en.eq(self.read.en),
                read.addr.eq(self.read.row),
                self.read.films[lane].eq(read.data),
                write.en.eq(self.write.en & (lane_of(self.write.item, geometry.lanes) == lane)),
                write.addr.eq(row_of(self.write.item, geometry.lanes)),
                write.data.eq(self.write.film),
            ]

        m.submodules.marks = marks = Memory(shape=unsigned(geometry.lanes), depth=geometry.rows, init=[])
        read, write = marks.read_port(), marks.write_port(granularity=1)
        m.d.comb += [
            read.en.eq(self.read.en),
            read.addr.eq(self.read.row),
            self.read.marks.eq(read.data),
        ]
        with m.If(self.wipe.en):
            m.d.comb += [write.addr.eq(self.wipe.row), write.en.eq(~0)]
        with m.Elif(self.mark.en & (self.mark.item < geometry.catalogue_depth)):
            m.d.comb += [
                write.addr.eq(row_of(self.mark.item, geometry.lanes)),
                write.data.eq(self.mark.marked.replicate(geometry.lanes)),
                write.en.eq(1 << lane_of(self.mark.item, geometry.lanes)),
            ]
        return m


class CatalogueScan(wiring.Component):
    """Streams all loaded rows of the catalogue in order, one per clock, the first one 2 clocks after ``start``.

    An empty catalogue gives one row with an empty mask, so that a scan always ends with ``last``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while no scan runs
    loaded : ``In(16)``, films in the catalogue
    read : ``Out(film_read_signature(geometry))``
    o : ``Out(stream)`` of ``film_row_layout(geometry)``; the mask leaves out marked films and padding
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "loaded": In(16),
                "read": Out(film_read_signature(geometry)),
                "o": Out(stream.Signature(film_row_layout(geometry))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._geometry.lanes
        row = Signal(range(self._geometry.rows))
        running, advance, at_end = Signal(), Signal(), Signal()
        first_item = Signal(16)
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            at_end.eq((row + 1) * lanes >= self.loaded),
            self.read.en.eq(advance),
            self.read.row.eq(row),
            self.o.p.films.eq(self.read.films),
        ]
        for lane in range(lanes):
            m.d.comb += self.o.p.mask[lane].eq(~self.read.marks[lane] & (first_item + lane < self.loaded))
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq(running),
                self.o.p.last.eq(at_end),
                first_item.eq(row * lanes),
                row.eq(row + 1),
            ]
            with m.If(at_end):
                m.d.sync += running.eq(0)
        with m.If(self.start):
            m.d.sync += [running.eq(1), row.eq(0)]
        return m
