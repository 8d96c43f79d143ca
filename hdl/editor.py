"""Changes to a user's list of kept ratings, with the marks and tables that follow from it."""

from amaranth import Cat, Module, Signal, signed
from amaranth.hdl import ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout, View
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out, Signature

from .delay import delayed
from .geometry import Geometry
from .layouts import entry_layout, film_layout, place_layout, rating_layout
from .user_store import KeptCounts, rating_latency
from .working_memory import entry_latency, entry_read_signature

__all__ = ["Edit", "ListEditor", "lookup_tag_layout"]


class Edit(Enum, shape=4):
    """What to do. All but the last four first load the ratings of ``user``, if another one is selected."""

    OPEN = 0  #: nothing more; the tables may be out of date
    SELECT = 1  #: learn, if the tables are out of date
    RATE = 2  #: drop the item's rating, or the oldest if the memory is full, append (``item``, ``e``), learn
    FORGET = 3  #: drop the item's rating, learn
    RESTORE = 4  #: keep the first ``first`` ratings, append those of ``ratings``, learn
    CLEAR_ALL = 5  #: drop all ratings of all users and all marks, select user 0, learn
    UNSKIP = 6  #: unmark skipped films
    ONLY = 7  #: mark all films
    MARK = 8  #: mark the films of the selected user again


def lookup_tag_layout(geometry: Geometry) -> StructLayout:
    """What becomes of a film that was looked up: ``keep`` it in a slot, ``mark`` it or not."""
    return StructLayout(
        {"keep": 1, "slot": range(geometry.memory_depth), "rating": rating_layout, "mark": 1, "marked": 1}
    )


