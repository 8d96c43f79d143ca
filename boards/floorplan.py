"""Where the block RAM of an ECP5-85F goes: beside what works with it.

With four fifths of its block RAM in use, nextpnr's placers leave each block to whatever place is free in the end,
across the die, and all wires with it.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ..hdl.geometry import Geometry

__all__ = ["SITES_FILE", "Site", "floorplan", "pin_block_ram", "site_files"]

SITES_FILE = "block_ram.json"
"""Name of a plan's file with the places of a die's block RAM; without it the placer chooses."""

_MOST_LANES = 10
"""Twenty lanes fill the die with wires of their own; kept together, they were routed more slowly."""

_ROWS = (22, 46, 70, 82)
_PAIRS_START = (*range(4, 67, 9), *range(69, 123, 9))
"""Columns at which four block RAMs begin, two columns each; nextpnr's numbers, as its ``--write`` names them."""

_SCANNED = (".catalogue.lane_",)
_IN_STEP = (".data.memory.", ".collector.queue.", ".marks")
_STORED = (".store.",)


class Site(NamedTuple):
    """A place for a block RAM: column and row of its tile, and nextpnr's name for it."""

    x: int
    y: int
    bel: str


def site_files(device: str, geometry: Geometry) -> dict[str, str]:
    """The places of a device's block RAM as a file of a plan: name -> content; none where the placer does better."""
    if not device.endswith("85F") or geometry.lanes > _MOST_LANES:
        return {}
    sites = [Site(x + 2 * n, y, f"X{x + 2 * n}/Y{y}/EBR{n}") for y in _ROWS for x in _PAIRS_START for n in range(4)]
    return {SITES_FILE: json.dumps(sites)}


def floorplan(cells: Iterable[str], sites: Sequence[Site]) -> dict[str, str]:
    """Places for block RAMs, by what they are a part of; what is not named here, or finds no room, has none.

    The catalogue's lanes lie side by side in the last two rows, columns at a time, so that a lane is a compact
    block; what runs in step with them or with the learner is in the middle of the row before; the store of all
    users' ratings, of which a few bits count at a time, has what is left.

    Parameters
    ----------
    cells : names of the block RAMs
    sites : all places of the device

    Returns
    -------
    name of a cell -> nextpnr's name of its place
    """
    named = sorted(cells, key=_by_numbers)
    first, second, *last = (_nearest_to_middle(s for s in sites if s.y == y) for y in sorted({s.y for s in sites}))
    lanes, in_step, stored = (
        [cell for cell in named if any(part in cell for part in parts)] for parts in (_SCANNED, _IN_STEP, _STORED)
    )
    beside = [site for both in zip(*last, strict=True) for site in both]
    left = [*first, *second[len(in_step) :]]
    return {
        cell: site.bel
        for of_part, places in ((lanes, beside), (in_step, second), (stored, left))
        for cell, site in zip(of_part, sorted(places[: len(of_part)]), strict=False)
    }


def pin_block_ram(netlist: Path, sites: Path) -> None:
    """Write the places of block RAMs into a netlist of Yosys, as nextpnr wants to be told."""
    design = json.loads(netlist.read_text())
    cells = design["modules"]["top"]["cells"]
    blocks = [name for name, cell in cells.items() if cell["type"] == "DP16KD"]
    for name, bel in floorplan(blocks, [Site(*site) for site in json.loads(sites.read_text())]).items():
        cells[name]["attributes"]["BEL"] = bel
    netlist.write_text(json.dumps(design))


def _nearest_to_middle(sites: Iterable[Site]) -> list[Site]:
    row = list(sites)
    middle = sum(site.x for site in row) / len(row)
    return sorted(row, key=lambda site: abs(site.x - middle))


def _by_numbers(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
