"""States of the command processor that reply."""

from itertools import pairwise

from amaranth import Cat, Module, Signal

from .desk import Desk
from .protocol import REPLY, Op, Status
from .reply_record import ReplyRecord
from .user_store import rating_latency

__all__ = ["add_reply_states"]


def add_reply_states(m: Module, desk: Desk, record: ReplyRecord) -> None:
    """Add the states from "Reply" on, which end in "Drain", "Done", "Unskip", or for SCORE in "Film" again."""
    engine, writer = desk.engine, desk.writer
    data, digester, explainer = engine.data, engine.digester, engine.explainer
    header, op, slot, left = desk.header, desk.op, desk.slot, desk.left
    exhausted = Signal()

    with m.State("Reply"):
        refused = desk.status != Status.OK
        nothing_follows = refused | (op == Op.SKIP) | (op == Op.ONLY) | ((op == Op.RANK) & ~data.best.p.keep)
        desk.give(m, Cat(header.seq, header.op | REPLY, desk.status), 3, nothing_follows, "Value")
        with m.If(writer.i.ready):
            with m.Switch(op):
                with m.Case(Op.HELLO, Op.STATS):
                    m.next = "Fetch"
                with m.Case(Op.SKIP, Op.ONLY):
                    m.next = "Done"
                with m.Case(Op.SCORE):
                    m.next = "Film"
                with m.Case(Op.RANK):
                    m.next = "Ranked"
                    with m.If(~data.best.p.keep):
                        m.next = "Leave rest"
            with m.If(refused):
                m.next = "Drain"

    with m.State("Value"):
        m.d.comb += record.held.eq(1)
        desk.give(m, record.data, record.size, record.last, "Done")
        with m.If(writer.i.ready):
            m.d.sync += [record.word.eq(record.word + 1), record.follows.eq(1)]
            with m.If(record.follows & (op != Op.EXPLAIN)):
                m.d.sync += [slot.eq(slot + 1), left.eq(left - 1)]
            with m.Switch(op):
                with m.Case(Op.HELLO):
                    m.next = "Fetch"
                    with m.If(record.last):
                        m.next = "Unskip"
                with m.Case(Op.STATS, Op.SAVE):
                    with m.If(~record.last):
                        m.next = "Fetch"
                with m.Case(Op.SCORE):
                    with m.If(~record.last):
                        m.next = "Film"
                with m.Case(Op.RANK):
                    m.next = "Ranked"
                    with m.If(record.last):
                        m.next = "Leave rest"
                    with m.If(exhausted):
                        m.next = "Unskip"
                if explainer is not None:
                    with m.Case(Op.EXPLAIN):
                        with m.If(~record.last):
                            m.next = "Contributions"

    # A word of HELLO takes a clock to come, a rating longer, and one more to be the record.

    waits = [f"Fetch {clock}" for clock in range(1, rating_latency(desk.geometry) + 1)]
    for state, following in pairwise(["Fetch", *waits, "Value"]):
        with m.State(state):
            m.next = following

    with m.State("Score"):
        m.d.comb += engine.query.eq(1)
        m.next = "Scored"

    with m.State("Scored"):
        with m.If(~data.asking):
            m.next = "Value"

    with m.State("Rank"):
        m.d.sync += data.rank.eq(1)
        m.next = "Ranking"

    with m.State("Ranking"):
        with m.If(data.best.valid):
            m.next = "Reply"

    with m.State("Ranked"):
        m.d.comb += data.best.ready.eq(1)
        m.d.sync += exhausted.eq(data.best.p.last)
        with m.If(data.best.valid):
            m.next = "Value"

    with m.State("Leave rest"):
        m.d.comb += data.best.ready.eq(1)
        with m.If(data.best.valid & data.best.p.last):
            m.next = "Unskip"

    if explainer is not None:
        with m.State("Explain"):
            m.d.comb += explainer.start.eq(1)
            m.next = "Explaining"

        with m.State("Explaining"):
            with m.If(explainer.o.valid | ~explainer.busy):
                m.next = "Reply"

        with m.State("Contributions"):
            m.d.comb += explainer.o.ready.eq(1)
            with m.If(explainer.o.valid):
                m.next = "Value"

    with m.State("Digest"):
        m.d.comb += digester.start.eq(1)
        m.next = "Digesting"

    with m.State("Digesting"):
        m.d.comb += desk.reader.drop.eq(1)  # what a self-test's last record was ahead
        with m.If(~digester.busy):
            m.next = "Reply"
