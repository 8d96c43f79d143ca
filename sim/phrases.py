"""Phrases: short runs of commands, each after one kind of mistake. Sessions are made of them."""

from collections.abc import Callable

from ..hdl.protocol import (
    ALL,
    INLINE,
    MAX_BODY,
    TAKES_FILMS,
    Op,
    Request,
    Status,
    entries_per_page,
    max_count,
    record_bytes,
)
from .author import Author, u16
from .faults import again, damage, refused

__all__ = ["PHRASES", "fill_catalogue", "load"]

Phrase = Callable[[Author], None]


def load(a: Author) -> None:
    """Films at the end, over old ones, across the end, and beyond a gap or the depth, which is refused."""
    depth, most = a.geometry.catalogue_depth, max_count(a.geometry, Op.LOAD)
    first = a.rng.choice((a.loaded, a.rng.randrange(a.loaded + 1), max(a.loaded - 1, 0)))
    for arg in (first, *a.rng.choices((a.loaded + 1, depth - 1, depth, 0xFFFF), k=a.rng.randrange(2))):
        room = min(most, max(depth - arg, 1))
        count = a.rng.choice((1, 2, most, room, a.rng.randrange(1, room + 1)))
        a.change(Op.LOAD, arg=arg, records=b"".join(a.content() for _ in range(count)))


def fill_catalogue(a: Author) -> None:
    """Films up to the depth, and one more."""
    depth, most = a.geometry.catalogue_depth, max_count(a.geometry, Op.LOAD)
    for first in range(a.loaded, depth, most):
        a.send(Op.LOAD, arg=first, records=b"".join(a.content() for _ in range(min(most, depth - first))))
    a.change(Op.LOAD, arg=depth - 1, records=a.content())
    a.change(Op.LOAD, arg=depth, records=a.content())


def reload(a: Author) -> None:
    """Films over ones that users keep: their ratings are of the new films then."""
    user = a.user()
    for entry in a.rng.sample(a.kept(user), min(len(a.kept(user)), 2)):
        count = a.rng.randrange(1, 1 + min(max_count(a.geometry, Op.LOAD), a.loaded - entry.item))
        a.change(Op.LOAD, arg=entry.item, records=b"".join(a.content() for _ in range(count)))
        for reader in {user, a.user()}:
            a.send(Op.DIGEST, user=reader)
        a.send(a.rng.choice((Op.RANK, Op.SAVE)), user=user, arg=1)


def rate(a: Author) -> None:
    """Ratings of loaded films, again of kept ones, and of films that are not loaded."""
    user = a.user()
    for _ in range(a.rng.randrange(1, 5)):
        kept = a.kept(user)
        item = a.rng.choice(kept).item if kept and a.rng.random() < 0.3 else a.item()
        a.change(Op.RATE, user=user, arg=a.target(), records=u16(item))


def overflow(a: Author) -> None:
    """More ratings than the memory keeps, until old ones were evicted."""
    user, depth = a.user(), a.geometry.memory_depth
    restore_to(a, user, depth - a.rng.randrange(min(depth, 3)))
    for _ in range(4):
        item = a.rng.choice((a.item(), a.new_item(user)))
        a.change(Op.RATE, user=user, arg=a.target(), records=u16(item))


def restore_to(a: Author, user: int, count: int) -> None:
    """Random ratings until a user has ``count``."""
    most = max_count(a.geometry, Op.RESTORE)
    if not a.loaded:
        a.change(Op.LOAD, records=a.content())
    while (kept := len(a.kept(user))) < count:
        entries = [a.entry() for _ in range(min(most, count - kept))]
        a.change(Op.RESTORE, user=user, arg=kept, records=b"".join(entries))


def forget(a: Author) -> None:
    """Films that are kept: the oldest, the newest, any, all; and films that are not."""
    user = a.user()
    how = a.rng.choice(("one", "one", "ends", "all"))
    kept = [entry.item for entry in a.kept(user)]
    if how == "one":
        chosen = a.rng.sample(kept, min(len(kept), 1))
    elif how == "ends":
        chosen = [*kept[-1:], *kept[:1]]
    else:
        chosen = a.rng.sample(kept, min(len(kept), 12))
    for item in (*chosen, a.rng.choice((0xFFFE, a.item()))):
        a.change(Op.FORGET, user=user, arg=item)


