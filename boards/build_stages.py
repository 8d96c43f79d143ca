"""The stages of a build, each in a folder that appears whole or not at all."""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .build_area import Area, modules_of
from .build_plan import Plan
from .build_report import make_report, too_large
from .build_schematic import NEURON_SCRIPT, draw
from .build_tools import BuildError, Tools, run_tool
from .floorplan import SITES_FILE, pin_block_ram

__all__ = ["Built", "Show", "place_and_route", "synthesise"]

Show = Callable[[str], AbstractContextManager[object]]
"""Shows a person the stage of that name while it runs."""

_DESIGN = "top.il"
_NETLIST = "top.json"
_FOUND = "found.json"
_PLACED = "placed.json"
_RESULT = "result.json"
_FLOORPLAN = "floorplan.json"
_NEURON = "neuron.svg"
_UTILIZATION = re.compile(r"Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%")
_ROUTING = ("Info: Setting up routing queue", "Info: Running router2")


@dataclass(frozen=True)
class Built:
    """What a build left.

    Attributes
    ----------
    report : as :func:`.build.build` says
    bitstream : the file
    floorplan : rows of tiles, each with the number of its component in ``report["components"]``, or -1
    neuron : schematic of a RAM neuron in SVG, empty where nothing could draw it
    """

    report: dict[str, Any]
    bitstream: Path
    floorplan: list[list[int]]
    neuron: str


def synthesise(plan: Plan, tools: Tools, folder: Path, show: Show) -> Path:
    """Folder of a plan's netlist, below ``folder``: as it was left there before, or made now.

    Raises
    ------
    BuildError
        If Yosys refuses the gateware.
    """
    final = folder / "synthesis"
    with _made_once(final) as work:
        if work is not None:
            for name, text in plan.files.items():
                (work / name).write_text(text)
            log = _fresh(folder / "synthesis.log")
            with _Watch(show) as watch:
                watch.enter("synthesis")
                run_tool(_command(plan, tools, 0), work, log)
                if SITES_FILE in plan.files:
                    pin_block_ram(work / _NETLIST, work / SITES_FILE)
                if NEURON_SCRIPT in plan.files:
                    run_tool([*tools.commands["yosys"], "-q", NEURON_SCRIPT], work, log)
                    (work / _NEURON).write_text(draw((work / "neuron.dot").read_text()) or "")
            _write(work / _RESULT, {"seconds": watch.seconds})
    return final


def place_and_route(plan: Plan, tools: Tools, folder: Path, seed: int, show: Show) -> Built:
    """A plan placed and routed with a seed: as it was left below ``folder``, or made now.

    Raises
    ------
    BuildError
        If the design does not fit its device, or a tool refuses it.
    """
    netlist = synthesise(plan, tools, folder, show)
    final = folder / f"seed-{seed}"
    with _made_once(final) as work:
        if work is not None:
            for name in (_NETLIST, *plan.files):
                shutil.copyfile(netlist / name, work / name)
            log = _fresh(folder / f"seed-{seed}.log")
            asked = ["--seed", str(seed), "--report", _FOUND, "--write", _PLACED, "--timing-allow-fail"]
            with _Watch(show, plan.board) as watch:
                watch.enter("placement")
                run_tool([*_command(plan, tools, 1), *asked], work, log, watch.line)
                watch.check()
                watch.enter("packing")
                run_tool(_command(plan, tools, 2), work, log)
                watch.enter("report")
                area = Area(json.loads((work / _PLACED).read_text()), modules_of(plan.files[_DESIGN]))
                report = make_report(plan, json.loads((work / _FOUND).read_text()), area.component_of)
            # nextpnr counts the cells of an iCE40, which hold a LUT and a flip-flop each.
            report["ff"] = sum(part["ff"] for part in area.parts)
            seconds = json.loads((netlist / _RESULT).read_text())["seconds"] | watch.seconds
            report |= {"components": area.parts, "seconds": seconds, "tools": tools.versions, "seed": seed}
            _write(work / _RESULT, report)
            (work / _FLOORPLAN).write_text(json.dumps(area.floorplan))
            for path in work.iterdir():
                if path.name not in (_RESULT, _FLOORPLAN, plan.bitstream):
                    path.unlink()
    drawn = netlist / _NEURON
    return Built(
        report=json.loads((final / _RESULT).read_text()),
        bitstream=final / plan.bitstream,
        floorplan=json.loads((final / _FLOORPLAN).read_text()),
        neuron=drawn.read_text() if drawn.exists() else "",
    )


class _Watch:
    """Takes the time of stages, and follows nextpnr's lines from one to the next."""

    def __init__(self, show: Show, board: str = "") -> None:
        self.seconds: dict[str, float] = {}
        self._show = show
        self._shown = ExitStack()
        self._board = board
        self._stage = ""
        self._utilization: dict[str, dict[str, int]] = {}

    def __enter__(self) -> "_Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self._shown.close()

    def enter(self, stage: str) -> None:
        if stage == self._stage:
            return  # router2 hands over to router1
        self._shown.close()
        self._stage = stage
        start = time.monotonic()
        self._shown.callback(lambda: self.seconds.update({stage: round(time.monotonic() - start, 1)}))
        self._shown.enter_context(self._show(stage))

    def line(self, line: str) -> None:
        if found := _UTILIZATION.match(line):
            self._utilization[found[1]] = {"used": int(found[2]), "available": int(found[3])}
        elif line.startswith("Info: "):
            # Placing what can not fit would fail anyway, minutes later.
            self.check()
            if line.startswith(_ROUTING):
                self.enter("routing")

    def check(self) -> None:
        """BuildError if the design does not fit, going by the table that nextpnr prints before it places."""
        if reason := too_large(self._board, self._utilization):
            raise BuildError(reason)


@contextmanager
def _made_once(final: Path) -> Iterator[Path | None]:
    """An empty folder that becomes ``final`` if the body succeeds, None if ``final`` exists."""
    if final.exists():
        yield None
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix="unfinished-") as folder:
        work = Path(folder) / final.name
        work.mkdir()
        yield work
        try:
            work.rename(final)
        except OSError:
            # Somebody else has built the same meanwhile, which is as good.
            if not final.exists():
                raise


def _command(plan: Plan, tools: Tools, number: int) -> list[str]:
    name, *arguments = plan.commands[number]
    return [*tools.commands[name], *arguments]


def _fresh(log: Path) -> Path:
    log.write_text("")
    return log


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n")
