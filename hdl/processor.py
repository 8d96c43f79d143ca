"""The command processor: requests in, replies out, one at a time."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from .desk import Desk
from .editor import Edit
from .frames import BodyByte
from .geometry import Geometry
from .layouts import lane_of
from .protocol import ALL, REPLY, Op, Request, Status, entries_per_page
from .replies import add_reply_states

__all__ = ["Processor"]

_EDITS = {Op.RATE: Edit.RATE, Op.FORGET: Edit.FORGET, Op.RESTORE: Edit.RESTORE, Op.RESET: Edit.CLEAR}


class Processor(wiring.Component):
    """Executes the requests of the wire protocol; the meaning is :class:`ramrec.sim.golden_device.GoldenDevice`.

    A request costs one clock per byte in and out, a few clocks between records, and what the parts that
    compute take; SCORE takes the scorer's latency for each film.

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
        connect(m, writer.o, flipped(self.o))

        length = Signal(8)
        last_seq, greeted = Signal(8), Signal()
        executed = Signal()

        m.d.comb += [
            engine.user.eq(header.user),
            engine.slot.eq(slot),
            engine.item.eq(item),
            engine.film.eq(film),
            reader.i.p.eq(self.i.p),
            reader.i.valid.eq(self.i.valid),
            self.i.ready.eq(reader.i.ready),
            check.header.eq(header),
            check.length.eq(length),
            check.kept.eq(data.kept),
            check.loaded.eq(loaded),
            data.loaded.eq(loaded),
            data.film_write.item.eq(item),
            data.film_write.film.eq(film),
            digester.of_catalogue.eq(header.user == ALL),
            digester.loaded.eq(loaded),
            editor.user.eq(header.user),
            editor.entry.item.eq(item),
            editor.entry.e.eq(header.arg.as_signed() - (film.prior << geometry.prior_shift)),
            editor.entry.code.eq(film.code),
            editor.first.eq(header.arg),
            editor.count.eq(header.count),
            editor.entries.p.eq(reader.o.p.data),
            editor.skip.item.eq(reader.o.p.data),
            explainer.first.eq(header.arg),
            explainer.count.eq(left),
            counters.learn.eq(data.learn),
            counters.learning.eq(data.learning),
            desk.dropped.eq(self.dropped),
        ]
        with m.Switch(op):
            for operation, edit in _EDITS.items():
                with m.Case(operation):
                    m.d.comb += editor.edit.eq(edit)
        with m.If((op == Op.RESET) & (header.user == ALL)):
            m.d.comb += editor.edit.eq(Edit.CLEAR_ALL)

        m.d.comb += [reader.size.eq(check.record_bytes), self.busy.eq(1)]
        with m.FSM():
            with m.State("Start up"):
                with m.If(~editor.busy):
                    m.next = "Header"

            with m.State("Header"):
                m.d.comb += [reader.size.eq(Request.HEADER.size), self.busy.eq(self.i.valid | reader.o.valid)]
                m.d.sync += executed.eq(0)
                with m.If(self.i.valid):
                    m.d.sync += length.eq(self.length)
                with m.If(desk.take(m, "Sequence")):
                    m.d.comb += counters.begun.eq(1)
                    m.d.sync += header.eq(reader.o.p.data)

            with m.State("Sequence"):
                again = header.seq == last_seq
                with m.If((header.op != Op.HELLO) & ~(greeted & (again | (header.seq == (last_seq + 1)[:8])))):
                    m.d.sync += status.eq(Status.BAD_SEQUENCE)
                    m.next = "Refuse"
                with m.Elif((header.op != Op.HELLO) & again):
                    m.next = "Replay"
                with m.Else():
                    m.d.sync += [last_seq.eq(header.seq), greeted.eq(1), executed.eq(1)]
                    m.next = "Check"

            with m.State("Replay"):
                with m.If(self.sent):
                    m.d.comb += self.replay.eq(1)
                    m.next = "Drain"

            with m.State("Check"):
                m.next = "Checked"

            with m.State("Checked"):
                m.d.sync += [status.eq(check.status), item.eq(header.arg), slot.eq(header.arg)]
                remaining = data.kept - header.arg
                page = Mux(op == Op.SAVE, entries_per_page(geometry, Op.SAVE), entries_per_page(geometry, Op.EXPLAIN))
                m.d.sync += left.eq(Mux(header.arg >= data.kept, 0, Mux(remaining < page, remaining, page)))
                with m.If(check.status != Status.OK):
                    m.next = "Refuse"
                with m.Else():
                    with m.Switch(op):
                        with m.Case(Op.HELLO, Op.STATS, Op.SAVE):
                            m.next = "Reply"
                        with m.Case(Op.LOAD):
                            m.next = "Load"
                        with m.Case(Op.RATE):
                            m.next = "Film"
                        with m.Case(Op.FORGET, Op.RESTORE, Op.RESET):
                            m.next = "Edit"
                        with m.Default():
                            m.next = "Select"

            with m.State("Select"):
                m.next = "Edit"
                with m.If((op == Op.DIGEST) & (header.user == ALL)):
                    m.next = "Digest"
                with m.Elif(header.user == editor.selected):
                    m.next = "Selected"

            with m.State("Selected"):
                with m.Switch(op):
                    with m.Case(Op.SCORE):
                        m.next = "Reply"
                    with m.Case(Op.RANK):
                        m.next = "Rank"
                    with m.Case(Op.SKIP):
                        m.next = "Skip"
                    with m.Case(Op.EXPLAIN):
                        m.next = "Film"
                    with m.Default():
                        m.next = "Digest"

            # Changes of the list, and of the selected user

            with m.State("Edit"):
                m.d.comb += editor.start.eq(1)
                m.next = "Editing"

            with m.State("Editing"):
                with m.If(op == Op.RESTORE):
                    m.d.comb += [
                        reader.take.eq(~reader.ended),
                        editor.entries.valid.eq(reader.o.valid),
                        reader.o.ready.eq(editor.entries.ready),
                    ]
                with m.If(~editor.busy):
                    m.d.sync += [desk.value.eq(editor.kept), desk.value_bytes.eq(2)]
                    m.next = "Reply"
                    with m.If((op == Op.RESET) & (header.user == ALL)):
                        m.d.sync += loaded.eq(0)
                    with m.Switch(op):
                        with m.Case(Op.SCORE, Op.RANK, Op.SKIP, Op.EXPLAIN, Op.DIGEST):
                            m.next = "Selected"
                        with m.Case(Op.FORGET):
                            with m.If(editor.missing):
                                m.d.sync += status.eq(Status.NOT_KEPT)
                                m.next = "Refuse"

            # Films: of the request, or of the catalogue

            with m.State("Film"):
                with m.If(desk.take(m, "Film found")):
                    record = reader.o.p.data
                    m.d.sync += item.eq(record[:16])
                    m.d.sync += film.eq(record[16:])
                    with m.If(~desk.inline):
                        m.next = "Look up"

            with m.State("Look up"):
                m.d.comb += engine.read_film.eq(1)
                m.next = "Looked up"
                with m.If(item >= loaded):
                    m.d.sync += status.eq(Status.BAD_ITEM)
                    m.next = "Discard"

            with m.State("Looked up"):
                m.d.sync += film.eq(data.film_read.films[lane_of(item, geometry.lanes)])
                m.next = "Film found"

            with m.State("Film found"):
                with m.Switch(op):
                    with m.Case(Op.RATE):
                        m.next = "Edit"
                    with m.Case(Op.SCORE):
                        m.next = "Score"
                    with m.Default():
                        m.next = "Explain"

            with m.State("Load"):
                with m.If(desk.take(m, "Load write")):
                    m.d.sync += film.eq(reader.o.p.data)

            with m.State("Load write"):
                m.d.comb += data.film_write.en.eq(1)
                m.d.sync += item.eq(item + 1)
                m.next = "Load"
                with m.If(desk.last_record):
                    after = Mux(item >= loaded, item + 1, loaded)[:16]
                    m.d.sync += [loaded.eq(after), desk.value.eq(after), desk.value_bytes.eq(2)]
                    m.next = "Reply"

            with m.State("Skip"):
                with m.If(desk.take(m, "Skip")):
                    m.d.comb += editor.skip.en.eq(1)
                    with m.If(reader.o.p.last):
                        m.next = "Reply"

            add_reply_states(m, desk)

            # Ends

            with m.State("Unskip"):
                m.d.comb += [editor.edit.eq(Edit.UNSKIP), editor.start.eq(editor.skipped)]
                m.next = "Unskipping"

            with m.State("Unskipping"):
                m.d.comb += editor.edit.eq(Edit.UNSKIP)
                with m.If(~editor.busy):
                    m.next = "Done"

            with m.State("Discard"):
                with m.If(~writer.o.valid):
                    m.d.comb += self.discard.eq(1)
                    m.next = "Refuse"

            with m.State("Refuse"):
                desk.give(m, Cat(header.seq, header.op | REPLY, status), 3, 1, "Drain")

            with m.State("Drain"):
                m.d.comb += reader.drop.eq(~reader.ended)
                with m.If(reader.ended):
                    m.next = "Done"

            with m.State("Done"):
                m.d.comb += counters.executed.eq(executed)
                m.next = "Header"
        return m
