"""A queue of bytes in one block RAM."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .block_ram import make_memory, registered_read

__all__ = ["ByteQueue"]


class ByteQueue(wiring.Component):
    """Bytes in the order in which they came.

    Takes a byte per clock while fewer than ``depth - 1`` wait in the memory, and gives one every other clock, the
    first one 2 clocks after it came.

    Parameters
    ----------
    depth : :class:`int`, a power of two, at least 2

    Members
    -------
    i, o : ``In(stream)``, ``Out(stream)`` of bytes
    """

    def __init__(self, depth: int) -> None:
        if depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two and at least 2, not {depth!r}")
        self._depth = depth
        super().__init__({"i": In(stream.Signature(8)), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = make_memory(8, self._depth)
        write = memory.write_port()
        written, taken, after = (Signal(range(self._depth)) for _ in range(3))
        m.d.comb += [
            after.eq(written + 1),
            self.i.ready.eq(after != taken),
            write.en.eq(self.i.valid & self.i.ready),
            write.addr.eq(written),
            write.data.eq(self.i.payload),
            self.o.payload.eq(registered_read(m, memory, taken, enable=~self.o.valid)),
        ]
        with m.If(write.en):
            m.d.sync += written.eq(after)
        with m.If(~self.o.valid):
            m.d.sync += [self.o.valid.eq(taken != written), taken.eq(taken + (taken != written))]
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m
