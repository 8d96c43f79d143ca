# amaranth: UnusedElaboratable=no
"""Queues and codecs, proved: nothing is lost, doubled, changed or overtaken, whatever both sides do."""

import pytest
from amaranth import Array, Module, Mux, Signal, signed
from amaranth.hdl import Assert, Assume, Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.byte_queue import ByteQueue
from ramrec.hdl.collector import Collector
from ramrec.hdl.frames import BodyByte, FrameReceiver, FrameSender
from ramrec.hdl.protocol import Request
from ramrec.hdl.records import RecordReader, RecordWriter
from ramrec.hdl.rest import Rest
from ramrec.hdl.uart import UartReceiver, UartTransmitter

from .formal import SMALL, bench, constant, falsified, holds_offers, mutated, proved

COUNT_BITS = 7
"""More than any of these proofs counts."""


def passes_on(m: Module, source: object, sink: object, *, within: int, settled: ValueLike = 1) -> None:
    """Assert that a stream gives what another one takes, item for item.

    The solver picks the number of an item, so what is asserted of that one holds for all. Once ``settled``, all
    that was taken has come out after ``within`` clocks in which nothing is offered and the sink is ready.
    """
    watched = constant(m, COUNT_BITS)
    entered, left = Signal(COUNT_BITS), Signal(COUNT_BITS)
    item = Signal(len(Value.cast(source.payload)))
    enters, leaves, quiet = Signal(), Signal(), Signal(range(within + 1))
    m.d.comb += [enters.eq(source.valid & source.ready), leaves.eq(sink.valid & sink.ready)]
    m.d.sync += [entered.eq(entered + enters), left.eq(left + leaves), quiet.eq(0)]
    with m.If(enters & (entered == watched)):
        m.d.sync += item.eq(source.payload)
    with m.If(~source.valid & sink.ready):
        m.d.sync += quiet.eq(Mux(quiet == within, within, quiet + 1))
    with m.If(leaves):
        m.d.comb += Assert(left < entered)
    with m.If(leaves & (left == watched)):
        m.d.comb += Assert(Value.cast(sink.payload) == item)
    with m.If((quiet == within) & settled):
        m.d.comb += Assert(entered == left)


def rest(component: type[Rest] = Rest) -> Module:
    """What a rest offers is what came in last, and it holds nothing else."""
    dut = component(5)
    m = bench(dut)
    entered, left, item = Signal(3), Signal(3), Signal(5)
    m.d.sync += [entered.eq(entered + (dut.i.valid & dut.i.ready)), left.eq(left + (dut.o.valid & dut.o.ready))]
    with m.If(dut.i.valid & dut.i.ready):
        m.d.sync += item.eq(dut.i.payload)
    m.d.comb += Assert((entered - left)[:3] == dut.o.valid)
    with m.If(dut.o.valid):
        m.d.comb += Assert(dut.o.payload == item)
    return m


def test_rest(tmp_path) -> None:
    """For ever."""
    proved(rest(), tmp_path, depth=2, unbounded=True)


class Chain(wiring.Component):
    """Two components whose streams follow each other."""

    def __init__(self, first: wiring.Component, second: wiring.Component) -> None:
        self.first, self.second = first, second
        super().__init__({"i": first.signature.members["i"], "o": second.signature.members["o"]})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.first, m.submodules.second = self.first, self.second
        connect(m, flipped(self.i), self.first.i)
        connect(m, self.first.o, self.second.i)
        connect(m, self.second.o, flipped(self.o))
        return m


def test_a_rest_that_does_not_hold_is_found(tmp_path) -> None:
    broken = mutated(Rest, "with m.If(~self.o.valid):", "with m.If(~self.o.valid | self.i.valid):")
    m = bench(dut := broken(5))
    holds_offers(m, dut.o)
    falsified(m, tmp_path, depth=6)


def bytes_queued(component: type[ByteQueue] = ByteQueue) -> Module:
    m = bench(dut := component(4))
    passes_on(m, dut.i, dut.o, within=9)
    return m


def test_byte_queue(tmp_path) -> None:
    """Filled and emptied in any flow, for the first clocks."""
    proved(bytes_queued(), tmp_path, depth=14)


