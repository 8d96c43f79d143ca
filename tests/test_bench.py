"""The bench: peers find the same films, figures follow from clocks, and the page holds what was measured."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ramrec.boards.kept import kept
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import ECP5_85F, TINY, UP5K, Geometry
from ramrec.hdl.protocol import build_id
from ramrec.host import cli
from ramrec.host.bench import run as bench_run
from ramrec.host.bench.bandwidth import available_bits, used_bits
from ramrec.host.bench.contest import learn_contest, rank_contest
from ramrec.host.bench.device import Cost
from ramrec.host.bench.document import document, markdown
from ramrec.host.bench.kept_clocks import remembered
from ramrec.host.bench.placed import Placed, placed
from ramrec.host.bench.question import Question, ask
from ramrec.host.bench.rankers import contestants
from ramrec.host.bench.sections import curves, end_to_end, limit, own
from ramrec.host.bench.timing import one_core, timed
from ramrec.host.bench.workload import Workload, from_data, synthetic
from ramrec.host.errors import RamrecError, UsageError
from ramrec.sim.compiled import NoCompiler, require_tools

DOCS = Path(__file__).parents[1] / "docs"
SMALL = ECP5_85F.with_(catalogue_depth=3000, memory_depth=16, comparators=1, users=2)
CLOCKED = Placed(50.0, "place and route of a test; no hardware", 7488, "Lattice ECP5 85F")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


def asked(geometry: Geometry, films: int, seed: int) -> Question:
    workload = synthetic(geometry, films=films, people=1, ratings=geometry.memory_depth, seed=seed)
    return ask(geometry, workload, workload.people[0][: geometry.memory_depth], geometry.top_k)


@pytest.mark.parametrize("geometry", [SMALL, UP5K, SMALL.with_(tuple_bits=4, neurons_per_clock=32), TINY])
def test_merged_tables_give_the_scores(geometry: Geometry) -> None:
    question = asked(geometry, 200, 1)
    rest = (question.priors << geometry.prior_shift) + geometry.bias_gain * question.learned.bias
    tables = question.merged(8)
    assert (tables[np.arange(len(tables)), question.codes].sum(axis=1) + rest).tolist() == question.scores.tolist()


@pytest.mark.parametrize("geometry", [SMALL, UP5K, TINY], ids=["SMALL", "UP5K", "TINY"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_exact_peers_find_the_same_films(geometry: Geometry, seed: int) -> None:
    question = asked(geometry, 3000, seed)
    for contestant in contestants(question):
        found = list(contestant.run())
        assert len(set(found)) == len(found) == len(question.answer)
        assert question.allowed[found].all()
        if contestant.exact:
            assert found == question.answer, contestant.name


def test_rounded_peer_finds_nearly_the_same() -> None:
    shares = []
    for seed in range(4):
        question = asked(SMALL, 3000, seed)
        (rounded,) = (one for one in contestants(question) if one.name.endswith("rounded"))
        shares.append(question.share_found(rounded.run()))
    assert 0.8 < np.mean(shares) <= 1


def test_hamming_peer_finds_the_nearest_codes() -> None:
    question = asked(SMALL, 3000, 5)
    (hamming,) = (one for one in contestants(question) if "Binary" in one.name)
    cells = question.learned.tables.argmax(axis=1)
    bits = np.stack([cells & 1, cells >> 1], axis=1).ravel()
    distances = (np.unpackbits(question.codes, axis=1, bitorder="little") != bits).sum(axis=1)
    nearest = np.sort(distances[question.allowed])[: question.k]
    assert distances[hamming.run()].tolist() == nearest.tolist()


def test_contest_times_everybody_and_compares() -> None:
    workload = synthetic(SMALL, films=500, people=2, ratings=SMALL.memory_depth, seed=1)
    rows = rank_contest(SMALL, workload, 5, seconds=0.02)
    assert len({row["name"] for row in rows}) == len(rows) == 5
    for row in rows:
        assert 0 < row["us_rank_min"] <= row["us_rank"] <= row["us_rank_max"]
        assert row["runs"] >= 5
        assert row["equal"] == (row["found"] == 1.0) or not row["exact"]
    assert all(row["equal"] for row in rows if row["exact"])
    learned = learn_contest(SMALL, workload, seconds=0.02)
    assert [row["same"] for row in learned] == [True, True, None, None]
    assert all(row["ratings_per_second"] == pytest.approx(1e6 / row["us_learn"], rel=0.01) for row in learned)


def test_a_wrong_peer_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ramrec.host.native.Ranker.rank", lambda *_: (np.arange(5), np.arange(5)), raising=True)
    workload = synthetic(SMALL, films=500, people=2, ratings=SMALL.memory_depth, seed=1)
    rows = {row["name"]: row for row in rank_contest(SMALL, workload, 5, seconds=0.01)}
    assert not rows["numba table scan"]["equal"]
    assert rows["NumPy table scan"]["equal"]


def test_timed_and_one_core() -> None:
    calls = []
    timing = timed(lambda: calls.append(1), seconds=0.01)
    assert timing.us_min <= timing.us <= timing.us_max
    assert len(calls) > timing.runs
    assert list(timing.as_json("us_x")) == ["us_x", "us_x_min", "us_x_max", "runs"]
    if hasattr(os, "sched_getaffinity"):
        before = os.sched_getaffinity(0)
        with one_core():
            assert len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) == before


def test_workload_comes_from_its_seed() -> None:
    first, again, other = (synthetic(TINY, films=99, people=2, ratings=6, seed=seed) for seed in (1, 1, 2))
    assert first.digest == again.digest != other.digest
    assert first.codes.shape == (TINY.catalogue_depth, TINY.code_bytes)
    assert all(len({item for item, _ in rated}) == len(rated) > TINY.memory_depth for rated in first.people)
    popular = synthetic(TINY, films=24, people=3, ratings=6, seed=1, popular=7)
    assert max(item for rated in popular.people for item, _ in rated) < 7


def test_workload_from_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_ratings: Any) -> None:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    folder = write_ratings(tmp_path / "films", users=6, rated=12)
    geometry = TINY.with_(catalogue_depth=30)
    workload = from_data(folder, geometry, people=4)
    assert (workload.name, len(workload.codes), len(workload.people)) == ("films", 30, 4)
    assert all(len(rated) == 12 for rated in workload.people)
    with pytest.raises(RamrecError, match="nobody in films rated more than 64 resident films"):
        from_data(folder, geometry.with_(memory_depth=64), people=4)


def test_clocks_are_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path))
    calls: list[int] = []

    def simulate() -> int:
        calls.append(1)
        return len(calls)

    assert [remembered("x", TINY, [1], simulate) for _ in range(2)] == [1, 1]
    assert remembered("x", TINY, [2], simulate) == 2
    assert remembered("x", TINY.with_(users=1), [1], simulate) == 3
    assert remembered("y", TINY, [1], simulate) == 4
    for path in (tmp_path / "bench").iterdir():
        path.write_text("[")
    assert remembered("x", TINY, [1], simulate) == 5


def test_bandwidth() -> None:
    assert used_bits(ECP5_85F) == ECP5_85F.lanes * 136
    assert available_bits("Lattice ECP5 85F", {"bram_available": 208, "spram_available": 0}) == 7488
    assert available_bits("Lattice iCE40 UP5K", {"bram_available": 30, "spram_available": 4}) == 544
    with pytest.raises(ValueError, match="not 'Artix'"):
        available_bits("Artix", {"bram_available": 1, "spram_available": 0})


def test_placed_clock() -> None:
    board = next(iter(BOARDS.values()))
    report = {
        "geometry": json.loads(json.dumps(board.geometry.__dict__)),
        "build_id": f"{build_id():08x}",
        "timing_met": True,
        "clock_mhz": 40,
        "fmax_mhz": 44.5,
        "seed": 3,
        "tools": {"nextpnr": "1"},
        "bram_available": 30,
        "spram_available": 4,
    }
    first = next(name for name, other in BOARDS.items() if other.geometry == board.geometry)
    found = placed(board.geometry, {first: report})
    assert (found.clock_mhz, found.us(400), found.us(None)) == (40, 10.0, None)
    assert f"boards/reports/{first}.json" in found.clock_source
    assert "seed 3" in found.clock_source and "no hardware" in found.clock_source
    assert "older" not in found.clock_source
    assert "older than those simulated" in placed(board.geometry, {first: report | {"build_id": "0"}}).clock_source
    other = placed(board.geometry, {first: report | {"geometry": {"lanes": 0}}})
    assert (other.clock_mhz, "of another geometry" in other.clock_source) == (None, True)
    missed = placed(board.geometry, {first: report | {"timing_met": False}})
    assert (missed.clock_mhz, "timing missed" in missed.clock_source) == (44.5, True)
    unbuilt = placed(board.geometry, {})
    assert (unbuilt.clock_mhz, unbuilt.us(1)) == (None, None)
    assert "no report" in unbuilt.clock_source
    assert "no board has this geometry" in placed(TINY, {first: report}).clock_source


def clocks() -> dict[str, Any]:
    return {
        "rank": [100, 110, 120],
        "rank_command": [105, 115, 125],
        "switch_rank": [205, 215, 235],
        "learn": [1000, 900, 1100],
        "rate": [1050, 950, 1150],
        "rate_and_rank": [[1200, 24, 76], [1100, 24, 76], [1300, 24, 76]],
        "equal": True,
    }


def test_figures_follow_from_clocks() -> None:
    mine = own(ECP5_85F, CLOCKED, clocks())
    assert (mine["cycles_rank"], mine["us_rank"]) == (110, 2.2)
    assert (mine["cycles_learn"], mine["us_learn"], mine["ratings_per_second"]) == (1000, 20.0, 47619)
    assert mine["bram_bandwidth_fraction"] == round(ECP5_85F.lanes * 136 / 7488, 4)
    line = end_to_end(CLOCKED, clocks(), 1_000_000, 10)
    assert (line["us_line"], line["us_device"], line["us"]) == (1000.0, 24.0, 1024.0)
    assert end_to_end(CLOCKED, clocks(), 3_000_000, 10)["us_line"] == 333.3
    ends = limit(ECP5_85F, CLOCKED, 110, 1100)
    assert (ends["films_per_clock"], ends["films_per_second"]) == (10.0, 500_000_000)
    found = {"films": [[1000, 50]], "lanes": [[1, 500], [ECP5_85F.lanes, 50]], "users": [[1, 50, 100]]}
    drawn = curves(ECP5_85F, CLOCKED, found, 1_000_000)
    assert [row["placed"] for row in drawn["lanes"]] == [False, True]
    assert drawn["users"][0]["us"] == 1001.0


def test_without_a_placed_design_nothing_is_projected() -> None:
    nowhere = Placed(None, "no report")
    mine = own(ECP5_85F, nowhere, clocks())
    assert mine["cycles_rank"] == 110
    assert [mine[key] for key in ("us_rank", "us_learn", "ratings_per_second", "bram_bandwidth_fraction")] == [None] * 4
    assert end_to_end(nowhere, clocks(), 1_000_000, 10)["us"] is None
    assert limit(ECP5_85F, nowhere, 110, 1100)["films_per_second"] is None


def test_costs_add_up() -> None:
    assert Cost(1, 2, 3, 4, 5) + Cost(10, 20, 30, 40, 50) == Cost(11, 20, 30, 44, 55)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A whole quick bench of the TINY device, its peers timed for a blink."""
    try:
        require_tools()
    except NoCompiler as error:
        pytest.skip(str(error))
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("clocks")
        patch.setattr("ramrec.host.bench.kept_clocks.cache_folder", lambda _: folder)
        patch.setattr(bench_run, "_QUICK_SECONDS", 0.01)
        results = bench_run.bench("TINY", TINY, quick=True)
    return {"command": "ramrec bench --geometry TINY --quick"} | results


