"""What STATS reports."""

from amaranth import Module, Signal
from amaranth.hdl import ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .wide_counter import WideCounter

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

        def counted(name: str, *, again: ValueLike = 0, step: ValueLike = 1, first: int = 0) -> Signal:
            m.submodules[name] = counter = WideCounter(first)
            m.d.comb += [counter.again.eq(again), counter.step.eq(step)]
            return counter.value

        m.d.comb += [
            self.clocks.eq(counted("clocks")),
            self.commands.eq(counted("commands", step=self.executed)),
            self.learn_clocks.eq(counted("learn", again=self.learn, step=self.learning, first=1)),
            self.rank_clocks.eq(counted("rank", again=self.rank, step=self.ranking, first=1)),
        ]
        since_begun = counted("since_begun", again=self.begun)
        with m.If(self.executed):
            m.d.sync += self.command_clocks.eq(since_begun)
        return m
