"""Boards: every one of them elaborates onto its pins into a build plan, and the docs hold what was built."""

import json
import re
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ramrec.boards.board_top import line_divisor
from ramrec.boards.build_area import RESOURCES, modules_of
from ramrec.boards.build_plan import Plan, make_plan
from ramrec.boards.build_tools import MissingTools
from ramrec.boards.kept import COLUMNS, describe, geometry_name, keep, kept, markdown, row
from ramrec.boards.registry import BOARDS, BoardFileError, board_from_file
from ramrec.hdl.geometry import PRESETS, TINY
from ramrec.hdl.protocol import build_id
from ramrec.host.geometries import parse_geometry

DOCS = Path(__file__).parents[1] / "docs" / "boards.md"
EXAMPLE = DOCS.with_name("example_board.py")


@pytest.fixture(scope="module", params=BOARDS)
def plan(request: pytest.FixtureRequest) -> Plan:
    return make_plan(BOARDS[request.param], TINY)


@pytest.mark.parametrize("preset", sorted({geometry_name(board.geometry).split(":")[0] for board in BOARDS.values()}))
def test_gateware_can_be_made_for_the_presets(preset: str) -> None:
    plan = make_plan(BOARDS["ulx3s-85f"], PRESETS[preset])
    assert ("popcount" in plan.files["top.il"]) == plan.geometry.explains


def test_plan_has_design_and_pins(plan: Plan) -> None:
    constraints = plan.files.get("top.pcf") or plan.files["top.lpf"]
    assert "uart" in constraints
    assert "neuron_0" in plan.files["neuron.il"]
    assert {"device", "clock", "lights"} <= {path.rpartition(".")[2] for path in modules_of(plan.files["top.il"])}
    assert "/" not in "".join(line for line in plan.files["top.il"].splitlines() if "attribute \\src" in line)


def test_plan_has_a_pll_that_makes_the_boards_clock(plan: Plan) -> None:
    clock = BOARDS[plan.board].clock_mhz
    assert plan.clock_mhz == pytest.approx(clock, rel=0.01)
    kind = r"\\EHXPLLL" if "nextpnr-ecp5" in plan.tools else r"\\SB_PLL40_(PAD|CORE)"
    assert re.search(rf"cell {kind} \\pll", plan.files["top.il"])


def test_clocks_are_what_the_boards_promise() -> None:
    for board in BOARDS.values():
        assert board.clock_mhz >= (24 if "iCE40" in board.fpga else 80)


def test_ecp5_is_synthesised_without_wide_multiplexers(plan: Plan) -> None:
    assert ("synth_ecp5 -nowidelut" in plan.files["top.ys"]) == ("nextpnr-ecp5" in plan.tools)


def test_plan_calls_three_tools(plan: Plan) -> None:
    small = "iCE40" in BOARDS[plan.board].fpga
    family, pack, suffix = ("ice40", "icepack", "bin") if small else ("ecp5", "ecppack", "bit")
    assert plan.tools == ["yosys", f"nextpnr-{family}", pack]
    assert plan.bitstream == f"top.{suffix}"


def test_plan_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "amaranth_boards.icebreaker", None)
    with pytest.raises(MissingTools, match=r"^amaranth-boards is not installed: pip install 'ramrec\[build\]'$"):
        make_plan(BOARDS["icebreaker"], TINY)


def test_a_clock_of_the_users_own() -> None:
    board = BOARDS["ulx3s-25f"]
    assert make_plan(board, TINY, clock_mhz=62.5).clock_mhz == 62.5
    oscillator = make_plan(board, TINY, clock_mhz=25)
    assert (oscillator.clock_mhz, "EHXPLLL" in oscillator.files["top.il"]) == (25, False)
    with pytest.raises(ValueError, match=r"^an ECP5 PLL's output is 6.25 to 400 MHz, not 1000$"):
        make_plan(board, TINY, clock_mhz=1000)


def test_a_line_that_the_clock_can_not_make() -> None:
    assert line_divisor(80, 1_000_000) == 80
    assert line_divisor(23.9, 1_000_000) == 24
    with pytest.raises(ValueError, match=r"no divisor of 25 MHz comes near 3,000,000 baud: the nearest is 4\.2% off"):
        make_plan(replace(BOARDS["ulx3s-25f"], baud=3_000_000), TINY, clock_mhz=25)


def test_lights_of_a_board(plan: Plan) -> None:
    """Those that share a lamp are one output; a board without lamps has none."""
    lamps = {led for led in BOARDS[plan.board].leds if led is not None}
    constraints = plan.files.get("top.pcf") or plan.files["top.lpf"]
    assert {int(number) for number in re.findall(r"led_(\d+)__io", constraints)} == lamps


