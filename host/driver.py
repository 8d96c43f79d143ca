"""One method per operation of the device."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..hdl.protocol import (
    ALL,
    INLINE,
    VERSION,
    Explanation,
    Hello,
    Op,
    Reply,
    Request,
    Stats,
    Status,
    build_id,
    max_count,
)
from .errors import RamrecError
from .link import DEVICE_QUEUE, LINE_WINDOW, Link
from .transport import Transport

__all__ = ["DeviceRefused", "Driver", "Film", "Kept", "Mismatch"]


class Mismatch(RamrecError):
    """The device was built from another version or for another geometry."""


class DeviceRefused(RamrecError):
    """The device answered with an error; ``status`` says which."""

    def __init__(self, op: int, status: int) -> None:
        name = Op(op & ~INLINE).name
        reason = _REASONS.get(status, f"it answers with the unknown status {status}")
        super().__init__(f"the device refuses {name}: {reason}")
        self.status = status


_REASONS: dict[int, str] = {
    Status.BAD_OP: "it does not know this operation; program it with gateware of this version",
    Status.BAD_LENGTH: "the request has the wrong number of records",
    Status.BAD_USER: "it has no such user",
    Status.BAD_ARGUMENT: "the argument is out of range",
    Status.BAD_ITEM: "the film is not in its catalogue; load it, or ask for its score with its code sent along",
    Status.NOT_KEPT: "the user's memory holds no rating of this film",
}


class Film(NamedTuple):
    """A film sent with its content: item number (of no meaning), code of ``geometry.code_bytes`` bytes, prior byte."""

    item: int
    code: bytes
    prior: int

    def pack(self) -> bytes:
        return struct.pack(f"<H{len(self.code)}sb", *self)


class Kept(NamedTuple):
    """A kept rating: item number, ``e = target - prior`` in score units (16 bits, signed)."""

    item: int
    e: int

    def pack(self) -> bytes:
        return _KEPT.pack(*self)


_KEPT = struct.Struct("<Hh")


class Driver:
    """A device behind a transport. Call :meth:`hello` first, and again after DeviceRestarted.

    Users are the numbers of the device's slots, 0 to ``geometry.users - 1``. Scores are in score units.

    Every method may raise LinkError (no answer), DeviceRestarted (the device lost its place) and
    DeviceRefused (it answered with an error).

    Parameters
    ----------
    transport
        Where the device is.
    geometry
        What the device is expected to be.
    timeout
        Seconds to wait for a reply.
    retries
        How often a request is repeated before the device counts as gone.
    """

    def __init__(self, transport: Transport, geometry: Geometry, *, timeout: float = 2.0, retries: int = 4) -> None:
        self.geometry = geometry
        self._link = Link(transport, timeout=timeout, retries=retries)

    def hello(self) -> Hello:
        """Get in step with the device and check that it is the one expected.

        Raises
        ------
        Mismatch
            If protocol version, geometry or gateware differ; the message says where and what to do.
        """
        hello = self.describe()
        different = [
            f"{name} is {getattr(hello.geometry, name)}, not {getattr(self.geometry, name)}"
            for name in Geometry.__dataclass_fields__
            if getattr(hello.geometry, name) != getattr(self.geometry, name)
        ]
        if different:
            raise Mismatch(f"the device has another geometry: {', '.join(different)}; choose that one, or {_REPROGRAM}")
        if hello.build != build_id():
            raise Mismatch(
                f"the device holds gateware {hello.build:08x}, this program is {build_id():08x}; {_REPROGRAM}"
            )
        return hello

    def describe(self) -> Hello:
        """Get in step with the device, whatever it is made for; Mismatch if it speaks another protocol."""
        data = self._link.hello().data
        version = int.from_bytes(data[:2], "little")
        if version != VERSION:
            raise Mismatch(f"the device speaks protocol version {version}, this program speaks {VERSION}; {_REPROGRAM}")
        try:
            return Hello.unpack(data)
        except (ValueError, struct.error) as error:
            raise Mismatch(f"the device describes itself wrongly: {error}; {_REPROGRAM}") from None

    def load(self, first: int, codes: npt.NDArray[np.uint8], priors: npt.NDArray[np.int8]) -> None:
        """Write films from item ``first`` on: codes ``(films, code_bytes)``, priors ``(films,)``.

        ``first`` is at most the number of films loaded before.
        """
        films = np.hstack([codes, np.asarray(priors, np.int8).reshape(-1, 1).view(np.uint8)])
        records = [film.tobytes() for film in films]
        self._batches(Op.LOAD, records, first=first, window=LINE_WINDOW)

    def rate(self, user: int, item: int, target: int) -> int:
        """Keep a rating of a loaded film, as a target in score units; returns how many are kept."""
        return _number(self._one(Op.RATE, user=user, arg=target, records=[_pack_item(item)]))

    def forget(self, user: int, item: int) -> int:
        """Drop the rating of a film; returns how many are kept."""
        return _number(self._one(Op.FORGET, user=user, arg=item))

    def score(self, user: int, items: Sequence[int]) -> list[int]:
        """Scores of loaded films."""
        return self._scores(Op.SCORE, user, [_pack_item(item) for item in items])

    def score_inline(self, user: int, films: Sequence[Film]) -> list[int]:
        """Scores of films that need not be loaded."""
        return self._scores(Op.SCORE | INLINE, user, [film.pack() for film in films])

    def rank(self, user: int, k: int) -> list[tuple[int, int]]:
        """Up to ``k`` films that are neither kept nor left out, best first: (item, score)."""
        return list(struct.iter_unpack("<Hi", self._one(Op.RANK, user=user, arg=k)))

    def skip(self, user: int, items: Sequence[int]) -> None:
        """Leave films out of the next RANK, unless ratings or films change or another user is selected before."""
        self._batches(Op.SKIP, [_pack_item(item) for item in items], user=user)

    def only(self, user: int, items: Sequence[int]) -> None:
        """Leave all films but these out of the next RANK; holds as long as :meth:`skip`, which may follow it."""
        self._batches(Op.ONLY, [_pack_item(item) for item in items], user=user)

    def explain(self, user: int, item: int) -> Explanation:
        """What each kept rating contributes to the score of a loaded film, all pages."""
        return self._explanation(Op.EXPLAIN, user, _pack_item(item))

    def explain_inline(self, user: int, film: Film) -> Explanation:
        """The same for a film that need not be loaded."""
        return self._explanation(Op.EXPLAIN | INLINE, user, film.pack())

    def save(self, user: int) -> list[Kept]:
        """The kept ratings, oldest first."""
        kept: list[Kept] = []
        while True:
            data = self._one(Op.SAVE, user=user, arg=len(kept))
            page = [Kept(*fields) for fields in _KEPT.iter_unpack(data[2:])]
            kept += page
            if len(kept) >= _number(data[:2]) or not page:
                return kept

    def restore(self, user: int, kept: Sequence[Kept], *, first: int = 0) -> None:
        """Replace the kept ratings from slot ``first`` on."""
        records = [entry.pack() for entry in kept]
        if records:
            self._batches(Op.RESTORE, records, user=user, first=first, shared=False)
        else:
            self._one(Op.RESTORE, user=user, arg=first)

    def digest(self, user: int = ALL) -> int:
        """CRC-32 of a user's state, or of the catalogue."""
        return _number(self._one(Op.DIGEST, user=user))

    def digests(self, users: Sequence[int]) -> list[int]:
        """CRC-32 of the states of several users."""
        requests = [self._request(Op.DIGEST, user, 0, ()) for user in users]
        return [_number(data) for data in self._call(requests, idempotent=True)]

    def self_test(self, seeds: Mapping[int, int]) -> list[int]:
        """Overwrite users' ratings with patterns, or with ``ALL`` the catalogue: the DIGEST of each.

        Parameters
        ----------
        seeds
            Of the patterns, by user. A user's ratings are of films, so fill the catalogue before, in a call of
            its own.
        """
        requests = [self._request(Op.SELFTEST, user, seed, ()) for user, seed in seeds.items()]
        return [_number(data) for data in self._call(requests, idempotent=True)]

    def stats(self) -> Stats:
        """The device's counters."""
        return Stats.unpack(self._one(Op.STATS))

    def reset(self, user: int = ALL) -> None:
        """Drop a user's ratings, or everything."""
        self._one(Op.RESET, user=user)

    def _one(self, op: int, *, user: int = 0, arg: int = 0, records: Sequence[bytes] = ()) -> bytes:
        return self._call([self._request(op, user, arg, records)])[0]

    def _batches(
        self,
        op: int,
        records: Sequence[bytes],
        *,
        user: int = 0,
        first: int | None = None,
        shared: bool = True,
        window: int = DEVICE_QUEUE,
    ) -> list[bytes]:
        """Send records in as few requests as hold them; ``arg`` counts on from ``first``, if given."""
        size = max_count(self.geometry, op)
        requests = [
            self._request(op, user, 0 if first is None else first + at, records[at : at + size])
            for at in range(0, len(records), size)
        ]
        return self._call(requests, idempotent=shared, window=window)

    def _scores(self, op: int, user: int, records: list[bytes]) -> list[int]:
        data = b"".join(self._batches(op, records, user=user))
        return [score for (score,) in struct.iter_unpack("<i", data)]

    def _explanation(self, op: int, user: int, record: bytes) -> Explanation:
        if not self.geometry.explains:
            raise RamrecError("a compact device does not explain: ask with --backend native, which learns the same")
        entries: list[tuple[int, int, int]] = []
        while True:
            page = Explanation.unpack(self._one(op, user=user, arg=len(entries), records=[record]))
            entries += page.entries
            if len(entries) >= page.kept or not page.entries:
                return Explanation(kept=page.kept, nearest=page.nearest, entries=tuple(entries))

    @staticmethod
    def _request(op: int, user: int, arg: int, records: Sequence[bytes]) -> Request:
        return Request(seq=0, op=op, user=user, arg=arg, count=len(records), records=b"".join(records))

    def _call(
        self, requests: Sequence[Request], *, idempotent: bool = False, window: int = DEVICE_QUEUE
    ) -> list[bytes]:
        return [_checked(reply) for reply in self._link.exchange(requests, idempotent=idempotent, window=window)]


_REPROGRAM = "program the device with gateware built from this version"


def _checked(reply: Reply) -> bytes:
    if reply.status != Status.OK:
        raise DeviceRefused(reply.op, reply.status)
    return reply.data


def _pack_item(item: int) -> bytes:
    return item.to_bytes(2, "little")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
