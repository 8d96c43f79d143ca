"""The main job on the golden device: its figures, and that no lie of a device goes unnoticed."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import ALL, INLINE, Op, Reply, Stats, decode_frame, encode_frame
from ramrec.host import cli, transport
from ramrec.host.dataset import Dataset, load
from ramrec.host.demo_split import split
from ramrec.host.driver import Driver
from ramrec.host.errors import RamrecError
from ramrec.host.shadow import Shadowed
from ramrec.sim.golden_device import GoldenDevice

Write = Callable[..., Path]
KEYS = {
    "accuracy_after_20",
    "accuracy_after_5",
    "accuracy_agent",
    "accuracy_prior",
    "backend",
    "clocks_per_second",
    "commands",
    "cycles_forget",
    "cycles_learn",
    "cycles_rank",
    "cycles_relearn",
    "data",
    "films",
    "forget_bit_equal",
    "geometry",
    "held_back",
    "mismatches",
    "ratings",
    "seconds",
    "seed",
    "users",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write_ratings: Write) -> Path:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    return write_ratings(tmp_path / "films", users=16, rated=34, films=60)


@pytest.fixture
def demo(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the demo of four people: exit code, stdout, stderr."""

    def demo(*options: str) -> tuple[int, str, str]:
        geometry = "TINY:memory_depth=32,catalogue_depth=60,top_k=12"
        with pytest.raises(SystemExit) as caught:
            cli.main(["demo", "--data", str(home), "--backend", "golden", "--geometry", geometry, *options])
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return demo


class Device:
    """A golden device behind a transport, whose replies a test may change on their way."""

    def __init__(self, change: Callable[[Reply], Reply | None] = lambda reply: reply) -> None:
        self.change = change
        self.clocks = 0
        self._device: GoldenDevice | None = None
        self._replies = b""

    def __call__(self, backend: str, geometry: Any) -> "Device":
        self._device = GoldenDevice(geometry)
        return self

    def write(self, data: bytes) -> None:
        assert self._device is not None
        for frame in filter(None, data.split(b"\0")):
            reply = self.change(Reply.unpack(decode_frame(self._device.receive(frame)[:-1])))
            if reply is not None:
                self._replies += encode_frame(reply.pack())

    def read(self, timeout: float) -> bytes:
        data, self._replies = self._replies, b""
        return data

    def close(self) -> None:
        pass