def test_no_two_signals_share_a_pin(plan: Plan) -> None:
    constraints = plan.files.get("top.pcf") or plan.files["top.lpf"]
    pins = re.findall(r'SITE "(\w+)"|^set_io \S+ (\w+)', constraints, re.MULTILINE)
    assert len(pins) == len({*pins}) >= 3


def test_a_board_of_the_users_own() -> None:
    board = board_from_file(EXAMPLE)
    plan = make_plan(board, TINY)
    assert (board.name, plan.clock_mhz) == ("colorlight-i9", 80)
    assert "--45k" in plan.commands[1]
    assert 'LOCATE COMP "uart_0__tx__io" SITE "J17"' in plan.files["top.lpf"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("BOARD = 7", "must set BOARD to a ramrec.boards.board.Board, not int"),
        ("", "must set BOARD to a ramrec.boards.board.Board, not NoneType"),
        ("import nothing_of_that_name", "can not run .*: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)", "can not run .*: SystemExit: 3"),
        ("from ramrec.boards.registry import BOARDS\nBOARD = BOARDS['icebreaker']", "choose another name"),
    ],
)
def test_a_file_that_defines_no_board(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "my_board.py"
    path.write_text(text)
    with pytest.raises(BoardFileError, match=message):
        board_from_file(path)


def test_geometry_is_named_as_the_command_line_takes_it() -> None:
    assert geometry_name(PRESETS["UP5K"]) == "UP5K"
    for board in BOARDS.values():
        assert parse_geometry(geometry_name(board.geometry)) == board.geometry


def test_docs_hold_the_table_of_the_kept_reports() -> None:
    """Write it anew with ``ramrec boards --table``."""
    table = markdown([row(board) for board in describe(kept())])
    assert table in DOCS.read_text()


@pytest.mark.parametrize("name", kept())
def test_kept_report_is_of_this_board(name: str) -> None:
    """A report costs minutes to make, so it is made for a release, and this says when it is an earlier one."""
    report, board = kept()[name], BOARDS[name]
    assert report["board"] == name
    assert "/" not in report["bitstream"]
    assert {*RESOURCES} < {*report}
    assert report["timing_met"]
    assert report["fmax_mhz"] >= report["clock_mhz"]
    made = (report["build_id"], report["geometry"], round(report["clock_mhz"]))
    if made != (f"{build_id():08x}", asdict(board.geometry), round(board.clock_mhz)):
        pytest.skip(f"the report of {name} is of earlier sources: ramrec build {name} --keep")


def test_a_report_of_another_geometry_is_not_shown() -> None:
    name, geometry = "ulx3s-25f", BOARDS["ulx3s-25f"].geometry
    for shown in (geometry, geometry.with_(users=1)):
        described = {one["board"]: one["report"] for one in describe({name: {"geometry": asdict(shown)}})}
        assert (described[name] is not None) == (shown == geometry)


def test_keep_leaves_no_path(tmp_path: Path) -> None:
    board, geometry = "ulx3s-25f", asdict(TINY)
    where = {"bitstream": str(tmp_path / "ulx3s-25f.bit"), "page": str(tmp_path / "ulx3s-25f.html")}
    path = keep({"board": board, "geometry": geometry, **where}, tmp_path)
    left = json.loads(path.read_text())
    assert (left["bitstream"], left["page"]) == ("ulx3s-25f.bit", "ulx3s-25f.html")
    assert kept(tmp_path)[board]["geometry"] == geometry


def test_table_has_dashes_for_what_was_never_built() -> None:
    described = describe({})
    assert all(len(row(board)) == len(COLUMNS) for board in described)
    sizes = [f"{BOARDS['icebreaker'].geometry.catalogue_depth:,}", f"{BOARDS['icebreaker'].geometry.users:,}"]
    assert row(described[0]) == ["icebreaker", "Lattice iCE40 UP5K", "UP5K", *sizes, *["-"] * 8]


def test_times_in_the_table_are_clocks_over_the_boards_clock() -> None:
    report: dict[str, Any] = dict.fromkeys((*RESOURCES, *(f"{key}_available" for key in RESOURCES)), 10)
    report |= {
        "geometry": asdict(BOARDS["ulx3s-25f"].geometry),
        "fmax_mhz": 99.0,
        "clock_mhz": 80.0,
        "timing_met": True,
        "cycles_rank": 800,
        "cycles_learn": 100_000,
    }
    (described,) = (board for board in describe({"ulx3s-25f": report}) if board["report"])
    assert row(described)[-5:] == ["99.0 MHz", "80.0 MHz", "met", "10.0", "1,250.0"]
