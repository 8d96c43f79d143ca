"""Memories that synthesis maps to block RAM or LUT RAM without logic around them."""

from amaranth import Module, Signal
from amaranth.hdl import ShapeLike, Value
from amaranth.lib.memory import Memory

__all__ = ["make_memory", "registered_read"]


def make_memory(shape: ShapeLike, depth: int) -> Memory:
    """A memory of zeros. What a read gives that meets a write to the same word is not defined in hardware.

    Amaranth's own read port promises the old word, for which Yosys adds a register and a multiplexer per bit.
    """
    return Memory(shape=shape, depth=depth, init=[], attrs={"no_rw_check": 1})


def registered_read(m: Module, memory: Memory, address: Value, *, enable: Value | None = None) -> Signal:
    """The word at an address, one clock later; it stays while not ``enable``.

    What it is before the first read is not defined in hardware, and a reset leaves it as it is: block RAM of an iCE40
    has neither, and would want a LUT per bit for them. The attribute lets synthesis drop the initial value.
    """
    port = memory.read_port(domain="comb")
    m.d.comb += port.addr.eq(address)
    word = Signal.like(port.data, name="word", reset_less=True, attrs={"undefined_at_start": 1})
    if enable is None:
        m.d.sync += word.eq(port.data)
    else:
        with m.If(enable):
            m.d.sync += word.eq(port.data)
    return word
