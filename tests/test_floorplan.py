"""Places of an 85F's block RAM."""

import json
import sys
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import pytest
from ramrec.boards.build_plan import Plan, make_plan
from ramrec.boards.build_stages import synthesise
from ramrec.boards.build_tools import Tools
from ramrec.boards.floorplan import SITES_FILE, Site, floorplan, site_files
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import TINY

SITES = [Site(*site) for site in json.loads(site_files("LFE5U-85F", TINY)[SITES_FILE])]
DATA = "top.device.processor.engine.data"
LANES = [f"{DATA}.catalogue.lane_{lane}.0.{block}" for lane in range(10) for block in range(8)]
IN_STEP = [f"{DATA}.memory.bank_{bank}.0.{block}" for bank in range(2) for block in range(5)]
STORED = [f"{DATA}.store.ratings_{number}.0.{block}" for number in range(32) for block in range(2)]


def test_sites_are_those_of_the_die() -> None:
    assert len(SITES) == len({site.bel for site in SITES}) == 208
    assert SITES[0].bel == "X4/Y22/EBR0"
    assert SITES[-1].bel == "X120/Y82/EBR3"


def test_every_block_has_a_place_of_its_own() -> None:
    places = floorplan([*STORED, *IN_STEP, *LANES], SITES)
    assert {*places} == {*STORED, *IN_STEP, *LANES}
    assert len({*places.values()}) == len(places)


def test_a_lane_is_compact_and_lanes_are_in_order() -> None:
    where = {site.bel: site for site in SITES}
    places = {cell: where[bel] for cell, bel in floorplan(reversed(LANES), SITES).items()}
    columns = [[places[cell].x for cell in LANES if f".lane_{lane}." in cell] for lane in range(10)]
    assert all(max(lane) - min(lane) <= 11 for lane in columns)
    assert all(max(one) <= min(other) for one, other in pairwise(columns))
    assert {place.y for place in places.values()} == {70, 82}


def test_what_finds_no_room_is_left_to_the_placer() -> None:
    many = [f"{DATA}.catalogue.lane_{lane}.0.0" for lane in range(120)]
    assert [*floorplan([*many, "top.queue.memory.0.0"], SITES)] == many[:104]


@pytest.mark.parametrize(
    ("board", "lanes", "pinned"),
    [("ulx3s-85f", 10, True), ("ecp5-evn", 1, True), ("ecp5-evn", 20, False), ("ulx3s-45f", 1, False)],
)
def test_plan_has_places_for_the_largest_die(board: str, lanes: int, pinned: bool) -> None:
    """And the other placer where it has none."""
    plan = make_plan(BOARDS[board], TINY.with_(lanes=lanes))
    assert (SITES_FILE in plan.files, "static" in plan.commands[1]) == (pinned, not pinned)


def test_synthesis_leaves_a_netlist_with_places(tmp_path: Path) -> None:
    register = f"{DATA}.memory.read"
    cells = {name: {"type": "DP16KD", "attributes": {}} for name in IN_STEP}
    cells[register] = {"type": "TRELLIS_FF", "attributes": {}}
    netlist = json.dumps({"modules": {"top": {"cells": cells}, "DP16KD": {"cells": {}}}})
    yosys = [sys.executable, "-c", f"open('top.json', 'w').write({netlist!r})"]
    plan = Plan("ulx3s-85f", TINY, 80.0, 0, site_files("LFE5U-85F", TINY), [["yosys"]])
    made = synthesise(plan, Tools({"yosys": yosys}, {}), tmp_path, lambda stage: nullcontext())
    told = json.loads((made / "top.json").read_text())["modules"]["top"]["cells"]
    assert {name: cell["attributes"].get("BEL") for name, cell in told.items()} == {
        **floorplan(IN_STEP, SITES),
        register: None,
    }
