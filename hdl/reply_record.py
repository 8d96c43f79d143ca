"""What the command processor replies."""

from amaranth import Array, Cat, Elaboratable, Module, Mux, Signal, signed

from .desk import Desk
from .hello import HelloWords
from .protocol import Op, record_bytes

__all__ = ["ReplyRecord"]

_LOADED_WORD = 3
"""Number of the word of HELLO that is not in its table."""


class ReplyRecord(Elaboratable):
    """The record that a reply gives next, in registers that follow what the operation says within one clock.

    Only the operation chooses: whoever gives the record waits for it, so that no state of the processor stands in
    front of the choice. What has been given to it may go on to the next while the registers are ``held``.

    Attributes
    ----------
    data, size, last : as :class:`.RecordWriter` takes them
    held : keep them
    word : number of the word or counter to give
    follows : another record of this reply has been given, or it has no records of two kinds
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.data, self.size = Signal.like(desk.writer.i.p.data), Signal.like(desk.writer.i.p.bytes)
        self.last, self.held = Signal(), Signal()
        self.word, self.follows = Signal(range(64)), Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        desk = self._desk
        geometry, engine, counters = desk.geometry, desk.engine, desk.counters
        data, editor, explainer = engine.data, engine.editor, engine.explainer
        m.submodules.hello = hello = HelloWords(geometry)
        stats = [
            counters.clocks,
            counters.command_clocks,
            counters.learn_clocks,
            counters.commands,
            desk.dropped,
            counters.rank_clocks,
        ]
        score, best = Signal(signed(32)), data.best.p
        best_score = Signal.like(score)
        m.d.comb += [hello.number.eq(self.word), score.eq(data.score), best_score.eq(best.score)]
        ended = desk.left == self.follows

        def says(content: object, size: int, last: object = 1) -> None:
            m.d.sync += [self.data.eq(content), self.size.eq(size), self.last.eq(last)]

        with m.If(~self.held), m.Switch(desk.op):
            with m.Case(Op.HELLO):
                word = Mux(self.word == _LOADED_WORD, desk.loaded, hello.word)
                says(word, 2, self.word == hello.count - 1)
            with m.Case(Op.STATS):
                says(Array(stats)[self.word % 8], 4, self.word == len(stats) - 1)
            with m.Case(Op.LOAD):
                says(desk.loaded, 2)
            with m.Case(Op.SCORE):
                says(score, 4, desk.last_record)
            with m.Case(Op.RANK):
                says(Cat(best.item, best_score), 6, best.last | ended)
            with m.Case(Op.SAVE):
                says(data.stored_kept, 2, ended)
                with m.If(self.follows):
                    says(data.rating, record_bytes(geometry, Op.RESTORE), ended)
            if explainer is not None:
                with m.Case(Op.EXPLAIN):
                    kept, said = Signal(16), explainer.o.p
                    m.d.comb += kept.eq(editor.kept)
                    says(Cat(kept, explainer.nearest), 4, desk.left == 0)
                    with m.If(self.follows):
                        says(Cat(said.item, said.match, said.contribution), 8, said.last)
            with m.Case(Op.DIGEST, Op.SELFTEST):
                says(engine.digester.crc, 4)
            with m.Default():
                says(editor.kept, 2)
        return m
