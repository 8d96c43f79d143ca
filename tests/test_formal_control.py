# amaranth: UnusedElaboratable=no
"""The command processor, proved: it starts one part at a time, and no state of it can hold it for ever.

The parts that compute are replaced by ones that answer anything, in time: whoever is started is busy for up to
`PATIENCE` clocks, and whoever is waited for comes after at most as many. What is proved holds from any contents of
the processor's registers.
"""

import pytest
from amaranth import Cat, Module, Signal
from amaranth.asserts import Initial
from amaranth.hdl import Assert, Assume, Value, ValueLike
from ramrec.hdl.processor import Processor
from ramrec.hdl.protocol import Op, Status

from .formal import SMALL, Anything, Machine, bench, falsified, mutated, proved, unelaborated

PATIENCE = 2


def happens(m: Module, event: ValueLike) -> None:
    """Assume that an event does not stay away for more than `PATIENCE` clocks."""
    away = Signal(range(PATIENCE + 2))
    m.d.sync += away.eq(away + 1)
    with m.If(event):
        m.d.sync += away.eq(0)
    with m.If(Initial()):
        m.d.comb += Assume(away == 0)
    m.d.comb += Assume(event | (away < PATIENCE))


def works(m: Module, start: Value, busy: Value, *, at_first: int = 0) -> None:
    """Assume that a part is busy from the clock after ``start`` on, for some clocks, and else idle."""
    started, was_busy = Signal(), Signal()
    m.d.sync += [started.eq(start), was_busy.eq(busy)]
    with m.If(Initial()):
        m.d.comb += Assume(busy == at_first)
    with m.Elif(started):
        m.d.comb += Assume(busy)
    with m.Elif(~was_busy):
        m.d.comb += Assume(~busy)


class Surroundings:
    """A processor among parts that answer anything, in time."""

    def __init__(self, component: type[Processor] = Processor, *, in_time: bool = True) -> None:
        with unelaborated():
            self.processor = processor = component(SMALL)
            engine = processor.engine
            for name in ("data", "editor", "digester", "explainer"):
                setattr(engine, name, Anything(getattr(engine, name)))
        self.machine = Machine(processor)
        self.testing: Signal = self.machine.module._named_submodules["pattern"][0].run
        self.bench = m = bench(processor, design=self.machine.module)
        data, editor, digester, explainer = engine.data, engine.editor, engine.digester, engine.explainer
        self.parts = {
            "editor": (editor.start, editor.busy),
            "digester": (digester.start, digester.busy),
            "explainer": (explainer.start, explainer.busy),
            "ranker": (data.rank, data.ranking),
            "scorer": (data.query.en, data.asking),
        }
        for start, busy in self.parts.values():
            works(m, start, busy, at_first=int(not in_time and busy is editor.busy))
            if in_time:
                happens(m, ~busy)
        events = (
            data.found,
            ~engine.looking,
            data.best.valid,
            explainer.o.valid,
            processor.i.valid,
            processor.o.ready,
            processor.sent,
        )
        for event in events if in_time else ():
            happens(m, event)

    @property
    def tests_in_place(self) -> Value:
        """A self-test is under way only where it is served: its pattern would end no record of another request, nor
        one of an operation that nobody knows, which has no size."""
        op, status = self.processor._desk.header.op, self.processor._desk.status
        served = Cat(self.machine.state == self.machine.states[state] for state in TESTED).any()
        return ~self.testing | (served & (op == Op.SELFTEST) & (status == Status.OK))


TESTED = (
    *("Select", "Selecting", "Selected", "Edit", "Editing", "Test films", "Load", "Load place", "Load write"),
    *("Digest", "Digesting", "Reply", "Value", "Done"),
)
"""States in which a self-test may be under way."""


MOST_CLOCKS = 16
"""In which something must move; what is there to wait for comes within `PATIENCE` clocks."""


def lively(component: type[Processor] = Processor) -> Module:
    """In any `MOST_CLOCKS` clocks the processor changes its state, or a byte or record comes in or goes out."""
    around = Surroundings(component)
    m, machine, processor = around.bench, around.machine, around.processor
    data, explainer = processor.engine.data, processor.engine.explainer
    streams = (processor.i, processor.o, data.best, explainer.o)
    still, before = Signal(range(MOST_CLOCKS + 1)), Signal.like(machine.state)
    m.d.sync += [before.eq(machine.state), still.eq(still + 1)]
    with m.If((machine.state != before) | Cat(port.valid & port.ready for port in streams).any()):
        m.d.sync += still.eq(0)
    with m.If(Initial()):
        m.d.comb += Assume((still == 0) & (machine.state < len(machine.states)) & around.tests_in_place)
    m.d.comb += Assert(still != MOST_CLOCKS)
    return m


@pytest.mark.deep
def test_something_moves_in_every_state(tmp_path) -> None:
    """From every state, whatever the registers hold."""
    proved(lively(), tmp_path, depth=MOST_CLOCKS + 3, anywhere=True)


@pytest.mark.deep
def test_a_processor_that_waits_for_ever_is_found(tmp_path) -> None:
    broken = mutated(Processor, "m.If(self.sent & ~departure.o.valid)", "m.If(self.sent & departure.o.valid)")
    falsified(lively(broken), tmp_path, depth=MOST_CLOCKS + 3, anywhere=True)


def ways_around(following: dict[str, set[str]], without: set[str]) -> set[str]:
    """States from which a walk that avoids some states can come back to where it began."""

    def reached(start: str) -> set[str]:
        found, edge = set(), {start}
        while edge:
            edge = {state for here in edge for state in following[here]} - found - without
            found |= edge
        return found

    return {state for state in following if state not in without and state in reached(state)}


