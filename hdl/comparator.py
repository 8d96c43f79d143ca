"""Parallel popcount comparator: how many RAM neurons two codes address alike."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

from .adder_tree import AdderTree
from .geometry import Geometry
from .layouts import match_row_layout

__all__ = ["PopcountComparator"]


class PopcountComparator(wiring.Component):
    """Match counts of a query with ``comparators`` stored codes at a time: XOR, then a popcount of equal tuples.

    One row per clock; a row's counts come ``latency`` clocks after it.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i : ``In(stream)`` of ``query``, ``codes``, ``mask``, ``last``
    o : ``Out(stream)`` of ``match_row_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._row = StructLayout(
            {
                "query": geometry.code_bits,
                "codes": ArrayLayout(geometry.code_bits, geometry.comparators),
                "mask": geometry.comparators,
                "last": 1,
            }
        )
        tag = StructLayout({"mask": geometry.comparators, "last": 1})
        self._trees = [
            AdderTree(unsigned(1), geometry.neurons, tag, levels_per_stage=2) for _ in range(geometry.comparators)
        ]
        super().__init__(
            {
                "i": In(stream.Signature(self._row)),
                "o": Out(stream.Signature(match_row_layout(geometry))),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from codes to match counts."""
        return 1 + self._trees[0].latency

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        valid, advance = Signal(), Signal()
        tag = Signal(StructLayout({"mask": geometry.comparators, "last": 1}))
        m.d.comb += [advance.eq(~valid | self._trees[0].i.ready), self.i.ready.eq(advance)]
        with m.If(advance):
            m.d.sync += [valid.eq(self.i.valid), tag.mask.eq(self.i.p.mask), tag.last.eq(self.i.p.last)]
        for index, tree in enumerate(self._trees):
            m.submodules[f"popcount_{index}"] = tree
            # Bit m * tuple_bits collects its tuple's differences; the bits between mean nothing.
            differing = self.i.p.query ^ self.i.p.codes[index]
            for distance in (1, 2):
                if distance < geometry.tuple_bits:
                    differing |= differing >> distance
            alike = Signal(geometry.code_bits, name=f"alike_{index}")
            with m.If(advance):
                m.d.sync += alike.eq(~differing)
            m.d.comb += [
                tree.i.valid.eq(valid),
                tree.i.p.terms.eq(Cat(alike[:: geometry.tuple_bits])),
                tree.i.p.tag.eq(tag),
                tree.o.ready.eq(self.o.ready),
                self.o.p.matches[index].eq(tree.o.p.sum),
            ]
        m.d.comb += [
            self.o.valid.eq(self._trees[0].o.valid),
            self.o.p.mask.eq(self._trees[0].o.p.tag.mask),
            self.o.p.last.eq(self._trees[0].o.p.tag.last),
        ]
        return m
