"""The golden device: what a board answers to each request, in terms of the golden model."""

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..hdl.pattern import bounded_item, pattern
from ..hdl.protocol import (
    ALL,
    INLINE,
    TAKES_FILMS,
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
    max_count,
    min_count,
    pattern_record_bytes,
    record_bytes,
    serves,
)
from .golden import Agent, Entry, top_k

__all__ = ["GoldenDevice"]


class _Refused(Exception):
    def __init__(self, status: Status) -> None:
        self.status = status


class GoldenDevice:
    """A device without clocks: frames in, frames out. Its STATS counts requests and leaves clocks at 0.

    A device that computes the same in another way overrides :meth:`_ranking`, and ``agents`` after
    :meth:`_reset_all`.
    """

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
        self._marked = np.zeros(depth, np.bool_)
        self._marks_only = False

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
        if not serves(geometry, op):
            raise _Refused(Status.BAD_OP)
        if not min_count(op) <= request.count <= max_count(geometry, op):
            raise _Refused(Status.BAD_LENGTH)
        if len(request.records) != request.count * record_bytes(geometry, op):
            raise _Refused(Status.BAD_LENGTH)
        if op in (Op.DIGEST, Op.RESET, Op.SELFTEST) and request.user == ALL:
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
            case Op.SELFTEST:
                good = self.loaded == geometry.catalogue_depth
            case _:
                good = True
        if not good:
            raise _Refused(Status.BAD_ARGUMENT)

    def _records(self, request: Request) -> Iterator[bytes]:
        size = record_bytes(self.geometry, request.op)
        return (request.records[i * size : (i + 1) * size] for i in range(request.count))

    def _execute(self, request: Request) -> bytes:
        match request.op:
            case Op.HELLO:
                self._end_marks()
                return Hello(version=VERSION, build=build_id(), loaded=self.loaded, geometry=self.geometry).pack()
            case Op.LOAD:
                self._load(request)
                return _u16(self.loaded)
            case Op.STATS:
                return Stats(
                    clocks=0,
                    command_clocks=0,
                    learn_clocks=0,
                    commands=self._commands,
                    dropped=self._dropped,
                    rank_clocks=0,
                ).pack()
            case Op.DIGEST if request.user == ALL:
                return self._catalogue_digest()
            case Op.SELFTEST if request.user == ALL:
                depth = self.geometry.catalogue_depth
                films = pattern(request.arg, depth * pattern_record_bytes(self.geometry, of_catalogue=True))
                self._load(replace(request, op=Op.LOAD, arg=0, count=depth, records=films))
                return self._catalogue_digest()
            case Op.RESET if request.user == ALL:
                self._reset_all()
                return _u16(0)
            case Op.SAVE:
                return self._save(request)
        if request.user != self._selected:
            self._selected = request.user
            self._end_marks()
        if request.op in _CHANGES:
            return self._change(request)
        return self._read(request)

    def _load(self, request: Request) -> None:
        """Write films; a kept rating of one that is overwritten is of the new film then, with the same ``e``."""
        written = range(request.arg, request.arg + request.count)
        for item, record in zip(written, self._records(request), strict=True):
            self.codes[item] = np.frombuffer(record[:-1], np.uint8)
            self.priors[item] = int.from_bytes(record[-1:], signed=True)
        self.loaded = max(self.loaded, written.stop)
        for agent in self.agents:
            if any(entry.item in written for entry in agent.entries):
                agent.replace([self._entry(entry.item, entry.e) for entry in agent.entries])
        self._end_marks()

    def _save(self, request: Request) -> bytes:
        entries = self.agents[request.user].entries
        saved = entries[request.arg : request.arg + entries_per_page(self.geometry, Op.SAVE)]
        return _u16(len(entries)) + b"".join(_ENTRY.pack(entry.item, entry.e) for entry in saved)

    def _change(self, request: Request) -> bytes:
        """What changes the selected user's ratings; ends its skips if the list of ratings is touched."""
        agent, arg = self.agents[request.user], request.arg
        match request.op:
            case Op.RATE:
                item = self._loaded_item(request.records)
                code, prior = self.codes[item].tobytes(), int(self.priors[item])
                agent.rate(item, code, prior, target=arg - ((arg & 0x8000) << 1))
            case Op.FORGET:
                if not agent.forget(arg):
                    raise _Refused(Status.NOT_KEPT)
            case Op.RESTORE:
                self._restore(agent, request)
            case Op.SELFTEST:
                agent.replace(self._test_entries(arg))
            case _:
                agent.replace([])
        self._end_marks()
        if request.op == Op.SELFTEST:
            return digest(agent.words()).to_bytes(4, "little")
        return _u16(len(agent.entries))

    def _restore(self, agent: Agent, request: Request) -> None:
        kept, given = agent.entries[: request.arg], list(_ENTRY.iter_unpack(request.records))
        known = all(item < self.loaded for item, _ in given)
        agent.replace(kept + [self._entry(item, e) for item, e in given] if known else kept)
        if not known:
            self._end_marks()
            raise _Refused(Status.BAD_ITEM)

    def _test_entries(self, seed: int) -> list[Entry]:
        """A memory full of ratings made of a pattern."""
        geometry = self.geometry
        ratings = pattern(seed, geometry.memory_depth * pattern_record_bytes(geometry, of_catalogue=False))
        return [self._entry(bounded_item(bits, self.loaded), e) for bits, e in _ENTRY.iter_unpack(ratings)]

    def _read(self, request: Request) -> bytes:
        """The operations that leave the selected user's ratings as they are."""
        geometry, op, arg = self.geometry, request.op & ~INLINE, request.arg
        agent = self.agents[request.user]
        films = [self._film(record) for record in self._records(request)] if op in TAKES_FILMS else []
        match op:
            case Op.SCORE:
                codes = np.frombuffer(b"".join(code for code, _ in films), np.uint8)
                scores = agent.scores(codes.reshape(len(films), -1), [prior for _, prior in films])
                return scores.astype("<i4").tobytes()
            case Op.EXPLAIN:
                nearest, entries = agent.explain(films[0][0])
                page = tuple(entries[arg : arg + entries_per_page(geometry, op)])
                return Explanation(kept=len(entries), nearest=nearest, entries=page).pack()
            case Op.SKIP | Op.ONLY:
                self._mark(op, np.frombuffer(request.records, "<u2"))
                return b""
            case Op.RANK:
                ranking = self._ranking(request.user, arg)
                self._end_marks()
                return b"".join(_RANKED.pack(item, score) for item, score in ranking)
            case _:
                return digest(agent.words()).to_bytes(4, "little")

    def _mark(self, op: int, items: npt.NDArray[np.uint16]) -> None:
        """Mark films that the next RANK leaves out; a first ONLY marks all but its own."""
        if op == Op.ONLY and not self._marks_only:
            self._marks_only = True
            self._marked[:] = True
        self._marked[items[items < self.loaded]] = op == Op.SKIP

    def _end_marks(self) -> None:
        self._marked[:] = False
        self._marks_only = False

    def _allowed(self, user: int) -> npt.NDArray[np.bool_]:
        """Whether each loaded film, ``(loaded,)``, may be ranked: neither marked nor kept."""
        allowed = ~self._marked[: self.loaded]
        allowed[[entry.item for entry in self.agents[user].entries]] = False
        return allowed

    def _ranking(self, user: int, k: int) -> list[tuple[int, int]]:
        """Up to ``k`` best films that are allowed, best first: (item, score)."""
        scores = self.agents[user].scores(self.codes[: self.loaded], self.priors[: self.loaded])
        return [(item, int(scores[item])) for item in top_k(scores, self._allowed(user), k)]

    def _loaded_item(self, number: bytes) -> int:
        """Item number of a loaded film."""
        item = int.from_bytes(number, "little")
        if item >= self.loaded:
            raise _Refused(Status.BAD_ITEM)
        return item

    def _film(self, record: bytes) -> tuple[bytes, int]:
        """(code, prior) of a record of SCORE or EXPLAIN."""
        if len(record) > 2:
            return record[2:-1], int.from_bytes(record[-1:], signed=True)
        item = self._loaded_item(record)
        return self.codes[item].tobytes(), int(self.priors[item])

    def _entry(self, item: int, e: int) -> Entry:
        return Entry(item, self.codes[item].tobytes(), e)

    def _catalogue_digest(self) -> bytes:
        films = zip(self.codes[: self.loaded], self.priors[: self.loaded], strict=True)
        words = (code.tobytes() + int(prior).to_bytes(2, "little", signed=True) for code, prior in films)
        return digest(_u16(self.loaded) + b"".join(words)).to_bytes(4, "little")


_CHANGES = (Op.RATE, Op.FORGET, Op.RESTORE, Op.RESET, Op.SELFTEST)
_ENTRY = struct.Struct("<Hh")
_RANKED = struct.Struct("<Hi")


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")
