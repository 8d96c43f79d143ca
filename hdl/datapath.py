"""Memories, catalogue, learner and ranker, wired together; one of them works at a time."""

from amaranth import Module, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, Signature, connect, flipped

from .catalogue import Catalogue, catalogue_signature
from .collector import candidate_layout
from .editor import lookup_tag_layout
from .geometry import Geometry
from .layouts import film_layout, match_row_layout, place_layout
from .learner import Learner
from .lookup import FilmLookup, OneFilmLookup
from .memory_view import MemoryView
from .nearest import NearestScorer
from .neurons import neurons_read_signature
from .ranker import Ranker
from .shared_memory import SharedMemory
from .user_store import UserStore, store_signature
from .working_memory import WorkingMemory, entry_read_signature

__all__ = ["Datapath"]


class Datapath(wiring.Component):
    """Everything that computes. Whoever drives it starts one of learning, ranking, scoring and comparing at a time.

    Parameters
    ----------
    geometry : :class:`Geometry`, of a rule that exists in gateware

    Members
    -------
    user, slot, rating, store_write, stored_kept, set_kept : :class:`UserStore`'s
    entry, entry_write : :class:`WorkingMemory`'s; ``entry`` while nothing else works
    look, look_item, look_tag, looking, found, found_place, found_film, found_known, found_tag, loaded : to and
        from :class:`FilmLookup`; while no ranking runs
    film_write, mark, fill : :class:`Catalogue`'s
    kept : ``In``, ratings of the selected user
    learn, learning : strobe to learn them, and whether that goes on
    bias, alpha_slot, alpha, neurons : :class:`Learner`'s; ``neurons`` are its cells
    query, asking, score : strobe to score a film, whether that goes on, and the score
    rank, ranking, best : strobe to rank the loaded films, whether that goes on, and :class:`Ranker`'s result
    compare, compared, first_row, last_row, match, comparing, best_slot : :class:`MemoryView`'s
    """

    def __init__(self, geometry: Geometry) -> None:
        if geometry.rule == "wisard":
            raise ValueError(f"gateware learns by sweep, counting or nearest, not {geometry.rule!r}")
        self._geometry = geometry
        self._memory = WorkingMemory(geometry)
        tag = lookup_tag_layout(geometry)
        self._parts: dict[str, wiring.Component]
        if geometry.compact:
            shared = SharedMemory(geometry)
            self._catalogue, self._store, self._lookup = shared.catalogue, shared.store, OneFilmLookup(geometry, tag)
            self._parts = {"shared": shared}
        else:
            catalogue, store = Catalogue(geometry), UserStore(geometry)
            self._catalogue, self._store, self._lookup = catalogue, store, FilmLookup(geometry, tag)
            self._parts = {"store": store, "catalogue": catalogue}
        stored, filmed = store_signature(geometry).members, catalogue_signature(geometry).members
        rows, kept = range(geometry.memory_rows), range(geometry.memory_depth + 1)
        film = film_layout(geometry)
        super().__init__(
            {
                "user": stored["user"],
                "slot": stored["slot"],
                "rating": stored["rating"],
                "store_write": stored["write"],
                "stored_kept": stored["kept"],
                "set_kept": stored["set_kept"],
                "entry": In(entry_read_signature(geometry)),
                "entry_write": self._memory.signature.members["write"],
                "look": In(1),
                "look_item": In(16),
                "look_tag": In(tag),
                "looking": Out(1),
                "found": Out(1),
                "found_place": Out(place_layout(geometry)),
                "found_film": Out(film),
                "found_known": Out(1),
                "found_tag": Out(tag),
                "loaded": In(16),
                "film_write": filmed["write"],
                "mark": filmed["mark"],
                "fill": filmed["fill"],
                "kept": In(kept),
                "learn": In(1),
                "learning": Out(1),
                "bias": Out(signed(geometry.cell_bits)),
                "alpha_slot": In(range(geometry.memory_depth)),
                "alpha": Out(signed(geometry.alpha_bits)),
                "neurons": In(neurons_read_signature(geometry)),
                "query": In(Signature({"en": Out(1), "film": Out(film)})),
                "asking": Out(1),
                "score": Out(signed(geometry.score_bits)),
                "rank": In(1),
                "ranking": Out(1),
                "best": Out(stream.Signature(candidate_layout(geometry))),
                "compare": In(1),
                "compared": In(geometry.code_bits),
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
        store, catalogue = self._store, self._catalogue
        for name, part in self._parts.items():
            m.submodules[name] = part
        m.submodules.memory = memory = self._memory
        m.submodules.lookup = lookup = self._lookup
        m.submodules.ranker = ranker = Ranker(geometry)

        m.d.comb += [
            store.user.eq(self.user),
            store.slot.eq(self.slot),
            self.rating.eq(store.rating),
            self.stored_kept.eq(store.kept),
        ]
        connect(m, flipped(self.store_write), store.write)
        connect(m, flipped(self.set_kept), store.set_kept)
        connect(m, flipped(self.entry_write), memory.write)
        connect(m, flipped(self.film_write), catalogue.write)
        connect(m, flipped(self.mark), catalogue.mark)
        connect(m, flipped(self.fill), catalogue.fill)

        m.d.comb += [
            lookup.i_valid.eq(self.look),
            lookup.item.eq(self.look_item),
            lookup.tag.eq(self.look_tag),
            lookup.loaded.eq(self.loaded),
            lookup.films.eq(catalogue.films),
            self.looking.eq(lookup.busy),
            self.found.eq(lookup.o_valid),
            self.found_place.eq(lookup.place),
            self.found_film.eq(lookup.film),
            self.found_known.eq(lookup.known),
            self.found_tag.eq(lookup.o_tag),
            catalogue.row.eq(lookup.row),
            catalogue.ask.eq(lookup.ask),
            lookup.ready.eq(catalogue.ready),
        ]
        with m.If(ranker.busy):
            m.d.comb += [catalogue.row.eq(ranker.row), catalogue.ask.eq(ranker.ask)]
        m.d.comb += [
            ranker.start.eq(self.rank),
            ranker.loaded.eq(self.loaded),
            ranker.ready.eq(catalogue.ready),
            ranker.films.eq(catalogue.films),
            ranker.marks.eq(catalogue.marks),
            ranker.kept.eq(self.kept),
            self.ranking.eq(ranker.busy),
        ]
        connect(m, ranker.o, flipped(self.best))

        readers = {"ranker": (ranker.busy, ranker.entry)}
        if geometry.explains:
            readers |= self._add_view(m)
        add = self._add_nearest if geometry.rule == "nearest" else self._add_learner
        readers |= add(m, ranker)
        m.d.comb += [memory.read.slot.eq(self.entry.slot), memory.read.en.eq(self.entry.en)]
        for reader in (self.entry, *(reader for _, reader in readers.values())):
            m.d.comb += [reader.row.eq(memory.read.row), reader.entry.eq(memory.read.entry)]
        for busy, reader in readers.values():
            with m.If(busy):
                m.d.comb += [memory.read.slot.eq(reader.slot), memory.read.en.eq(reader.en)]
        return m

    def _add_view(self, m: Module) -> dict[str, tuple[Signal, object]]:
        """The memory view; returns who reads the working memory, and when."""
        m.submodules.view = view = MemoryView(self._geometry)
        m.d.comb += [
            view.start.eq(self.compare),
            view.query.eq(self.compared),
            view.first_row.eq(self.first_row),
            view.last_row.eq(self.last_row),
            view.kept.eq(self.kept),
            self.comparing.eq(view.busy),
            self.best_slot.eq(view.best_slot),
        ]
        connect(m, view.o, flipped(self.match))
        return {"view": (view.busy, view.read)}

    def _add_learner(self, m: Module, ranker: Ranker) -> dict[str, tuple[Signal, object]]:
        """The table view; returns who reads the working memory, and when."""
        m.submodules.learner = learner = Learner(self._geometry)
        m.d.comb += [
            learner.start.eq(self.learn),
            learner.kept.eq(self.kept),
            self.learning.eq(learner.busy),
            self.bias.eq(learner.bias),
            learner.alpha_slot.eq(self.alpha_slot),
            self.alpha.eq(learner.alpha),
            learner.query.en.eq(self.query.en),
            learner.query.film.eq(self.query.film),
            self.asking.eq(learner.asking),
            self.score.eq(learner.score),
            ranker.offset.eq(learner.offset),
        ]
        for access in (self.neurons, ranker.neurons):
            m.d.comb += [access.cells.eq(learner.read.cells), access.sum.eq(learner.read.sum)]
            with m.If(ranker.busy if access is ranker.neurons else ~ranker.busy):
                m.d.comb += [
                    learner.read.group.eq(access.group),
                    learner.read.tuples.eq(access.tuples),
                ]
        return {"learner": (learner.busy, learner.entry)}

    def _add_nearest(self, m: Module, ranker: Ranker) -> dict[str, tuple[Signal, object]]:
        """A memory view of its own for single films; returns who reads the working memory, and when."""
        m.submodules.scorer = scorer = NearestScorer(self._geometry)
        m.d.comb += [
            scorer.kept.eq(self.kept),
            scorer.i.p.mask.eq(1),
            scorer.i.valid.eq(self.asking),
            scorer.o.ready.eq(1),
        ]
        with m.If(self.query.en):
            m.d.sync += [scorer.i.p.films[0].eq(self.query.film), self.asking.eq(1)]
        with m.If(scorer.i.ready):
            m.d.sync += self.asking.eq(0)
        m.d.comb += self.score.eq(scorer.o.p.scores[0])
        return {"scorer": (self.asking, scorer.read)}
