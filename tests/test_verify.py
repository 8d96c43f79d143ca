"""The verifier: what it writes, that it finds what is wrong, and that the gateware passes."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from ramrec.hdl.geometry import ECP5_25F, TINY, UP5K, Geometry
from ramrec.hdl.protocol import Op, Reply, Request, Status, encode_frame, is_known
from ramrec.host.cli import main
from ramrec.host.cli_verify import verify as verify_backend
from ramrec.host.errors import UsageError
from ramrec.host.geometries import parse_geometry
from ramrec.host.mismatch_file import lines, read_sequence, write_sequence
from ramrec.sim.compiled import NoCompiler, require_tools
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.play import play
from ramrec.sim.sequences import write_session
from ramrec.sim.shrink import shrink
from ramrec.sim.simulated import SimulatedBoard
from ramrec.sim.steps import Command, Noise, body_of, expect, step_from_json, step_to_json
from ramrec.sim.verify import Report, replay, verify

SMALL = TINY.with_(code_bits=32, neurons_per_clock=16, lanes=1, comparators=1, alpha_bits=4, ridge=1)

VARIANTS = {
    "TINY": TINY,
    "counting": TINY.with_(rule="counting", tuple_bits=4, neurons_per_clock=1, lanes=1),
    "nearest": TINY.with_(rule="nearest", lanes=1, comparators=1),
    "one-bit tuples": TINY.with_(
        tuple_bits=1, neurons_per_clock=8, memory_depth=8, comparators=4, users=1, drift=1, lanes=3
    ),
}


class Line:
    """A transport to a golden device."""

    def __init__(self, device: GoldenDevice) -> None:
        self.device = device
        self._frame = b""
        self._replies = b""

    def write(self, data: bytes) -> None:
        *frames, self._frame = (self._frame + data).split(b"\0")
        self._replies += b"".join(map(self.device.receive, frames))

    def read(self, timeout: float) -> bytes:
        data, self._replies = self._replies, b""
        return data

    def close(self) -> None:
        pass


class ForgetsTheNewest(GoldenDevice):
    def _execute(self, request: Request) -> bytes:
        data = super()._execute(request)
        agent = self.agents[0]
        if request.op == Op.FORGET and request.user == 0 and len(agent.entries) > 2:
            agent.replace(agent.entries[:-1])
        return data


class RanksOneShort(GoldenDevice):
    def _execute(self, request: Request) -> bytes:
        data = super()._execute(request)
        return data[:-6] if request.op == Op.RANK and len(data) == 6 * self.geometry.top_k else data


class KeepsMarksOn(GoldenDevice):
    """Marks outlive an operation that should end them."""

    op: Op

    def _execute(self, request: Request) -> bytes:
        marked, only = self._marked.copy(), self._marks_only
        data = super()._execute(request)
        if request.op == self.op:
            self._marked, self._marks_only = marked, only
        return data


class KeepsMarksOnReset(KeepsMarksOn):
    op = Op.RESET


class KeepsMarksOnLoad(KeepsMarksOn):
    op = Op.LOAD


class KeepsMarksOnHello(KeepsMarksOn):
    op = Op.HELLO


class OnlyKeepsEarlierSkips(GoldenDevice):
    """A first ONLY leaves the marks of a SKIP before it, also on films of its own."""

    def _mark(self, op, items):
        skipped = self._marked.copy() if op == Op.ONLY and not self._marks_only else False
        super()._mark(op, items)
        self._marked |= skipped


class EveryOnlyStartsAnew(GoldenDevice):
    def _mark(self, op, items):
        self._marks_only = False
        super()._mark(op, items)


class LoadKeepsOldCodes(GoldenDevice):
    def _load(self, request: Request) -> None:
        kept = [agent.entries for agent in self.agents]
        super()._load(request)
        for agent, entries in zip(self.agents, kept, strict=True):
            agent.replace(entries)


class SelectsLate(GoldenDevice):
    """Another user is selected only if the film is loaded and the rating kept."""

    def _execute(self, request: Request) -> bytes:
        before = self._selected, self._marked.copy(), self._marks_only
        try:
            return super()._execute(request)
        except Exception:
            self._selected, self._marked, self._marks_only = before
            raise


class RestoresNothingBad(GoldenDevice):
    """A RESTORE of a film that is not loaded leaves the list uncut."""

    def _execute(self, request: Request) -> bytes:
        entries = [agent.entries for agent in self.agents]
        try:
            return super()._execute(request)
        except Exception:
            for agent, kept in zip(self.agents, entries, strict=True):
                agent.replace(kept)
            raise


class DigestsNothing(GoldenDevice):
    def _execute(self, request: Request) -> bytes:
        data = super()._execute(request)
        return b"" if request.op == Op.DIGEST and any(agent.entries for agent in self.agents) else data


class AnswersNoise(GoldenDevice):
    def receive(self, frame: bytes) -> bytes:
        answer = super().receive(frame)
        return answer or (encode_frame(Reply(seq=0, op=Op.STATS).pack()) if frame else b"")


class MissesDamage(GoldenDevice):
    def receive(self, frame: bytes) -> bytes:
        self._dropped = 0
        return super().receive(frame)


class LeaksOnReset(GoldenDevice):
    """The catalogue's old codes come back after a RESET of everything; shows only in the next session."""

    def _reset_all(self) -> None:
        was = getattr(self, "loaded", 0)
        super()._reset_all()
        self.loaded = min(was, 1)


