"""Ranking lanes: as many films as there are lanes scored per clock, each by its own copy of the tables."""

from itertools import pairwise

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .adder_tree import AdderTree
from .block_ram import make_memory, registered_read
from .geometry import Geometry
from .layouts import film_layout, film_row_layout, score_row_layout, table_write_layout

__all__ = ["Lane", "RankingLanes"]


class Lane(wiring.Component):
    """Score of one film per clock: ``prior * 2 ** prior_shift + offset + sum of the addressed cells``.

    Nothing stalls: a score comes ``latency`` clocks after its film. A write is registered, handed on to further
    lanes, and in the tables 2 clocks after it came. All cells start at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    film : ``In(film_layout(geometry))``
    score : ``Out``
    offset : ``In``, the bias's part of every score; steady while films pass
    write_valid, write : ``In``, cells to write, and ``table_write_layout(geometry)``
    next_valid, next_write : ``Out``, the same one clock later, for other lanes
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        score = signed(geometry.score_bits)
        write = table_write_layout(geometry)
        self._tree = AdderTree(signed(geometry.table_cell_bits), geometry.tables, score)
        super().__init__(
            {
                "film": In(film_layout(geometry)),
                "score": Out(score),
                "offset": In(score),
                "write_valid": In(1),
                "write": In(write),
                "next_valid": Out(1),
                "next_write": Out(write),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from a film to its score."""
        return 1 + self._tree.latency + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        m.submodules.tree = tree = self._tree
        m.d.sync += [self.next_valid.eq(self.write_valid), self.next_write.eq(self.write)]
        written = len(self.next_write.cells)
        for index in range(geometry.tables):
            table = make_memory(signed(geometry.table_cell_bits), geometry.table_cells)
            m.submodules[f"table_{index}"] = table
            write = table.write_port()
            address = self.film.code.word_select(index, geometry.table_bits)
            m.d.comb += [
                tree.i.p.terms[index].eq(registered_read(m, table, address)),
                write.en.eq(self.next_valid & (self.next_write.group == index // written)),
                write.addr.eq(self.next_write.address),
                write.data.eq(self.next_write.cells[index % written]),
            ]
        m.d.sync += [
            tree.i.p.tag.eq((self.film.prior << geometry.prior_shift) + self.offset),
            self.score.eq(tree.o.p.sum + tree.o.p.tag),
        ]
        m.d.comb += [tree.i.valid.eq(1), tree.o.ready.eq(1)]
        return m


class RankingLanes(wiring.Component):
    """Scores of a row of films per clock.

    Nothing stalls: a row's scores come ``latency`` clocks after it. Writes spread over the lanes as over a
    binary tree, each lane handing them on to two others, so that no wire is long; they are in all tables
    ``write_latency`` clocks after they came.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i_valid, i : ``In``, a row, and ``film_row_layout(geometry)``
    o_valid, o : ``Out``, its scores, and ``score_row_layout(geometry)``
    offset : ``In``, the bias's part of every score; steady while rows pass
    write_valid, write : ``In``, cells to write, and ``table_write_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._lanes = [Lane(geometry) for _ in range(geometry.lanes)]
        super().__init__(
            {
                "i_valid": In(1),
                "i": In(film_row_layout(geometry)),
                "o_valid": Out(1),
                "o": Out(score_row_layout(geometry)),
                "offset": In(signed(geometry.score_bits)),
                "write_valid": In(1),
                "write": In(table_write_layout(geometry)),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from a row to its scores."""
        return self._lanes[0].latency

    @property
    def write_latency(self) -> int:
        """Clocks from a write to the first row that sees it in every lane."""
        return 1 + len(self._lanes).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for index, lane in enumerate(self._lanes):
            m.submodules[f"lane_{index}"] = lane
            m.d.comb += [
                lane.film.eq(self.i.films[index]),
                lane.offset.eq(self.offset),
                self.o.scores[index].eq(lane.score),
            ]
            if index == 0:
                m.d.comb += [lane.write_valid.eq(self.write_valid), lane.write.eq(self.write)]
            else:
                before = self._lanes[(index - 1) // 2]
                m.d.comb += [lane.write_valid.eq(before.next_valid), lane.write.eq(before.next_write)]

        tag = StructLayout({"valid": 1, "mask": len(self.i.mask), "last": 1})
        on_its_way = [Signal(tag, name=f"tag_{stage}") for stage in range(self.latency)]
        m.d.sync += [
            on_its_way[0].valid.eq(self.i_valid),
            on_its_way[0].mask.eq(self.i.mask),
            on_its_way[0].last.eq(self.i.last),
        ]
        for tag_before, tag_after in pairwise(on_its_way):
            m.d.sync += tag_after.eq(tag_before)
        m.d.comb += [
            self.o_valid.eq(on_its_way[-1].valid),
            self.o.mask.eq(on_its_way[-1].mask),
            self.o.last.eq(on_its_way[-1].last),
        ]
        return m