def test_bench_of_the_gateware(measured: dict[str, Any]) -> None:
    assert measured["equal"]
    assert (measured["preset"], measured["lanes"], measured["films"], measured["k"]) == ("TINY", 2, 24, 4)
    assert measured["clock_mhz"] is None and measured["us_rank"] is None
    assert measured["users_resident"] == TINY.users
    rows = TINY.catalogue_depth / TINY.lanes
    assert rows <= measured["cycles_rank"] <= measured["cycles_rank_command"] < 20 * rows
    assert measured["switching"]["cycles_switch"] > 0
    assert measured["cycles_learn"] >= TINY.memory_depth
    assert measured["link"][0]["cycles"] >= measured["cycles_learn"] + measured["cycles_rank"]
    assert {row["users"]: row["resident"] for row in measured["curves"]["users"]} == {
        1: True,
        2: True,
        3: True,
        4: False,
    }
    assert all(peer["equal"] for peer in measured["peers"] if peer["exact"])
    json.dumps(measured, allow_nan=False)


def test_page_and_pictures(measured: dict[str, Any], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ramrec.host.bench.run.bench", lambda *_, **__: measured)
    code, out, err = run("bench", "--geometry", "TINY", "--quick", "--out", str(tmp_path), "--json")
    assert (code, err) == (0, "")
    results = json.loads(out)
    assert json.loads((tmp_path / "performance.json").read_text()) == results
    text = (tmp_path / "performance.md").read_text()
    assert text == markdown(document(results))
    assert run("bench", "--report", str(tmp_path / "performance.json"))[1] == text
    page = (tmp_path / "performance.html").read_text()
    for peer in results["peers"]:
        assert peer["name"] in text and peer["name"] in page
    assert "No hardware has run this" in text
    for picture in ("performance.png", "performance-roofline.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")
        assert f"]({picture})" in text
    assert page.count("data:image/png;base64,") == 2
    assert run("bench", "--geometry", "TINY", "--quick")[1].startswith("Performance\n")


def test_wrong_use(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.json").write_text("{}")
    for arguments, code, message in (
        (("--geometry", "HUGE"), 2, "a geometry is one of"),
        (("-k", "99"), 2, "-k is at most"),
        (("--geometry", "TINY:rule=counting"), 2, "for the rule sweep, not counting"),
        (("--report", str(tmp_path / "none.json")), 2, "can not be read as results"),
        (("--report", str(tmp_path / "other.json")), 2, "not the results of a bench"),
        (("--data", "nowhere"), 2, '"nowhere" is neither a path nor a known data set'),
    ):
        found, _, err = run("bench", *arguments)
        assert (found, err.count("\n")) == (code, 1)
        assert message in err
    monkeypatch.setattr("ramrec.host.cli_bench.find_spec", lambda name: None if name == "faiss" else name)
    found, _, err = run("bench")
    assert (found, err) == (1, "error: the bench needs FAISS, which is missing: pip install 'ramrec[bench]'\n")


def test_help_needs_no_peer(run: Run) -> None:
    script = (
        "import sys; from ramrec.host.cli import main\n"
        "try: main(['bench', '--help'])\n"
        "except SystemExit: pass\n"
        "print({'numba', 'faiss', 'sklearn', 'matplotlib', 'jinja2', 'amaranth'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Examples:" in done.stdout
    assert done.stdout.splitlines()[-1] == "set()"


def test_document_of_something_else() -> None:
    with pytest.raises(UsageError, match="not the results of a bench"):
        document({"command": "x"})


def test_docs_hold_what_was_measured() -> None:
    """Write it anew with ``ramrec bench --out docs``."""
    results = json.loads((DOCS / "performance.json").read_text())
    assert (DOCS / "performance.md").read_text() == markdown(document(results))
    if results["build_id"] != f"{build_id():08x}":
        pytest.skip(f"docs/performance.json is of sources {results['build_id']}: run ramrec bench --out docs")


def test_docs_name_the_kept_report() -> None:
    results = json.loads((DOCS / "performance.json").read_text())
    reports = kept()
    if results["placed"]:
        assert results["placed"]["board"] in reports
        assert f"ramrec build {results['placed']['board']} --seed" in (DOCS / "performance.md").read_text()


def test_workload_is_what_it_says() -> None:
    workload = Workload("x", np.zeros((2, 2), np.uint8), np.array([3, -4], np.int8), (((1, 50),),))
    (kept_,) = workload.kept(TINY, workload.people[0])
    assert (kept_.item, kept_.e) == (1, 50 + (4 << TINY.prior_shift))