def run(device: Callable[[Geometry], GoldenDevice], geometry: Geometry = TINY, sessions: int = 100) -> Report:
    return verify(lambda: Line(device(geometry)), geometry, backend="broken", sessions=sessions, seed=3, timeout=0.0)


@pytest.mark.parametrize("geometry", [TINY, SMALL, UP5K, ECP5_25F, TINY.with_(rule="wisard")])
def test_golden_equals_golden(geometry: Geometry) -> None:
    calls = []
    report = verify(
        lambda: Line(GoldenDevice(geometry)),
        geometry,
        backend="golden",
        sessions=3,
        seed=1,
        progress=lambda: calls.append(1),
    )
    assert (report.mismatches, report.sessions, len(calls)) == (0, 3, 3)
    assert report.commands >= 3 * 50


def test_a_device_in_use_can_be_verified() -> None:
    device = GoldenDevice(TINY)
    device.receive(encode_frame(Request(seq=200, op=Op.HELLO).pack())[:-1])
    device.receive(b"\x05")
    line = Line(device)
    line.write(b"half a frame")
    assert verify(lambda: line, TINY, backend="golden", sessions=2, seed=1).mismatches == 0


def test_sessions_come_from_the_seed() -> None:
    assert write_session(TINY, 5, 3) == write_session(TINY, 5, 3)
    assert write_session(TINY, 5, 3) != write_session(TINY, 5, 4)
    assert write_session(TINY, 5, 3) != write_session(TINY, 6, 3)


def test_sessions_cover_operations_and_statuses() -> None:
    seen = set()
    sessions = [write_session(TINY, 1, number) for number in range(100)]
    for session in sessions:
        for exchange in expect(TINY, [Command(op=Op.HELLO), *session.steps]):
            if isinstance(exchange.step, Command) and exchange.step.advance:
                seen |= {(exchange.step.op, body_of(reply).status) for reply in exchange.replies}
    known = {op for op in range(256) if is_known(op)}
    assert {op for op, _ in seen} == set(range(256))
    assert {op for op, status in seen if status == Status.OK} >= known
    assert {op for op, status in seen if status == Status.BAD_LENGTH} >= known
    assert {op for op, status in seen if status == Status.BAD_OP} >= set(range(256)) - known
    assert {op for op, status in seen if status == Status.BAD_USER} >= known - {Op.HELLO, Op.LOAD, Op.STATS}
    assert {op for op, status in seen if status == Status.BAD_ARGUMENT} >= {Op.LOAD, Op.RATE, Op.RANK, Op.RESTORE}
    assert {op for op, status in seen if status == Status.BAD_ITEM} == {Op.RATE, Op.SCORE, Op.EXPLAIN, Op.RESTORE}
    assert (Op.FORGET, Status.NOT_KEPT) in seen
    assert {status for _, status in seen} == set(Status)
    assert sum(isinstance(step, Noise) for session in sessions for step in session.steps) > 100
    assert {session.pipelined for session in sessions} == {False, True}
    assert min(len(session.steps) for session in sessions) >= 50


@pytest.mark.parametrize("geometry", [TINY, ECP5_25F])
def test_sessions_reach_corners(geometry: Geometry) -> None:
    most_kept = evicted = most_loaded = 0
    for number in range(30):
        device = GoldenDevice(geometry)
        steps = [Command(op=Op.HELLO), *write_session(geometry, 1, number).steps]
        for exchange in expect(geometry, steps):
            kept = [len(agent.entries) for agent in device.agents]
            for frame in exchange.sent.split(b"\0"):
                device.receive(frame)
            most_kept, most_loaded = max(most_kept, *kept), max(most_loaded, device.loaded)
            is_rating = isinstance(exchange.step, Command) and exchange.step.op == Op.RATE
            evicted += is_rating and geometry.memory_depth in kept
    assert (most_kept, most_loaded) == (geometry.memory_depth, geometry.catalogue_depth)
    assert evicted > 10


