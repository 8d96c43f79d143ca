"""What a device answers beyond what one agent computes: selection, marks, lists, and films that are overwritten."""

import random
import struct
from collections.abc import Callable

import pytest
from ramrec.hdl import protocol
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import ALL, INLINE, VERSION, Explanation, Hello, Op, Reply, Request, Stats, Status
from ramrec.sim.golden import Agent, Entry
from ramrec.sim.golden_device import GoldenDevice

FILMS = 20


class Device:
    """A golden device with films, and a host that keeps the sequence numbers."""

    def __init__(self) -> None:
        self.device = GoldenDevice(TINY)
        self._seq = 0
        rng = random.Random(1)
        self.films = [(rng.randbytes(TINY.code_bytes), rng.randrange(-30, 30)) for _ in range(FILMS)]
        self(Op.HELLO)
        self.load(0, self.films)

    def __call__(self, op: int, *items: int, user: int = 0, arg: int = 0, records: bytes = b"") -> Reply:
        records = records or struct.pack(f"<{len(items)}H", *items)
        size = protocol.record_bytes(TINY, op)
        self._seq = (self._seq + 1) % 256
        request = Request(
            seq=self._seq,
            op=op,
            user=user,
            arg=arg & 0xFFFF,
            count=len(records) // size if size else 0,
            records=records,
        )
        return Reply.unpack(self.device.answer(request))

    def load(self, first: int, films: list[tuple[bytes, int]]) -> Reply:
        return self(
            Op.LOAD, arg=first, records=b"".join(code + prior.to_bytes(1, signed=True) for code, prior in films)
        )

    def rank(self, user: int = 0) -> list[int]:
        return [item for item, _ in struct.iter_unpack("<Hi", self(Op.RANK, user=user, arg=TINY.top_k).data)]

    def saved(self, user: int = 0) -> list[tuple[int, int]]:
        return list(struct.iter_unpack("<Hh", self(Op.SAVE, user=user).data[2:]))

    def digest(self, user: int = 0) -> int:
        return int.from_bytes(self(Op.DIGEST, user=user).data, "little")

    def expected(self, entries: list[tuple[int, int]]) -> Agent:
        return Agent(TINY, [Entry(item, self.films[item][0], e) for item, e in entries])


def kept(*entries: tuple[int, int]) -> bytes:
    return b"".join(struct.pack("<Hh", item, e) for item, e in entries)


@pytest.fixture
def device() -> Device:
    return Device()


def test_a_rating_is_an_item_and_what_it_said(device: Device) -> None:
    assert device(Op.RATE, 3, arg=100).data == b"\1\0"
    assert device(Op.RATE, 7, arg=-90).data == b"\2\0"
    entries = [(3, 100 - (device.films[3][1] << TINY.prior_shift)), (7, -90 - (device.films[7][1] << TINY.prior_shift))]
    assert device.saved() == entries
    assert device.digest() == protocol.digest(device.expected(entries).words())
    assert device(Op.RESTORE, user=2, records=kept(*entries)).data == b"\2\0"
    assert device.digest(2) == device.digest()
    assert device(Op.RATE | INLINE, 3, user=1).status == Status.BAD_OP


def test_the_version_is_greeted() -> None:
    data = GoldenDevice(TINY).answer(Request(seq=0, op=Op.HELLO))[3:]
    assert Hello.unpack(data).version == VERSION == 3


def test_stats_have_six_counters(device: Device) -> None:
    before = Stats.unpack(device(Op.STATS).data)
    device.rank()
    assert Stats.unpack(device(Op.STATS).data) == Stats(
        clocks=0, command_clocks=0, learn_clocks=0, commands=before.commands + 2, dropped=0, rank_clocks=0
    )


def marked(device: Device, *marks: tuple[Op, list[int]]) -> set[int]:
    """Films that a RANK after these requests leaves out."""
    for op, items in marks:
        assert device(op, *items).status == Status.OK
    left = set(range(FILMS))
    for _ in range(FILMS):
        found = device.rank()
        if not found:
            return left
        left -= set(found)
        for op, items in marks:
            device(op, *items)
        device(Op.SKIP, *(set(range(FILMS)) - left))
    raise AssertionError


A, B = [1, 4, 6, 9, 11], [4, 9, 15]


@pytest.mark.parametrize(
    ("marks", "out"),
    [
        ([], set()),
        ([(Op.SKIP, A)], set(A)),
        ([(Op.SKIP, A), (Op.SKIP, B)], {*A, *B}),
        ([(Op.ONLY, A)], {*range(FILMS)} - {*A}),
        ([(Op.ONLY, A), (Op.ONLY, B)], {*range(FILMS)} - {*A, *B}),
        ([(Op.ONLY, A), (Op.SKIP, B)], {*range(FILMS)} - {1, 6, 11}),
        ([(Op.SKIP, B), (Op.ONLY, A)], {*range(FILMS)} - {*A}),
        ([(Op.ONLY, A), (Op.SKIP, B), (Op.ONLY, [4])], {*range(FILMS)} - {1, 4, 6, 11}),
        ([(Op.ONLY, [FILMS, 0xFFFF])], {*range(FILMS)}),
        ([(Op.SKIP, [FILMS, 0xFFFF])], set()),
    ],
)
def test_marks_count_in_their_order(device: Device, marks: list[tuple[Op, list[int]]], out: set[int]) -> None:
    assert marked(device, *marks) == out
    assert len(device.rank()) == TINY.top_k


