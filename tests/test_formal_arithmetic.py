# amaranth: UnusedElaboratable=no
"""Arithmetic, proved equal to its specification for all operands, and wide enough for all that can happen."""

import pytest
from amaranth import Array, Module, Shape, Signal, signed, unsigned
from amaranth.hdl import Assert, Assume, Value
from ramrec.hdl.adder_tree import AdderTree
from ramrec.hdl.comparator import PopcountComparator
from ramrec.hdl.fuser import Fuser
from ramrec.hdl.learner import Learner

from .formal import SMALL, bench, constant, falsified, mutated, proved


def delayed(m: Module, value: Value, clocks: int) -> Value:
    """A value of ``clocks`` clocks ago."""
    for _ in range(clocks):
        later = Signal(value.shape())
        m.d.sync += later.eq(value)
        value = later
    return value


def summed(terms: list[Value]) -> Value:
    """The sum, one term after the other, in more bits than it needs."""
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def tree(component: type[AdderTree], shape: Shape, count: int, levels: int) -> tuple[Module, int]:
    """A tree that never stalls; every sum is that of the terms of ``latency`` clocks before."""
    dut = component(shape, count, 1, levels_per_stage=levels)
    m = bench(dut, driven=[dut.o.ready])
    m.d.comb += dut.o.ready.eq(1)
    total = summed(list(dut.i.p.terms))
    expected, valid = Signal(total.shape()), Signal()
    m.d.comb += [expected.eq(delayed(m, total, dut.latency)), valid.eq(delayed(m, dut.i.valid, dut.latency))]
    m.d.comb += Assert(dut.o.valid == valid)
    with m.If(valid):
        m.d.comb += Assert(dut.o.p.sum == expected)
    return m, dut.latency


@pytest.mark.parametrize(
    ("shape", "count", "levels"),
    [
        (signed(5), 7, 2),
        (unsigned(1), 16, 2),
        pytest.param(unsigned(3), 5, 1, marks=pytest.mark.deep),
        pytest.param(signed(2), 8, 4, marks=pytest.mark.deep),
        pytest.param(signed(4), 1, 1, marks=pytest.mark.deep),
    ],
)
def test_adder_tree(shape, count, levels, tmp_path) -> None:
    """For ever."""
    m, latency = tree(AdderTree, shape, count, levels)
    proved(m, tmp_path, depth=latency + 2, unbounded=True)


def test_a_tree_that_drops_carries_is_found(tmp_path) -> None:
    m, latency = tree(mutated(AdderTree, "[a + b for a, b", "[a ^ b for a, b"), unsigned(3), 5, 1)
    falsified(m, tmp_path, depth=latency + 2)


def counts(tuple_bits: int) -> tuple[Module, int]:
    """Match counts against a count of equal tuples, bit by bit."""
    geometry = SMALL.with_(tuple_bits=tuple_bits, neurons_per_clock=16 // tuple_bits, comparators=2)
    dut = PopcountComparator(geometry)
    m = bench(dut, driven=[dut.o.ready])
    m.d.comb += dut.o.ready.eq(1)
    for code, matches in zip(dut.i.p.codes, dut.o.p.matches, strict=True):
        tuples = range(0, geometry.code_bits, tuple_bits)
        equal = [code[low : low + tuple_bits] == dut.i.p.query[low : low + tuple_bits] for low in tuples]
        expected = delayed(m, summed(equal), dut.latency)
        with m.If(dut.o.valid):
            m.d.comb += Assert(matches == expected)
    m.d.comb += Assert(dut.o.valid == delayed(m, dut.i.valid, dut.latency))
    return m, dut.latency


@pytest.mark.parametrize(
    "tuple_bits", [pytest.param(1, marks=pytest.mark.deep), 2, pytest.param(4, marks=pytest.mark.deep)]
)
def test_popcount(tuple_bits, tmp_path) -> None:
    """For ever, for every two codes of 16 bits."""
    m, latency = counts(tuple_bits)
    proved(m, tmp_path, depth=latency + 2, unbounded=True)


def test_fuser(tmp_path) -> None:
    """For ever: fused cells are the sums of cells of any size that the neurons can hold; none overflows."""
    geometry = SMALL.with_(tuple_bits=2, table_bits=8, neurons_per_clock=8)
    dut = Fuser(geometry)
    m = bench(dut)
    cells = list(dut.read.cells)
    for cell in cells:
        m.d.comb += [Assume(cell <= geometry.cell_max), Assume(cell >= -geometry.cell_max)]
    for place, written in enumerate(dut.write.cells):
        expected = delayed(m, summed(cells[place * geometry.fused :][: geometry.fused]), 1)
        with m.If(dut.valid):
            m.d.comb += Assert(written == expected)
    proved(m, tmp_path, depth=3, unbounded=True)


LEARNED = SMALL.with_(alpha_bits=2)


def learning(limit: int) -> tuple[Module, int]:
    """Learning a full list of ratings of any surprise, of films that any of the RAM neurons may address alike:
    cells and bias stay within a limit."""
    geometry = LEARNED
    dut = Learner(geometry)
    m = bench(dut, driven=[dut.start, dut.kept, dut.entry.entry, dut.query.en, dut.read.tuples])
    started, asked = Signal(), Signal(range(geometry.memory_depth))
    m.d.sync += [started.eq(1), asked.eq(dut.entry.slot)]
    surprises = [constant(m, signed(16)) for _ in range(geometry.memory_depth)]
    unlike = constant(m, geometry.neurons)
    m.d.comb += [
        dut.start.eq(~started),
        dut.kept.eq(geometry.memory_depth),
        dut.entry.entry.e.eq(Array(surprises)[asked]),
        dut.read.tuples.eq(constant(m, len(dut.read.tuples))),
    ]
    for neuron in range(geometry.neurons):
        m.d.comb += dut.entry.entry.code[neuron * geometry.tuple_bits].eq((asked != 0) & unlike[neuron])
    reading = Signal()
    m.d.sync += reading.eq(started & ~dut.busy)
    in_range = [(value <= limit) & (value >= -limit) for value in (dut.bias, *dut.read.cells)]
    m.d.comb += Assert(in_range[0])
    with m.If(reading):
        m.d.comb += [Assert(fits) for fits in in_range[1:]]
    clocks = geometry.groups * geometry.cells + geometry.sweeps * geometry.memory_depth * dut.step_clocks + 8
    return m, clocks


@pytest.mark.deep
def test_cells_hold_what_is_learned(tmp_path) -> None:
    """From power-up to the end of learning, the cells read afterwards included."""
    m, clocks = learning(LEARNED.cell_max)
    proved(m, tmp_path, depth=clocks)


@pytest.mark.deep
def test_cells_that_were_smaller_would_overflow(tmp_path) -> None:
    m, clocks = learning(LEARNED.cell_max - 1)
    falsified(m, tmp_path, depth=clocks)
