"""What is to be built: a board's gateware with its constraints and commands, before any tool has run."""

import hashlib
import json
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace

from amaranth.hdl import UnusedElaboratable

from ..hdl.geometry import Geometry
from ..hdl.protocol import build_id
from .board_top import BoardTop
from .build_tools import MissingTools
from .registry import Board

__all__ = ["Plan", "digest", "make_plan", "with_clock"]

# It halves the LUTs on ECP5: wide multiplexers take the place of logic that packs better without them.
_ECP5_SYNTHESIS = {"synth_opts": "-nowidelut"}
_CLOCK = re.compile(r'^(FREQUENCY PORT "\w+" |set_frequency \w+ )([\d.]+)', re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """A build, ready to run in an empty folder.

    Attributes
    ----------
    board, geometry : what is built
    build_id : names the gateware's source, as the device will
    files : name -> content
    commands : synthesis, place and route, packing, each as words; the first word names a tool
    """

    board: str
    geometry: Geometry
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
        Demanded of place and route in place of the frequency of the board's oscillator, from which it runs.

    Raises
    ------
    MissingTools
        If the definitions of boards are not installed.
    ValueError
        If gateware of that geometry can not be made, or the clock is slower than the oscillator.
    """
    try:
        platform = board.platform()
    except ImportError:
        raise MissingTools("amaranth-boards") from None
    source = build_id()
    # Without source lines the plan does not depend on the folder in which the package lies.
    options = {"verbose": True, "emit_src": False} | (_ECP5_SYNTHESIS if platform.device.startswith("LFE5") else {})
    try:
        made = platform.build(BoardTop(replace(board, geometry=geometry)), do_build=False, **options)
    except ValueError:
        # Amaranth would remark upon all that was made until then and is not used.
        warnings.simplefilter("ignore", UnusedElaboratable)
        raise
    commands = json.loads(made.files[f"{made.script}.json"])["commands"]
    files = {name: text if isinstance(text, str) else text.decode() for name, text in made.files.items()}
    demanded = files if clock_mhz is None else with_clock(files, clock_mhz)
    return Plan(board.name, geometry, source, demanded, commands)


def with_clock(files: Mapping[str, str], clock_mhz: float) -> dict[str, str]:
    """The files with another frequency in their clock constraints; ValueError if it is lower than theirs."""
    return {name: _demand(text, clock_mhz) if name.endswith((".lpf", ".pcf")) else text for name, text in files.items()}


def _demand(constraints: str, clock_mhz: float) -> str:
    def change(found: re.Match[str]) -> str:
        hertz = found[1].startswith("FREQUENCY")
        oscillator = float(found[2]) / (1e6 if hertz else 1)
        if not oscillator <= clock_mhz < math.inf:
            raise ValueError(f"the clock must be at least the board's {oscillator:g} MHz, not {clock_mhz:g}")
        return f"{found[1]}{clock_mhz * 1e6 if hertz else clock_mhz}"

    return _CLOCK.sub(change, constraints)


def digest(plan: Plan, versions: Mapping[str, str]) -> str:
    """Names what comes out of a plan with tools of those versions."""
    parts = [plan.board, sorted(plan.files.items()), plan.commands, sorted(versions.items())]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
