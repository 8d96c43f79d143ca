"""Writes sessions: knows what the device will hold, and has a taste in numbers."""

import random
from collections.abc import Callable

from ..hdl.geometry import Geometry
from ..hdl.protocol import ALL, INLINE, Op, Reply, Status, encode_frame, record_bytes
from .golden import Entry
from .golden_device import GoldenDevice
from .steps import Command, Exchange, Model, Noise, Step, body_of

__all__ = ["Author", "u16"]

_CHANGES = (Op.LOAD, Op.RATE, Op.FORGET, Op.RESTORE, Op.RESET, Op.SELFTEST)


class Author:
    """Collects the steps of one session.

    It follows them on a golden device, so that phrases can aim at what the device holds: films that are
    kept, the last page, the first slot that is too far. That device learns by counting, which is quick;
    what is learned never decides what is kept.

    Parameters
    ----------
    geometry
        Of the device that the session is for.
    rng
        Source of all choices. Its first draws are the session's taste: codes, priors, targets, users, items.
    """

    def __init__(self, geometry: Geometry, rng: random.Random) -> None:
        self.geometry = geometry
        self.rng = rng
        self.steps: list[Step] = []
        self._device = GoldenDevice(geometry.with_(rule="counting"))
        self._model = Model(self._device)
        self._model.exchange(Command(op=Op.HELLO))

        few = [rng.randbytes(geometry.code_bytes) for _ in range(3)]
        self.code = rng.choice(_codes(few, rng))
        self.prior: Callable[[], int] = rng.choice(
            [
                lambda: rng.randrange(-128, 128),
                lambda: rng.choice((-128, 127)),
                lambda: rng.randrange(-2, 3),
                lambda: 0,
            ]
        )
        most = geometry.target_max
        self.target: Callable[[], int] = rng.choice(
            [
                lambda: rng.randrange(-most, most + 1),
                lambda: rng.choice((-most, most)),
                lambda: rng.randrange(-300, 301),
                lambda: rng.choice((0, 1, -1)),
            ]
        )
        self._users = rng.choice([[0], [geometry.users - 1], list(range(geometry.users)), [0, geometry.users - 1]])
        self._span = rng.choice((3, geometry.memory_depth + 2, geometry.catalogue_depth))

    # What the device holds

    @property
    def loaded(self) -> int:
        return self._device.loaded

    def kept(self, user: int) -> list[Entry]:
        """A user's kept ratings, oldest first."""
        return self._device.agents[user].entries

    # Things to talk about

    def user(self) -> int:
        """A user that this session is about."""
        return self.rng.choice(self._users)

    def loaded_item(self) -> int:
        """Item number of a loaded film, if there is one."""
        if not self.loaded:
            return 0
        return self.rng.choice((self.rng.randrange(min(self._span, self.loaded)), self.loaded - 1))

    def new_item(self, user: int) -> int:
        """Item number of a loaded film that a user does not keep, if there is one."""
        kept = {entry.item for entry in self.kept(user)}
        new = [item for item in range(min(self.loaded, len(kept) + 4)) if item not in kept]
        return self.rng.choice(new) if new else self.loaded_item()

    def bad_item(self) -> int:
        """Item number of no loaded film."""
        return self.rng.choice((self.loaded, self.geometry.catalogue_depth, 0xFFFF))

    def item(self) -> int:
        """An item number, mostly of a loaded film."""
        return self.bad_item() if self.rng.random() < 0.03 else self.loaded_item()

    def film(self, *, inline: bool, item: int | None = None) -> bytes:
        """A record of SCORE or EXPLAIN."""
        record = u16(self.item() if item is None else item)
        return record + self.content() if inline else record

    def content(self) -> bytes:
        """Code and prior: a record of LOAD."""
        return self.code() + self.prior().to_bytes(1, signed=True)

    def entry(self, item: int | None = None) -> bytes:
        """A record of RESTORE, of a loaded film unless it is given."""
        most = 0x7FFF
        e = self.rng.choice((self.rng.randrange(-most, most + 1), -most, most, self.target()))
        return u16(self.loaded_item() if item is None else item) + u16(e)

    # Writing

    def send(
        self, op: int, *, user: int = 0, arg: int = 0, records: bytes = b"", count: int | None = None, advance: int = 1
    ) -> Reply | None:
        """Send a request; ``count`` is by default what the records amount to. Its reply comes back."""
        if count is None:
            size = record_bytes(self.geometry, op)
            count = len(records) // size if size else 0
        exchange = self._write(
            Command(op=op, user=user, arg=arg & 0xFFFF, count=count & 0xFF, records=records, advance=advance)
        )
        return body_of(exchange.replies[-1]) if exchange.replies else None

    def change(self, op: int, **fields: int | bytes) -> Reply | None:
        """Send a request, and if it was executed and changed a user or the catalogue ask for the DIGEST."""
        reply = self.send(op, **fields)  # type: ignore[arg-type]
        user = ALL if op == Op.LOAD else int(fields.get("user", 0))
        if reply is not None and reply.status == Status.OK and op in _CHANGES:
            if user != ALL and self.rng.random() < 0.2:
                self.send(Op.RANK, user=user, arg=self.geometry.top_k)
            self.send(Op.DIGEST, user=user)
        return reply

    def noise(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._write(Noise(data))

    def frame(self) -> bytes:
        """A good frame, to be damaged: the request that would be next, with its final zero."""
        commands = (
            Command(op=Op.RATE, user=self.user(), arg=1, count=1, records=u16(self.item())),
            Command(op=Op.SCORE | INLINE, user=self.user(), count=1, records=self.film(inline=True)),
        )
        return encode_frame(self.rng.choice(commands).body(self._model.last))

    def _write(self, step: Step) -> Exchange:
        self.steps.append(step)
        return self._model.exchange(step)


def u16(value: int) -> bytes:
    """Two bytes, also of a negative number."""
    return (value & 0xFFFF).to_bytes(2, "little")


def _codes(few: list[bytes], rng: random.Random) -> list[Callable[[], bytes]]:
    """Ways to choose codes: any, hardly different ones, the same ones, all zeros or ones."""
    size = len(few[0])

    def close() -> bytes:
        bits = int.from_bytes(few[0], "little")
        for _ in range(rng.randrange(3)):
            bits ^= 1 << rng.randrange(8 * size)
        return bits.to_bytes(size, "little")

    def flat() -> bytes:
        return rng.choice((bytes(size), b"\xff" * size))

    ways: list[Callable[[], bytes]] = [lambda: rng.randbytes(size), close, lambda: rng.choice(few), flat]
    return [*ways, lambda: rng.choice(ways)()]
