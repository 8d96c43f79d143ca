"""The wire protocol: frames and records there and back, limits, and what a receiver must refuse."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cobs import cobs
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl import protocol
from ramrec.hdl.geometry import PRESETS, TINY, Geometry
from ramrec.hdl.protocol import (
    FRAMING,
    INLINE,
    MAX_BODY,
    REPLY,
    BadFrame,
    Explanation,
    Hello,
    Op,
    Reply,
    Request,
    Stats,
    Status,
    build_id,
    crc16,
    decode_frame,
    digest,
    encode_frame,
    entries_per_page,
    is_known,
    max_count,
    min_count,
    record_bytes,
)

from .bench import GEOMETRIES

FOUND = settings(deadline=None, derandomize=True)
ALL_GEOMETRIES = GEOMETRIES | PRESETS | {"widest": Geometry(code_bits=256, shift=9, neurons_per_clock=128)}
OPS = [op for op in range(256) if is_known(op)]
bodies = st.binary(min_size=1, max_size=MAX_BODY) | st.builds(bytes, st.integers(1, MAX_BODY))
u8, u16, u32 = (st.integers(0, (1 << bits) - 1) for bits in (8, 16, 32))


@FOUND
@given(body=bodies)
def test_frames(body):
    """There and back; one zero byte, at the end; no more than three bytes longer than body and zero."""
    frame = encode_frame(body)
    assert frame.index(0) == len(frame) - 1
    assert len(frame) == len(body) + FRAMING
    assert decode_frame(frame[:-1]) == body


@pytest.mark.parametrize("length", [0, MAX_BODY + 1])
def test_a_body_has_its_limits(length):
    with pytest.raises(ValueError, match=f"not {length}$"):
        encode_frame(bytes(length))


@FOUND
@given(body=bodies, data=st.data())
def test_damaged_frames_are_refused(body, data):
    """One wrong bit, up to 16 wrong bits in a row within the data, or an end cut off."""
    plain = body + crc16(body).to_bytes(2, "little")
    bits = 8 * len(plain)
    start = data.draw(st.integers(0, bits - 1))
    burst = data.draw(st.integers(1, (1 << min(16, bits - start)) - 1))
    damaged = int.from_bytes(plain, "big") ^ burst << (bits - start - burst.bit_length())
    with pytest.raises(BadFrame, match="CRC"):
        decode_frame(cobs.encode(damaged.to_bytes(len(plain), "big")))
    with pytest.raises(BadFrame):
        decode_frame(encode_frame(body)[: data.draw(st.integers(0, 2))])


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x05ab", b"a\0b"], ids=repr)
def test_what_is_no_frame(data):
    with pytest.raises(BadFrame):
        decode_frame(data)


@pytest.mark.parametrize("length", [0, MAX_BODY + 1])
def test_a_good_crc_is_not_enough(length):
    body = bytes(length)
    with pytest.raises(BadFrame, match="bytes, not"):
        decode_frame(cobs.encode(body + crc16(body).to_bytes(2, "little")))


def test_checksums():
    """The check values of both CRCs' catalogue entries."""
    assert crc16(b"123456789") == 0x29B1
    assert digest(b"123456789") == 0xCBF43926


@FOUND
@given(seq=u8, op=u8, user=u16, arg=u16, count=u8, records=st.binary(max_size=40))
def test_requests(seq, op, user, arg, count, records):
    request = Request(seq=seq, op=op, user=user, arg=arg, count=count, records=records)
    assert Request.unpack(request.pack()) == request
    assert len(request.pack()) == 7 + len(records)
    for cut in range(7):
        with pytest.raises(BadFrame, match=f"not {cut}$"):
            Request.unpack(request.pack()[:cut])


def test_a_negative_target_travels_as_16_bits():
    assert Request.unpack(Request(seq=0, op=Op.RATE, arg=-3).pack()).arg == 0xFFFD


@FOUND
@given(seq=u8, op=st.integers(0, 0x7F), status=st.sampled_from(Status), data=st.binary(max_size=40))
def test_replies(seq, op, status, data):
    """A reply is no request: it has a bit that no operation has."""
    reply = Reply(seq=seq, op=op, status=status, data=data)
    packed = reply.pack()
    assert Reply.unpack(packed) == reply
    assert packed[:3] == bytes([seq, op | REPLY, status])
    with pytest.raises(BadFrame):
        Reply.unpack(bytes([seq, op, status]))
    for cut in range(3):
        with pytest.raises(BadFrame, match=f"not {cut}$"):
            Reply.unpack(packed[:cut])