class ListEditor(wiring.Component):
    """Edits a list of kept ratings, marks its films in the catalogue and has it learned.

    While the editor is idle and ``selected`` is in force, the working memory holds the selected user's ratings
    with the codes of their films, and the marks are those of these films and of films skipped since the last
    change; unless the tables are out of date, they are that user's too. An edit takes at most one clock (ten in a
    compact device) per kept rating for each of unmarking the old user's films, loading, finding, shifting and
    marking (after a skip, unmarking takes one clock per catalogue row), some twenty clocks in between, and the
    learning. After a reset the editor first does ``CLEAR_ALL`` of its own accord.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``; the inputs below are held while ``busy``
    edit : ``In(Edit)``
    user : ``In``
    item, e : ``In``, of RATE, which must be loaded; FORGET looks at ``item`` only
    first, count : ``In``, of RESTORE: ratings to keep and to append
    ratings : ``In(stream)`` of ``rating_layout``, RESTORE's
    unselect : ``In(1)``, strobe: films have changed, load the selected user again when next needed
    skip : ``In(...)``: ``en``, ``item``, ``marked``: mark or unmark one film until the next change
    busy : ``Out(1)``
    missing : ``Out(1)``, the last FORGET found no such item and changed nothing
    refused : ``Out(1)``, the last RESTORE met an item that is not loaded, and just cut the list
    kept : ``Out``, ratings of the selected user
    ready : ``Out(1)``, ``user`` was the selected one in the clock before
    stale : ``Out(1)``, the tables are out of date
    skipped, only : ``Out(1)``, films have been skipped since the last change; by ONLY
    store_user, store_slot, rating, store_write, store_kept, set_kept : :class:`.UserStore`'s, driven while ``busy``
    read, write : :class:`.WorkingMemory`'s
    look, look_item, look_tag, looking, found, found_place, found_film, found_known, found_tag : to and from
        :class:`.FilmLookup`
    mark, fill : :class:`.Catalogue`'s
    learn, learning : strobe to learn the selected user's ratings, and whether that goes on
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        kept, user, slot = range(geometry.memory_depth + 1), range(geometry.users), range(geometry.memory_depth)
        place = place_layout(geometry)
        super().__init__(
            {
                "start": In(1),
                "edit": In(Edit),
                "user": In(user),
                "item": In(16),
                "e": In(signed(16)),
                "first": In(kept),
                "count": In(kept),
                "ratings": In(stream.Signature(rating_layout)),
                "unselect": In(1),
                "skip": In(Signature({"en": Out(1), "item": Out(16), "marked": Out(1)})),
                "busy": Out(1, init=1),
                "missing": Out(1),
                "refused": Out(1),
                "kept": Out(kept),
                "ready": Out(1),
                "stale": Out(1),
                "skipped": Out(1),
                "only": Out(1),
                "store_user": Out(user),
                "store_slot": Out(slot),
                "rating": In(rating_layout),
                "store_write": Out(Signature({"en": Out(1), "slot": Out(slot), "rating": Out(rating_layout)})),
                "store_kept": In(kept),
                "set_kept": Out(Signature({"en": Out(1), "kept": Out(kept)})),
                "read": Out(entry_read_signature(geometry)),
                "write": Out(Signature({"en": Out(1), "slot": Out(slot), "entry": Out(entry_layout(geometry))})),
                "look": Out(1),
                "look_item": Out(16),
                "look_tag": Out(lookup_tag_layout(geometry)),
                "looking": In(1),
                "found": In(1),
                "found_place": In(place),
                "found_film": In(film_layout(geometry)),
                "found_known": In(1),
                "found_tag": In(lookup_tag_layout(geometry)),
                "mark": Out(Signature({"en": Out(1), "place": Out(place), "marked": Out(1)})),
                "fill": Out(Signature({"en": Out(1), "row": Out(range(geometry.rows)), "marked": Out(1)})),
                "learn": Out(1),
                "learning": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        depth = geometry.memory_depth

        selected, valid = Signal(range(geometry.users)), Signal()
        clearing, leaving = Signal(init=1), Signal()
        taken = Signal(range(depth + 1))
        row = Signal(range(geometry.rows))
        gone = Signal(range(depth))
        one_more = Signal(range(depth + 2))
        m.d.comb += self.store_user.eq(selected)
        m.d.sync += [self.busy.eq(1), self.ready.eq(valid & (self.user == selected)), one_more.eq(self.kept + 1)]
        with m.If(self.unselect):
            m.d.sync += valid.eq(0)

        # A walk reads slots ``slot`` up to ``end``. Entry and stored rating are at hand some clocks after their slot.
        slot, end = Signal(range(depth + 1)), Signal(range(depth + 1))
        walking, hindered, issued, walked = Signal(), Signal(), Signal(), Signal()
        latency = max(entry_latency(geometry), rating_latency(geometry))
        reading, read_slots = delayed(m, issued, latency, name="reading"), delayed(m, slot, latency, name="slot")
        under_way = Cat(reading[1:]).any()
        at_hand, hand_slot = reading[entry_latency(geometry)], read_slots[entry_latency(geometry)]
        stored_at_hand, stored_slot = reading[rating_latency(geometry)], read_slots[rating_latency(geometry)]
        entry_rating = Signal(rating_layout)
        m.d.comb += [
            issued.eq(walking & (slot != end) & ~hindered),
            self.read.en.eq(1),
            self.read.slot.eq(slot),
            self.store_slot.eq(slot),
            entry_rating.item.eq(self.read.entry.item),
            entry_rating.e.eq(self.read.entry.e),
        ]
        if geometry.compact:  # ratings and films share a memory
            m.d.comb += hindered.eq(under_way | self.looking)
        m.d.sync += walked.eq(walking & (slot == end) & ~under_way & ~self.looking & ~walked)
        with m.If(issued):
            m.d.sync += slot.eq(slot + 1)
        with m.If(walked):
            m.d.sync += slot.eq(0)

        def walk(to: ValueLike, then: str) -> None:
            m.d.sync += [walking.eq(~walked), end.eq(to)]
            with m.If(walked):
                m.next = then

        def look_up(rating: View, *, when: ValueLike, keep: int = 0, slot: ValueLike = 0, mark: int = 0) -> None:
            m.d.comb += [
                self.look.eq(when),
                self.look_item.eq(rating.item),
                self.look_tag.rating.eq(rating),
                self.look_tag.keep.eq(keep),
                self.look_tag.slot.eq(slot),
                self.look_tag.mark.eq(1),
                self.look_tag.marked.eq(mark),
            ]

        # What was looked up is kept and marked

        tag = self.found_tag
        keeps = self.found & self.found_known & tag.keep
        m.d.comb += [
            self.write.en.eq(keeps),
            self.write.slot.eq(tag.slot),
            self.write.entry.item.eq(self.found_place.row if geometry.compact else tag.rating.item),
            self.write.entry.e.eq(tag.rating.e),
            self.write.entry.code.eq(self.found_film.code),
            self.store_write.en.eq(keeps),
            self.store_write.slot.eq(tag.slot),
            self.store_write.rating.item.eq(self.write.entry.item),
            self.store_write.rating.e.eq(tag.rating.e),
            self.mark.en.eq(self.found & self.found_known & tag.mark),
            self.mark.place.eq(self.found_place),
            self.mark.marked.eq(tag.marked),
        ]
        with m.If(self.skip.en):
            m.d.sync += self.skipped.eq(1)
            m.d.comb += [
                self.look.eq(1),
                self.look_item.eq(self.skip.item),
                self.look_tag.mark.eq(1),
                self.look_tag.marked.eq(self.skip.marked),
            ]

        hit, found = Signal(), Signal()
        m.d.comb += hit.eq(at_hand & (entry_rating.item == self.item))

        with m.FSM(init="Wipe"):
            with m.State("Idle"):
                m.d.sync += [self.busy.eq(self.start), slot.eq(0), found.eq(0), gone.eq(0), row.eq(0), taken.eq(0)]
                m.d.sync += leaving.eq(0)
                with m.If(self.start):
                    m.d.sync += [
                        self.missing.eq(0),
                        self.refused.eq(0),
                        clearing.eq(self.edit == Edit.CLEAR_ALL),
                    ]
                    with m.Switch(self.edit):
                        with m.Case(Edit.CLEAR_ALL, Edit.UNSKIP):
                            m.next = "Wipe"
                        with m.Case(Edit.ONLY):
                            m.next = "Fill"
                        with m.Case(Edit.MARK):
                            m.next = "Mark"
                        with m.Default():
                            m.next = "Leave"
                            with m.If(self.ready):
                                m.next = "Change"

            # The selected user goes, another one comes

            with m.State("Leave"):
                look_up(entry_rating, when=at_hand)
                walk(self.kept, "Open")
                with m.If(self.skipped):
                    m.d.sync += [walking.eq(0), leaving.eq(1)]
                    m.next = "Wipe"

            with m.State("Open"):
                m.d.sync += leaving.eq(0)
                m.d.sync += [selected.eq(self.user), valid.eq(1), self.stale.eq(1)]
                m.next = "Opening 0"

            # The store looks up how many ratings the user keeps

            for clock in range(KeptCounts.latency):
                with m.State(f"Opening {clock}"):
                    m.next = f"Opening {clock + 1}"

            with m.State(f"Opening {KeptCounts.latency}"):
                m.d.sync += self.kept.eq(self.store_kept)
                m.next = "Load"

            with m.State("Load"):
                look_up(self.rating, when=stored_at_hand, keep=1, slot=stored_slot, mark=1)
                walk(self.kept, "Change")

            # Changes

            with m.State("Change"):
                with m.Switch(self.edit):
                    with m.Case(Edit.RATE, Edit.FORGET):
                        m.next = "Find"
                    with m.Case(Edit.RESTORE):
                        m.d.sync += slot.eq(self.first)
                        m.next = "Cut"
                    with m.Default():
                        m.next = "Idle"
                        with m.If((self.edit == Edit.SELECT) & self.stale):
                            m.next = "Learn"

            with m.State("Find"):
                with m.If(hit & ~found):
                    m.d.sync += [found.eq(1), gone.eq(hand_slot)]
                walk(self.kept, "Drop")
                with m.If(walked & ~found):
                    with m.If(self.edit == Edit.FORGET):
                        m.d.sync += self.missing.eq(1)
                        m.next = "Idle"
                    with m.Elif(self.kept != depth):
                        m.next = "Append"

            with m.State("Drop"):
                m.d.sync += slot.eq(gone)
                m.next = "Dropping"

            with m.State("Dropping"):
                look_up(entry_rating, when=at_hand)
                walk(gone + 1, "Dropped")

            with m.State("Dropped"):
                m.d.sync += slot.eq(gone + 1)
                m.next = "Shift"

            with m.State("Shift"):
                look_up(entry_rating, when=at_hand, keep=1, slot=hand_slot - 1, mark=1)
                walk(self.kept, "Finish")
                with m.If(walked):
                    m.d.sync += [self.kept.eq(self.kept - 1), one_more.eq(self.kept)]
                    with m.If(self.edit == Edit.RATE):
                        m.next = "Append"

            with m.State("Append"):
                rating = Signal(rating_layout)
                m.d.comb += [rating.item.eq(self.item), rating.e.eq(self.e)]
                look_up(rating, when=1, keep=1, slot=self.kept, mark=1)
                m.d.sync += self.kept.eq(one_more)
                m.next = "Finish"

            with m.State("Cut"):
                look_up(entry_rating, when=at_hand)
                walk(self.kept, "Finish")
                with m.If(walked):
                    m.d.sync += self.kept.eq(self.first)
                    with m.If((self.count != 0) & ~self.refused):
                        m.next = "Take"

            with m.State("Take"):
                m.d.comb += self.ratings.ready.eq(1)
                look_up(self.ratings.p, when=self.ratings.valid, keep=1, slot=self.kept, mark=1)
                with m.If(self.ratings.valid):
                    m.next = "Taken"

            with m.State("Taken"):
                with m.If(self.found & ~self.found_known):
                    m.d.sync += [self.refused.eq(1), slot.eq(self.first)]
                    m.next = "Cut"
                with m.Elif(self.found):
                    m.d.sync += [self.kept.eq(one_more), taken.eq(taken + 1)]
                    m.next = "Take"
                    with m.If(taken + 1 == self.count):
                        m.next = "Finish"

            with m.State("Finish"):
                m.d.comb += [self.set_kept.en.eq(1), self.set_kept.kept.eq(self.kept)]
                with m.If(~self.looking):
                    m.next = "Mark"
                    with m.If(self.skipped):
                        m.next = "Wipe"

            # Marks: none, all, or those of the selected user's films

            with m.State("Wipe"):
                m.d.comb += [self.fill.en.eq(1), self.fill.row.eq(row)]
                m.d.sync += row.eq(row + 1)
                with m.If(row == geometry.rows - 1):
                    m.d.sync += [self.skipped.eq(0), self.only.eq(0), row.eq(0)]
                    m.next = "Mark"
                    with m.If(leaving):
                        m.next = "Open"
                    with m.If(clearing):
                        m.d.sync += selected.eq(0)
                        m.next = "Clear users"

            with m.State("Clear users"):
                m.d.comb += self.set_kept.en.eq(1)
                m.d.sync += selected.eq(selected + 1)
                with m.If(selected == geometry.users - 1):
                    m.d.sync += [self.kept.eq(0), selected.eq(0), valid.eq(1), clearing.eq(0)]
                    m.next = "Learn"

            with m.State("Fill"):
                m.d.comb += [self.fill.en.eq(1), self.fill.row.eq(row), self.fill.marked.eq(1)]
                m.d.sync += row.eq(row + 1)
                with m.If(row == geometry.rows - 1):
                    m.d.sync += [self.skipped.eq(1), self.only.eq(1)]
                    m.next = "Idle"

            with m.State("Mark"):
                look_up(entry_rating, when=at_hand, mark=1)
                walk(self.kept, "Learn")
                with m.If(walked & ((self.edit == Edit.UNSKIP) | (self.edit == Edit.MARK))):
                    m.next = "Idle"

            with m.State("Learn"):
                m.d.comb += self.learn.eq(1)
                m.next = "Learning"

            with m.State("Learning"):
                with m.If(~self.learning):
                    m.d.sync += self.stale.eq(0)
                    m.next = "Idle"
        return m
