"""The gateware's half of the wire protocol: COBS frames with a CRC-16 to bodies and back."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .block_ram import make_memory, registered_read
from .protocol import MAX_BODY, Request

__all__ = ["BodyByte", "FrameReceiver", "FrameSender"]

BodyByte = StructLayout({"data": 8, "last": 1})
"""One byte of a body, and whether it is the final one."""

_CRC_BYTES = 2


class FrameReceiver(wiring.Component):
    """Turns received bytes into the bodies of intact requests.

    A body comes out only after its whole frame has been received and its CRC has been found right, so no byte
    of a damaged frame is ever seen. The verdict is that of ``Request.unpack(decode_frame(frame))``; empty
    frames (zero bytes in a row) are ignored.

    The first byte of a body is valid two clocks after its frame's final zero was taken. Takes one byte per
    clock, but none in the clock after a frame; gives one byte per clock, and takes nothing while it gives.

    Members
    -------
    i : In(stream.Signature(8))
        Bytes from the line.
    o : Out(stream.Signature(BodyByte))
        Bodies of intact requests, without CRC.
    length : Out(8)
        Length of the body on ``o``; stable while ``o`` is valid.
    dropped : Out(32)
        Damaged frames so far; wraps.
    """

    i: In(stream.Signature(8))
    o: Out(stream.Signature(BodyByte))
    length: Out(8)
    dropped: Out(32)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.buffer = buffer = make_memory(8, 256)
        m.submodules.crc = crc = CRC16_IBM_3740(8).create()
        write = buffer.write_port()

        # COBS: a code byte says how many data bytes follow it, and every code but 255 stands for a zero that
        # ends its block, unless the frame ends there too. So a byte received decodes to one byte or to none.
        left = Signal(8)
        inside = Signal()
        zero_due = Signal()
        decoded = Signal(8)
        is_decoded = Signal()
        count = Signal(8)
        too_long = Signal()
        with m.If(left == 0):
            m.d.comb += [decoded.eq(0), is_decoded.eq(zero_due)]
        with m.Else():
            m.d.comb += [decoded.eq(self.i.payload), is_decoded.eq(1)]

        # The CRC comes last and low byte first, so the checker runs two bytes behind.
        last, second_last = Signal(8), Signal(8)
        intact = Signal()
        m.d.comb += [
            crc.start.eq(count == _CRC_BYTES),
            crc.data.eq(second_last),
            write.addr.eq(count),
            write.data.eq(decoded),
        ]
        m.d.sync += intact.eq(
            (left == 0) & ~too_long & (count >= Request.HEADER.size + _CRC_BYTES) & (crc.crc == Cat(second_last, last))
        )

        index = Signal(8)
        next_index = Signal(8)
        m.d.comb += [
            next_index.eq(index + (self.o.valid & self.o.ready)),
            self.o.payload.data.eq(registered_read(m, buffer, next_index)),
            self.o.payload.last.eq(index == self.length - 1),
        ]

        with m.FSM():
            with m.State("RECEIVE"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid & (self.i.payload != 0)):
                    m.d.sync += inside.eq(1)
                    with m.If(left == 0):
                        m.d.sync += [left.eq(self.i.payload - 1), zero_due.eq(self.i.payload != 255)]
                    with m.Else():
                        m.d.sync += left.eq(left - 1)
                    with m.If(is_decoded & (count == MAX_BODY + _CRC_BYTES)):
                        m.d.sync += too_long.eq(1)
                    with m.Elif(is_decoded):
                        m.d.comb += [write.en.eq(1), crc.valid.eq(count >= _CRC_BYTES)]
                        m.d.sync += [count.eq(count + 1), last.eq(decoded), second_last.eq(last)]
                with m.Elif(self.i.valid):
                    m.next = "JUDGE"
            with m.State("JUDGE"):
                m.d.sync += [
                    left.eq(0),
                    inside.eq(0),
                    zero_due.eq(0),
                    too_long.eq(0),
                    count.eq(0),
                ]
                m.next = "RECEIVE"
                with m.If(intact):
                    m.d.sync += self.length.eq(count - _CRC_BYTES)
                    m.next = "GIVE"
                with m.Elif(inside):
                    m.d.sync += self.dropped.eq(self.dropped + 1)
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += index.eq(next_index)
                with m.If(self.o.ready & self.o.payload.last):
                    m.d.sync += index.eq(0)
                    m.next = "RECEIVE"
        return m


class FrameSender(wiring.Component):
    """Turns bodies into frames, and keeps the last frame to send it again.

    The first byte of a frame is valid six clocks after the last byte of its body was taken, or two clocks
    after ``replay``. Takes one byte per clock, and gives one byte per clock; takes nothing while it gives.

    Members
    -------
    i : In(stream.Signature(BodyByte))
        Bodies of 1 to ``MAX_BODY`` bytes.
    discard : In(1)
        Forgets what was taken of an unfinished body, a byte taken in the same clock included.
    replay : In(1)
        Sends the last frame again, if there was one. Counts only while ``idle``; a body begun before can be
        finished afterwards.
    idle : Out(1)
        No frame is on its way: bytes, ``discard`` and ``replay`` are heeded.
    o : Out(stream.Signature(8))
        Bytes for the line.
    """

    i: In(stream.Signature(BodyByte))
    discard: In(1)
    replay: In(1)
    idle: Out(1)
    o: Out(stream.Signature(8))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Two frames: the one being collected, and the last one sent.
        m.submodules.buffer = buffer = make_memory(8, 512)
        m.submodules.crc = crc = CRC16_IBM_3740(8).create()
        write = buffer.write_port()

        half = Signal()
        position = Signal(8, init=1)
        block = Signal(8)
        end = Signal(8)
        any_sent = Signal()
        index = Signal(8)
        next_index = Signal(8)
        m.d.comb += [
            next_index.eq(index + (self.o.valid & self.o.ready)),
            self.o.payload.eq(registered_read(m, buffer, Cat(next_index, ~half))),
            crc.data.eq(self.i.payload.data),
            crc.start.eq(position == 1),
        ]

        # COBS: the place of a zero, and the one before the body, hold the distance to the next zero. It is
        # known when that next zero comes, which itself needs no writing: one write per byte is enough.
        byte = Signal(8)
        is_byte = Signal()
        m.d.sync += write.en.eq(0)
        with m.If(is_byte):
            m.d.sync += [write.en.eq(1), position.eq(position + 1)]
            with m.If(byte == 0):
                m.d.sync += [write.addr.eq(Cat(block, half)), write.data.eq(position - block), block.eq(position)]
            with m.Else():
                m.d.sync += [write.addr.eq(Cat(position, half)), write.data.eq(byte)]

        with m.FSM():
            with m.State("COLLECT"):
                m.d.comb += [
                    self.idle.eq(1),
                    self.i.ready.eq(1),
                    byte.eq(self.i.payload.data),
                    is_byte.eq(self.i.valid),
                    crc.valid.eq(self.i.valid),
                ]
                with m.If(self.discard):
                    m.d.sync += [position.eq(1), block.eq(0)]
                with m.If(self.i.valid & self.i.payload.last & ~self.discard):
                    m.next = "CRC_LOW"
                with m.Elif(self.replay & any_sent):
                    m.next = "FETCH"
            with m.State("CRC_LOW"):
                m.d.comb += [byte.eq(crc.crc[:8]), is_byte.eq(1)]
                m.next = "CRC_HIGH"
            with m.State("CRC_HIGH"):
                m.d.comb += [byte.eq(crc.crc[8:]), is_byte.eq(1)]
                m.next = "CLOSE_BLOCK"
            with m.State("CLOSE_BLOCK"):
                m.d.sync += [
                    write.en.eq(1),
                    write.addr.eq(Cat(block, half)),
                    write.data.eq(position - block),
                ]
                m.d.sync += [end.eq(position), half.eq(~half), any_sent.eq(1), position.eq(1), block.eq(0)]
                m.next = "SETTLE"
            with m.State("SETTLE"):
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.sync += [write.en.eq(1), write.addr.eq(Cat(end, ~half)), write.data.eq(0)]
                m.next = "GIVE"
            with m.State("GIVE"):
                m.d.comb += self.o.valid.eq(1)
                m.d.sync += index.eq(next_index)
                with m.If(self.o.ready & (index == end)):
                    m.d.sync += index.eq(0)
                    m.next = "COLLECT"
        return m
