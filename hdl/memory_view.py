"""The memory view of an agent: a query against all kept ratings."""

from itertools import pairwise

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .comparator import PopcountComparator
from .geometry import Geometry
from .layouts import match_row_layout
from .working_memory import entry_latency, entry_read_signature

__all__ = ["MemoryView"]


class MemoryView(wiring.Component):
    """Streams the match counts of rows ``first_row`` to ``last_row`` of a memory and keeps the best match.

    One row per clock, the first one ``latency`` clocks after ``start``. Once the row with ``last`` is through,
    ``best_slot`` is the latest of the kept entries with the highest match count, 0 if there are none.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``
    query : ``In``, the code to compare, held until the last row is through
    first_row, last_row : ``In``, likewise
    kept : ``In``, entries of the memory
    read : ``Out(entry_read_signature(geometry))``, used while ``busy``
    o : ``Out(stream)`` of ``match_row_layout(geometry)``
    busy : ``Out(1)``, from ``start`` until the last row is through
    best_slot : ``Out``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._comparator = PopcountComparator(geometry)
        super().__init__(
            {
                "start": In(1),
                "query": In(geometry.code_bits),
                "first_row": In(range(geometry.memory_rows)),
                "last_row": In(range(geometry.memory_rows)),
                "kept": In(range(geometry.memory_depth + 1)),
                "read": Out(entry_read_signature(geometry)),
                "o": Out(stream.Signature(match_row_layout(geometry))),
                "busy": Out(1),
                "best_slot": Out(range(geometry.memory_depth)),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from ``start`` to the first row of match counts."""
        return 1 + entry_latency(self._geometry) + self._comparator.latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry, width = self._geometry, self._geometry.comparators
        m.submodules.comparator = comparator = self._comparator

        row, feeding = Signal(range(geometry.memory_rows)), Signal()
        rows = [row, *(Signal.like(row, name=f"row_{stage}") for stage in range(entry_latency(geometry)))]
        valids = [feeding, *(Signal(name=f"valid_{stage}") for stage in range(entry_latency(geometry)))]
        here, valid = rows[-1], valids[-1]
        advance = Signal()
        m.d.comb += [
            advance.eq(~valid | comparator.i.ready),
            self.read.en.eq(advance),
            self.read.slot.eq(row * width),
            comparator.i.valid.eq(valid),
            comparator.i.p.query.eq(self.query),
            comparator.i.p.last.eq(here == self.last_row),
        ]
        for index in range(width):
            m.d.comb += [
                comparator.i.p.codes[index].eq(self.read.row[index].code),
                comparator.i.p.mask[index].eq(here * width + index < self.kept),
            ]
        with m.If(advance):
            m.d.sync += [after.eq(before) for before, after in [*pairwise(rows), *pairwise(valids)]]
            m.d.sync += row.eq(row + 1)
            with m.If(row == self.last_row):
                m.d.sync += feeding.eq(0)

        through = self.o.valid & self.o.ready
        best = Signal(geometry.match_bits)
        passing_slot = Signal(range(geometry.memory_depth))
        m.d.comb += [
            self.o.valid.eq(comparator.o.valid),
            self.o.p.eq(comparator.o.p),
            comparator.o.ready.eq(self.o.ready),
        ]
        with m.If(through):
            m.d.sync += passing_slot.eq(passing_slot + width)
            row_best = best
            for index in range(width):
                better = Signal(name=f"better_{index}")
                m.d.comb += better.eq(self.o.p.mask[index] & (self.o.p.matches[index] >= row_best))
                with m.If(better):
                    m.d.sync += self.best_slot.eq(passing_slot + index)
                best_so_far = Signal(geometry.match_bits, name=f"best_{index}")
                m.d.comb += best_so_far.eq(Mux(better, self.o.p.matches[index], row_best))
                row_best = best_so_far
            m.d.sync += best.eq(row_best)
            with m.If(self.o.p.last):
                m.d.sync += self.busy.eq(0)
        with m.If(self.start):
            m.d.sync += [
                self.busy.eq(1),
                feeding.eq(1),
                row.eq(self.first_row),
                passing_slot.eq(self.first_row * width),
                best.eq(0),
                self.best_slot.eq(0),
            ]
        return m
