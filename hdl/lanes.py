"""Ranking lanes: as many films as there are lanes scored per clock, each by its own copy of the tables."""

from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .adder_tree import AdderTree
from .block_ram import make_memory, registered_read
from .delay import delayed
from .geometry import Geometry
from .layouts import film_layout, film_row_layout, score_row_layout, table_write_layout

__all__ = ["Lane", "RankingLanes"]


class Lane(wiring.Component):
    """Score of one film per clock: ``prior * 2 ** prior_shift + offset + sum of the addressed cells``.

    Nothing stalls: a score comes ``latency`` clocks after its film. A write is in the tables 1 clock after it came.
    All cells start at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    film : ``In(film_layout(geometry))``
    score : ``Out``
    offset : ``In``, the bias's part of every score; steady while films pass
    write_valid, write : ``In``, cells to write, and ``table_write_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        score = signed(geometry.score_bits)
        self._tree = AdderTree(signed(geometry.table_cell_bits), geometry.tables, score)
        super().__init__(
            {
                "film": In(film_layout(geometry)),
                "score": Out(score),
                "offset": In(score),
                "write_valid": In(1),
                "write": In(table_write_layout(geometry)),
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
        written = len(self.write.cells)
        for index in range(geometry.tables):
            table = make_memory(signed(geometry.table_cell_bits), geometry.table_cells)
            m.submodules[f"table_{index}"] = table
            write = table.write_port()
            address = self.film.code.word_select(index, geometry.table_bits)
            m.d.comb += [
                tree.i.p.terms[index].eq(registered_read(m, table, address)),
                write.en.eq(self.write_valid & (self.write.part == index // written)),
                write.addr.eq(self.write.address),
                write.data.eq(self.write.cells[index % written]),
            ]
        m.d.sync += [
            tree.i.p.tag.eq((self.film.prior << geometry.prior_shift) + self.offset),
            self.score.eq(tree.o.p.sum + tree.o.p.tag),
        ]
        m.d.comb += [tree.i.valid.eq(1), tree.o.ready.eq(1)]
        return m


class RankingLanes(wiring.Component):
    """Scores of a row of films per clock.

    Nothing stalls. As :class:`.Catalogue` gives it, a row's films come in one group of lanes after the other, those of
    the last group with the mask, and its scores together ``latency`` clocks after the mask. Writes go from one group
    to the next as well, so that no wire is long; they are in all tables ``write_latency`` clocks after they came.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i_valid, i : ``In``, ``i.mask`` and ``i.last`` are of a row, and ``film_row_layout(geometry)``
    o_valid, o : ``Out``, its scores, and ``score_row_layout(geometry)``
    offset : ``In``, the bias's part of every score; steady from ``write_latency`` clocks before the first row
    write_valid, write : ``In``, cells to write, and ``table_write_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
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
        """Clocks from a row's mask to its scores."""
        return self._lanes[0].latency + 1

    @property
    def write_latency(self) -> int:
        """Clocks from a write to the first row that sees it in every lane."""
        return 1 + self._geometry.hops

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        offsets = delayed(m, self.offset, geometry.hops, name="offset")
        valids = delayed(m, self.write_valid, geometry.hops, name="write_valid")
        writes = delayed(m, self.write, geometry.hops, name="write")
        for index, lane in enumerate(self._lanes):
            m.submodules[f"lane_{index}"] = lane
            hop = geometry.hop_of(index)
            m.d.comb += [
                lane.film.eq(self.i.films[index]),
                lane.offset.eq(offsets[hop]),
                lane.write_valid.eq(valids[hop]),
                lane.write.eq(writes[hop]),
            ]
            waited = delayed(m, lane.score, geometry.hops - hop, name=f"score_{index}")
            m.d.sync += self.o.scores[index].eq(waited[-1])
        m.d.comb += [
            self.o_valid.eq(delayed(m, self.i_valid, self.latency, name="valid")[-1]),
            self.o.mask.eq(delayed(m, self.i.mask, self.latency, name="mask")[-1]),
            self.o.last.eq(delayed(m, self.i.last, self.latency, name="last")[-1]),
        ]
        return m
