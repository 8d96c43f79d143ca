"""The wire protocol as data and pure functions; ``docs/protocol.md`` shows it in pictures.

A frame is ``COBS(body + CRC-16) 0x00``; a body has at most :data:`MAX_BODY` bytes, so COBS adds exactly one
byte. A request's body is a header (:class:`Request`) and ``count`` records; a reply's is ``seq, op, status``
and what the operation returns. All numbers are little endian.
"""

import binascii
import struct
import zlib
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from hashlib import sha256
from pathlib import Path

from cobs import cobs

from .geometry import Geometry

__all__ = [
    "ALL",
    "DEFAULT_BAUD",
    "FRAMING",
    "INLINE",
    "MAX_BODY",
    "REPLY",
    "TAKES_FILMS",
    "VERSION",
    "BadFrame",
    "Explanation",
    "Hello",
    "Op",
    "Reply",
    "Request",
    "Stats",
    "Status",
    "build_id",
    "crc16",
    "decode_frame",
    "digest",
    "encode_frame",
    "entries_per_page",
    "is_known",
    "max_count",
    "min_count",
    "pattern_record_bytes",
    "record_bytes",
    "serves",
]

VERSION = 3
DEFAULT_BAUD = 1_000_000
"""Speed of a board's serial line."""

ALL = 0xFFFF
"""User number that means the whole device: the catalogue in DIGEST and SELFTEST, everything in RESET."""

MAX_BODY = 252
"""Longest body. With its CRC it fills one COBS block, 254 bytes."""

FRAMING = 4
"""Bytes of a frame beside its body: CRC, the one that COBS adds, and the final zero."""


class Op(IntEnum):
    """Operations. A name in brackets is what ``arg`` holds."""

    HELLO = 0  #: version, build, geometry and films loaded; the only request that sets the sequence number
    LOAD = 1  #: [first item] write films (code, prior) into the catalogue
    RATE = 2  #: [target] keep a rating of one loaded film and learn
    FORGET = 3  #: [item] drop the rating of one film and learn
    SCORE = 4  #: scores of films
    RANK = 5  #: [k] best films that are neither kept nor skipped
    SKIP = 6  #: leave films out of the user's next RANK; HELLO, LOAD, changes and other users' requests end that too
    EXPLAIN = 7  #: [first slot] what each kept rating contributes to the score of one film
    SAVE = 8  #: [first slot] kept ratings
    RESTORE = 9  #: [first slot] replace the kept ratings from a slot on, and learn; BAD_ITEM just cuts them there
    DIGEST = 10  #: CRC-32 of a user's state, or of the catalogue
    STATS = 11  #: counters
    RESET = 12  #: drop a user's ratings, or everything
    ONLY = 13  #: leave all films out of the user's next RANK but these and those of further ONLY; ends as SKIP does
    SELFTEST = 14  #: [seed] fill the catalogue, or a user's memory, with a pattern (:mod:`.pattern`), learn, DIGEST


INLINE = 0x40
"""Added to SCORE and EXPLAIN: films carry their code and prior, and need not be in the catalogue."""

TAKES_FILMS = (Op.SCORE, Op.EXPLAIN)
"""Operations whose records are films: item numbers, or with INLINE whole films."""

REPLY = 0x80
"""Added to the operation in a reply, so that an echo of a request is not taken for its reply."""


class Status(IntEnum):
    """First thing that was wrong with a request, in the order in which a device looks."""

    OK = 0
    BAD_SEQUENCE = 1  #: neither the next sequence number nor the last one again, or no HELLO yet
    BAD_OP = 2  #: unknown operation
    BAD_LENGTH = 3  #: ``count`` out of range, or the body is not ``count`` records long
    BAD_USER = 4  #: user number not below ``geometry.users``
    BAD_ARGUMENT = 5  #: ``arg`` out of range; or SELFTEST of a user while the catalogue is not full
    BAD_ITEM = 6  #: item number not loaded; the user has been selected, and a RESTORE has cut the list
    NOT_KEPT = 7  #: FORGET of a film that the memory does not hold; the user has been selected


class BadFrame(ValueError):
    """Bytes that are not a frame; the receiver drops them."""


