"""Exact top-k for the smallest FPGAs: the list lies in block RAM, and a candidate goes through it place by place."""

from amaranth import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .block_ram import make_memory, registered_read
from .collector import candidate_layout
from .geometry import Geometry
from .layouts import score_row_layout

__all__ = ["LoneCollector", "SerialTopK"]


class LoneCollector(wiring.Component):
    """Turns the scores of a single lane into candidates, in item order, without a queue.

    A film that may enter the list while the list is busy is ``missed``: it and all films behind it must come ``again``,
    from the number ``item`` on. The last film always gives a record with ``last``, with ``keep`` = 0 if it can not
    enter the list. A candidate is offered for one clock alone, the one in which its score comes.

    Parameters
    ----------
    geometry : :class:`Geometry`, with one lane

    Members
    -------
    start : ``In(1)``, strobe, numbers the next film 0
    again : ``In(1)``, strobe, once all films on their way have come: the next film is ``item``
    full, threshold : ``In``, the list's; a candidate must beat ``threshold`` if ``full``
    i_valid, i : ``In``, a film's score, as ``score_row_layout(geometry)``
    missed : ``Out(1)``, what comes is dropped until ``again``
    item : ``Out(16)``, number of the next film
    o_valid, o_ready, o : candidates for the list, ``candidate_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        if geometry.lanes != 1:
            raise ValueError(f"a collector without a queue serves one lane, not {geometry.lanes!r}")
        super().__init__(
            {
                "start": In(1),
                "again": In(1),
                "full": In(1),
                "threshold": In(signed(geometry.score_bits)),
                "i_valid": In(1),
                "i": In(score_row_layout(geometry)),
                "missed": Out(1),
                "item": Out(16),
                "o_valid": Out(1),
                "o_ready": In(1),
                "o": Out(candidate_layout(geometry)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        score, come, keep = self.i.scores[0], Signal(), Signal()
        m.d.comb += [
            come.eq(self.i_valid & ~self.missed),
            keep.eq((self.i.mask != 0) & (~self.full | (score > self.threshold))),
            self.o_valid.eq(come & (keep | self.i.last)),
            self.o.score.eq(score),
            self.o.item.eq(self.item),
            self.o.keep.eq(keep),
            self.o.last.eq(self.i.last),
        ]
        with m.If(self.o_valid & ~self.o_ready):
            m.d.sync += self.missed.eq(1)
        with m.Elif(come):
            m.d.sync += self.item.eq(self.item + 1)
        with m.If(self.again):
            m.d.sync += self.missed.eq(0)
        with m.If(self.start):
            m.d.sync += self.item.eq(0)
        return m


class SerialTopK(wiring.Component):
    """The ``top_k`` best candidates, best first; of equal scores the one that came first.

    A candidate is compared with the films of the list from the worst upwards, one per clock; each that it beats
    moves down by one place. So it takes 2 clocks and one for each of these. After the candidate with ``last`` the
    list comes out, a film every other clock, ``last`` with its end, and is empty again. An empty list comes out as
    one record without ``keep``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of ``candidate_layout(geometry)``
    full : ``Out(1)``, the list holds ``top_k`` candidates
    threshold : ``Out``, score of the last place, if ``full`` and no candidate is on its way
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
        depth = self._geometry.top_k
        film = StructLayout({"score": signed(self._geometry.score_bits), "item": range(self._geometry.catalogue_depth)})
        # One place more than the list has: what falls out of it is written there.
        m.submodules.places = memory = make_memory(film, depth + 1)
        write = memory.write_port()
        count, place, looked = Signal(range(depth + 1)), Signal(range(depth + 1)), Signal(range(depth + 1))
        candidate, last, beats = Signal(film), Signal(), Signal()
        above = registered_read(m, memory, looked)
        m.d.comb += [
            self.full.eq(count == depth),
            beats.eq((place != 0) & (candidate.score > above.score)),
            write.addr.eq(place),
            write.data.eq(candidate),
            looked.eq(place - 2),
            self.o.p.score.eq(above.score),
            self.o.p.item.eq(above.item),
            self.o.p.keep.eq(count != 0),
            self.o.p.last.eq((place == count) | (count == 0)),
        ]
        with m.If(write.en & (place == depth - 1)):
            m.d.sync += self.threshold.eq(write.data.score)
        with m.FSM():
            with m.State("Idle"):
                m.d.comb += [self.i.ready.eq(1), looked.eq(count - 1)]
                m.d.sync += [
                    candidate.score.eq(self.i.p.score),
                    candidate.item.eq(self.i.p.item),
                    last.eq(self.i.p.last),
                    place.eq(count),
                ]
                with m.If(self.i.valid & self.i.p.keep):
                    m.next = "Insert"
                with m.Elif(self.i.valid & self.i.p.last):
                    m.d.sync += place.eq(0)
                    m.next = "Fetch"
            with m.State("Insert"):
                m.d.comb += write.en.eq(1)
                with m.If(beats):
                    m.d.comb += write.data.eq(above)
                    m.d.sync += place.eq(place - 1)
                with m.Else():
                    m.d.sync += count.eq(count + ~self.full)
                    m.next = "Idle"
                    with m.If(last):
                        m.d.sync += place.eq(0)
                        m.next = "Fetch"
            with m.State("Fetch"):
                m.d.comb += looked.eq(place)
                m.d.sync += place.eq(place + 1)
                m.next = "Give"
            with m.State("Give"):
                m.d.comb += [self.o.valid.eq(1), looked.eq(place - 1)]
                with m.If(self.o.ready):
                    m.next = "Fetch"
                    with m.If(self.o.p.last):
                        m.d.sync += count.eq(0)
                        m.next = "Idle"
        return m
