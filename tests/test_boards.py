"""Boards: every one of them elaborates onto its pins into a build plan, and the docs hold what was built."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from ramrec.boards.build_plan import Plan, make_plan
from ramrec.boards.build_report import RESOURCES
from ramrec.boards.build_tools import MissingTools
from ramrec.boards.kept import COLUMNS, describe, keep, kept, markdown, row
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import PRESETS, TINY

DOCS = Path(__file__).parents[1] / "docs" / "boards.md"


@pytest.fixture(scope="module", params=BOARDS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return make_plan(BOARDS[request.param], BOARDS[request.param].geometry)


def test_plan_has_design_and_pins(plan: Plan) -> None:
    constraints = plan.files.get("top.pcf") or plan.files["top.lpf"]
    assert "uart" in constraints
    assert "led" in constraints
    assert "popcount" in plan.files["top.il"]
    assert "/" not in "".join(line for line in plan.files["top.il"].splitlines() if "attribute \\src" in line)


def test_plan_demands_the_oscillators_clock(plan: Plan) -> None:
    ice40, ecp5 = plan.files.get("top.pcf", ""), plan.files.get("top.lpf", "")
    assert "set_frequency clk12_0__io 12.0\n" in ice40 or 'FREQUENCY PORT "clk25_0__io" 25000000.0 HZ;' in ecp5


def test_ecp5_is_synthesised_without_wide_multiplexers(plan: Plan) -> None:
    assert ("synth_ecp5 -nowidelut" in plan.files["top.ys"]) == ("nextpnr-ecp5" in plan.tools)


def test_plan_calls_three_tools(plan: Plan) -> None:
    family, pack, suffix = ("ice40", "icepack", "bin") if plan.board == "icebreaker" else ("ecp5", "ecppack", "bit")
    assert plan.tools == ["yosys", f"nextpnr-{family}", pack]
    assert plan.bitstream == f"top.{suffix}"


def test_plan_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amaranth_boards.icebreaker", None)
    with pytest.raises(MissingTools, match=r"^amaranth-boards is not installed: pip install 'ramrec\[build\]'$"):
        make_plan(BOARDS["icebreaker"], TINY)


def test_geometry_is_a_preset() -> None:
    assert {board.geometry for board in BOARDS.values()} <= set(PRESETS.values())


def test_docs_hold_the_table_of_the_kept_reports() -> None:
    """Write it anew with ``ramrec boards --table``."""
    table = markdown([row(board) for board in describe(kept())])
    assert table in DOCS.read_text()


@pytest.mark.parametrize("name", kept())
def test_kept_report_is_of_the_boards_own_geometry(name: str) -> None:
    report = kept()[name]
    assert report["board"] == name
    assert report["geometry"] == asdict(BOARDS[name].geometry)
    assert "/" not in report["bitstream"]
    assert {*RESOURCES} < {*report}


def test_keep_leaves_no_path(tmp_path: Path) -> None:
    board, geometry = "ulx3s-25f", asdict(TINY)
    path = keep({"board": board, "geometry": geometry, "bitstream": str(tmp_path / "ulx3s-25f.bit")}, tmp_path)
    assert json.loads(path.read_text())["bitstream"] == "ulx3s-25f.bit"
    assert kept(tmp_path)[board]["geometry"] == geometry


def test_table_has_dashes_for_what_was_never_built() -> None:
    described = describe({})
    assert all(len(row(board)) == len(COLUMNS) for board in described)
    assert row(described[0]) == ["icebreaker", "Lattice iCE40 UP5K", "UP5K", "9,984", "16", *["-"] * 7]