def crc16(data: bytes) -> int:
    """CRC-16/IBM-3740 of a body."""
    return binascii.crc_hqx(data, 0xFFFF)


def encode_frame(body: bytes) -> bytes:
    """Wrap a body of 1 to ``MAX_BODY`` bytes; the result ends in the only zero byte."""
    if not 1 <= len(body) <= MAX_BODY:
        raise ValueError(f"a body has 1 to {MAX_BODY} bytes, not {len(body)}")
    return cobs.encode(body + struct.pack("<H", crc16(body))) + b"\0"


def decode_frame(frame: bytes) -> bytes:
    """Unwrap one frame, given without its final zero byte; BadFrame if it is damaged."""
    try:
        data = cobs.decode(frame)
    except cobs.DecodeError as error:
        raise BadFrame(f"not a COBS block: {error}") from None
    if not 3 <= len(data) <= MAX_BODY + 2:
        raise BadFrame(f"a frame holds 3 to {MAX_BODY + 2} bytes, not {len(data)}")
    body, crc = data[:-2], int.from_bytes(data[-2:], "little")
    if crc != crc16(body):
        raise BadFrame(f"CRC {crc16(body):04x} expected, {crc:04x} received")
    return body


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request: ``<BBHHB`` header (seq, op, user, arg, count), then ``count`` records."""

    seq: int
    op: int
    user: int = 0
    arg: int = 0
    count: int = 0
    records: bytes = b""

    HEADER = struct.Struct("<BBHHB")

    def pack(self) -> bytes:
        return self.HEADER.pack(self.seq, self.op, self.user, self.arg & 0xFFFF, self.count) + self.records

    @classmethod
    def unpack(cls, body: bytes) -> "Request":
        """BadFrame if the body is too short to be a request."""
        if len(body) < cls.HEADER.size:
            raise BadFrame(f"a request has at least {cls.HEADER.size} bytes, not {len(body)}")
        seq, op, user, arg, count = cls.HEADER.unpack_from(body)
        return cls(seq=seq, op=op, user=user, arg=arg, count=count, records=body[cls.HEADER.size :])


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One reply: ``<BBB`` header (seq, op with REPLY, status), then the operation's data (none after an error)."""

    seq: int
    op: int
    status: int = Status.OK
    data: bytes = b""

    HEADER = struct.Struct("<BBB")

    def pack(self) -> bytes:
        return self.HEADER.pack(self.seq, self.op | REPLY, self.status) + self.data

    @classmethod
    def unpack(cls, body: bytes) -> "Reply":
        """BadFrame if the body is too short to be a reply, or is a request."""
        if len(body) < cls.HEADER.size:
            raise BadFrame(f"a reply has at least {cls.HEADER.size} bytes, not {len(body)}")
        seq, op, status = cls.HEADER.unpack_from(body)
        if not op & REPLY:
            raise BadFrame(f"a reply has bit {REPLY:#x} set in its operation, not {op:#x}")
        return cls(seq=seq, op=op & ~REPLY, status=status, data=body[cls.HEADER.size :])


def record_bytes(geometry: Geometry, op: int) -> int:
    """Bytes of one record of a request.

    LOAD: code, prior. SCORE, EXPLAIN: item, and with INLINE code, prior. RATE, SKIP, ONLY: item.
    RESTORE: item, e. Items and ``e`` have 16 bits, a prior has 8.
    """
    match op & ~INLINE:
        case Op.LOAD:
            return geometry.code_bytes + 1
        case Op.SCORE | Op.EXPLAIN:
            return 2 + (geometry.code_bytes + 1 if op & INLINE else 0)
        case Op.RATE | Op.SKIP | Op.ONLY:
            return 2
        case Op.RESTORE:
            return 4
    return 0


def pattern_record_bytes(geometry: Geometry, *, of_catalogue: bool) -> int:
    """Bytes of the pattern that make one record of a SELFTEST: those of a LOAD, or of a RESTORE."""
    return record_bytes(geometry, Op.LOAD if of_catalogue else Op.RESTORE)