def test_every_way_leads_back_to_the_header() -> None:
    """All states can be reached from the header and lead to it, and no walk goes round without taking a record
    of the request, or counting the words or entries that are still to be given."""
    with unelaborated():
        machine = Machine(Processor(SMALL))
    came, edge = set(), {"Start up"}
    while edge:
        came |= edge
        edge = {state for here in edge for state in machine.next[here]} - came
    assert came == set(machine.states)
    assert all(machine.next.values())
    assert ways_around(machine.next, {"Header", "Film", "Load", "Value"}) == set()


WAITS = {
    "editor": {"Start up", "Selecting", "Editing", "Only all", "Mark", "Unskipping"},
    "digester": {"Digesting"},
    "explainer": {"Explaining", "Reply", "Value", "Contributions"},
    "ranker": {"Ranking"},
    "scorer": {"Scored"},
}
"""States in which a part may work: no state is in two of these sets."""


OPERATIONS = {
    "Film": {Op.RATE, Op.SCORE, Op.EXPLAIN},
    "Look up": {Op.RATE, Op.SCORE, Op.EXPLAIN},
    "Looked up": {Op.RATE, Op.SCORE, Op.EXPLAIN},
    "Film found": {Op.RATE, Op.SCORE, Op.EXPLAIN},
    "Score": {Op.SCORE},
    "Scored": {Op.SCORE},
    "Explain": {Op.EXPLAIN},
    "Fetch": {Op.HELLO, Op.STATS, Op.SAVE},
    "Fetch 1": {Op.HELLO, Op.STATS, Op.SAVE},
    "Fetch 2": {Op.HELLO, Op.STATS, Op.SAVE},
    "Fetch 3": {Op.HELLO, Op.STATS, Op.SAVE},
    "Ranked": {Op.RANK},
}
"""Operations that these states serve; proved along with the rest, which follows from it."""


BEFORE_EXPLAINING = (
    *("Select", "Selecting", "Selected", "Film", "Look up", "Looked up", "Film found"),
    *("Explain", "Explaining"),
)
"""States on the way to an explanation's first record."""

NOT_EXPLAINING = (
    *("Digest", "Digesting", "Rank", "Ranking", "Edit", "Editing", "Test films", "Load", "Load place", "Load write"),
    *("Skip", "Only", "Only all", "Skipped", "Mark"),
)
"""States that lead to replies of other kinds."""


def one_at_a_time(component: type[Processor] = Processor) -> Module:
    """A part works only while the processor is in a state that waits for it, so no two work at once; and a self-test
    is under way only where it is served."""
    around = Surroundings(component, in_time=False)
    m, machine, engine = around.bench, around.machine, around.processor.engine
    reply = machine.module._named_submodules["reply"][0]
    explainer, best, op = engine.explainer, engine.data.best, around.processor._desk.op
    m.d.comb += [Assume(~(best.valid & engine.data.ranking)), Assume(~explainer.o.valid | explainer.busy)]
    # The explainer gives as many records as it was asked for, and is idle once the last one is taken.
    over, ended = Signal(), Signal()
    m.d.sync += [over.eq(explainer.o.valid & explainer.o.ready & explainer.o.p.last), ended.eq(over)]
    m.d.comb += [Assume(~explainer.o.valid | (explainer.count != 0)), Assume(~(ended & explainer.busy))]
    # The reply ends with the explainer's last record, or at once if there is none.
    with m.If((machine.state == machine.states["Value"]) & (op == Op.EXPLAIN)):
        with m.If(reply.follows):
            m.d.comb += Assert(~explainer.busy | ~reply.last | over)
        with m.Else():
            m.d.comb += Assert(reply.last == (explainer.count == 0))
    with m.If(machine.state == machine.states["Contributions"]):
        m.d.comb += Assert(reply.follows)
    good = around.processor._desk.status == Status.OK
    before, other = (
        Cat(machine.state == machine.states[state] for state in states).any()
        for states in (BEFORE_EXPLAINING, NOT_EXPLAINING)
    )
    with m.If(op == Op.EXPLAIN):
        m.d.comb += Assert(~other & (~before | (good & ~reply.follows)))
        m.d.comb += Assert((machine.state != machine.states["Discard"]) | ~good)
        m.d.comb += Assert((machine.state != machine.states["Reply"]) | ~good | ~reply.follows)
    with m.If(explainer.busy):
        asked = op == Op.EXPLAIN
        pending = (explainer.count != 0) | (machine.state == machine.states["Explaining"])
        m.d.comb += Assert(asked & pending & good)
    m.d.comb += Assert(around.tests_in_place)
    for state, operations in OPERATIONS.items():
        with m.If(machine.state == machine.states[state]):
            m.d.comb += Assert(Cat(op == operation for operation in sorted(operations)).any())
    for name, (_, busy) in around.parts.items():
        with m.If(busy):
            waiting = [machine.state == machine.states[state] for state in WAITS[name]]
            m.d.comb += Assert(Cat(waiting).any())
    return m


def test_one_part_works_at_a_time(tmp_path) -> None:
    """For ever."""
    places = [state for states in WAITS.values() for state in states]
    assert len(places) == len(set(places))
    proved(one_at_a_time(), tmp_path, depth=3, unbounded=True)


def test_two_parts_at_a_time_are_found(tmp_path) -> None:
    impatient = """                with m.If(~editor.busy):
                    m.next = "Header"
"""
    broken = mutated(
        Processor,
        impatient,
        """                m.next = "Header"
""",
    )
    falsified(one_at_a_time(broken), tmp_path, depth=3)