def rank(a: Author) -> None:
    """All lengths, and those that are out of range."""
    user, longest = a.user(), a.geometry.top_k
    lengths = a.rng.choice(((0, 1, longest, longest + 1, 0xFFFF), range(1, longest + 1), (longest,)))
    for k in lengths:
        a.send(Op.RANK, user=user, arg=k)


def mark(a: Author) -> None:
    """SKIP and ONLY of some or nearly all films in any order; what comes before the RANK may take them back."""
    user, longest = a.user(), a.geometry.top_k
    for between in (None, None, *a.rng.choices(_BETWEEN, k=3)):
        for op in a.rng.choices((Op.SKIP, Op.ONLY), k=a.rng.randrange(1, 4)):
            send_marks(a, op, user)
        if between:
            between(a, user, a.rng.choice((user, a.user(), a.rng.randrange(a.geometry.users))))
        a.send(Op.RANK, user=user, arg=longest)
    a.send(Op.RANK, user=user, arg=longest)
    a.send(Op.DIGEST, user=a.user())


def send_marks(a: Author, op: Op, user: int) -> None:
    """One SKIP or ONLY, or as many as leave out nearly all films."""
    most = max_count(a.geometry, op)
    some = [a.item() for _ in range(a.rng.choice((1, a.rng.randrange(1, most + 1))))]
    left = a.rng.randrange(a.geometry.top_k + 1)
    nearly_all = list(range(left, min(a.loaded, 4 * most)))
    items = some if op == Op.ONLY else a.rng.choice((some, nearly_all)) or [0]
    for first in range(0, len(items), most):
        a.send(op, user=user, records=b"".join(map(u16, items[first : first + most])))


def read_between(a: Author, user: int, other: int) -> None:
    """What changes nothing, of the user or another; some of it selects that other one."""
    op = a.rng.choice((Op.RANK, Op.DIGEST, Op.SAVE, Op.STATS, Op.HELLO, Op.SCORE, Op.EXPLAIN))
    records = u16(a.loaded_item()) if op in TAKES_FILMS else b""
    a.send(op, user=a.rng.choice((other, ALL)) if op == Op.DIGEST else other, arg=1, records=records)


