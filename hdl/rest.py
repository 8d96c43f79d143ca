"""A place to rest on the way of a stream."""

from amaranth import Module
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Rest"]


class Rest(wiring.Component):
    """A register between two components, so that neither waits for the other's logic within a clock.

    Takes an item every other clock; it comes out 1 clock later. There is no combinational path from one side
    to the other, in either direction.

    Parameters
    ----------
    shape : shape-like, of the stream's payload

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of the shape
    """

    def __init__(self, shape: ShapeLike) -> None:
        super().__init__({"i": In(stream.Signature(shape)), "o": Out(stream.Signature(shape))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.i.ready.eq(~self.o.valid)
        with m.If(~self.o.valid):
            m.d.sync += [self.o.valid.eq(self.i.valid), self.o.payload.eq(self.i.payload)]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