def test_a_byte_queue_that_is_never_full_is_found(tmp_path) -> None:
    broken = mutated(ByteQueue, "self.i.ready.eq(after != taken)", "self.i.ready.eq(1)")
    falsified(bytes_queued(broken), tmp_path, depth=14)


class Line(wiring.Component):
    """A byte stream over a serial line."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(self, divisor: int) -> None:
        self._divisor = divisor
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.sender = sender = UartTransmitter(self._divisor)
        m.submodules.receiver = receiver = UartReceiver(self._divisor)
        connect(m, flipped(self.i), sender.i)
        connect(m, receiver.o, flipped(self.o))
        m.d.comb += receiver.rx.eq(sender.tx)
        return m


class Records(wiring.Component):
    """Bytes gathered into records and given again: each record has as many as came for it."""

    i: In(stream.Signature(BodyByte))
    o: Out(stream.Signature(BodyByte))

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self.reader, self.writer = RecordReader(max_bytes), RecordWriter(max_bytes)
        super().__init__()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader, m.submodules.writer = reader, writer = self.reader, self.writer
        connect(m, flipped(self.i), reader.i)
        connect(m, writer.o, flipped(self.o))
        came = Signal(range(self._max_bytes + 1))
        with m.If(reader.i.valid & reader.i.ready):
            m.d.sync += came.eq(came + 1)
        with m.If(reader.o.valid & reader.o.ready):
            m.d.sync += came.eq(0)
        m.d.comb += [
            writer.i.valid.eq(reader.o.valid),
            writer.i.p.data.eq(reader.o.p.data),
            writer.i.p.bytes.eq(came),
            writer.i.p.last.eq(reader.o.p.last),
            reader.o.ready.eq(writer.i.ready),
        ]
        return m


def test_records(tmp_path) -> None:
    """Bytes gathered into records of any size and given again; of an unfinished record the first ones wait."""
    chain = Records(3)
    m, reader = bench(chain), chain.reader
    size = constant(m, 2)
    m.d.comb += [Assume(size != 0), reader.take.eq(1), reader.size.eq(size)]
    passes_on(m, chain.i, chain.o, within=6, settled=reader.ended)
    proved(m, tmp_path, depth=12)


def frames(component: type[FrameSender] = FrameSender, *, body_bytes: int) -> Module:
    """One body, made into a frame and that into a body again.

    Any of its bytes may be zero, which is what the framing code cares about; the others have fixed values, which
    keeps the CRC within a solver's reach.
    """
    chain = Chain(component(), FrameReceiver())
    m = bench(chain, driven=[chain.i.valid, chain.i.payload, chain.o.ready])
    sent = Signal(range(body_bytes + 1))
    with m.If(chain.i.valid & chain.i.ready):
        m.d.sync += sent.eq(sent + 1)
    zero = constant(m, body_bytes)
    values = Array([0xA5, 0x3C, 0x11, 0xFF, 0x80, 0x01, 0x77, 0x5B])
    m.d.comb += [
        chain.i.valid.eq(sent < body_bytes),
        chain.i.p.last.eq(sent == body_bytes - 1),
        chain.i.p.data.eq(Mux((zero >> sent)[0], 0, values[sent[:3]])),
        chain.o.ready.eq(1),
    ]
    # No byte moves while a frame of all bytes, with code, CRC and final zero, passes from one to the other.
    passes_on(m, chain.i, chain.o, within=body_bytes + 24)
    return m


CODEC_CLOCKS = 4 * Request.HEADER.size + 24


@pytest.mark.deep
def test_frames(tmp_path) -> None:
    """Every pattern of zeros in the shortest body, until it is through."""
    proved(frames(body_bytes=Request.HEADER.size), tmp_path, depth=CODEC_CLOCKS)


@pytest.mark.deep
def test_serial_line(tmp_path) -> None:
    """Two bytes and more over the line, at the fewest clocks per bit."""
    divisor = 4
    chain = Line(divisor)
    m = bench(chain)
    m.d.comb += Assume(chain.o.ready)
    passes_on(m, chain.i, chain.o, within=12 * divisor)
    proved(m, tmp_path, depth=22 * divisor)


def candidates(component: type[Collector] = Collector, *, lanes: int) -> Module:
    """Rows of scores for a collector, under one threshold, and no more on their way than there is room for."""
    geometry = SMALL.with_(lanes=lanes)
    dut = component(geometry)
    m = bench(dut, driven=[dut.start, dut.full, dut.threshold])
    m.d.comb += [dut.full.eq(constant(m, 1)), dut.threshold.eq(constant(m, geometry.score_bits))]
    on_their_way = Signal(range(dut.capacity + 1))
    m.d.sync += on_their_way.eq(on_their_way + dut.i_valid - dut.dropped - dut.taken)
    m.d.comb += Assume(~dut.i_valid | (on_their_way < dut.capacity))

    watched_row, watched_lane = constant(m, COUNT_BITS), constant(m, range(lanes))
    watched = Signal(16)
    m.d.comb += watched.eq(watched_row * lanes + watched_lane)
    rows, ended = Signal(COUNT_BITS), Signal()
    due, score = Signal(), Signal(signed(geometry.score_bits))
    given, came, over = Signal(17), Signal(), Signal()
    with m.If(dut.i_valid):
        m.d.comb += Assume(~ended)
        m.d.sync += [rows.eq(rows + 1), ended.eq(dut.i.last)]
        with m.If(rows == watched_row):
            own = dut.i.scores[watched_lane]
            passing = dut.i.mask.bit_select(watched_lane, 1) & (~dut.full | (own > dut.threshold))
            m.d.sync += [due.eq(passing), score.eq(own)]
    with m.If(dut.o.valid & dut.o.ready):
        found = dut.o.p
        m.d.comb += [Assert(~over), Assert(~found.last | ended)]
        m.d.sync += over.eq(found.last)
        with m.If(found.keep):
            m.d.comb += Assert(found.item >= given)
            m.d.sync += given.eq(found.item + 1)
            with m.If(found.item == watched):
                m.d.comb += [Assert(due), Assert(found.score == score)]
                m.d.sync += came.eq(1)
        with m.If(due & (found.last | (found.keep & (found.item > watched)))):
            m.d.comb += Assert(came | (found.keep & (found.item == watched)))
    quiet = Signal(range(dut.latency + 3))
    m.d.sync += quiet.eq(0)
    with m.If(ended & dut.o.ready & ~dut.o.valid):
        m.d.sync += quiet.eq(quiet + 1)
    m.d.comb += Assert((quiet < dut.latency + 2) | over)
    with m.If(over):
        m.d.sync += quiet.eq(0)
    return m


@pytest.mark.parametrize(("lanes", "depth"), [(1, 13), pytest.param(2, 14, marks=pytest.mark.deep)])
def test_candidates(lanes, depth, tmp_path) -> None:
    """Any rows, in any flow, for the first clocks."""
    proved(candidates(lanes=lanes), tmp_path, depth=depth)


def burst(component: type[Collector] = Collector) -> tuple[Module, int]:
    """As many rows as there is room for, all candidates, at a sink that waits until the queue is full."""
    geometry = SMALL.with_(lanes=1)
    dut = component(geometry)
    m = bench(dut)
    clock, opens = Signal(8), dut.capacity + 2 * dut.latency
    on_their_way, rows, given = Signal(range(dut.capacity + 1)), Signal(8), Signal(8)
    m.d.sync += [
        clock.eq(clock + 1),
        on_their_way.eq(on_their_way + dut.i_valid - dut.dropped - dut.taken),
        rows.eq(rows + dut.i_valid),
        given.eq(given + (dut.o.valid & dut.o.ready)),
    ]
    m.d.comb += [
        Assume(~dut.start & ~dut.full & ~dut.i.last & dut.i.mask.all()),
        Assume(dut.i_valid == (on_their_way < dut.capacity)),
        Assume(dut.i.scores[0] == rows),
        Assume(dut.o.ready == (clock >= opens)),
    ]
    with m.If(dut.o.valid):
        m.d.comb += [Assert(dut.o.p.item == given), Assert(dut.o.p.score == given), Assert(dut.o.p.keep)]
    return m, 7 * dut.capacity


def test_a_full_queue_loses_nothing(tmp_path) -> None:
    """Until it is empty again, and filled anew meanwhile."""
    m, depth = burst()
    proved(m, tmp_path, depth=depth)


def test_a_queue_that_is_too_short_is_found(tmp_path) -> None:
    m, depth = burst(mutated(Collector, "depth=self.capacity)", "depth=self.capacity - 1)"))
    falsified(m, tmp_path, depth=depth)