def test_only_does_not_bring_back_what_is_kept(device: Device) -> None:
    device(Op.RATE, 4, arg=10)
    device(Op.ONLY, 4, 5)
    assert device.rank() == [5]


def test_marks_of_items_not_loaded_do_not_wait_for_them(device: Device) -> None:
    device(Op.SKIP, FILMS)
    device.load(FILMS, [(b"\0\0", 127)])
    assert device.rank()[0] == FILMS


ENDS: dict[str, Callable[[Device], Reply]] = {
    "rank": lambda d: d(Op.RANK, arg=1),
    "hello": lambda d: d(Op.HELLO),
    "load": lambda d: d.load(FILMS, d.films[:1]),
    "load over": lambda d: d.load(5, d.films[5:6]),
    "rate": lambda d: d(Op.RATE, 18, arg=5),
    "forget": lambda d: d(Op.FORGET, arg=19),
    "restore": lambda d: d(Op.RESTORE, arg=1),
    "restore a film not loaded": lambda d: d(Op.RESTORE, arg=1, records=kept((FILMS, 1))),
    "reset": lambda d: d(Op.RESET),
    "digest of another": lambda d: d(Op.DIGEST, user=1),
    "score of another": lambda d: d(Op.SCORE, 1, user=1),
    "score of a film not loaded of another": lambda d: d(Op.SCORE, FILMS, user=1),
    "explain of a film not loaded of another": lambda d: d(Op.EXPLAIN, FILMS, user=1),
    "rate a film not loaded of another": lambda d: d(Op.RATE, FILMS, user=1, arg=1),
    "forget what another does not keep": lambda d: d(Op.FORGET, user=1, arg=3),
    "restore a film not loaded of another": lambda d: d(Op.RESTORE, user=1, records=kept((FILMS, 1))),
    "reset of another": lambda d: d(Op.RESET, user=1),
    "skip of another": lambda d: d(Op.SKIP, 7, user=1),
}

LEAVES: dict[str, Callable[[Device], Reply]] = {
    "stats": lambda d: d(Op.STATS),
    "save": lambda d: d(Op.SAVE),
    "save of another": lambda d: d(Op.SAVE, user=1),
    "digest": lambda d: d(Op.DIGEST),
    "digest of all": lambda d: d(Op.DIGEST, user=ALL),
    "score": lambda d: d(Op.SCORE, 1),
    "score of a film not loaded": lambda d: d(Op.SCORE, FILMS),
    "explain": lambda d: d(Op.EXPLAIN, 1),
    "rate a film not loaded": lambda d: d(Op.RATE, FILMS, arg=5),
    "rate a film not loaded with a wrong target": lambda d: d(Op.RATE, 1, user=1, arg=TINY.target_max + 1),
    "forget what is not kept": lambda d: d(Op.FORGET, arg=3),
    "a wrong load": lambda d: d.load(TINY.catalogue_depth, d.films[:1]),
    "a wrong restore of another": lambda d: d(Op.RESTORE, user=1, arg=1),
    "a wrong rank": lambda d: d(Op.RANK, arg=0),
    "no such user": lambda d: d(Op.DIGEST, user=TINY.users),
    "no such operation": lambda d: d(0x30, user=1),
}


@pytest.mark.parametrize("op", [Op.SKIP, Op.ONLY])
@pytest.mark.parametrize("name", [*ENDS, *LEAVES])
def test_what_ends_marks(device: Device, op: Op, name: str) -> None:
    device(Op.RATE, 19, arg=100)
    device(op, 2, 3)
    (ENDS | LEAVES)[name](device)
    allowed = {item for item, _ in struct.iter_unpack("<Hi", device(Op.RANK, arg=TINY.top_k).data)}
    alone = Device()
    alone(Op.RATE, 19, arg=100)
    if name in LEAVES:
        alone(op, 2, 3)
    else:
        ENDS[name](alone)
    assert allowed == set(alone.rank())
    if name in LEAVES:
        assert allowed == {2, 3} if op == Op.ONLY else not allowed & {2, 3}


def test_restore_of_a_film_not_loaded_cuts_the_list(device: Device) -> None:
    entries = [(1, 50), (2, -60), (3, 70)]
    device(Op.RESTORE, records=kept(*entries))
    refused = device(Op.RESTORE, arg=2, records=kept((4, 5), (FILMS, 6), (5, 7)))
    assert refused.status == Status.BAD_ITEM and refused.data == b""
    assert device.saved() == entries[:2]
    assert device.digest() == protocol.digest(device.expected(entries[:2]).words())
    assert device(Op.RESTORE, arg=3, records=kept((FILMS, 6))).status == Status.BAD_ARGUMENT
    assert device.saved() == entries[:2]


def test_kept_ratings_are_of_the_films_that_are_loaded(device: Device) -> None:
    entries = [(1, 90), (2, -80), (3, 70)]
    for user in (0, 1):
        device(Op.RESTORE, user=user, records=kept(*entries[user:]))
    device.films[1:3] = [(b"\xaa\x55", 100), (b"\x0f\xf0", -100)]
    device.load(1, device.films[1:3])
    for user in (0, 1):
        agent = device.expected(entries[user:])
        assert device.saved(user) == entries[user:]
        assert device.digest(user) == protocol.digest(agent.words())
        said = Explanation.unpack(device(Op.EXPLAIN, 9, user=user).data)
        assert (said.nearest, list(said.entries)) == agent.explain(device.films[9][0])
    device(Op.RATE, 1, arg=0)
    assert device.saved()[-1] == (1, -100 << TINY.prior_shift)
