"""The serial line: how busy it is while films are loaded, in clocks of the whole chip, and the page that tells."""

import json
from pathlib import Path
from typing import Any

import pytest
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import FRAMING, Op, Request, build_id, max_count
from ramrec.host import cli
from ramrec.host.bench import line_report as report_module
from ramrec.host.bench.document import markdown
from ramrec.host.bench.line import BITS_PER_BYTE, RATING_TO_LIST, commands, loading
from ramrec.host.bench.line_report import line_document, line_report
from ramrec.sim.compiled import NoCompiler, require_tools

DOCS = Path(__file__).parent.parent / "docs"
GEOMETRY = TINY.with_(catalogue_depth=6000)
DIVISOR = 4
BYTE = BITS_PER_BYTE * DIVISOR


@pytest.fixture
def clocks(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulate anew, where gateware can be compiled."""
    try:
        require_tools()
    except NoCompiler as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("clocks")
    monkeypatch.setattr("ramrec.host.bench.kept_clocks.cache_folder", lambda _: folder)


@pytest.mark.usefixtures("clocks")
def test_loading_fills_the_line() -> None:
    """Nine tenths of all the bytes that the line could carry are films, from the first bit to the last reply's last."""
    found = loading(GEOMETRY, DIVISOR, 6000)
    assert found["equal"]
    assert found["payload"] == 6000 * 3
    assert found["payload"] * BYTE >= 0.9 * found["clocks"]
    frames = -(-6000 // max_count(GEOMETRY, Op.LOAD))
    assert found["sent"] == found["payload"] + frames * (Request.HEADER.size + FRAMING)  # none of them twice
    assert 0.99 * found["clocks"] <= found["sent"] * BYTE <= found["clocks"]


@pytest.mark.usefixtures("clocks")
def test_loading_fills_the_line_behind_a_slow_adapter() -> None:
    """As slow as FTDI's at 3 Mbaud: a reply comes 16 ms, or 4,800 bytes, late. Only the first frame waits for it."""
    delay = 4800 * BYTE
    found = loading(GEOMETRY, DIVISOR, 6000, delay=delay)
    assert found["equal"]
    assert found["payload"] * BYTE >= 0.9 * (found["clocks"] - delay)


@pytest.mark.usefixtures("clocks")
def test_commands_take_little_more_than_their_bytes() -> None:
    costs = commands(GEOMETRY, DIVISOR)
    assert list(costs)[-1] == RATING_TO_LIST
    for cost in costs.values():
        assert (cost["sent"] + cost["received"]) * BYTE <= cost["clocks"]
    stats = costs["STATS"]
    assert stats["clocks"] <= 1.1 * (stats["sent"] + stats["received"]) * BYTE
    assert costs[RATING_TO_LIST]["clocks"] > costs["RATE"]["clocks"]


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int, int]]:
    """In place of a simulation: a line with a gap as long as its bits. Divisor, films and delay of each loading."""
    asked: list[tuple[int, int, int]] = []

    def fake_loading(geometry: Any, divisor: int, films: int, *, delay: int = 0) -> dict[str, Any]:
        asked.append((divisor, films, delay))
        payload = films * (geometry.code_bytes + 1)
        sent = payload + 10
        return {"clocks": 20 * sent * divisor + delay, "sent": sent, "received": 9, "payload": payload, "equal": True}

    def fake_commands(_: Any, divisor: int) -> dict[str, dict[str, int]]:
        cost = {"clocks": 400 * divisor, "sent": 12, "received": 8}
        return {"STATS": cost, RATING_TO_LIST: cost}

    monkeypatch.setattr(report_module, "loading", fake_loading)
    monkeypatch.setattr(report_module, "commands", fake_commands)
    return asked


def test_report(simulated: list[tuple[int, int, int]]) -> None:
    results = line_report(BOARDS["icebreaker"])
    assert results["clock_mhz"] == 24 and results["geometry"] == "UP5K" and results["films"] == 9742
    assert {row["baud"]: row["divisor"] for row in results["rows"]} == {
        115_200: 208,
        1_000_000: 24,
        2_000_000: 12,
        3_000_000: 8,
    }
    assert results["left_out"] == [{"baud": 12_000_000, "why": "24 MHz are 2 clocks per bit, and the receiver needs 4"}]
    row = results["rows"][1]
    assert row["load_seconds_limit"] == pytest.approx(9742 * 9 * 10 / 1e6)
    assert row["load_seconds"] == pytest.approx(2 * row["load_seconds_limit"], rel=0.01)
    assert all(load["line_busy"] == pytest.approx(0.5) for load in row["loads"])
    assert [load["delay_ms"] for load in row["loads"]] == [0, 16]
    assert [delay for divisor, _, delay in simulated if divisor == 24] == [0, 384_000]
    (command, _) = row["commands"]
    assert command["per_second"] == pytest.approx(24e6 / 9600)
    assert command["per_second_limit"] == pytest.approx(1e6 / 200)
    assert (command["ms"], command["ms_limit"]) == (pytest.approx(0.4), pytest.approx(0.2))


@pytest.mark.usefixtures("simulated")
def test_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(("link", *arguments))
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    code, out, err = run("icebreaker", "--json", "--out", str(tmp_path))
    assert (code, err) == (0, "")
    results = json.loads(out)
    assert results == json.loads((tmp_path / "link.json").read_text())
    assert (tmp_path / "link.md").read_text() == markdown(line_document(results))
    assert "12,000,000 baud left out: 24 MHz are 2 clocks per bit" in run("icebreaker")[1]
    assert run("icebraker")[0] == 2


def test_docs_hold_what_was_simulated() -> None:
    """Write it anew with the command that the page names."""
    results = json.loads((DOCS / "link.json").read_text())
    assert (DOCS / "link.md").read_text() == markdown(line_document(results))
    loads = [load for row in results["rows"] for load in row["loads"]]
    assert loads and all(load["equal"] and load["payload_share"] >= 0.9 for load in loads)
    if results["build_id"] != f"{build_id():08x}":
        pytest.skip(f"docs/link.json is of sources {results['build_id']}: run ramrec link --out docs")
