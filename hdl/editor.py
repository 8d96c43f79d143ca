"""Changes to a user's list of kept ratings, with the marks and tables that follow from it."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.enum import Enum
from amaranth.lib.wiring import In, Out, Signature

from .geometry import Geometry
from .layouts import entry_layout
from .user_memory import entry_read_signature

__all__ = ["Edit", "ListEditor"]


class Edit(Enum, shape=3):
    """What to do with the list of ``user``, who is selected afterwards."""

    SELECT = 0  #: nothing
    RATE = 1  #: drop the item's entry, or the oldest if the memory is full, and append ``entry``
    FORGET = 2  #: drop the item's entry
    RESTORE = 3  #: keep the first ``first`` entries and append those of ``entries``
    CLEAR = 4  #: drop all entries
    CLEAR_ALL = 5  #: drop all entries of all users and all marks; user 0 is selected
    UNSKIP = 6  #: nothing, and select nobody else; only the marks of skipped films go


class ListEditor(wiring.Component):
    """Edits a list of kept ratings, marks its films in the catalogue and has it learned.

    While the editor is idle, the marks are those of the selected user's films and of films skipped since the
    last edit, and the tables are the selected user's. An edit takes at most one clock per kept entry for each
    of find, unmark, shift and mark (after a skip, unmarking takes one clock per catalogue row), a few clocks
    in between, and the learning. After a reset the editor first does ``CLEAR_ALL`` of its own accord.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``; the inputs below are held while ``busy``
    edit : ``In(Edit)``
    user : ``In``
    entry : ``In``, of RATE; FORGET looks at its ``item`` only
    first, count : ``In``, of RESTORE: entries to keep and to append
    entries : ``In(stream)`` of entries, RESTORE's
    busy : ``Out(1)``
    missing : ``Out(1)``, the last FORGET found no such item and changed nothing
    kept : ``Out``, entries of the selected user
    selected : ``Out``, the selected user
    skipped : ``Out(1)``, films have been skipped since the last edit
    skip : ``In(...)``: ``en``, ``item``: mark one more film until the next edit; while not ``busy``
    memory_user, read, write, memory_kept, set_kept : :class:`UserMemory`'s, driven while ``busy``
    mark, wipe : :class:`Catalogue`'s
    learn, learning : strobe to learn the selected user's entries, and whether that goes on
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        kept, user = range(geometry.memory_depth + 1), range(geometry.users)
        entry = entry_layout(geometry)
        super().__init__(
            {
                "start": In(1),
                "edit": In(Edit),
                "user": In(user),
                "entry": In(entry),
                "first": In(kept),
                "count": In(kept),
                "entries": In(stream.Signature(entry)),
                "busy": Out(1),
                "missing": Out(1),
                "kept": Out(kept),
                "selected": Out(user),
                "skipped": Out(1),
                "skip": In(Signature({"en": Out(1), "item": Out(16)})),
                "memory_user": Out(user),
                "read": Out(entry_read_signature(geometry)),
                "write": Out(Signature({"en": Out(1), "slot": Out(range(geometry.memory_depth)), "entry": Out(entry)})),
                "memory_kept": In(kept),
                "set_kept": Out(Signature({"en": Out(1), "kept": Out(kept)})),
                "mark": Out(Signature({"en": Out(1), "item": Out(16), "marked": Out(1)})),
                "wipe": Out(Signature({"en": Out(1), "row": Out(range(geometry.rows))})),
                "learn": Out(1),
                "learning": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        depth = geometry.memory_depth

        clearing = Signal(init=1)
        taken = Signal(range(depth + 1))
        row = Signal(range(geometry.rows))
        cleared_user = Signal(range(geometry.users))
        old_kept = Signal(range(depth + 1))
        found = Signal()
        found_slot = Signal(range(depth))

        # A walk reads slots ``slot`` up to ``end``; ``here`` says that the entry of slot ``seen`` is at hand.
        slot, end = Signal(range(depth + 1)), Signal(range(depth + 1))
        seen, here, walked = Signal(range(depth)), Signal(), Signal()
        m.d.comb += [self.read.slot.eq(slot), walked.eq(slot == end)]

        def walk() -> None:
            m.d.sync += [seen.eq(slot), here.eq(~walked), slot.eq(slot + 1)]
            with m.If(walked):
                m.d.sync += slot.eq(0)

        hit = Signal()
        m.d.comb += hit.eq(here & (self.read.entry.item == self.entry.item))

        with m.If(self.skip.en):
            m.d.sync += self.skipped.eq(1)
            m.d.comb += [self.mark.en.eq(1), self.mark.item.eq(self.skip.item), self.mark.marked.eq(1)]

        m.d.comb += [self.memory_user.eq(self.user), self.busy.eq(1)]
        with m.FSM(init="Wipe"):
            with m.State("Idle"):
                m.d.comb += self.busy.eq(0)
                m.d.sync += [slot.eq(0), here.eq(0), found.eq(0), row.eq(0), cleared_user.eq(0)]
                with m.If(self.start):
                    m.d.sync += self.missing.eq(0)
                    m.next = "Open"
                    with m.If(self.edit == Edit.UNSKIP):
                        m.next = "Wipe"

            with m.State("Open"):  # the memory looks up how many entries the user keeps
                with m.If(self.edit == Edit.CLEAR_ALL):
                    m.d.sync += clearing.eq(1)
                    m.next = "Wipe"
                with m.Else():
                    m.next = "Opened"

            with m.State("Opened"):
                m.d.sync += [old_kept.eq(self.kept), self.kept.eq(self.memory_kept)]
                m.next = "Find"

            with m.State("Find"):
                m.d.comb += end.eq(self.kept)
                walk()
                with m.If(hit & ~found):
                    m.d.sync += [found.eq(1), found_slot.eq(seen)]
                with m.If(walked):
                    m.next = "Unmark"
                    with m.If(self.skipped):
                        m.next = "Wipe"
                    with m.If((self.edit == Edit.FORGET) & ~found & ~hit):
                        m.d.sync += [self.missing.eq(1), self.kept.eq(old_kept)]
                        m.next = "Idle"

            with m.State("Unmark"):
                m.d.comb += [self.memory_user.eq(self.selected), end.eq(old_kept)]
                m.d.comb += [self.mark.en.eq(here), self.mark.item.eq(self.read.entry.item)]
                walk()
                with m.If(walked):
                    m.next = "Change"

            with m.State("Wipe"):
                m.d.comb += [self.wipe.en.eq(1), self.wipe.row.eq(row)]
                m.d.sync += row.eq(row + 1)
                with m.If(row == geometry.rows - 1):
                    m.d.sync += self.skipped.eq(0)
                    m.next = "Change"
                    with m.If(clearing):
                        m.next = "Clear users"

            with m.State("Clear users"):
                m.d.comb += [self.memory_user.eq(cleared_user), self.set_kept.en.eq(1)]
                m.d.sync += cleared_user.eq(cleared_user + 1)
                with m.If(cleared_user == geometry.users - 1):
                    m.d.sync += [self.kept.eq(0), self.selected.eq(0), clearing.eq(0)]
                    m.next = "Mark"

            with m.State("Change"):
                m.d.sync += self.selected.eq(self.user)
                m.next = "Keep"
                with m.Switch(self.edit):
                    with m.Case(Edit.UNSKIP):
                        m.d.sync += self.selected.eq(self.selected)
                        m.next = "Mark"
                    with m.Case(Edit.RATE, Edit.FORGET):
                        m.d.sync += slot.eq(found_slot + 1)
                        m.next = "Shift"
                        with m.If(~found):
                            m.d.sync += slot.eq(1)
                            with m.If(self.kept != depth):
                                m.next = "Append"
                    with m.Case(Edit.RESTORE):
                        m.d.sync += [self.kept.eq(self.first), taken.eq(0)]
                        with m.If(self.count != 0):
                            m.next = "Take"
                    with m.Case(Edit.CLEAR):
                        m.d.sync += self.kept.eq(0)

            with m.State("Shift"):
                m.d.comb += [
                    end.eq(self.kept),
                    self.write.en.eq(here),
                    self.write.slot.eq(seen - 1),
                    self.write.entry.eq(self.read.entry),
                ]
                walk()
                with m.If(walked):
                    m.d.sync += self.kept.eq(self.kept - 1)
                    m.next = "Keep"
                    with m.If(self.edit == Edit.RATE):
                        m.next = "Append"

            with m.State("Append"):
                m.d.comb += [
                    self.write.en.eq(1),
                    self.write.slot.eq(self.kept),
                    self.write.entry.eq(self.entry),
                ]
                m.d.sync += self.kept.eq(self.kept + 1)
                m.next = "Keep"

            with m.State("Take"):
                m.d.comb += [
                    self.entries.ready.eq(1),
                    self.write.en.eq(self.entries.valid),
                    self.write.slot.eq(self.kept),
                    self.write.entry.eq(self.entries.p),
                ]
                with m.If(self.entries.valid):
                    m.d.sync += [self.kept.eq(self.kept + 1), taken.eq(taken + 1)]
                    with m.If(taken + 1 == self.count):
                        m.next = "Keep"

            with m.State("Keep"):
                m.d.comb += [self.set_kept.en.eq(1), self.set_kept.kept.eq(self.kept)]
                m.d.sync += slot.eq(0)
                m.next = "Mark"

            with m.State("Mark"):
                m.d.comb += [self.memory_user.eq(self.selected), end.eq(self.kept), self.mark.en.eq(here)]
                m.d.comb += [self.mark.item.eq(self.read.entry.item), self.mark.marked.eq(1)]
                walk()
                with m.If(walked):
                    m.next = "Learn"
                    with m.If(self.edit == Edit.UNSKIP):
                        m.next = "Idle"

            with m.State("Learn"):
                m.d.comb += self.learn.eq(1)
                m.next = "Learning"

            with m.State("Learning"):
                with m.If(~self.learning):
                    m.next = "Idle"
        return m
