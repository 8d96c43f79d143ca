"""States of the command processor that reply."""

from amaranth import Array, C, Cat, Module, Mux, Signal, signed

from .desk import Desk
from .hello import HelloWords
from .protocol import REPLY, Op, Status, record_bytes

__all__ = ["add_reply_states"]


_LOADED_WORD = 3
_FIRST_COUNTER = 32
"""Words of HELLO are numbered from 0, those of STATS from here."""


def add_reply_states(m: Module, desk: Desk) -> None:
    """Add the states from "Reply" on, which end in "Done", "Unskip", or for SCORE in "Film" again."""
    geometry, engine, writer, counters = desk.geometry, desk.engine, desk.writer, desk.counters
    data, editor, digester, explainer = engine.data, engine.editor, engine.digester, engine.explainer
    header, op, loaded = desk.header, desk.op, desk.loaded
    value, value_bytes, slot, left = desk.value, desk.value_bytes, desk.slot, desk.left
    word, at_end = Signal(range(64)), Signal()
    m.submodules.hello = hello = HelloWords(geometry)
    given, last_wanted, enough = Signal(range(geometry.top_k + 1)), Signal(), Signal()

    with m.State("Reply"):
        nothing_follows = (op == Op.SKIP) | (op == Op.ONLY) | ((op == Op.RANK) & ~data.best.p.keep)
        desk.give(m, Cat(header.seq, header.op | REPLY, C(Status.OK, 8)), 3, nothing_follows, "Value")
        with m.If(writer.i.ready):
            with m.Switch(op):
                with m.Case(Op.HELLO):
                    m.d.sync += word.eq(0)
                    m.next = "Words"
                with m.Case(Op.STATS):
                    m.d.sync += word.eq(_FIRST_COUNTER)
                    m.next = "Words"
                with m.Case(Op.SKIP, Op.ONLY):
                    m.next = "Done"
                with m.Case(Op.SCORE):
                    m.next = "Film"
                with m.Case(Op.RANK):
                    m.d.sync += [given.eq(0), enough.eq(0), last_wanted.eq(header.arg == 1)]
                    m.next = "Ranked"
                with m.Case(Op.SAVE):
                    m.next = "Save"
                if geometry.explains:
                    with m.Case(Op.EXPLAIN):
                        m.next = "Explained"

    with m.State("Value"):
        desk.give(m, value, value_bytes, 1, "Done")

    with m.State("Words"):
        m.d.comb += hello.number.eq(word)
        m.next = "Word read"

    with m.State("Word read"):
        stats = [
            counters.clocks,
            counters.command_clocks,
            counters.learn_clocks,
            counters.commands,
            desk.dropped,
            counters.rank_clocks,
        ]
        m.d.sync += [
            value.eq(Mux(word == _LOADED_WORD, loaded, hello.word)),
            value_bytes.eq(2),
            at_end.eq((word == hello.count - 1) | (word == _FIRST_COUNTER + len(stats) - 1)),
        ]
        with m.If(word >= _FIRST_COUNTER):
            m.d.sync += [value.eq(Array(stats)[word % 8]), value_bytes.eq(4)]
        m.next = "Word"

    with m.State("Word"):
        desk.give(m, value, value_bytes, at_end, "Words")
        with m.If(writer.i.ready):
            m.d.sync += word.eq(word + 1)
            with m.If(at_end):
                m.next = "Done"
                with m.If(op == Op.HELLO):
                    m.next = "Unskip"

    with m.State("Score"):
        m.d.comb += engine.query.eq(1)
        m.next = "Scored"

    with m.State("Scored"):
        with m.If(~data.asking):
            scored = Signal(signed(32))
            m.d.comb += scored.eq(data.score)
            desk.give(m, scored, 4, desk.last_record, "Film")
            with m.If(writer.i.ready & desk.last_record):
                m.next = "Done"

    with m.State("Rank"):
        m.d.comb += data.rank.eq(1)
        m.next = "Ranking"

    with m.State("Ranking"):
        with m.If(data.best.valid):
            m.next = "Reply"

    with m.State("Ranked"):
        best = data.best.p
        score = Signal(signed(32))
        m.d.comb += score.eq(best.score)
        with m.If(best.keep & ~enough):
            desk.give(m, Cat(best.item, score), 6, best.last | last_wanted, "Ranked")
            m.d.comb += data.best.ready.eq(writer.i.ready)
        with m.Else():
            m.d.comb += data.best.ready.eq(1)
        with m.If(data.best.valid & data.best.ready):
            m.d.sync += [given.eq(given + 1), last_wanted.eq(given + 2 == header.arg)]
            with m.If(last_wanted):
                m.d.sync += enough.eq(1)
            with m.If(best.last):
                m.next = "Unskip"

    with m.State("Save"):
        desk.give(m, data.stored_kept, 2, left == 0, "Save read")
        with m.If(writer.i.ready & (left == 0)):
            m.next = "Done"

    with m.State("Save read"):
        m.next = "Save reading"

    with m.State("Save reading"):
        m.next = "Save write"

    with m.State("Save write"):
        desk.give(m, data.rating, record_bytes(geometry, Op.RESTORE), left == 1, "Save read")
        with m.If(writer.i.ready):
            m.d.sync += [slot.eq(slot + 1), left.eq(left - 1)]
            with m.If(left == 1):
                m.next = "Done"

    if explainer is not None:
        with m.State("Explain"):
            m.d.comb += explainer.start.eq(1)
            m.next = "Explaining"

        with m.State("Explaining"):
            with m.If(explainer.o.valid | ~explainer.busy):
                m.next = "Reply"

        with m.State("Explained"):
            nearest = Signal(16)
            kept = Signal(16)
            m.d.comb += [nearest.eq(explainer.nearest), kept.eq(editor.kept)]
            desk.give(m, Cat(kept, nearest), 4, left == 0, "Contributions")
            with m.If(writer.i.ready & (left == 0)):
                m.next = "Done"

        with m.State("Contributions"):
            with m.If(explainer.o.valid):
                said = explainer.o.p
                desk.give(m, Cat(said.item, said.match, said.contribution), 8, said.last, "Contributions")
                m.d.comb += explainer.o.ready.eq(writer.i.ready)
                with m.If(writer.i.ready & said.last):
                    m.next = "Done"

    with m.State("Digest"):
        m.d.comb += digester.start.eq(1)
        m.next = "Digesting"

    with m.State("Digesting"):
        m.d.comb += desk.reader.drop.eq(1)  # what a self-test's last record was ahead
        with m.If(~digester.busy):
            m.d.sync += [value.eq(digester.crc), value_bytes.eq(4)]
            m.next = "Reply"
