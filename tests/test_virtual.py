"""The virtual board and the board behind a pseudo-terminal answer like the golden device."""

import random
import subprocess
import sys
import time

import pytest
import serial
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import Op, Reply, Request, Stats, decode_frame, encode_frame, max_count
from ramrec.sim.compiled import require_tools, shared_library
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.pty import PtyBoard
from ramrec.sim.virtual import NoCompiler, VirtualBoard

try:
    require_tools()
except NoCompiler as error:
    pytestmark = pytest.mark.skip(reason=str(error))


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("virtual")


@pytest.fixture
def board(cache):
    with VirtualBoard(TINY, cache) as board:
        yield board


def session(seed=1, films=TINY.catalogue_depth, steps=30):
    """Frames of a user who rates, forgets and asks."""
    rng = random.Random(seed)
    requests = [dict(op=Op.HELLO)]
    for item in range(0, films, max_count(TINY, Op.LOAD)):
        count = min(films - item, max_count(TINY, Op.LOAD))
        records = rng.randbytes(count * (TINY.code_bytes + 1))
        requests.append(dict(op=Op.LOAD, arg=item, count=count, records=records))
    for _ in range(steps):
        item = rng.randrange(films)
        requests.append(dict(op=Op.RATE, arg=rng.randrange(-900, 900), count=1, records=item.to_bytes(2, "little")))
        requests.append(dict(op=Op.RANK, arg=TINY.top_k))
    requests.append(dict(op=Op.DIGEST))
    return [encode_frame(Request(seq=n % 256, **request).pack()) for n, request in enumerate(requests)]


def test_answers_like_the_golden_device(board):
    golden = GoldenDevice(TINY)
    start = time.perf_counter()
    for frame in session():
        board.write(frame)
        assert board.read() == golden.receive(frame[:-1])
    print(f"{board.clocks / (time.perf_counter() - start):,.0f} clocks per second, golden device included")


def test_requests_may_be_written_ahead(board):
    golden = GoldenDevice(TINY)
    frames = session(steps=3)
    board.write(b"".join(frames))
    assert [board.read() for _ in frames] == [golden.receive(frame[:-1]) for frame in frames]


def test_damaged_frames_are_dropped_and_counted(board):
    hello, stats = (encode_frame(Request(seq=seq, op=op).pack()) for seq, op in ((0, Op.HELLO), (1, Op.STATS)))
    board.write(b"\x05damaged\0\x01\0")
    assert board.read() == b""
    board.write(hello)
    assert board.read() != b""
    board.write(stats)
    reply = Reply.unpack(decode_frame(board.read()[:-1]))
    assert Stats.unpack(reply.data).dropped == 2


def test_silence_ends_a_read(board):
    assert board.read() == b""
    assert 64 <= board.clocks < 200
    before = board.clocks
    board.write(encode_frame(Request(seq=0, op=Op.HELLO).pack()))
    assert board.read(limit=3) == b""
    assert board.clocks == before + 3
    assert board.read() != b""


def test_a_built_board_comes_from_the_cache_without_amaranth(board, cache):
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    code = """
import sys
from pathlib import Path
from ramrec.hdl.geometry import TINY
from ramrec.sim.virtual import VirtualBoard

def fail(status):
    sys.exit(status)

VirtualBoard(TINY, Path(sys.argv[1]), fail).close()
assert "amaranth" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(cache)], check=True)
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_no_compiler_is_said_in_a_line(cache, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    with pytest.raises(NoCompiler, match=r"^the C\+\+ compiler that CXX names was not found: no-such-compiler$"):
        VirtualBoard(TINY, cache)
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(NoCompiler, match=r"^no C\+\+ compiler found: install one of"):
        VirtualBoard(TINY, cache)


def test_a_closed_board_says_so(cache):
    board = VirtualBoard(TINY, cache)
    board.close()
    board.close()
    with pytest.raises(ValueError, match="the board is closed"):
        board.read()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_serial_line_behind_a_pseudo_terminal(cache):
    golden = GoldenDevice(TINY)
    with PtyBoard(TINY, cache=cache) as board, serial.Serial(board.port, 115200, timeout=20) as port:
        for frame in session(steps=5):
            port.write(frame)
            assert port.read_until(b"\0") == golden.receive(frame[:-1])


def test_trace(cache, tmp_path):
    with VirtualBoard(TINY, cache, trace=tmp_path / "board.vcd") as board:
        board.write(encode_frame(Request(seq=0, op=Op.HELLO).pack()))
        assert board.read() != b""
        clocks = board.clocks
    text = (tmp_path / "board.vcd").read_text()
    assert "$var" in text
    assert f"#{clocks - 1}\n" in text


def test_a_damaged_library_is_built_again(tmp_path, monkeypatch):
    built = []

    def build(component, harness, command, folder, traced):
        built.append(folder)
        (folder / "board.so").write_bytes(b"machine code")
        return folder / "board.so"

    monkeypatch.setattr("ramrec.sim.compiled._build", build)

    def library():
        return shared_library("a design", object, cache=tmp_path)

    assert library() == library()
    assert len(built) == 1
    library().write_bytes(b"machine")
    assert library().read_bytes() == b"machine code"
    assert len(built) == 2
