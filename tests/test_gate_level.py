"""Boards' chips as synthesis leaves them: cell by cell, with vendors' models, they answer as the golden device does."""

import sys
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import pytest
from ramrec.boards.board import Board
from ramrec.boards.build_plan import make_plan
from ramrec.boards.build_stages import synthesise
from ramrec.boards.build_tools import yowasp
from ramrec.boards.chip import Fault, choose_faults, make_chip
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import Op, Status, is_known
from ramrec.host.chips import compile_chip, open_chip
from ramrec.host.cli import main
from ramrec.sim.compiled import NoCompiler, library, require_tools
from ramrec.sim.play import Outcome, play
from ramrec.sim.sequences import write_session
from ramrec.sim.steps import Command, Exchange, body_of, expect
from ramrec.sim.verify import verify
from ramrec.sim.virtual import CompiledBoard

try:
    require_tools()
except NoCompiler as error:
    pytestmark = pytest.mark.skip(reason=str(error))

FAULTS = 40
FOUND = 3
"""So many of the faults are enough; each more takes a second or two."""


def fast(name: str) -> Board:
    """A board whose line has four clocks per bit, the fewest there are: most of a session's time is its line's."""
    board = BOARDS[name]
    return replace(board, baud=round(board.clock_mhz * 1e6 / 4))


@dataclass(frozen=True)
class Gates:
    """A chip of TINY geometry, with faults in it, none of which shows until it is switched on."""

    library: Path
    faults: list[Fault]

    def answers(self, exchanges: list[Exchange], fault: int = 0) -> Outcome:
        with CompiledBoard(self.library) as board:
            board.switch_on(fault)
            return play(Line(board), exchanges)


class Line:
    def __init__(self, board: CompiledBoard) -> None:
        self._board = board

    def write(self, data: bytes) -> None:
        self._board.write(data)

    def read(self, timeout: float) -> bytes:
        return self._board.read()

    def close(self) -> None:
        self._board.close()


@pytest.fixture(params=["ice40-hx8k", "ulx3s-12f"])
def gates(request: pytest.FixtureRequest, tmp_path: Path) -> Gates:
    board = fast(request.param)
    plan = make_plan(board, TINY)
    netlist = synthesise(plan, yowasp(["yosys"]), tmp_path, lambda stage: nullcontext()) / "top.json"
    faults = choose_faults(netlist, FAULTS, seed=1)
    chip = make_chip(board, plan, netlist, faults)
    return Gates(library(chip.design, chip.write, chip.definitions, cache=tmp_path), faults)


def session() -> list[Exchange]:
    """Steps after which every operation was executed at least once."""
    missing = {op for op in range(256) if is_known(op)}
    steps = [Command(op=Op.HELLO)]
    for number in range(2, 50):
        for exchange in expect(TINY, [Command(op=Op.HELLO), *(found := write_session(TINY, 1, number)).steps]):
            replies = [body_of(frame) for frame in exchange.replies]
            missing -= {reply.op for reply in replies if reply is not None and reply.status == Status.OK}
        steps += found.steps
        if not missing:
            break
    assert not missing
    return expect(TINY, steps)


def test_netlist_answers_as_the_model_does_and_no_longer_with_a_flipped_bit(gates: Gates) -> None:
    """Not every bit of a LUT matters: some are at addresses that never occur. A fixed choice has some that do."""
    outcome = gates.answers(session())
    assert outcome.wrong is None, outcome
    exchanges = expect(TINY, [Command(op=Op.HELLO), *write_session(TINY, 1, 2).steps])
    found = (
        fault for number, fault in enumerate(gates.faults, 1) if gates.answers(exchanges, number).wrong is not None
    )
    assert len(list(islice(found, FOUND))) == FOUND


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_a_boards_chip_behind_a_pseudo_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path))
    chip = compile_chip("pty", fast("ulx3s-12f"), TINY)
    report = verify(lambda: open_chip("pty", chip), TINY, backend="pty", sessions=2, seed=1)
    assert report.failure is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--board", "none-of-ours"], "a board is one of icebreaker"),
        (["--board", "icebreaker", "--backend", "golden"], "a backend is one of pty, gates, not 'golden'"),
        (["--board", "icebreaker", "--replay", "x.json"], "leave out --board"),
    ],
)
def test_what_can_not_be_verified_is_said_in_a_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["verify", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err
