"""What STATS reports."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Counters"]


class Counters(wiring.Component):
    """Counts clocks and requests, in 32 bits that wrap; the meaning is :class:`.protocol.Stats`.

    Members
    -------
    begun : ``In(1)``, strobe: a request's header is there
    executed : ``In(1)``, strobe: that request is through
    learn, learning : ``In(1)``, strobe and goings-on of the learner
    rank, ranking : ``In(1)``, of the ranker
    clocks, command_clocks, learn_clocks, commands, rank_clocks : ``Out(32)``
    """

    begun: In(1)
    executed: In(1)
    learn: In(1)
    learning: In(1)
    rank: In(1)
    ranking: In(1)
    clocks: Out(32)
    command_clocks: Out(32)
    learn_clocks: Out(32)
    commands: Out(32)
    rank_clocks: Out(32)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        since_begun = Signal(32)
        m.d.sync += [self.clocks.eq(self.clocks + 1), since_begun.eq(since_begun + 1)]
        with m.If(self.begun):
            m.d.sync += since_begun.eq(0)
        with m.If(self.executed):
            m.d.sync += [self.command_clocks.eq(since_begun), self.commands.eq(self.commands + 1)]
        with m.If(self.learn):
            m.d.sync += self.learn_clocks.eq(1)
        with m.Elif(self.learning):
            m.d.sync += self.learn_clocks.eq(self.learn_clocks + 1)
        with m.If(self.rank):
            m.d.sync += self.rank_clocks.eq(1)
        with m.Elif(self.ranking):
            m.d.sync += self.rank_clocks.eq(self.rank_clocks + 1)
        return m
