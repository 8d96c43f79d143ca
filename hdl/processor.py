"""The command processor: requests in, replies out, one at a time."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .desk import Desk
from .editor import Edit
from .frames import BodyByte
from .geometry import Geometry
from .layouts import rating_layout
from .pattern import bounded_item
from .protocol import Op, Request, Status, entries_per_page
from .replies import add_reply_states
from .reply_record import ReplyRecord
from .rest import Rest
from .self_test import PatternSource

__all__ = ["Processor"]

_EDITS = {
    Op.RATE: Edit.RATE,
    Op.FORGET: Edit.FORGET,
    Op.RESTORE: Edit.RESTORE,
    Op.RESET: Edit.RESTORE,
    Op.SELFTEST: Edit.RESTORE,
}
"""Operations that change the list of a user; RESET keeps none of it."""


class Processor(wiring.Component):
    """Executes the requests of the wire protocol; the meaning is :class:`ramrec.sim.golden_device.GoldenDevice`.

    A request costs at least one clock per byte in and out, a few clocks between records, and what the parts that
    compute take; SCORE takes ``Learner.query_clocks`` for each film.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i : ``In(stream)`` of ``BodyByte``, bodies of requests
    length : ``In(8)``, bytes of the body on ``i``
    dropped : ``In(32)``, damaged frames so far
    o : ``Out(stream)`` of ``BodyByte``, bodies of replies
    discard : ``Out(1)``, strobe: forget the body that has been begun
    replay : ``Out(1)``, strobe: send the last reply again, once ``sent``
    sent : ``In(1)``, all replies have left
    busy : ``Out(1)``, a request is being executed, or the start-up is not over

    Attributes
    ----------
    engine : :class:`Engine`, the parts that compute, for those who watch them
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._desk = Desk(geometry)
        self.engine = self._desk.engine
        super().__init__(
            {
                "i": In(stream.Signature(BodyByte)),
                "length": In(8),
                "dropped": In(32),
                "o": Out(stream.Signature(BodyByte)),
                "discard": Out(1),
                "replay": Out(1),
                "sent": In(1),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        desk = self._desk
        desk.add_to(m)
        engine, reader, writer, check, counters = desk.engine, desk.reader, desk.writer, desk.check, desk.counters
        data, editor, digester, explainer = engine.data, engine.editor, engine.digester, engine.explainer
        header, op, status = desk.header, desk.op, desk.status
        item, film, loaded, slot, left = desk.item, desk.film, desk.loaded, desk.slot, desk.left
        m.submodules.reply = reply = ReplyRecord(desk)
        m.submodules.departure = departure = Rest(BodyByte)
        connect(m, writer.o, departure.i)
        connect(m, departure.o, flipped(self.o))

        length = Signal(8)
        last_seq, greeted = Signal(8), Signal()
        again, in_sequence = Signal(), Signal()
        executed = Signal()
        e = Signal(signed(16))
        checking = Signal(range(check.latency))
        remaining = Signal(range(geometry.memory_depth + 1))

        # In a self-test, the pattern's bytes take the place of a request's, and all records that fit are taken.
        m.submodules.pattern = pattern = PatternSource()
        testing = Signal()
        tested_rating = Signal(rating_layout)
        all_films, all_ratings = geometry.catalogue_depth, geometry.memory_depth
        m.d.comb += [
            pattern.seed.eq(header.arg),
            pattern.run.eq(testing),
            pattern.o.ready.eq(reader.i.ready),
            reader.i.valid.eq(self.i.valid | testing),
            reader.i.p.data.eq(Mux(testing, pattern.o.payload, self.i.p.data)),
            reader.i.p.last.eq(self.i.p.last & ~testing),
            self.i.ready.eq(reader.i.ready & ~testing),
            tested_rating.eq(reader.o.p.data),
            editor.ratings.p.eq(reader.o.p.data),
        ]
        with m.If(testing):
            m.d.comb += editor.ratings.p.item.eq(bounded_item(tested_rating.item, all_films))

        m.d.comb += [
            engine.user.eq(header.user),
            engine.slot.eq(slot),
            engine.item.eq(item),
            engine.film.eq(film),
            check.header.eq(header),
            check.length.eq(length),
            check.kept.eq(data.stored_kept),
            data.loaded.eq(loaded),
            data.film_write.place.eq(data.found_place),
            check.loaded.eq(loaded),
            data.loaded.eq(loaded),
            data.film_write.film.eq(film),
            digester.of_catalogue.eq(desk.for_all),
            digester.loaded.eq(loaded),
            editor.user.eq(header.user),
            editor.item.eq(item),
            editor.e.eq(e),
            editor.first.eq(Mux((op == Op.RESET) | testing, 0, header.arg)),
            editor.count.eq(header.count | Mux(testing, all_ratings, 0)),
            editor.skip.marked.eq(op == Op.SKIP),
            editor.skip.item.eq(reader.o.p.data),
            counters.learn.eq(data.learn),
            counters.learning.eq(data.learning),
            counters.rank.eq(data.rank),
            counters.ranking.eq(data.ranking),
            desk.dropped.eq(self.dropped),
        ]
        if explainer is not None:
            m.d.comb += [explainer.first.eq(header.arg), explainer.count.eq(left)]
        with m.Switch(op):
            for operation, edit in _EDITS.items():
                with m.Case(operation):
                    m.d.comb += editor.edit.eq(edit)
        with m.If((op == Op.RESET) & desk.for_all):
            m.d.comb += editor.edit.eq(Edit.CLEAR_ALL)

        m.d.sync += [
            self.discard.eq(0),
            self.replay.eq(0),
            data.rank.eq(0),
            e.eq(header.arg.as_signed() - (film.prior << geometry.prior_shift)),
            again.eq(greeted & (header.seq == last_seq)),
            remaining.eq(Mux(header.arg >= data.stored_kept, 0, data.stored_kept - header.arg)),
            in_sequence.eq((header.op == Op.HELLO) | (greeted & (header.seq == (last_seq + 1)[:8]))),
        ]
        m.d.comb += [reader.size.eq(check.record_bytes), self.busy.eq(1)]
        with m.FSM():
            with m.State("Start up"):
                with m.If(~editor.busy):
                    m.next = "Header"

            with m.State("Header"):
                m.d.comb += [
                    reader.size.eq(Request.HEADER.size),
                    self.busy.eq(self.i.valid | reader.o.valid | departure.o.valid),
                ]
                m.d.sync += executed.eq(0)
                with m.If(self.i.valid):
                    m.d.sync += length.eq(self.length)
                with m.If(desk.take(m, "Sequence")):
                    m.d.comb += counters.begun.eq(1)
                    m.d.sync += [header.eq(reader.o.p.data), checking.eq(check.latency - 3)]

            with m.State("Sequence"):
                m.next = "Sequenced"

            with m.State("Sequenced"):
                with m.If(in_sequence):
                    m.d.sync += [last_seq.eq(header.seq), greeted.eq(1), executed.eq(1)]
                    m.next = "Check"
                with m.Elif(again):
                    m.next = "Replay"
                with m.Else():
                    m.d.sync += status.eq(Status.BAD_SEQUENCE)
                    m.next = "Reply"

            with m.State("Check"):
                m.d.sync += checking.eq(checking - 1)
                with m.If(checking == 0):
                    m.next = "Checked"

            with m.State("Replay"):
                with m.If(self.sent & ~departure.o.valid):
                    m.d.sync += self.replay.eq(1)
                    m.next = "Drain"

            with m.State("Checked"):
                m.d.sync += [status.eq(check.status), item.eq(header.arg), slot.eq(header.arg)]
                page = Mux(op == Op.SAVE, entries_per_page(geometry, Op.SAVE), entries_per_page(geometry, Op.EXPLAIN))
                m.d.sync += left.eq(Mux(op == Op.RANK, header.arg, Mux(remaining < page, remaining, page)))
                m.d.sync += [reply.word.eq(0), reply.follows.eq(op == Op.RANK)]
                with m.If(check.status != Status.OK):
                    m.next = "Reply"
                with m.Else():
                    with m.Switch(op):
                        with m.Case(Op.HELLO, Op.STATS, Op.SAVE):
                            m.next = "Reply"
                        with m.Case(Op.LOAD):
                            m.next = "Load"
                        with m.Case(Op.SELFTEST):
                            m.d.sync += testing.eq(1)
                            m.next = "Select"
                        with m.Default():
                            m.next = "Select"
                    with m.If(desk.for_all):
                        with m.Switch(op):
                            with m.Case(Op.RESET):
                                m.next = "Edit"
                            with m.Case(Op.DIGEST):
                                m.next = "Digest"
                            with m.Case(Op.SELFTEST):
                                m.next = "Test films"

            # The user

            with m.State("Select"):
                changes = Signal()
                with m.Switch(op):
                    with m.Case(*_EDITS):
                        m.d.comb += changes.eq(1)
                m.d.comb += editor.edit.eq(Mux(changes, Edit.OPEN, Edit.SELECT))
                m.next = "Selected"
                with m.If(~editor.ready | (editor.stale & ~changes)):
                    m.d.comb += editor.start.eq(1)
                    m.next = "Selecting"

            with m.State("Selecting"):
                m.d.comb += editor.edit.eq(Mux(changes, Edit.OPEN, Edit.SELECT))
                with m.If(~editor.busy):
                    m.next = "Selected"

            with m.State("Selected"):
                with m.Switch(op):
                    with m.Case(Op.RATE, *[Op.EXPLAIN] * geometry.explains):
                        m.next = "Film"
                    with m.Case(Op.FORGET, Op.RESTORE, Op.RESET, Op.SELFTEST):
                        m.next = "Edit"
                    with m.Case(Op.SCORE):
                        m.next = "Reply"
                    with m.Case(Op.RANK):
                        m.next = "Rank"
                    with m.Case(Op.SKIP):
                        m.next = "Skip"
                    with m.Case(Op.ONLY):
                        m.next = "Only"
                    with m.Default():
                        m.next = "Digest"

            # Changes of the list

            with m.State("Edit"):
                m.d.comb += editor.start.eq(1)
                m.next = "Editing"

            with m.State("Editing"):
                with m.If((op == Op.RESTORE) | testing):
                    m.d.comb += [
                        reader.take.eq(~reader.ended | testing),
                        editor.ratings.valid.eq(reader.o.valid),
                        reader.o.ready.eq(editor.ratings.ready),
                    ]
                with m.If(~editor.busy):
                    m.next = "Reply"
                    with m.If(testing):
                        m.next = "Digest"
                    with m.If((op == Op.RESET) & desk.for_all):
                        m.d.sync += loaded.eq(0)
                    with m.If((op == Op.FORGET) & editor.missing):
                        m.d.sync += status.eq(Status.NOT_KEPT)
                        m.next = "Reply"
                    with m.If((op == Op.RESTORE) & editor.refused):
                        m.d.sync += status.eq(Status.BAD_ITEM)
                        m.next = "Reply"

            # Films: of the request, or of the catalogue

            with m.State("Film"):
                with m.If(desk.take(m, "Film found")):
                    record = reader.o.p.data
                    m.d.sync += item.eq(record[:16])
                    m.d.sync += film.eq(record[16:])
                    with m.If(~desk.inline):
                        m.next = "Look up"

            with m.State("Look up"):
                m.d.comb += engine.look.eq(1)
                m.next = "Looked up"

            with m.State("Looked up"):
                m.d.sync += film.eq(data.found_film)
                with m.If(data.found):
                    m.next = "Film found"
                    with m.If(~data.found_known):
                        m.d.sync += status.eq(Status.BAD_ITEM)
                        m.next = "Discard"

            with m.State("Film found"):
                with m.Switch(op):
                    with m.Case(Op.RATE):
                        m.next = "Edit"
                    if geometry.explains:
                        with m.Case(Op.EXPLAIN):
                            m.next = "Explain"
                    with m.Default():
                        m.next = "Score"

            with m.State("Test films"):
                m.d.sync += item.eq(0)
                m.next = "Load"

            with m.State("Load"):
                m.d.comb += reader.skip.eq(2)  # so that a film always lies behind an item
                with m.If(desk.take(m, "Load place")):
                    m.d.sync += film.eq(reader.o.p.data[16:])

            with m.State("Load place"):
                m.d.comb += engine.look.eq(1)
                m.next = "Load write"

            with m.State("Load write"):
                with m.If(data.found):
                    m.d.comb += data.film_write.en.eq(1)
                    m.d.sync += item.eq(item + 1)
                    m.next = "Load"
                    with m.If(desk.last_record | (testing & (item == all_films - 1))):
                        after = Mux(item >= loaded, item + 1, loaded)[:16]
                        m.d.comb += editor.unselect.eq(1)
                        m.d.sync += loaded.eq(after)
                        m.next = "Reply"
                        with m.If(testing):
                            m.next = "Digest"

            # Films to leave out

            with m.State("Only"):
                m.d.comb += [editor.edit.eq(Edit.ONLY), editor.start.eq(~editor.only)]
                m.next = "Only all"

            with m.State("Only all"):
                m.d.comb += editor.edit.eq(Edit.ONLY)
                with m.If(~editor.busy):
                    m.next = "Skip"

            with m.State("Skip"):
                with m.If(desk.take(m, "Skip")):
                    m.d.comb += editor.skip.en.eq(1)
                    with m.If(reader.o.p.last):
                        m.next = "Reply"
                        with m.If(op == Op.ONLY):
                            m.next = "Skipped"

            with m.State("Skipped"):
                m.d.comb += [editor.edit.eq(Edit.MARK), editor.start.eq(~engine.looking)]
                with m.If(~engine.looking):
                    m.next = "Mark"

            with m.State("Mark"):
                m.d.comb += editor.edit.eq(Edit.MARK)
                with m.If(~editor.busy):
                    m.next = "Reply"

            add_reply_states(m, desk, reply)

            # Ends

            with m.State("Unskip"):
                m.d.comb += [editor.edit.eq(Edit.UNSKIP), editor.start.eq(editor.skipped)]
                m.next = "Unskipping"

            with m.State("Unskipping"):
                m.d.comb += editor.edit.eq(Edit.UNSKIP)
                with m.If(~editor.busy):
                    m.next = "Done"

            with m.State("Discard"):
                with m.If(~writer.o.valid & ~departure.o.valid):
                    m.d.sync += self.discard.eq(1)
                    m.next = "Reply"

            with m.State("Drain"):
                m.d.comb += reader.drop.eq(1)
                with m.If(reader.ended):
                    m.next = "Done"

            with m.State("Done"):
                m.d.comb += counters.executed.eq(executed)
                m.d.sync += testing.eq(0)
                m.next = "Header"
        return m