@FOUND
@given(version=u16, build=u32, loaded=u16, name=st.sampled_from(sorted(ALL_GEOMETRIES)))
def test_hello(version, build, loaded, name):
    hello = Hello(version=version, build=build, loaded=loaded, geometry=ALL_GEOMETRIES[name])
    assert Hello.unpack(hello.pack()) == hello
    with pytest.raises(ValueError):
        Hello.unpack(hello.pack()[:-1])


@FOUND
@given(kept=u16, nearest=u16, entries=st.lists(st.tuples(u16, u16, st.integers(-(1 << 31), (1 << 31) - 1)), max_size=9))
def test_explanation(kept, nearest, entries):
    explanation = Explanation(kept=kept, nearest=nearest, entries=tuple(entries))
    assert Explanation.unpack(explanation.pack()) == explanation


@FOUND
@given(counters=st.tuples(u32, u32, u32, u32, u32, u32))
def test_stats(counters):
    stats = Stats(
        clocks=counters[0],
        command_clocks=counters[1],
        learn_clocks=counters[2],
        commands=counters[3],
        dropped=counters[4],
        rank_clocks=counters[5],
    )
    assert Stats.unpack(stats.pack()) == stats


def test_known_operations():
    """Fifteen, and two of them also with films inline; none has the bit of a reply."""
    films_inline = [Op.SCORE | INLINE, Op.EXPLAIN | INLINE]
    assert len(Op) == 15
    assert sorted([*Op, *films_inline]) == OPS
    assert not any(op & REPLY for op in OPS)


def test_record_bytes():
    code = TINY.code_bytes
    sizes = {
        Op.LOAD: code + 1,
        Op.RATE: 2,
        Op.SCORE: 2,
        Op.EXPLAIN: 2,
        Op.SCORE | INLINE: 2 + code + 1,
        Op.EXPLAIN | INLINE: 2 + code + 1,
        Op.SKIP: 2,
        Op.ONLY: 2,
        Op.RESTORE: 4,
    }
    assert {op: record_bytes(TINY, op) for op in OPS} == dict.fromkeys(OPS, 0) | sizes


def reply_bytes(geometry, op, count):
    """Longest data of the reply to a request with ``count`` records."""
    page = entries_per_page(geometry, op) if op & ~INLINE in (Op.EXPLAIN, Op.SAVE) else 0
    return {
        Op.HELLO: Hello.HEADER.size + len(TINY.pack()),
        Op.SCORE: 4 * count,
        Op.RANK: 6 * geometry.top_k,
        Op.EXPLAIN: Explanation.HEADER.size + Explanation.ENTRY.size * page,
        Op.SAVE: 2 + record_bytes(geometry, Op.RESTORE) * page,
        Op.STATS: Stats.LAYOUT.size,
    }.get(op & ~INLINE, 4)


@pytest.mark.parametrize("name", ALL_GEOMETRIES)
def test_requests_and_replies_fit_a_body(name):
    """With as many records as allowed; where records are taken at all, one more would not fit."""
    geometry = ALL_GEOMETRIES[name]
    for op in OPS:
        count, size = max_count(geometry, op), record_bytes(geometry, op)
        assert min_count(op) <= count
        assert (count == 0) == (size == 0)
        assert Request.HEADER.size + count * size <= MAX_BODY
        assert Reply.HEADER.size + reply_bytes(geometry, op, count) <= MAX_BODY
        if op & ~INLINE in (Op.RATE, Op.EXPLAIN):
            assert min_count(op) == count == 1
        elif size:
            too_many = Request.HEADER.size + (count + 1) * size > MAX_BODY
            assert too_many or Reply.HEADER.size + reply_bytes(geometry, op, count + 1) > MAX_BODY
    for op in (Op.EXPLAIN, Op.SAVE):
        assert entries_per_page(geometry, op) >= 1


def test_build_id_is_the_sources(tmp_path):
    """The same from one process to the next, and another one for the smallest change of any file."""
    source = Path(protocol.__file__).parent
    script = "from ramrec.hdl.protocol import build_id; print(build_id())"
    again = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert int(again.stdout) == build_id() < 1 << 32

    def build_of_copy(change):
        folder = tmp_path / "ramrec" / "hdl"
        shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
        change(folder)
        found = subprocess.run(
            [sys.executable, "-c", "import ramrec.hdl.protocol as p; print(p.build_id(), p.__file__)"],
            cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        number, file = found.stdout.split(maxsplit=1)
        assert file.strip() == str(folder / "protocol.py")
        return int(number)

    (tmp_path / "ramrec").mkdir()
    (tmp_path / "ramrec" / "__init__.py").touch()
    unchanged = build_of_copy(lambda folder: None)
    assert unchanged == build_id()
    assert build_of_copy(lambda folder: (folder / "scorer.py").write_text("# changed\n")) != unchanged
    assert build_of_copy(lambda folder: (folder / "new.py").touch()) != unchanged
