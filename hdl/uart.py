"""Asynchronous serial line, 8 data bits, no parity, 1 stop bit: 8N1."""

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["UartReceiver", "UartTransmitter"]

_DATA_BITS = 8


def _checked(divisor):
    if type(divisor) is not int:
        raise TypeError(f"divisor must be an integer, not {divisor!r}")
    if not 4 <= divisor < 1 << 20:
        raise ValueError(f"divisor must be in 4..1048575 clocks per bit, not {divisor!r}")
    return divisor


class UartReceiver(wiring.Component):
    """Receives bytes. Each bit is sampled once, in its middle; a byte without its stop bit is dropped.

    A byte is valid in the middle of its stop bit, ``9 * divisor + divisor // 2 + 3`` clocks after the line
    fell, so a sender may be a few percent slower or faster. A byte that was not taken when the next one
    arrives is lost.

    Parameters
    ----------
    divisor
        Clocks per bit, at least 4.

    Members
    -------
    rx : In(1, init=1)
        The line; not synchronous to the clock.
    o : Out(stream.Signature(8))
        Bytes received.
    """

    rx: In(1, init=1)
    o: Out(stream.Signature(8))

    def __init__(self, divisor: int) -> None:
        self._divisor = _checked(divisor)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        line = Signal(init=1)
        m.submodules.synchronizer = FFSynchronizer(self.rx, line, init=1)

        timer = Signal(range(self._divisor))
        left = Signal(range(_DATA_BITS + 1))
        bits = Signal(_DATA_BITS)
        received = Signal()
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(received):
            m.d.sync += [self.o.valid.eq(1), self.o.payload.eq(bits)]

        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += timer.eq(self._divisor // 2 - 1)
                with m.If(~line):
                    m.next = "START"
            with m.State("START"):
                m.d.sync += [timer.eq(timer - 1), left.eq(_DATA_BITS)]
                with m.If(timer == 0):
                    m.d.sync += timer.eq(self._divisor - 1)
                    m.next = "BITS"
                    with m.If(line):
                        m.next = "IDLE"
            with m.State("BITS"):
                m.d.sync += timer.eq(timer - 1)
                with m.If(timer == 0):
                    m.d.sync += timer.eq(self._divisor - 1)
                    with m.If(left == 0):
                        m.d.comb += received.eq(line)
                        m.next = "RELEASE"
                        with m.If(line):
                            m.next = "IDLE"
                    with m.Else():
                        m.d.sync += [bits.eq(Cat(bits[1:], line)), left.eq(left - 1)]
            with m.State("RELEASE"):
                with m.If(line):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes, the first bit one clock after a byte was taken; one byte every ``10 * divisor`` clocks.

    Parameters
    ----------
    divisor
        Clocks per bit, at least 4.

    Members
    -------
    i : In(stream.Signature(8))
        Bytes to send.
    tx : Out(1, init=1)
        The line.
    """

    i: In(stream.Signature(8))
    tx: Out(1, init=1)

    def __init__(self, divisor: int) -> None:
        self._divisor = _checked(divisor)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self._divisor))
        left = Signal(range(_DATA_BITS + 2))
        bits = Signal(_DATA_BITS + 1, init=~0)
        m.d.comb += [self.tx.eq(bits[0]), self.i.ready.eq((left == 0) & (timer == 0))]
        with m.If(timer != 0):
            m.d.sync += timer.eq(timer - 1)
        with m.Elif(left != 0):
            m.d.sync += [bits.eq(Cat(bits[1:], 1)), left.eq(left - 1), timer.eq(self._divisor - 1)]
        with m.Elif(self.i.valid):
            m.d.sync += [
                bits.eq(Cat(0, self.i.payload)),
                left.eq(_DATA_BITS + 1),
                timer.eq(self._divisor - 1),
            ]
        return m
