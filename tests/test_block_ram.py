"""Registered reads; and nothing uses a word that was read while it was being written: hardware may give anything."""

import random
import sys

import pytest
from amaranth import Elaboratable, Module, Mux, Signal, Value, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from ramrec.hdl import block_ram
from ramrec.hdl.block_ram import make_memory, registered_read
from ramrec.hdl.geometry import TINY
from ramrec.sim.pysim import Bench

from .test_device import DEVICES, play, session


class Clash(Elaboratable):
    """What a read port gives, upside down while a write meets it."""

    def __init__(self, memory, port):
        self._memory, self._port = memory, port
        self.data = Signal.like(port.data)

    def elaborate(self, platform):
        m = Module()
        clash = 0
        for port in self._memory.write_ports:
            clash |= (port.en != 0) & (port.addr == self._port.addr)
        data = Value.cast(self._port.data)
        m.d.comb += Value.cast(self.data).eq(Mux(clash, ~data, data))
        return m


def treacherous_read(m, memory, address, *, enable=None):
    """``registered_read`` of a memory that does what hardware may do."""
    port = memory.read_port(domain="comb")
    m.submodules += (clash := Clash(memory, port))
    m.d.comb += port.addr.eq(address)
    word = Signal.like(port.data, name="word")
    with m.If(1 if enable is None else enable):
        m.d.sync += word.eq(clash.data)
    return word


class Words(wiring.Component):
    """Eight bytes."""

    def __init__(self, read):
        self._read = read
        super().__init__(
            {
                "address": In(3),
                "enable": In(1),
                "held": Out(8),
                "word": Out(8),
                "write_en": In(1),
                "write_address": In(3),
                "write_data": In(8),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = make_memory(unsigned(8), 8)
        write = memory.write_port()
        m.d.comb += [
            self.held.eq(self._read(m, memory, self.address, enable=self.enable)),
            self.word.eq(self._read(m, memory, self.address)),
            write.en.eq(self.write_en),
            write.addr.eq(self.write_address),
            write.data.eq(self.write_data),
        ]
        return m


@pytest.mark.parametrize("read", [registered_read, treacherous_read])
def test_reads(read):
    """A word one clock later; it stays while not enabled; only the treacherous one minds being written to."""
    rng = random.Random(1)
    bench = Bench(dut := Words(read))
    words, clashes = [0] * 8, 0

    async def testbench(ctx):
        nonlocal clashes
        held = 0
        for _ in range(300):
            address, target, data, enable, writing = (rng.randrange(n) for n in (8, 8, 256, 2, 2))
            ctx.set(dut.address, address)
            ctx.set(dut.enable, enable)
            ctx.set(dut.write_en, writing)
            ctx.set(dut.write_address, target)
            ctx.set(dut.write_data, data)
            due = words[address]
            if writing and address == target:
                clashes += 1
                due ^= 0xFF * (read is treacherous_read)
            held = due if enable else held
            if writing:
                words[target] = data
            await ctx.tick()
            assert ctx.get(dut.word) == due
            assert ctx.get(dut.held) == held

    bench.run(testbench)
    assert clashes > 10


@pytest.fixture
def treacherous(monkeypatch):
    users = [
        module
        for name, module in sys.modules.items()
        if name.startswith("ramrec.hdl.") and getattr(module, "registered_read", None) is block_ram.registered_read
    ]
    assert len(users) > 5
    for module in users:
        monkeypatch.setattr(module, "registered_read", treacherous_read)


GEOMETRIES = {
    "tiny": TINY,
    "nearest": DEVICES["nearest"],
    "one group": TINY.with_(neurons_per_clock=8, comparators=1),
    "a neuron a clock": TINY.with_(neurons_per_clock=1, tuple_bits=4, lanes=1, memory_depth=2),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_device_reads_no_word_that_is_being_written(name, treacherous):
    geometry = GEOMETRIES[name]
    play(geometry, list(session(random.Random(name), geometry, 16)))
