"""Memory, catalogue, scorer, learner and ranker, wired together; one of them works at a time."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .catalogue import Catalogue, CatalogueScan, film_read_signature
from .geometry import Geometry
from .layouts import film_layout, film_row_layout, match_row_layout, score_row_layout, table_signature
from .learner import Learner
from .memory_view import MemoryView
from .nearest import NearestScorer
from .scorer import TableScorer
from .topk import Collector, TopK, candidate_layout
from .user_memory import UserMemory, entry_read_signature

__all__ = ["Datapath"]


class Datapath(wiring.Component):
    """Everything that computes. Whoever drives it starts one of learning, ranking and comparing at a time.

    Parameters
    ----------
    geometry : :class:`Geometry`, of a rule that exists in gateware

    Members
    -------
    user, entry, entry_write, kept, set_kept : :class:`UserMemory`'s; ``entry`` while nothing else works
    film_read, film_write, mark, wipe : :class:`Catalogue`'s; ``film_read`` while no ranking runs
    selected_kept : ``In``, entries of the user whom tables and marks belong to
    learn, learning : strobe to learn those entries, and whether that goes on
    bias, alpha_slot, alpha : :class:`Learner`'s
    film, score, tap : :class:`TableScorer`'s, while nothing is learned or ranked
    rank, loaded : strobe to rank the first ``loaded`` films
    best : ``Out(stream)`` of ``candidate_layout(geometry)``, the ranking's result
    compare, query, first_row, last_row, match, comparing, best_slot : :class:`MemoryView`'s
    """

    def __init__(self, geometry: Geometry) -> None:
        if geometry.rule == "wisard":
            raise ValueError(f"gateware learns by sweep, counting or nearest, not {geometry.rule!r}")
        self._geometry = geometry
        self._memory = UserMemory(geometry)
        self._catalogue = Catalogue(geometry)
        memory, catalogue = self._memory.signature.members, self._catalogue.signature.members
        rows = range(geometry.memory_rows)
        super().__init__(
            {
                "user": In(range(geometry.users)),
                "entry": In(entry_read_signature(geometry)),
                "entry_write": memory["write"],
                "kept": memory["kept"],
                "set_kept": memory["set_kept"],
                "film_read": In(film_read_signature(geometry)),
                "film_write": catalogue["write"],
                "mark": catalogue["mark"],
                "wipe": catalogue["wipe"],
                "learn": In(1),
                "selected_kept": In(range(geometry.memory_depth + 1)),
                "learning": Out(1),
                "bias": Out(signed(geometry.cell_bits)),
                "alpha_slot": In(range(geometry.memory_depth)),
                "alpha": Out(signed(geometry.alpha_bits)),
                "film": In(stream.Signature(film_layout(geometry))),
                "score": Out(stream.Signature(signed(geometry.score_bits))),
                "tap": Out(table_signature(geometry)),
                "rank": In(1),
                "loaded": In(16),
                "best": Out(stream.Signature(candidate_layout(geometry))),
                "compare": In(1),
                "query": In(geometry.code_bits),
                "first_row": In(rows),
                "last_row": In(rows),
                "match": Out(stream.Signature(match_row_layout(geometry))),
                "comparing": Out(1),
                "best_slot": Out(range(geometry.memory_depth)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        m.submodules.memory = memory = self._memory
        m.submodules.catalogue = catalogue = self._catalogue
        m.submodules.scan = scan = CatalogueScan(geometry)
        m.submodules.collector = collector = Collector(geometry)
        m.submodules.topk = topk = TopK(geometry)
        m.submodules.view = view = MemoryView(geometry)

        m.d.comb += [memory.user.eq(self.user), self.kept.eq(memory.kept)]
        connect(m, flipped(self.entry_write), memory.write)
        connect(m, flipped(self.set_kept), memory.set_kept)
        connect(m, flipped(self.film_write), catalogue.write)
        connect(m, flipped(self.mark), catalogue.mark)
        connect(m, flipped(self.wipe), catalogue.wipe)

        ranking = Signal()
        with m.If(self.rank):
            m.d.sync += ranking.eq(1)
        with m.Elif(topk.o.valid):
            m.d.sync += ranking.eq(0)
        m.d.comb += [scan.start.eq(self.rank), collector.start.eq(self.rank), scan.loaded.eq(self.loaded)]

        m.d.comb += [
            catalogue.read.en.eq(Mux(ranking, scan.read.en, self.film_read.en)),
            catalogue.read.row.eq(Mux(ranking, scan.read.row, self.film_read.row)),
        ]
        for reader in (scan.read, self.film_read):
            m.d.comb += [reader.films.eq(catalogue.read.films), reader.marks.eq(catalogue.read.marks)]

        m.d.comb += [
            view.start.eq(self.compare),
            view.query.eq(self.query),
            view.first_row.eq(self.first_row),
            view.last_row.eq(self.last_row),
            view.kept.eq(self.selected_kept),
            self.comparing.eq(view.busy),
            self.best_slot.eq(view.best_slot),
        ]
        connect(m, view.o, flipped(self.match))

        row = Signal(film_row_layout(geometry))
        row_valid, row_ready = Signal(), Signal()
        scores = stream.Signature(score_row_layout(geometry)).create(path=("scores",))
        with m.If(ranking):
            m.d.comb += [
                row.eq(scan.o.p),
                row_valid.eq(scan.o.valid),
                scan.o.ready.eq(row_ready),
                collector.i.valid.eq(scores.valid),
                scores.ready.eq(collector.i.ready),
            ]
        with m.Elif(~self.learning):
            m.d.comb += [
                row.films[0].eq(self.film.p),
                row.mask.eq(1),
                row_valid.eq(self.film.valid),
                self.film.ready.eq(row_ready),
                self.score.valid.eq(scores.valid),
                scores.ready.eq(self.score.ready),
            ]
        m.d.comb += [
            collector.i.p.eq(scores.p),
            self.score.p.eq(scores.p.scores[0]),
            collector.full.eq(topk.full),
            collector.threshold.eq(topk.threshold),
        ]
        connect(m, collector.o, topk.i)
        connect(m, topk.o, flipped(self.best))

        slot = Signal(range(geometry.memory_depth))
        readers = [self.entry, view.read]
        m.d.comb += [slot.eq(self.entry.slot), memory.read.slot.eq(slot)]
        with m.If(view.busy):
            m.d.comb += slot.eq(view.read.slot)

        if geometry.rule == "nearest":
            m.submodules.scorer = scorer = NearestScorer(geometry)
            m.d.comb += scorer.kept.eq(self.selected_kept)
            readers.append(scorer.read)
            with m.If(row_valid):
                m.d.comb += slot.eq(scorer.read.slot)
        else:
            m.submodules.scorer = scorer = TableScorer(geometry)
            m.submodules.learner = learner = Learner(geometry, scorer.latency)
            readers.append(learner.read)
            connect(m, learner.write, scorer.write)
            m.d.comb += [
                learner.start.eq(self.learn),
                learner.kept.eq(self.selected_kept),
                self.learning.eq(learner.busy),
                self.bias.eq(learner.bias),
                learner.alpha_slot.eq(self.alpha_slot),
                self.alpha.eq(learner.alpha),
                scorer.offset.eq(learner.offset),
                learner.score.p.eq(scores.p),
            ]
            for tap in (learner.tap, self.tap):
                m.d.comb += [
                    tap.valid.eq(scorer.tap.valid),
                    tap.group.eq(scorer.tap.group),
                    tap.tuples.eq(scorer.tap.tuples),
                    tap.cells.eq(scorer.tap.cells),
                ]
            with m.If(learner.busy):
                m.d.comb += [
                    slot.eq(learner.read.slot),
                    row.eq(learner.film.p),
                    row_valid.eq(learner.film.valid),
                    learner.film.ready.eq(row_ready),
                    learner.score.valid.eq(scores.valid),
                    scores.ready.eq(learner.score.ready),
                ]
        for reader in readers:
            m.d.comb += [reader.row.eq(memory.read.row), reader.entry.eq(memory.read.entry)]
        m.d.comb += [
            scorer.i.p.eq(row),
            scorer.i.valid.eq(row_valid),
            row_ready.eq(scorer.i.ready),
            scores.p.eq(scorer.o.p),
            scores.valid.eq(scorer.o.valid),
            scorer.o.ready.eq(scores.ready),
        ]
        return m
