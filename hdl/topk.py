"""Exact top-k: a stream of candidates becomes a sorted list."""

from itertools import pairwise

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .collector import candidate_layout
from .geometry import Geometry

__all__ = ["TopK"]


class TopK(wiring.Component):
    """The ``top_k`` best candidates, best first; of equal scores the one that came first.

    Takes a candidate per clock: in one clock it is compared with all places, and with the candidate before it, which
    is not in its place yet; in the next it takes the first place that it beats, and the films from there on move by
    one. ``drain_clocks`` after the one with ``last`` the list comes out, one per clock, ``last`` with its end, and is
    empty again. An empty list comes out as one record without ``keep``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of ``candidate_layout(geometry)``
    full : ``Out(1)``, the list holds ``top_k`` candidates
    threshold : ``Out``, score of the last place; the two candidates taken last may still raise it
    """

    drain_clocks = 3

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
        layout = candidate_layout(self._geometry)
        places = [Signal(layout, name=f"place_{index}") for index in range(self._geometry.top_k)]
        compared, moved, comparing, moving = Signal(layout), Signal(layout), Signal(), Signal()
        draining, emitting = Signal(), Signal()
        taken = self.i.valid & self.i.ready
        m.d.sync += [comparing.eq(taken), compared.eq(self.i.p), moving.eq(comparing), moved.eq(compared)]
        with m.If(taken):
            m.d.sync += draining.eq(self.i.p.last)

        # What the candidate beats, as it was compared; one clock later its forerunner has moved some of that.
        beaten, ahead = Signal(len(places)), Signal()
        beats, forerunner_beat = Signal(len(places)), Signal(len(places))
        counts = comparing & compared.keep
        m.d.sync += [ahead.eq(counts & (compared.score > moved.score)), forerunner_beat.eq(beats)]
        for index, place in enumerate(places):
            m.d.sync += beaten[index].eq(counts & (~place.keep | (compared.score > place.score)))
            came = Mux(forerunner_beat[index - 1], beaten[index - 1], ahead) if index else ahead
            m.d.comb += beats[index].eq(Mux(forerunner_beat[index], came, beaten[index]))
            above = Mux(beats[index - 1], places[index - 1], moved) if index else moved
            with m.If(beats[index]):
                m.d.sync += place.eq(above)

        m.d.comb += [
            self.i.ready.eq(~draining & ~emitting),
            self.o.valid.eq(emitting),
            self.o.p.eq(places[0]),
            self.o.p.last.eq(~places[1].keep if len(places) > 1 else 1),
            self.full.eq(places[-1].keep),
            self.threshold.eq(places[-1].score),
        ]
        with m.If(moving & moved.last):
            m.d.sync += [draining.eq(0), emitting.eq(1)]
        with m.If(self.o.valid & self.o.ready):
            for place, following in pairwise(places):
                m.d.sync += place.eq(following)
            m.d.sync += places[-1].keep.eq(0)
            with m.If(self.o.p.last):
                m.d.sync += emitting.eq(0)
        return m