def change_between(a: Author, user: int, other: int) -> None:
    """What changes ratings or films."""
    op = a.rng.choice((Op.FORGET, Op.RATE, Op.RESET, Op.RESTORE, Op.LOAD))
    kept = a.kept(other)
    match op:
        case Op.RATE:
            a.send(op, user=other, arg=a.target(), records=u16(a.loaded_item()))
        case Op.RESTORE:
            a.send(op, user=other, arg=len(kept) // 2, records=a.entry())
        case Op.FORGET:
            a.send(op, user=other, arg=kept[-1].item if kept else 0)
        case Op.RESET:
            a.send(op, user=other)
        case _:
            a.send(op, arg=a.loaded_item(), records=a.content())


def refuse_between(a: Author, user: int, other: int) -> None:
    """What is refused for its header, which selects nobody, or for its film, which selects the user first."""
    beyond, bad = a.geometry.target_max + 1, u16(a.bad_item())
    op, arg, records = a.rng.choice(
        (
            (Op.RATE, 1, bad),
            (Op.RATE, beyond, u16(a.loaded_item())),
            (Op.RESTORE, 0, a.entry() + bad + bytes(2)),
            (Op.RESTORE, a.geometry.memory_depth, a.entry()),
            (Op.SCORE, 0, u16(a.loaded_item()) + bad),
            (Op.EXPLAIN, 0, bad),
            (Op.FORGET, 0xFFFE, b""),
            (Op.RANK, 0, b""),
            (Op.ONLY, 0, b""),
            (Op.LOAD, a.geometry.catalogue_depth, a.content()),
        )
    )
    a.send(op, user=other, arg=arg, records=records)


_BETWEEN = (read_between, change_between, refuse_between)


def score(a: Author) -> None:
    """No film, one, as many as fit, and one more."""
    user, op = a.user(), a.rng.choice((Op.SCORE, Op.SCORE | INLINE))
    most, size = max_count(a.geometry, op), record_bytes(a.geometry, op)
    more = min(most + 1, (MAX_BODY - Request.HEADER.size) // size)
    for count in (1, most, a.rng.choice((0, more, a.rng.randrange(1, most + 1)))):
        items = [a.loaded_item() for _ in range(count)]
        if items and a.rng.random() < 0.2:
            items[a.rng.randrange(count)] = a.bad_item()
        records = b"".join(a.film(inline=bool(op & INLINE), item=item) for item in items)
        a.send(op, user=user, records=records)


def pages(a: Author) -> None:
    """EXPLAIN and SAVE from all slots where a page starts, from the last slot, and from beyond."""
    user = a.user()
    op = a.rng.choice((Op.EXPLAIN, Op.EXPLAIN | INLINE, Op.SAVE))
    record = b"" if op == Op.SAVE else a.film(inline=bool(op & INLINE))
    kept = len(a.kept(user))
    starts = range(0, kept + 1, entries_per_page(a.geometry, op))
    for slot in (*starts[:4], *a.rng.sample((max(kept - 1, 0), kept, kept + 1, 0xFFFF), 2)):
        a.send(op, user=user, arg=slot, records=record)


def copy_user(a: Author) -> None:
    """SAVE all of a user's ratings, RESTORE them to another, and compare."""
    user, other = a.user(), a.rng.randrange(a.geometry.users)
    size = record_bytes(a.geometry, Op.RESTORE)
    first, kept = 0, len(a.kept(user))
    while first < kept:
        saved = a.send(Op.SAVE, user=user, arg=first)
        if saved is None or len(saved.data) < 2 + size:
            return
        a.change(Op.RESTORE, user=other, arg=first, records=saved.data[2:])
        first += (len(saved.data) - 2) // size
    a.change(Op.RESTORE, user=other, arg=kept)


def restore(a: Author) -> None:
    """Ratings in the middle, which cut the list; at its end; too far; several of one film; one not loaded."""
    user, depth = a.user(), a.geometry.memory_depth
    most = min(max_count(a.geometry, Op.RESTORE), depth)
    kept = len(a.kept(user))
    items = [a.loaded_item() for _ in range(a.rng.choice((0, 1, most, a.rng.randrange(most + 1))))]
    if items and a.rng.random() < 0.3:
        items = [a.loaded_item()] * len(items)
    if items and a.rng.random() < 0.3:
        items[a.rng.choice((0, -1, a.rng.randrange(len(items))))] = a.bad_item()
    first = a.rng.choice((0, kept, a.rng.randrange(kept + 1), kept + 1, depth - 1, depth))
    reply = a.change(Op.RESTORE, user=user, arg=first, records=b"".join(map(a.entry, items)))
    if reply is not None and reply.status == Status.BAD_ITEM:
        a.send(Op.DIGEST, user=user)
        a.send(Op.SAVE, user=user)
    if items:
        a.change(Op.FORGET, user=user, arg=items[0])


def reset(a: Author) -> None:
    """One user; seldom everything, after which films are loaded again."""
    user = a.rng.choice((a.user(), a.user(), a.user(), ALL))
    a.change(Op.RESET, user=user, arg=a.rng.choice((0, 0xFFFF)))
    if user == ALL:
        a.send(Op.RANK, user=a.user(), arg=1)
        a.send(Op.DIGEST, user=a.user())
        load(a)


def self_test(a: Author) -> None:
    """A pattern in place of ratings, refused until the catalogue is full; seldom in place of all films as well."""
    for _ in range(2):
        a.change(Op.SELFTEST, user=a.user(), arg=a.rng.randrange(1 << 16))
        if a.rng.random() < 0.3:
            a.change(Op.SELFTEST, user=ALL, arg=a.rng.randrange(1 << 16))


def ask(a: Author) -> None:
    """What the device says about itself."""
    a.send(a.rng.choice((Op.HELLO, Op.STATS)), user=a.rng.choice((0, 0xFFFF)), arg=a.rng.choice((0, 0xFFFF)))
    a.send(Op.DIGEST, user=a.rng.choice((ALL, a.user())))


PHRASES: tuple[tuple[Phrase, int], ...] = (
    (rate, 6),
    (forget, 3),
    (overflow, 2),
    (rank, 3),
    (mark, 5),
    (score, 3),
    (pages, 3),
    (copy_user, 2),
    (restore, 3),
    (reset, 1),
    (again, 2),
    (refused, 2),
    (damage, 2),
    (load, 2),
    (reload, 2),
    (self_test, 1),
    (ask, 1),
)
"""Phrases with their weights."""