def test_figures(demo: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = demo("--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    figures = json.loads(out)
    assert set(figures) == KEYS
    assert figures["mismatches"] == 0
    assert figures["forget_bit_equal"] is True
    assert (figures["users"], figures["ratings"], figures["held_back"], figures["films"]) == (4, 4 * 24, 4 * 10, 60)
    assert figures["accuracy_agent"] > figures["accuracy_prior"]
    assert (figures["backend"], figures["cycles_learn"], figures["clocks_per_second"]) == ("golden", None, 0)
    assert figures["commands"] > 3 * figures["ratings"]
    again = json.loads(demo("--json")[1])
    assert {key: value for key, value in again.items() if key != "seconds"} == {
        key: value for key, value in figures.items() if key != "seconds"
    }


def test_story(demo: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = demo()
    assert (code, err) == (0, "")
    for text in (
        "544 ratings of 60 films by 16 users",
        "12 users gave 60 films a code of 16 bits",
        "before any rating",
        "after 5 ratings",
        "after 20 ratings",
        "everybody's ratings",
        "golden model that never had the rating",
        "equal to the bit",
        "agent after all",
        "mismatches 0",
    ):
        assert text in out
    assert out.count("Why Film") + out.count("Why Alien") == 3
    assert max(map(len, out.splitlines())) <= 160


def test_memory_smaller_than_what_people_rate(demo: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = demo("--json", "--geometry", "TINY")
    figures = json.loads(out)
    assert code == 0
    assert (figures["ratings"], figures["films"], figures["forget_bit_equal"]) == (4 * 20, 24, True)


def test_clocks_are_those_of_the_command(
    demo: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    took = {Op.RATE: 100, Op.RANK: 30, Op.FORGET: 90}
    last = [0, 0]

    def count(reply: Reply) -> Reply:
        if reply.op == Op.STATS:
            stats = Stats.unpack(reply.data)
            stats = replace(stats, clocks=last[0], command_clocks=last[1], learn_clocks=70)
            return replace(reply, data=stats.pack())
        last[1] = took.get(Op(reply.op & ~INLINE), 1)
        last[0] += last[1]
        return reply

    monkeypatch.setattr(transport, "open_transport", Device(count))
    code, out, _ = demo("--json")
    figures = json.loads(out)
    assert (code, figures["mismatches"]) == (0, 0)
    cycles = [figures[f"cycles_{name}"] for name in ("learn", "relearn", "rank", "forget")]
    assert cycles == [100, 70, 30, 90]
    assert figures["clocks_per_second"] > 0
    table = [line.split() for line in demo()[1].splitlines()]
    assert ["learn", "a", "rating", "100", "100", "100"] in table


@pytest.mark.parametrize("op", [Op.EXPLAIN, Op.SCORE, Op.RANK, Op.RATE, Op.FORGET, Op.DIGEST, Op.RESTORE, Op.STATS])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_lying_device_is_caught(
    demo: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, op: Op, as_json: bool
) -> None:
    replies = 0

    def lie(reply: Reply) -> Reply:
        nonlocal replies
        replies += reply.op == op
        if reply.op != op or replies != 3 or not reply.data:
            return reply
        at = {Op.STATS: 12}.get(op, len(reply.data) - 2)
        return replace(reply, data=reply.data[:at] + bytes([reply.data[at] ^ 1]) + reply.data[at + 1 :])

    monkeypatch.setattr(transport, "open_transport", Device(lie))
    code, out, err = demo(*(["--json"] if as_json else []))
    assert code == 1
    if as_json:
        said = json.loads(out)
        assert err == ""
        assert said.get("mismatches") == 1 or "differs from the golden model" in said["error"]
    else:
        assert "mismatches 1" in out or "differs from the golden model" in err


def test_a_device_that_ran_before_and_a_line_that_loses_replies() -> None:
    numbers = iter(range(1000))
    device = Device(lambda reply: None if next(numbers) % 3 == 1 else reply)("golden", TINY)
    before = Driver(device, TINY, timeout=0.01)
    before.hello()
    before.stats()
    shadowed = Shadowed(device, TINY)
    driver = Driver(shadowed, TINY, timeout=0.01)
    driver.hello()
    driver.reset()
    for _ in range(10):
        driver.stats()
        driver.digest(ALL)
    assert (shadowed.mismatches, shadowed.commands) == ([], 22)


def test_people_are_not_in_the_population(home: Path) -> None:
    dataset = load(home)
    population, people = split(dataset, users=40, depth=22, seed=5)
    names = [person.name for person in people]
    assert len(names) == 4
    assert sorted([*population, *names]) == sorted(f"u{user}" for user in range(16))
    known = {(user, film): stars for user, film, stars in dataset.ratings.select("user", "film", "rating").rows()}
    for person in people:
        assert (len(person.learned), len(person.held)) == (22, 10)
        both = [*person.learned, *person.held]
        assert len({film for film, _ in both}) == 32
        assert all(known[person.name, film] == stars for film, stars in both)
    assert split(dataset, users=40, depth=22, seed=5) == (population, people)
    assert split(dataset, users=40, depth=22, seed=6) != (population, people)


def test_too_few_ratings(home: Path) -> None:
    dataset = load(home)
    few = Dataset(**{**vars(dataset), "ratings": dataset.ratings.head(100)})
    with pytest.raises(RamrecError, match="films is too small"):
        split(few, users=4, depth=64, seed=1)
