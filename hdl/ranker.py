"""Ranking the catalogue: fuse, scan, score, collect, sort."""

from amaranth import Const, Module, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .catalogue import CatalogueScan
from .collector import Collector, candidate_layout
from .fuser import Fuser
from .geometry import Geometry
from .lanes import RankingLanes
from .layouts import film_row_layout
from .nearest import NearestScorer
from .neurons import neurons_read_signature
from .rest import Rest
from .serial_topk import LoneCollector, SerialTopK
from .topk import TopK
from .working_memory import entry_read_signature

__all__ = ["Ranker"]


class Ranker(wiring.Component):
    """Best films of the catalogue, by the tables in ``lanes`` lanes, or by the memory view for the rule nearest.

    With tables, fusing them takes ``Fuser.clocks``; then one row of films per clock is ranked, and the queue of the
    collector takes up bursts of candidates. A compact one has no queue: the scan goes back to a film that came while
    the list was busy. With the memory view, films follow each other one by one.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``
    busy : ``Out(1)``, until the list is complete
    loaded : ``In(16)``, films in the catalogue
    offset : ``In``, the bias's part of every score
    neurons : ``Out(neurons_read_signature(geometry))``, used while ``busy``
    kept, entry : ``In``, ``Out(entry_read_signature(geometry))``: the memory, used while ``busy`` by the rule nearest
    row, ask, ready, films, marks : :class:`.Catalogue`'s
    o : ``Out(stream)`` of ``candidate_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._scan = CatalogueScan(geometry)
        scan = self._scan.signature.members
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "loaded": In(16),
                "offset": In(signed(geometry.score_bits)),
                "neurons": Out(neurons_read_signature(geometry)),
                "kept": In(range(geometry.memory_depth + 1)),
                "entry": Out(entry_read_signature(geometry)),
                "row": scan["row"],
                "ask": scan["ask"],
                "ready": scan["ready"],
                "films": scan["films"],
                "marks": scan["marks"],
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        m.submodules.scan = scan = self._scan
        m.submodules.collector = collector = LoneCollector(geometry) if geometry.compact else Collector(geometry)
        m.submodules.topk = topk = SerialTopK(geometry) if geometry.compact else TopK(geometry)
        if geometry.compact:
            m.d.comb += [
                topk.i.valid.eq(collector.o_valid),
                topk.i.p.eq(collector.o),
                collector.o_ready.eq(topk.i.ready),
            ]
            connect(m, topk.o, flipped(self.o))
        else:
            connect(m, collector.o, topk.i)
            m.submodules.result = result = Rest(candidate_layout(geometry))
            connect(m, topk.o, result.i)
            connect(m, result.o, flipped(self.o))
        m.d.comb += [
            self.row.eq(scan.row),
            self.ask.eq(scan.ask),
            scan.ready.eq(self.ready),
            scan.films.eq(self.films),
            scan.marks.eq(self.marks),
            scan.loaded.eq(self.loaded),
            collector.start.eq(self.start),
            collector.full.eq(topk.full),
            collector.threshold.eq(topk.threshold),
        ]
        if geometry.rule == "nearest":
            capacity, fused = 1, self._add_memory_view(m, scan, collector)
        elif geometry.compact:
            capacity, fused = 31, self._add_lanes(m, scan, collector)
        else:
            capacity, fused = collector.capacity, self._add_lanes(m, scan, collector)

        on_their_way = Signal(range(capacity + 1))
        if geometry.compact:
            m.d.sync += on_their_way.eq(on_their_way + scan.issued - collector.i_valid)
            m.d.comb += [scan.first.eq(collector.item), scan.room.eq(~collector.missed)]
        else:
            m.d.sync += on_their_way.eq(on_their_way + scan.issued - collector.dropped - collector.taken)
            m.d.comb += scan.room.eq(on_their_way != capacity)

        with m.FSM():
            with m.State("Idle"):
                with m.If(self.start):
                    m.d.sync += self.busy.eq(1)
                    m.next = "Fuse"
            with m.State("Fuse"):
                with m.If(fused):
                    m.d.comb += scan.start.eq(1)
                    m.next = "Rank"
            with m.State("Rank"):
                if geometry.compact:
                    with m.If(collector.missed & (on_their_way == 0)):
                        m.d.comb += [scan.start.eq(1), collector.again.eq(1)]
                with m.If(self.o.valid):
                    m.d.sync += self.busy.eq(0)
                    m.next = "Idle"
        return m

    def _add_lanes(self, m: Module, scan: CatalogueScan, collector: Collector) -> Value:
        """Scores through the table view; true once the tables that ``start`` asked to fuse are on their way."""
        geometry = self._geometry
        m.submodules.fuser = fuser = Fuser(geometry)
        m.submodules.lanes = lanes = RankingLanes(geometry)
        connect(m, fuser.read, flipped(self.neurons))
        m.d.comb += [
            fuser.start.eq(self.start),
            lanes.write_valid.eq(fuser.valid),
            lanes.write.eq(fuser.write),
            lanes.offset.eq(self.offset),
            lanes.i_valid.eq(scan.valid),
            lanes.i.eq(scan.o),
            collector.i_valid.eq(lanes.o_valid),
            collector.i.eq(lanes.o),
        ]
        return ~fuser.busy  # films asked for now reach a lane after the last cell, which goes the same way

    def _add_memory_view(self, m: Module, scan: CatalogueScan, collector: Collector) -> Value:
        """Scores through the memory view, which needs no tables."""
        m.submodules.scorer = scorer = NearestScorer(self._geometry)
        connect(m, scorer.read, flipped(self.entry))
        film, valid = Signal(film_row_layout(self._geometry)), Signal()
        with m.If(scorer.i.ready):
            m.d.sync += valid.eq(0)
        with m.If(scan.valid):
            m.d.sync += [film.eq(scan.o), valid.eq(1)]
        m.d.comb += [
            scorer.kept.eq(self.kept),
            scorer.i.p.eq(film),
            scorer.i.valid.eq(valid),
            collector.i_valid.eq(scorer.o.valid),
            collector.i.eq(scorer.o.p),
            scorer.o.ready.eq(1),
        ]
        return Const(1)
