"""Where the records of a self-test come from."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .pattern import INVERT, PATTERN_BITS, advance, first_state

__all__ = ["PatternSource"]


class PatternSource(wiring.Component):
    """The bytes of :func:`~.pattern.pattern`, one per clock, from the first one each time that ``run`` rises.

    Members
    -------
    seed : ``In(16)``, held while ``run``
    run : ``In(1)``, held while bytes are wanted
    o : ``Out(stream)`` of bytes, valid while ``run``
    """

    seed: In(16)
    run: In(1)
    o: Out(stream.Signature(8))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        state, following = Signal(PATTERN_BITS), Signal(PATTERN_BITS)
        inverted = (self.seed & INVERT) != 0
        m.d.comb += [self.o.valid.eq(self.run), following.eq(Mux(self.run, advance(state), first_state(self.seed)))]
        with m.If(~self.run | self.o.ready):
            m.d.sync += [state.eq(following), self.o.payload.eq(following[:8] ^ inverted.replicate(8))]
        return m
