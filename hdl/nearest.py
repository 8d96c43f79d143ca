"""Scoring by the nearest kept rating: the associative RAM neuron."""

from amaranth import Module, Mux
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import film_row_layout, row_of, score_row_layout
from .memory_view import MemoryView
from .working_memory import entry_latency, entry_read_signature

__all__ = ["NearestScorer"]


class NearestScorer(wiring.Component):
    """Score of one film at a time: its prior plus ``e`` of the nearest kept rating, found in the memory view.

    A film's score comes ``latency`` clocks after the film, plus one clock per memory row in use after the first.

    Parameters
    ----------
    geometry : :class:`Geometry`, with one lane

    Members
    -------
    i : ``In(stream)`` of ``film_row_layout(geometry)``
    o : ``Out(stream)`` of ``score_row_layout(geometry)``
    kept : ``In``, entries of the memory
    read : ``Out(entry_read_signature(geometry))``, used while ``i`` is valid
    """

    def __init__(self, geometry: Geometry) -> None:
        if geometry.lanes != 1:
            raise ValueError(f"the memory view ranks in one lane, not {geometry.lanes!r}")
        self._geometry = geometry
        self._view = MemoryView(geometry)
        super().__init__(
            {
                "i": In(stream.Signature(film_row_layout(geometry))),
                "o": Out(stream.Signature(score_row_layout(geometry))),
                "kept": In(range(geometry.memory_depth + 1)),
                "read": Out(entry_read_signature(geometry)),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from a film to its score if at most one memory row is in use."""
        return self._view.latency + 2 + entry_latency(self._geometry)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        m.submodules.view = view = self._view
        film = self.i.p.films[0]
        m.d.comb += [
            view.query.eq(film.code),
            view.kept.eq(self.kept),
            view.last_row.eq(Mux(self.kept == 0, 0, row_of(self.kept - 1, geometry.comparators))),
            view.read.row.eq(self.read.row),
            view.o.ready.eq(1),
        ]
        with m.FSM():
            with m.State("Idle"):
                with m.If(self.i.valid & (~self.o.valid | self.o.ready)):
                    m.d.comb += view.start.eq(1)
                    m.next = "Compare"
            with m.State("Compare"):
                m.d.comb += [self.read.slot.eq(view.read.slot), self.read.en.eq(view.read.en)]
                with m.If(~view.busy):
                    m.d.comb += [self.read.slot.eq(view.best_slot), self.read.en.eq(1)]
                    m.next = "Read 1"
            last = entry_latency(geometry)
            for clock in range(1, last):
                with m.State(f"Read {clock}"):
                    m.d.comb += self.read.en.eq(1)
                    m.next = f"Read {clock + 1}"
            with m.State(f"Read {last}"):
                e = Mux(self.kept == 0, 0, self.read.entry.e)
                m.d.comb += self.i.ready.eq(1)
                m.d.sync += [
                    self.o.valid.eq(1),
                    self.o.p.scores[0].eq((film.prior << geometry.prior_shift) + e),
                    self.o.p.mask.eq(self.i.p.mask),
                    self.o.p.last.eq(self.i.p.last),
                ]
                m.next = "Idle"
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
