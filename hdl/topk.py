"""Exact top-k: rows of scores become single candidates, candidates a sorted list."""

from itertools import pairwise

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import score_row_layout

__all__ = ["Collector", "TopK", "candidate_layout"]


def candidate_layout(geometry: Geometry) -> StructLayout:
    """A film that may enter the list: ``keep`` = 0 only carries ``last``."""
    return StructLayout({"score": signed(geometry.score_bits), "item": 16, "keep": 1, "last": 1})


class Collector(wiring.Component):
    """Turns rows of scores into candidates, in item order, dropping those that can not enter the list.

    A row without candidates takes 1 clock, a row with ``n`` of them ``n`` clocks; the first candidate comes
    2 clocks after its row. The last row always ends in one record with ``last``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, numbers the next row 0
    full, threshold : ``In``, :class:`TopK`'s; a candidate must beat ``threshold`` if ``full``
    i : ``In(stream)`` of ``score_row_layout(geometry)``
    o : ``Out(stream)`` of ``candidate_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "full": In(1),
                "threshold": In(signed(geometry.score_bits)),
                "i": In(stream.Signature(score_row_layout(geometry))),
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = self._geometry.lanes
        scores = Signal(ArrayLayout(signed(self._geometry.score_bits), lanes))
        waiting = Signal(lanes)
        ending = Signal()
        first_item, next_item = Signal(16), Signal(16)

        passing = Signal(lanes)
        for lane in range(lanes):
            beats = ~self.full | (self.i.p.scores[lane] > self.threshold)
            m.d.comb += passing[lane].eq(self.i.p.mask[lane] & beats)

        chosen = Signal(range(lanes))
        for lane in reversed(range(lanes)):
            with m.If(waiting[lane]):
                m.d.comb += chosen.eq(lane)
        rest = Signal(lanes)
        m.d.comb += rest.eq(waiting & (waiting - 1)[:lanes])

        advance, emptied = Signal(), Signal()
        m.d.comb += [
            advance.eq(~self.o.valid | self.o.ready),
            emptied.eq(advance & (rest == 0)),
            self.i.ready.eq(emptied),
        ]
        with m.If(advance):
            m.d.sync += [
                self.o.valid.eq((waiting != 0) | ending),
                self.o.p.score.eq(scores[chosen]),
                self.o.p.item.eq(first_item + chosen),
                self.o.p.keep.eq(waiting != 0),
                self.o.p.last.eq(ending & (rest == 0)),
                waiting.eq(rest),
            ]
        with m.If(emptied):
            m.d.sync += [waiting.eq(0), ending.eq(0)]
            with m.If(self.i.valid):
                m.d.sync += [
                    scores.eq(self.i.p.scores),
                    waiting.eq(passing),
                    ending.eq(self.i.p.last),
                    first_item.eq(next_item),
                    next_item.eq(next_item + lanes),
                ]
        with m.If(self.start):
            m.d.sync += next_item.eq(0)
        return m


class TopK(wiring.Component):
    """The ``top_k`` best candidates, best first; of equal scores the one that came first.

    Takes one candidate per clock into a sorted shift register. After the candidate with ``last`` the list
    comes out, one per clock, the first 1 clock later, ``last`` with its end, and is empty again. An empty
    list comes out as one record without ``keep``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of ``candidate_layout(geometry)``
    full : ``Out(1)``, the list holds ``top_k`` candidates
    threshold : ``Out``, score of the last place
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        candidates = stream.Signature(candidate_layout(geometry))
        super().__init__(
            {
                "i": In(candidates),
                "o": Out(candidates),
                "full": Out(1),
                "threshold": Out(signed(geometry.score_bits)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        places = [
            Signal(candidate_layout(self._geometry), name=f"place_{place}") for place in range(self._geometry.top_k)
        ]
        emitting = Signal()
        m.d.comb += [
            self.i.ready.eq(~emitting),
            self.o.valid.eq(emitting),
            self.o.p.eq(places[0]),
            self.o.p.last.eq(~places[1].keep if len(places) > 1 else 1),
            self.full.eq(places[-1].keep),
            self.threshold.eq(places[-1].score),
        ]
        with m.If(self.i.valid & self.i.ready):
            new = self.i.p
            stays = [place.keep & (place.score >= new.score) for place in places]
            with m.If(new.keep):
                for index, place in enumerate(places):
                    with m.If(~stays[index]):
                        if index == 0:
                            m.d.sync += place.eq(new)
                        else:
                            m.d.sync += place.eq(Mux(stays[index - 1], new, places[index - 1]))
            m.d.sync += emitting.eq(new.last)
        with m.If(self.o.valid & self.o.ready):
            for place, following in pairwise(places):
                m.d.sync += place.eq(following)
            m.d.sync += places[-1].keep.eq(0)
            with m.If(self.o.p.last):
                m.d.sync += emitting.eq(0)
        return m
