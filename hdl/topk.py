"""Exact top-k: a stream of candidates becomes a sorted list."""

from itertools import pairwise

from amaranth import Const, Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .collector import candidate_layout
from .geometry import Geometry

__all__ = ["TopK"]


class TopK(wiring.Component):
    """The ``top_k`` best candidates, best first; of equal scores the one that came first.

    A systolic list: a candidate visits one place after the other and takes the first one that it beats; the film
    that was there takes the next place, and so on. A visit is one clock to compare and one to move, so every wire
    is short, and a candidate is taken every other clock. ``drain_clocks`` after the candidate with ``last`` the
    list comes out, one per clock, ``last`` with its end, and is empty again. An empty list comes out as one record
    without ``keep``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of ``candidate_layout(geometry)``
    full : ``Out(1)``, the list holds ``top_k`` candidates
    threshold : ``Out``, score of the last place; films on their way may still raise it
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

    @property
    def drain_clocks(self) -> int:
        """Clocks from the last candidate to the list."""
        return 2 * self._geometry.top_k + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layout = candidate_layout(self._geometry)
        places = [Signal(layout, name=f"place_{index}") for index in range(self._geometry.top_k)]
        draining, emitting = Signal(), Signal()
        moving = Signal()
        m.d.sync += moving.eq(~moving)

        visitor, displaced = Signal(layout, name="visitor_0"), Const(0)
        with m.If(moving):
            m.d.sync += visitor.eq(self.i.p)
            with m.If(~(self.i.valid & self.i.ready)):
                m.d.sync += [visitor.keep.eq(0), visitor.last.eq(0)]
        for index, place in enumerate(places):
            beats, going_on = Signal(name=f"beats_{index}"), Signal(layout, name=f"visitor_{index + 1}")
            pushed = Signal(name=f"displaced_{index + 1}")
            m.d.sync += beats.eq(visitor.keep & (displaced | ~place.keep | (visitor.score > place.score)))
            with m.If(moving):
                m.d.sync += [going_on.eq(Mux(beats, place, visitor)), going_on.last.eq(visitor.last), pushed.eq(beats)]
                with m.If(beats):
                    m.d.sync += place.eq(visitor)
            visitor, displaced = going_on, pushed

        m.d.comb += [
            self.i.ready.eq(moving & ~draining & ~emitting),
            self.o.valid.eq(emitting),
            self.o.p.eq(places[0]),
            self.o.p.last.eq(~places[1].keep if len(places) > 1 else 1),
            self.full.eq(places[-1].keep),
            self.threshold.eq(places[-1].score),
        ]
        with m.If(self.i.valid & self.i.ready & self.i.p.last):
            m.d.sync += draining.eq(1)
        with m.If(visitor.last):
            m.d.sync += [draining.eq(0), emitting.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            for place, following in pairwise(places):
                m.d.sync += place.eq(following)
            m.d.sync += places[-1].keep.eq(0)
            with m.If(self.o.p.last):
                m.d.sync += emitting.eq(0)
        return m
