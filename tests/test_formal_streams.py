# amaranth: UnusedElaboratable=no
"""The stream contract, proved of every component that gives a stream: whoever adds one adds its line below."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from amaranth import Module, Signal, signed
from amaranth.hdl import Assume
from amaranth.lib import stream
from amaranth.lib.wiring import Component, In, Out
from ramrec.hdl.adder_tree import AdderTree
from ramrec.hdl.byte_queue import ByteQueue
from ramrec.hdl.collector import Collector
from ramrec.hdl.comparator import PopcountComparator
from ramrec.hdl.datapath import Datapath
from ramrec.hdl.device import Device
from ramrec.hdl.editor import lookup_tag_layout
from ramrec.hdl.explainer import Explainer
from ramrec.hdl.frames import FrameReceiver, FrameSender
from ramrec.hdl.lookup import FilmLookup, OneFilmLookup
from ramrec.hdl.memory_view import MemoryView
from ramrec.hdl.nearest import NearestScorer
from ramrec.hdl.processor import Processor
from ramrec.hdl.ranker import Ranker
from ramrec.hdl.records import RecordReader, RecordWriter
from ramrec.hdl.rest import Rest
from ramrec.hdl.self_test import PatternSource
from ramrec.hdl.serial_topk import LoneCollector, SerialTopK
from ramrec.hdl.shared_memory import SharedMemory, SinglePort
from ramrec.hdl.top import Top
from ramrec.hdl.topk import TopK
from ramrec.hdl.uart import UartReceiver, UartTransmitter

from .formal import SMALL, Anything, bench, components, holds_offers, paths, proved, streams, unelaborated

NEAREST = SMALL.with_(rule="nearest", lanes=1)
COMPACT = SMALL.with_(code_bits=32, lanes=1, compact=1)
DIVISOR = 4

ARGUMENTS = {
    AdderTree: (signed(3), 5, 2),
    ByteQueue: (4,),
    FilmLookup: (SMALL, lookup_tag_layout(SMALL)),
    LoneCollector: (COMPACT,),
    NearestScorer: (NEAREST,),
    OneFilmLookup: (COMPACT, lookup_tag_layout(COMPACT)),
    RecordReader: (3,),
    RecordWriter: (3,),
    Rest: (5,),
    SerialTopK: (COMPACT,),
    SharedMemory: (COMPACT,),
    SinglePort: (16, 4),
    Top: (SMALL, DIVISOR),
    UartReceiver: (DIVISOR,),
    UartTransmitter: (DIVISOR,),
}
"""What components are made with that take more than a geometry."""


def made(component: type[Component]) -> Component:
    """A small instance."""
    if component in ARGUMENTS:
        return component(*ARGUMENTS[component])
    takes_geometry = "geometry" in inspect.signature(component.__init__).parameters
    return component(SMALL) if takes_geometry else component()


def device() -> Device:
    """A device whose processor is replaced by one that may answer anything at any time."""
    with unelaborated():
        whole = Device(SMALL)
        whole.processor = Anything(whole.processor)
    return whole


def undropped(m: Module, reader: RecordReader) -> None:
    """``drop`` takes back what is offered."""
    m.d.comb += Assume(~reader.drop)


def run_on(m: Module, source: PatternSource) -> None:
    """Whoever asked for bytes does not stop while one is offered."""
    waits = Signal()
    m.d.sync += waits.eq(source.o.valid & ~source.o.ready)
    m.d.comb += Assume(source.run | ~waits)


def taken_in_time(m: Module, receiver: UartReceiver) -> None:
    """A byte that has not been taken when the next one comes is lost; eight bits later it is taken."""
    waited = Signal(range(8 * DIVISOR + 1))
    m.d.sync += waited.eq(0)
    with m.If(receiver.o.valid & ~receiver.o.ready):
        m.d.sync += waited.eq(waited + 1)
    m.d.comb += Assume(waited < 8 * DIVISOR)


@dataclass(frozen=True)
class Contract:
    """How the contract of a component is proved, and what it asks of its surroundings for that."""

    depth: int = 4
    unbounded: bool = True
    make: Callable[[], Component] | None = None
    environment: Callable[[Module, Component], None] | None = None
    slow: bool = False


CONTRACTS = {
    AdderTree: Contract(),
    ByteQueue: Contract(),
    Collector: Contract(),
    Datapath: Contract(slow=True),
    Device: Contract(depth=24, unbounded=False, make=device, slow=True),
    Explainer: Contract(depth=20, unbounded=False),
    FrameReceiver: Contract(),
    FrameSender: Contract(depth=24, unbounded=False),
    MemoryView: Contract(),
    NearestScorer: Contract(depth=16, unbounded=False),
    PatternSource: Contract(environment=run_on),
    PopcountComparator: Contract(),
    Processor: Contract(slow=True),
    Ranker: Contract(),
    RecordReader: Contract(environment=undropped),
    RecordWriter: Contract(),
    Rest: Contract(),
    SerialTopK: Contract(),
    TopK: Contract(depth=24, unbounded=False),
    UartReceiver: Contract(depth=22 * DIVISOR, unbounded=False, environment=taken_in_time, slow=True),
}

with unelaborated():
    NAMES = {component.__name__: component for component in components() if any(streams(made(component)))}


def test_every_component_that_gives_a_stream_has_a_proof() -> None:
    assert set(NAMES) == {component.__name__ for component in CONTRACTS}


EACH = pytest.mark.parametrize(
    "name",
    [
        pytest.param(component.__name__, marks=pytest.mark.deep) if contract.slow else component.__name__
        for component, contract in CONTRACTS.items()
    ],
)


@EACH
def test_offers_are_held(name, tmp_path) -> None:
    """What is offered and not taken is offered again, unchanged."""
    contract = CONTRACTS[NAMES[name]]
    dut = (contract.make or (lambda: made(NAMES[name])))()
    m = bench(dut)
    if contract.environment:
        contract.environment(m, dut)
    for _, port in streams(dut):
        holds_offers(m, port)
    proved(m, tmp_path, depth=contract.depth, unbounded=contract.unbounded)


@EACH
def test_no_offer_waits_for_its_taker(name, tmp_path) -> None:
    """No path within a clock from any ``ready`` that comes in to any ``valid`` or payload that goes out."""
    dut = made(NAMES[name])
    assert not offers_that_wait(dut, tmp_path)


def offers_that_wait(dut: Component, folder: Path) -> set[tuple[str, str]]:
    """Paths within a clock from a taker to an offer."""
    gives = [path.replace(".", "__") for path, _ in streams(dut)]
    readies = {f"{port}__ready" for port in gives}
    offers = {f"{port}__{part}" for port in gives for part in ("valid", "payload")}
    return {(ready, offer) for ready, offer in paths(dut, folder) if ready in readies and offer in offers}


class Shy(Component):
    """Offers only to whoever is ready: what the contract forbids."""

    i: In(stream.Signature(1))
    o: Out(stream.Signature(1))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += [
            self.o.valid.eq(self.i.valid & self.o.ready),
            self.o.payload.eq(self.i.payload),
            self.i.ready.eq(self.o.ready),
        ]
        return m


def test_an_offer_that_waits_is_found(tmp_path) -> None:
    assert offers_that_wait(Shy(), tmp_path) == {("o__ready", "o__valid")}
