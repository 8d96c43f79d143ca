"""Scoring in the table view: RAM lookups and an adder tree."""

from amaranth import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out, connect, flipped

from .adder_tree import AdderTree
from .geometry import Geometry
from .layouts import film_row_layout, score_row_layout, table_signature
from .neurons import RamNeurons

__all__ = ["TableScorer"]


class TableScorer(wiring.Component):
    """Scores of ``lanes`` films at a time: ``prior * 2 ** prior_shift + offset + sum of the addressed cells``.

    One row of films per ``groups`` clocks; a row's scores come ``latency`` clocks after the row is offered.
    Every lane has its own copy of the tables and follows the same writes. Cells must not be written while
    rows that should not see the write are still on their way.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i : ``In(stream)`` of ``film_row_layout(geometry)``
    o : ``Out(stream)`` of ``score_row_layout(geometry)``
    offset : ``In``, the bias's part of every score
    write : ``In(table_signature(geometry))``, cells to write in every lane
    tap : ``Out(table_signature(geometry))``, the cells that lane 0 has just read
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "i": In(stream.Signature(film_row_layout(geometry))),
                "o": Out(stream.Signature(score_row_layout(geometry))),
                "offset": In(signed(geometry.score_bits)),
                "write": In(table_signature(geometry)),
                "tap": Out(table_signature(geometry)),
            }
        )
        tag = StructLayout(
            {"priors": ArrayLayout(signed(8), geometry.lanes), "mask": geometry.lanes, "last": 1, "final": 1}
        )
        self._tag = tag
        self._trees = [
            AdderTree(signed(geometry.cell_bits), geometry.neurons_per_clock, tag) for _ in range(geometry.lanes)
        ]

    @property
    def latency(self) -> int:
        """Clocks from a row to its scores."""
        return self._geometry.groups + self._trees[0].latency + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        trees = self._trees
        lanes = [RamNeurons(geometry) for _ in trees]
        for index, (lane, tree) in enumerate(zip(lanes, trees, strict=True)):
            m.submodules[f"lane_{index}"] = lane
            m.submodules[f"tree_{index}"] = tree
            connect(m, flipped(self.write), lane.write)

        # The lanes run in step, so the first tree's handshake is everyone's.
        group = Signal(range(geometry.groups))
        final = group == geometry.groups - 1
        read_valid = Signal()
        read_tag = Signal(self._tag)
        advance = Signal()
        m.d.comb += [
            advance.eq(~read_valid | trees[0].i.ready),
            self.i.ready.eq(advance & final),
        ]
        selected = [
            film.code.word_select(group, geometry.neurons_per_clock * geometry.tuple_bits) for film in self.i.p.films
        ]
        for lane, picked in zip(lanes, selected, strict=True):
            m.d.comb += [lane.read.en.eq(advance), lane.read.group.eq(group), lane.read.tuples.eq(picked)]
        with m.If(advance):
            m.d.sync += [
                read_valid.eq(self.i.valid),
                read_tag.mask.eq(self.i.p.mask),
                read_tag.last.eq(self.i.p.last),
                read_tag.final.eq(final),
                self.tap.group.eq(group),
                self.tap.tuples.eq(selected[0]),
            ]
            m.d.sync += [read_tag.priors[j].eq(film.prior) for j, film in enumerate(self.i.p.films)]
            with m.If(self.i.valid):
                m.d.sync += group.eq(0 if geometry.groups == 1 else group + 1)
                with m.If(final):
                    m.d.sync += group.eq(0)
        m.d.comb += [self.tap.valid.eq(read_valid), self.tap.cells.eq(lanes[0].read.cells)]

        collect = Signal()
        m.d.comb += collect.eq(~self.o.valid | self.o.ready)
        for lane, tree in zip(lanes, trees, strict=True):
            m.d.comb += [
                tree.i.valid.eq(read_valid),
                tree.i.p.terms.eq(lane.read.cells),
                tree.i.p.tag.eq(read_tag),
                tree.o.ready.eq(collect),
            ]
        summed = trees[0].o
        with m.If(collect):
            m.d.sync += [
                self.o.valid.eq(summed.valid & summed.p.tag.final),
                self.o.p.mask.eq(summed.p.tag.mask),
                self.o.p.last.eq(summed.p.tag.last),
            ]
            for index, tree in enumerate(trees):
                partial = Signal(signed(geometry.score_bits), name=f"partial_{index}")
                total = Signal(signed(geometry.score_bits), name=f"total_{index}")
                prior = tree.o.p.tag.priors[index]
                m.d.comb += total.eq(partial + tree.o.p.sum)
                m.d.sync += self.o.p.scores[index].eq(total + (prior << geometry.prior_shift) + self.offset)
                with m.If(summed.valid):
                    m.d.sync += partial.eq(total)
                    with m.If(summed.p.tag.final):
                        m.d.sync += partial.eq(0)
        return m
