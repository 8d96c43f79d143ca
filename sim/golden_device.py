"""The golden device: what a board answers to each request, in terms of the golden model."""

from collections.abc import Iterator

import numpy as np

from ..hdl.geometry import Geometry
from ..hdl.protocol import (
    ALL,
    INLINE,
    VERSION,
    BadFrame,
    Explanation,
    Hello,
    Op,
    Reply,
    Request,
    Stats,
    Status,
    build_id,
    decode_frame,
    digest,
    encode_frame,
    entries_per_page,
    is_known,
    max_count,
    min_count,
    record_bytes,
)
from .golden import Agent, Entry, top_k

__all__ = ["GoldenDevice"]


class _Refused(Exception):
    def __init__(self, status: Status) -> None:
        self.status = status


class GoldenDevice:
    """A device without clocks: frames in, frames out. Its STATS counts requests and leaves clocks at 0."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self._last: int | None = None
        self._last_reply = b""
        self._commands = 0
        self._dropped = 0
        self._reset_all()

    def _reset_all(self) -> None:
        depth = self.geometry.catalogue_depth
        self.codes = np.zeros((depth, self.geometry.code_bytes), np.uint8)
        self.priors = np.zeros(depth, np.int64)
        self.loaded = 0
        self.agents = [Agent(self.geometry) for _ in range(self.geometry.users)]
        self._selected = 0
        self._skipped: set[int] = set()

    def receive(self, frame: bytes) -> bytes:
        """Answer one frame, given without its final zero; empty if it was damaged and dropped, or itself empty."""
        if not frame:
            return b""
        try:
            request = Request.unpack(decode_frame(frame))
        except BadFrame:
            self._dropped = (self._dropped + 1) & 0xFFFFFFFF
            return b""
        reply = self.answer(request)
        return encode_frame(reply)

    def answer(self, request: Request) -> bytes:
        """Body of the reply to one request; a repeated sequence number gets the stored one."""
        if request.op != Op.HELLO:
            if self._last is not None and request.seq == self._last:
                return self._last_reply
            if self._last is None or request.seq != (self._last + 1) % 256:
                self._last_reply = Reply(seq=request.seq, op=request.op, status=Status.BAD_SEQUENCE).pack()
                return self._last_reply
        self._last = request.seq
        try:
            self._check(request)
            reply = Reply(seq=request.seq, op=request.op, data=self._execute(request))
        except _Refused as refused:
            reply = Reply(seq=request.seq, op=request.op, status=refused.status)
        self._commands = (self._commands + 1) & 0xFFFFFFFF
        self._last_reply = reply.pack()
        return self._last_reply

    def _check(self, request: Request) -> None:
        """Refuse what the header alone shows to be wrong, in the order of :class:`Status`."""
        geometry, op, arg = self.geometry, request.op, request.arg
        if not is_known(op):
            raise _Refused(Status.BAD_OP)
        if not min_count(op) <= request.count <= max_count(geometry, op):
            raise _Refused(Status.BAD_LENGTH)
        if len(request.records) != request.count * record_bytes(geometry, op):
            raise _Refused(Status.BAD_LENGTH)
        if op in (Op.DIGEST, Op.RESET) and request.user == ALL:
            return
        if op not in (Op.HELLO, Op.LOAD, Op.STATS) and request.user >= geometry.users:
            raise _Refused(Status.BAD_USER)
        match op & ~INLINE:
            case Op.LOAD:
                good = arg <= self.loaded and arg + request.count <= geometry.catalogue_depth
            case Op.RATE:
                good = abs(arg - ((arg & 0x8000) << 1)) <= geometry.target_max
            case Op.RANK:
                good = 1 <= arg <= geometry.top_k
            case Op.RESTORE:
                good = arg <= len(self.agents[request.user].entries) and arg + request.count <= geometry.memory_depth
            case _:
                good = True
        if not good:
            raise _Refused(Status.BAD_ARGUMENT)

    def _records(self, request: Request) -> Iterator[bytes]:
        size = record_bytes(self.geometry, request.op)
        return (request.records[i * size : (i + 1) * size] for i in range(request.count))

    def _film(self, record: bytes) -> tuple[int, bytes, int]:
        """(item, code, prior) of a record of RATE, SCORE or EXPLAIN."""
        item = int.from_bytes(record[:2], "little")
        if len(record) > 2:
            return item, record[2:-1], int.from_bytes(record[-1:], signed=True)
        if item >= self.loaded:
            raise _Refused(Status.BAD_ITEM)
        return item, self.codes[item].tobytes(), int(self.priors[item])

    def _execute(self, request: Request) -> bytes:
        geometry, op, user, arg = self.geometry, request.op & ~INLINE, request.user, request.arg
        match op:
            case Op.HELLO:
                self._skipped = set()
                hello = Hello(version=VERSION, build=build_id(), loaded=self.loaded, geometry=geometry)
                return hello.pack()
            case Op.LOAD:
                for item, record in enumerate(self._records(request), arg):
                    self.codes[item] = np.frombuffer(record[:-1], np.uint8)
                    self.priors[item] = int.from_bytes(record[-1:], signed=True)
                self.loaded = max(self.loaded, arg + request.count)
                return _u16(self.loaded)
            case Op.STATS:
                counters = Stats(
                    clocks=0, command_clocks=0, learn_clocks=0, commands=self._commands, dropped=self._dropped
                )
                return counters.pack()
            case Op.DIGEST if user == ALL:
                return digest(self._catalogue_words()).to_bytes(4, "little")
            case Op.RESET if user == ALL:
                self._reset_all()
                return _u16(0)

        agent = self.agents[user]
        if op in _READS and user != self._selected:
            self._selected, self._skipped = user, set()
        films = [self._film(record) for record in self._records(request)] if op in _TAKES_FILMS else []
        if op == Op.FORGET and agent.find(arg) is None:
            raise _Refused(Status.NOT_KEPT)
        if op in _CHANGES:
            self._selected, self._skipped = user, set()
        match op:
            case Op.RATE:
                agent.rate(*films[0], target=arg - ((arg & 0x8000) << 1))
                return _u16(len(agent.entries))
            case Op.FORGET:
                agent.forget(arg)
                return _u16(len(agent.entries))
            case Op.RESTORE:
                agent.replace(agent.entries[:arg] + [_entry(record) for record in self._records(request)])
                return _u16(len(agent.entries))
            case Op.RESET:
                agent.replace([])
                return _u16(0)
            case Op.SCORE:
                codes = np.frombuffer(b"".join(code for _, code, _ in films), np.uint8)
                scores = agent.scores(codes.reshape(len(films), -1), [prior for *_, prior in films])
                return scores.astype("<i4").tobytes()
            case Op.SKIP:
                self._skipped |= {int.from_bytes(record, "little") for record in self._records(request)}
                return b""
            case Op.RANK:
                scores = agent.scores(self.codes[: self.loaded], self.priors[: self.loaded])
                allowed = np.ones(self.loaded, np.bool_)
                left_out = self._skipped | {entry.item for entry in agent.entries}
                allowed[[item for item in left_out if item < self.loaded]] = False
                best = top_k(scores, allowed, arg)
                self._skipped = set()
                return b"".join(_u16(item) + int(scores[item]).to_bytes(4, "little", signed=True) for item in best)
            case Op.EXPLAIN:
                nearest, entries = agent.explain(films[0][1])
                page = tuple(entries[arg : arg + entries_per_page(geometry, op)])
                return Explanation(kept=len(entries), nearest=nearest, entries=page).pack()
            case Op.SAVE:
                saved = agent.entries[arg : arg + entries_per_page(geometry, op)]
                records = b"".join(
                    _u16(entry.item) + entry.e.to_bytes(2, "little", signed=True) + entry.code for entry in saved
                )
                return _u16(len(agent.entries)) + records
            case _:
                return digest(agent.words()).to_bytes(4, "little")

    def _catalogue_words(self) -> bytes:
        films = zip(self.codes[: self.loaded], self.priors[: self.loaded], strict=True)
        words = (code.tobytes() + int(prior).to_bytes(2, "little", signed=True) for code, prior in films)
        return _u16(self.loaded) + b"".join(words)


_TAKES_FILMS = (Op.RATE, Op.SCORE, Op.EXPLAIN)
_READS = (Op.SCORE, Op.RANK, Op.SKIP, Op.EXPLAIN, Op.DIGEST)
_CHANGES = (Op.RATE, Op.FORGET, Op.RESTORE, Op.RESET)


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _entry(record: bytes) -> Entry:
    item, e = int.from_bytes(record[:2], "little"), int.from_bytes(record[2:4], "little", signed=True)
    return Entry(item, record[4:], e)
