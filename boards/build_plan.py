"""What is to be built: a board's gateware with its constraints and commands, before any tool has run."""

import hashlib
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from amaranth.hdl import UnusedElaboratable

from ..hdl.geometry import Geometry
from ..hdl.protocol import build_id
from .board import Board
from .board_top import BoardTop, line_divisor
from .build_schematic import neuron_files
from .build_tools import MissingTools
from .clock import reached_mhz
from .floorplan import site_files

__all__ = ["Plan", "digest", "make_plan"]

# It halves the LUTs on ECP5: wide multiplexers take the place of logic that packs better without them.
# Amaranth names an array's elements as Yosys names the bits of a wire, and the mapper to LUTs takes one for the other.
_NO_AMBIGUOUS_NAMES = "rename -hide w:*]\n"

# Memories are mapped component by component, before flattening: Yosys searches the whole module for each of them.
_ECP5_SYNTHESIS = {
    "script_after_read": _NO_AMBIGUOUS_NAMES
    + "synth_ecp5 -nowidelut -noflatten -top top -run begin:map_ffram\nflatten",
    "synth_opts": "-nowidelut",
}

# What block RAM gives before its first read, and what the large RAM blocks hold at the start, is not defined; gateware
# does not look at it, but an initial value would keep Yosys from using them, or cost a LUT per bit read.
_ICE40_SYNTHESIS = {
    "script_after_read": _NO_AMBIGUOUS_NAMES
    + "setattr -unset init a:undefined_at_start\ndelete *single_port/t:$meminit_v2",
}

# The UP5K is full: logic is mapped three times over, each time from what the time before left, and comparisons with
# constants do without carry chains. These are the steps of synth_ice40 with that in their places. While Yosys makes
# multipliers, the accumulators that count have another name: it would take them for multipliers of its own, and leave
# them without a clock.
_MAPPING = "strash;dch,-f;if;mfs2"
_UP5K_SYNTHESIS = {
    "script_after_read": _ICE40_SYNTHESIS["script_after_read"]
    + f"""
synth_ice40 -dsp -spram -top top -run begin:coarse
opt
wreduce
techmap -map +/cmp2softlogic.v
chtype -set accumulator t:SB_MAC16
synth_ice40 -dsp -spram -top top -run coarse:map_ram
chtype -set SB_MAC16 t:accumulator
synth_ice40 -dsp -spram -top top -run map_ram:map_luts
abc -dress -lut 4 -script +strash;ifraig;scorr;dc2;{";".join([_MAPPING] * 3)};lutpack,-S,1
ice40_wrapcarry -unwrap
techmap -map +/ice40/ff_map.v
clean
opt_lut -tech ice40""",
    "synth_opts": "-run map_cells:",
    # The router that shares wires at first, as the other one rips the same ones up for minutes, and a placement a
    # little looser than usual: with some others, looser ones too, a last wire or two stay shared for ever.
    "nextpnr_opts": "--router router2 --placer-heap-alpha 0.08 --placer-heap-beta 0.85",
}


@dataclass(frozen=True)
class Plan:
    """A build, ready to run in an empty folder.

    Attributes
    ----------
    board, geometry : what is built
    clock_mhz : frequency of the whole chip, which place and route must reach
    build_id : names the gateware's source, as the device will
    files : name -> content
    commands : synthesis, place and route, packing, each as words; the first word names a tool
    """

    board: str
    geometry: Geometry
    clock_mhz: float
    build_id: int
    files: dict[str, str]
    commands: list[list[str]]

    @property
    def tools(self) -> list[str]:
        """Names of the tools it calls."""
        return [command[0] for command in self.commands]

    @property
    def bitstream(self) -> str:
        """Name of the file that the last command writes."""
        return next(word for word in self.commands[-1] if word.endswith((".bit", ".bin")))


def make_plan(board: Board, geometry: Geometry, *, clock_mhz: float | None = None) -> Plan:
    """Elaborate a board's gateware into a plan.

    Parameters
    ----------
    clock_mhz
        Frequency of the whole chip, in place of the board's own.

    Raises
    ------
    MissingTools
        If the definitions of boards are not installed.
    ValueError
        If gateware of that geometry can not be made, or not with that clock.
    """
    try:
        platform = board.new_platform()
    except ImportError as error:
        if not (error.name or "").startswith("amaranth_boards"):
            raise
        raise MissingTools("amaranth-boards") from None
    wanted = replace(board, geometry=geometry, clock_mhz=board.clock_mhz if clock_mhz is None else clock_mhz)
    clock = reached_mhz(wanted, platform)
    line_divisor(clock, wanted.baud)  # before anything is made of it
    source = build_id()
    sites = site_files(platform.device, geometry)
    # Without source lines the plan does not depend on the folder in which the package lies.
    options = {"verbose": True, "emit_src": False, **_options(platform.device, placed=bool(sites))}
    try:
        made = platform.build(BoardTop(wanted), do_build=False, **options)
    except ValueError:
        # Amaranth would remark upon all that was made until then and is not used.
        warnings.simplefilter("ignore", UnusedElaboratable)
        raise
    commands = json.loads(made.files[f"{made.script}.json"])["commands"]
    files = {name: text if isinstance(text, str) else text.decode() for name, text in made.files.items()}
    files |= neuron_files(geometry) | sites
    return Plan(board.name, geometry, clock, source, files, commands)


def _options(device: str, placed: bool) -> dict[str, str]:
    if device.startswith("LFE5"):
        # On the large chips nextpnr's usual placer leaves longer wires, unless block RAM has been placed for it.
        large = device.endswith(("45F", "85F")) and not placed
        return _ECP5_SYNTHESIS | ({"nextpnr_opts": "--placer static"} if large else {})
    return _UP5K_SYNTHESIS if device.startswith("iCE40UP") else _ICE40_SYNTHESIS


_LAYOUT = 2
"""Changes with what is kept of a build."""


def digest(plan: Plan, versions: Mapping[str, str]) -> str:
    """Names what comes out of a plan with tools of those versions."""
    parts = [_LAYOUT, plan.board, sorted(plan.files.items()), plan.commands, sorted(versions.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
