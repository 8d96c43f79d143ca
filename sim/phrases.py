"""Phrases: short runs of commands, each after one kind of mistake. Sessions are made of them."""

from collections.abc import Callable

from ..hdl.protocol import ALL, INLINE, MAX_BODY, Op, Request, entries_per_page, max_count, record_bytes
from .author import Author, u16
from .faults import again, damage, refused

__all__ = ["PHRASES", "fill_catalogue", "load"]

Phrase = Callable[[Author], None]


def load(a: Author) -> None:
    """Films at the end, over old ones, across the end, and beyond a gap or the depth, which is refused."""
    depth, most = a.geometry.catalogue_depth, max_count(a.geometry, Op.LOAD)
    first = a.rng.choice((a.loaded, a.rng.randrange(a.loaded + 1), max(a.loaded - 1, 0)))
    for arg in (first, *a.rng.choices((a.loaded + 1, depth - 1, depth, 0xFFFF), k=a.rng.randrange(2))):
        count = a.rng.choice((1, 2, most, min(most, max(depth - arg, 1)), a.rng.randrange(1, most + 1)))
        a.change(Op.LOAD, arg=arg, records=b"".join(a.content() for _ in range(count)))


def fill_catalogue(a: Author) -> None:
    """Films up to the depth, and one more."""
    depth, most = a.geometry.catalogue_depth, max_count(a.geometry, Op.LOAD)
    for first in range(a.loaded, depth, most):
        a.send(Op.LOAD, arg=first, records=b"".join(a.content() for _ in range(min(most, depth - first))))
    a.change(Op.LOAD, arg=depth - 1, records=a.content())
    a.change(Op.LOAD, arg=depth, records=a.content())


def rate(a: Author) -> None:
    """Ratings of loaded films, of films sent along, and again of kept ones."""
    user = a.user()
    for _ in range(a.rng.randrange(1, 5)):
        inline, kept = a.rng.choice((0, 0, INLINE)), a.kept(user)
        item = a.rng.choice(kept).item if kept and a.rng.random() < 0.3 else None
        record = a.film(inline=bool(inline), item=item)
        a.change(Op.RATE | inline, user=user, arg=a.target(), records=record)


def overflow(a: Author) -> None:
    """More ratings than the memory keeps, until old ones were evicted."""
    user, depth = a.user(), a.geometry.memory_depth
    restore_to(a, user, depth - a.rng.randrange(min(depth, 3)))
    for number in range(4):
        item = a.rng.choice((None, 0xFF00 + number))
        a.change(Op.RATE | INLINE, user=user, arg=a.target(), records=a.film(inline=True, item=item))


def restore_to(a: Author, user: int, count: int) -> None:
    """Random ratings until a user has ``count``."""
    most = max_count(a.geometry, Op.RESTORE)
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


def skip(a: Author) -> None:
    """Some or nearly all films, in several requests; what comes between them and RANK may take them back."""
    user, other, longest = a.user(), a.user(), a.geometry.top_k
    most = max_count(a.geometry, Op.SKIP)
    some = [a.item() for _ in range(a.rng.randrange(1, most + 1))]
    left = a.rng.randrange(longest + 1)
    items = a.rng.choice((some, list(range(left, min(a.loaded, 4 * most))))) or [0]
    reads = (Op.RANK, Op.DIGEST, Op.SAVE, Op.STATS, Op.HELLO)
    changes = (Op.FORGET, Op.RATE, Op.RESET, Op.RESTORE)
    for op in (None, a.rng.choice(reads), a.rng.choice(changes)):
        for first in range(0, len(items), most):
            a.send(Op.SKIP, user=user, records=b"".join(map(u16, items[first : first + most])))
        if op == Op.RATE:
            a.send(op, user=other, arg=a.target(), records=a.film(inline=False))
        elif op is not None:
            a.send(op, user=other, arg=1)
        a.send(Op.RANK, user=user, arg=longest)
    a.send(Op.RANK, user=user, arg=longest)
    a.send(Op.DIGEST, user=other)


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
    """Ratings in the middle, which cut the list; at its end; too far; several of one film."""
    user, depth = a.user(), a.geometry.memory_depth
    most = min(max_count(a.geometry, Op.RESTORE), depth)
    kept = len(a.kept(user))
    entries = [a.entry() for _ in range(a.rng.choice((0, 1, most, a.rng.randrange(most + 1))))]
    if entries and a.rng.random() < 0.3:
        item = u16(a.item())
        entries = [item + entry[2:] for entry in entries]
    first = a.rng.choice((0, kept, a.rng.randrange(kept + 1), kept + 1, depth - 1, depth))
    a.change(Op.RESTORE, user=user, arg=first, records=b"".join(entries))
    if entries:
        a.change(Op.FORGET, user=user, arg=int.from_bytes(entries[0][:2], "little"))


def reset(a: Author) -> None:
    """One user; seldom everything, after which films are loaded again."""
    user = a.rng.choice((a.user(), a.user(), a.user(), ALL))
    a.change(Op.RESET, user=user, arg=a.rng.choice((0, 0xFFFF)))
    if user == ALL:
        a.send(Op.RANK, user=a.user(), arg=1)
        a.send(Op.DIGEST, user=a.user())
        load(a)


def ask(a: Author) -> None:
    """What the device says about itself."""
    a.send(a.rng.choice((Op.HELLO, Op.STATS)), user=a.rng.choice((0, 0xFFFF)), arg=a.rng.choice((0, 0xFFFF)))
    a.send(Op.DIGEST, user=a.rng.choice((ALL, a.user())))


PHRASES: tuple[tuple[Phrase, int], ...] = (
    (rate, 6),
    (forget, 3),
    (overflow, 2),
    (rank, 3),
    (skip, 3),
    (score, 3),
    (pages, 3),
    (copy_user, 2),
    (restore, 3),
    (reset, 1),
    (again, 2),
    (refused, 2),
    (damage, 2),
    (load, 2),
    (ask, 1),
)
"""Phrases with their weights."""