def max_count(geometry: Geometry, op: int) -> int:
    """Most records in one request, so that request and reply each fit a frame; RATE and EXPLAIN take exactly one."""
    if op & ~INLINE in (Op.RATE, Op.EXPLAIN):
        return 1
    size = record_bytes(geometry, op)
    if size == 0:
        return 0
    fits = (MAX_BODY - Request.HEADER.size) // size
    return min(fits, (MAX_BODY - Reply.HEADER.size) // 4) if op & ~INLINE == Op.SCORE else fits


def min_count(op: int) -> int:
    """Fewest records in one request: 1 where records are taken at all, but a RESTORE may just cut the list."""
    return int(op & ~INLINE in (Op.LOAD, Op.RATE, Op.SCORE, Op.SKIP, Op.EXPLAIN, Op.ONLY))


def is_known(op: int) -> bool:
    """Whether an operation byte, INLINE included, has a meaning."""
    return op in tuple(Op) or (op & INLINE != 0 and op & ~INLINE in TAKES_FILMS)


def serves(geometry: Geometry, op: int) -> bool:
    """Whether a device executes an operation byte, or refuses it as unknown."""
    return is_known(op) and (geometry.explains or op & ~INLINE != Op.EXPLAIN)


def entries_per_page(geometry: Geometry, op: int) -> int:
    """Most entries in one reply to EXPLAIN or SAVE; ask again from the next slot for more."""
    size = Explanation.ENTRY.size if op & ~INLINE == Op.EXPLAIN else record_bytes(geometry, Op.RESTORE)
    return (MAX_BODY - Reply.HEADER.size - Explanation.HEADER.size) // size


@dataclass(frozen=True, kw_only=True)
class Hello:
    """Reply to HELLO."""

    version: int
    build: int
    loaded: int
    geometry: Geometry

    HEADER = struct.Struct("<HIH")

    def pack(self) -> bytes:
        return self.HEADER.pack(self.version, self.build, self.loaded) + self.geometry.pack()

    @classmethod
    def unpack(cls, data: bytes) -> "Hello":
        version, build, loaded = cls.HEADER.unpack_from(data)
        geometry = Geometry.unpack(data[cls.HEADER.size :])
        return cls(version=version, build=build, loaded=loaded, geometry=geometry)


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Reply to EXPLAIN: ``<HH`` kept ratings and slot of the nearest one, then ``<HHi`` per entry.

    ``entries`` are (item, match, contribution), oldest first. Over all pages the contributions add up to
    the film's score less its prior. The nearest entry is the latest of those with the highest match.
    """

    kept: int
    nearest: int
    entries: tuple[tuple[int, int, int], ...]

    HEADER = struct.Struct("<HH")
    ENTRY = struct.Struct("<HHi")

    def pack(self) -> bytes:
        return self.HEADER.pack(self.kept, self.nearest) + b"".join(self.ENTRY.pack(*e) for e in self.entries)

    @classmethod
    def unpack(cls, data: bytes) -> "Explanation":
        kept, nearest = cls.HEADER.unpack_from(data)
        return cls(kept=kept, nearest=nearest, entries=tuple(cls.ENTRY.iter_unpack(data[cls.HEADER.size :])))


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Reply to STATS: 32-bit counters that wrap. They count from the start of the device."""

    clocks: int  #: clocks since the start
    command_clocks: int  #: clocks of the last request before this one, from its header to its reply
    learn_clocks: int  #: clocks of the last relearning
    commands: int  #: requests executed
    dropped: int  #: frames dropped because they were damaged
    rank_clocks: int  #: clocks of the last ranking, from its start until its list is complete

    LAYOUT = struct.Struct("<6I")

    def pack(self) -> bytes:
        return self.LAYOUT.pack(*astuple(self))

    @classmethod
    def unpack(cls, data: bytes) -> "Stats":
        names = (field.name for field in fields(cls))
        return cls(**dict(zip(names, cls.LAYOUT.unpack(data), strict=True)))


def digest(words: bytes) -> int:
    """CRC-32 (ISO-HDLC, as in zlib) of a state laid out as 16-bit words."""
    return zlib.crc32(words)


def build_id() -> int:
    """32 bits that name the gateware's source; a host refuses a device built from another one."""
    source = sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        source.update(path.name.encode() + b"\0" + path.read_bytes())
    return int.from_bytes(source.digest()[:4], "little")
