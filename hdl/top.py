"""The whole chip: a device behind a serial line. Boards add pins and a clock."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .byte_queue import ByteQueue
from .device import Device
from .geometry import Geometry
from .uart import UartReceiver, UartTransmitter

__all__ = ["Top"]

_QUEUE_BYTES = 512
"""Two whole frames less a byte, and one block RAM on iCE40: a host may send its next request while one runs."""


class Top(wiring.Component):
    """A device behind a serial line.

    Parameters
    ----------
    geometry
        What the device is made for.
    divisor
        Clocks per bit of the line, at least 4.

    Members
    -------
    rx : In(1, init=1)
        From the host; not synchronous to the clock.
    tx : Out(1, init=1)
        To the host.
    busy : Out(1)
        A request is being executed.
    error : Out(1)
        A damaged frame has come since the start.
    """

    rx: In(1, init=1)
    tx: Out(1, init=1)
    busy: Out(1)
    error: Out(1)

    def __init__(self, geometry: Geometry, divisor: int) -> None:
        if not isinstance(geometry, Geometry):
            raise TypeError(f"geometry must be a Geometry, not {geometry!r}")
        self._device = Device(geometry)
        self._receiver = UartReceiver(divisor)
        self._transmitter = UartTransmitter(divisor)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.device = device = self._device
        m.submodules.receiver = receiver = self._receiver
        m.submodules.transmitter = transmitter = self._transmitter
        m.submodules.queue = queue = ByteQueue(_QUEUE_BYTES)

        rests, resting = Signal(), Signal(8)
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            self.busy.eq(device.busy),
        ]
        wiring.connect(m, receiver.o, queue.i)
        # A byte rests between the queue's block RAM and the frame receiver, whose logic is deep; the line gives
        # it more than two clocks.
        with m.If(~device.i.valid):
            m.d.comb += queue.o.ready.eq(1)
            m.d.sync += [rests.eq(queue.o.valid), resting.eq(queue.o.payload)]
        with m.Elif(device.i.ready):
            m.d.sync += rests.eq(0)
        m.d.comb += [device.i.valid.eq(rests), device.i.payload.eq(resting)]
        wiring.connect(m, device.o, transmitter.i)
        with m.If(device.dropped != 0):
            m.d.sync += self.error.eq(1)
        return m
