"""The whole device behind a byte stream."""

from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out, connect, flipped

from .frames import BodyByte, FrameReceiver, FrameSender
from .geometry import Geometry
from .processor import Processor
from .rest import Rest

__all__ = ["Device"]


class Device(wiring.Component):
    """Frames in, frames out; the meaning is :class:`ramrec.sim.golden_device.GoldenDevice`.

    Takes one byte per clock while it receives, and none while it executes a request and a further one waits; the
    command processor gets and gives a byte every other clock.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    i : ``In(stream)`` of bytes
    o : ``Out(stream)`` of bytes
    busy : ``Out(1)``, a request is being executed or its reply sent, or the start-up is not over
    dropped : ``Out(32)``, damaged frames so far

    Attributes
    ----------
    processor : :class:`Processor`, for those who watch it
    """

    def __init__(self, geometry: Geometry) -> None:
        self.processor = Processor(geometry)
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8)),
                "busy": Out(1),
                "dropped": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = receiver = FrameReceiver()
        m.submodules.processor = processor = self.processor
        m.submodules.sender = sender = FrameSender()
        connect(m, flipped(self.i), receiver.i)
        m.submodules.arrival = arrival = Rest(StructLayout({"byte": BodyByte, "length": 8}))
        m.d.comb += [
            arrival.i.p.byte.eq(receiver.o.p),
            arrival.i.p.length.eq(receiver.length),
            arrival.i.valid.eq(receiver.o.valid),
            receiver.o.ready.eq(arrival.i.ready),
            processor.i.p.eq(arrival.o.p.byte),
            processor.length.eq(arrival.o.p.length),
            processor.i.valid.eq(arrival.o.valid),
            arrival.o.ready.eq(processor.i.ready),
        ]
        connect(m, processor.o, sender.i)
        connect(m, sender.o, flipped(self.o))
        m.d.comb += [
            processor.dropped.eq(receiver.dropped),
            sender.discard.eq(processor.discard),
            sender.replay.eq(processor.replay),
            self.dropped.eq(receiver.dropped),
            self.busy.eq(processor.busy | ~sender.idle),
        ]
        m.d.sync += processor.sent.eq(sender.idle)
        return m