@pytest.mark.parametrize(
    ("broken", "most"),
    [
        (ForgetsTheNewest, 6),
        (RanksOneShort, 3),
        (KeepsMarksOnReset, 6),
        (KeepsMarksOnLoad, 6),
        (KeepsMarksOnHello, 6),
        (OnlyKeepsEarlierSkips, 6),
        (EveryOnlyStartsAnew, 6),
        (LoadKeepsOldCodes, 6),
        (SelectsLate, 6),
        (RestoresNothingBad, 6),
        (DigestsNothing, 3),
        (AnswersNoise, 1),
        (MissesDamage, 2),
    ],
)
def test_faults_are_found_and_shrunk(broken: Callable[[Geometry], GoldenDevice], most: int) -> None:
    report = run(broken)
    assert report.mismatches == 1
    failure = report.failure
    assert failure is not None and failure.repeats
    assert 1 <= len(failure.steps) <= most
    again = replay(lambda: Line(broken(TINY)), TINY, failure.steps, pipelined=failure.pipelined, timeout=0.0)
    assert again == replace(failure, session=0)
    assert replay(lambda: Line(GoldenDevice(TINY)), TINY, failure.steps, pipelined=failure.pipelined) is None


def test_what_leaks_into_the_next_session_is_found() -> None:
    failure = run(LeaksOnReset).failure
    assert failure is not None and failure.repeats
    assert len(failure.steps) <= 6


def test_a_silent_device_fails_at_once() -> None:
    class Silent(GoldenDevice):
        def receive(self, frame: bytes) -> bytes:
            return b""

    report = run(Silent)
    assert report.failure is not None
    assert (report.failure.received, report.failure.steps) == (b"", ())
    assert list(lines(report.failure))[-1] == "the device answered: nothing"


def test_shrink_leaves_what_is_needed() -> None:
    trials = []

    def fails(part: object) -> bool:
        trials.append(part)
        return {3, 17, 64} <= set(part)  # type: ignore[call-overload]

    assert shrink(range(100), fails) == (3, 17, 64)
    assert len(trials) < 200
    assert shrink(range(100), lambda part: True) == ()
    assert len(shrink(range(100), fails, max_trials=3)) > 3


def test_steps_survive_json() -> None:
    for step in write_session(TINY, 2, 1).steps:
        assert step_from_json(json.loads(json.dumps(step_to_json(step)))) == step


def test_failures_survive_their_file(tmp_path) -> None:
    report = run(DigestsNothing)
    assert report.failure is not None
    path = tmp_path / "sequence.json"
    write_sequence(path, TINY, 3, report.failure)
    assert read_sequence(path) == (TINY, report.failure.steps, report.failure.pipelined)
    assert len(list(lines(report.failure))) == len(report.failure.exchanges) + 1
    path.write_text("[]")
    with pytest.raises(UsageError, match="not a sequence"):
        read_sequence(path)


def test_geometries_are_parsed() -> None:
    assert parse_geometry("tiny") == TINY
    assert parse_geometry("TINY:rule=nearest,lanes=1") == TINY.with_(rule="nearest", lanes=1)
    for wrong in ("BIG", "TINY:lanes", "TINY:lanes=x", "TINY:colour=1", "TINY:rule=nearest", "TINY:lanes=0"):
        with pytest.raises(UsageError):
            parse_geometry(wrong)


def test_command_prints_one_object(capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["verify", "--backend", "golden", "--geometry", "TINY", "--sessions", "2", "--seed", "7", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert exit_.value.code == 0
    assert (printed["mismatches"], printed["sessions"], printed["backend"], printed["seed"]) == (0, 2, "golden", 7)
    assert [one["name"] for one in printed["geometries"]] == ["TINY"]


def test_command_keeps_what_fails(capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "ramrec.host.cli_verify.open_transport", lambda backend, geometry: Line(DigestsNothing(geometry))
    )
    arguments = ["verify", "--backend", "golden", "--geometry", "TINY", "--sessions", "9", "--out", str(tmp_path)]
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 1
    assert "WRONG ANSWER" in capsys.readouterr().out
    (kept,) = tmp_path.glob("*.json")
    monkeypatch.undo()
    with pytest.raises(SystemExit) as exit_:
        main(["verify", "--backend", "golden", "--replay", str(kept)])
    assert exit_.value.code == 0


def test_simulator_agrees() -> None:
    session = write_session(TINY, 1, 2)
    exchanges = expect(TINY, [Command(op=Op.HELLO), *session.steps[:25]])
    assert play(SimulatedBoard(TINY), exchanges, pipelined=True).wrong is None


@pytest.mark.parametrize("geometry", VARIANTS.values(), ids=VARIANTS)
def test_gateware_equals_golden(geometry: Geometry) -> None:
    try:
        require_tools()
    except NoCompiler as error:
        pytest.skip(str(error))
    report = verify_backend("virtual", geometry, sessions=30, seed=1)
    assert report.failure is None, "\n".join(lines(report.failure))
    assert report.commands > 1500
    assert report.clocks > 0
