"""Between bytes and the fixed-size records of the protocol."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .frames import BodyByte

__all__ = ["RecordReader", "RecordWriter", "record_layout", "sized_record_layout"]


def record_layout(max_bytes: int) -> StructLayout:
    """A little-endian record at the low end of ``data``; ``last`` ends the body."""
    return StructLayout({"data": 8 * max_bytes, "last": 1})


def sized_record_layout(max_bytes: int) -> StructLayout:
    """A record that says how many ``bytes`` it has."""
    return StructLayout({"data": 8 * max_bytes, "bytes": range(max_bytes + 1), "last": 1})


class RecordReader(wiring.Component):
    """Gathers ``size`` bytes into a record; or drops the rest of a body.

    Takes one byte per clock, from 1 clock after ``take`` on; the record comes 1 clock after its last byte. A body
    that ends inside a record gives what there is, with ``last``.

    Parameters
    ----------
    max_bytes : :class:`int`

    Members
    -------
    take : ``In(1)``, gather a record, held until it comes
    size : ``In``, bytes of the record, at least 1, likewise
    skip : ``In``, bytes to leave free at the low end of a record, steady while it is gathered
    drop : ``In(1)``, forget what has been gathered, and the body's bytes up to the last one
    i : ``In(stream)`` of ``BodyByte``
    o : ``Out(stream)`` of ``record_layout(max_bytes)``
    ended : ``Out(1)``, the last byte taken ended its body
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        super().__init__(
            {
                "take": In(1),
                "size": In(range(max_bytes + 1)),
                "skip": In(range(max_bytes)),
                "drop": In(1),
                "i": In(stream.Signature(BodyByte)),
                "o": Out(stream.Signature(record_layout(max_bytes))),
                "ended": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += self.ended.eq(self.i.p.last)
        gathered = Signal(range(self._max_bytes + 1))
        place = Signal(range(self._max_bytes))
        size = Signal.like(self.size)
        taking, dropping = Signal(), Signal()
        m.d.sync += [taking.eq(self.take & ~self.o.valid), dropping.eq(self.drop)]
        m.d.sync += size.eq(self.size)
        m.d.comb += self.i.ready.eq(Mux(dropping, ~self.ended, taking & ~self.o.valid))
        with m.If(self.o.ready | dropping):
            m.d.sync += self.o.valid.eq(0)
        with m.If(self.o.valid | dropping):
            m.d.sync += gathered.eq(0)
        with m.If(~taking):
            m.d.sync += place.eq(self.skip)
        with m.If(self.i.valid & self.i.ready & ~dropping):
            m.d.sync += [
                self.o.p.data.word_select(place, 8).eq(self.i.p.data),
                self.o.p.last.eq(self.i.p.last),
                self.o.valid.eq((gathered + 1 == size) | self.i.p.last),
                gathered.eq(gathered + 1),
                place.eq(place + 1),
            ]
        return m


class RecordWriter(wiring.Component):
    """Sends the bytes of a record, lowest first.

    One byte per clock, the first one 1 clock after the record; the next record is taken along with the last
    byte. A record of 0 bytes is dropped, ``last`` included.

    Parameters
    ----------
    max_bytes : :class:`int`

    Members
    -------
    i : ``In(stream)`` of ``sized_record_layout(max_bytes)``
    o : ``Out(stream)`` of ``BodyByte``
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        super().__init__(
            {
                "i": In(stream.Signature(sized_record_layout(max_bytes))),
                "o": Out(stream.Signature(BodyByte)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(range(self._max_bytes + 1))
        data = Signal(8 * self._max_bytes)
        last = Signal()
        m.d.comb += [
            self.o.valid.eq(left != 0),
            self.o.p.data.eq(data[:8]),
            self.o.p.last.eq(last & (left == 1)),
            self.i.ready.eq((left == 0) | ((left == 1) & self.o.ready)),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [left.eq(left - 1), data.eq(data >> 8)]
        with m.If(self.i.ready):
            m.d.sync += [left.eq(Mux(self.i.valid, self.i.p.bytes, 0)), data.eq(self.i.p.data), last.eq(self.i.p.last)]
        return m
