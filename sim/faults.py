"""Phrases of what a host should not send and a line should not do."""

from ..hdl.protocol import ALL, MAX_BODY, Op, Request, max_count, min_count, record_bytes, serves
from .author import Author, u16

__all__ = ["again", "damage", "refused", "unknown_operations"]


def again(a: Author) -> None:
    """Sequence numbers that repeat, with the same request or another, that skip, and that go back."""
    user = a.user()
    a.send(Op.RATE, user=user, arg=a.target(), records=u16(a.item()))
    request = a.rng.choice((Op.RATE, Op.ONLY, Op.RANK, Op.DIGEST, Op.STATS, 0x3F))
    record = u16(a.item()) if request in (Op.RATE, Op.ONLY) else b""
    a.send(request, user=user, arg=1, records=record)
    for _ in range(a.rng.randrange(1, 3)):
        a.send(request, user=user, arg=1, records=record, advance=0)
    a.send(a.rng.choice((Op.RESET, Op.FORGET, 0xFF)), user=user, arg=a.item(), advance=0)
    a.send(Op.RESET, user=user, advance=a.rng.choice((2, -1, 128, a.rng.randrange(2, 256))))
    a.send(Op.RANK, user=user, arg=1, advance=a.rng.choice((0, 1)))
    if a.rng.random() < 0.5:
        a.send(Op.HELLO, advance=a.rng.choice((0, 1, 2, -1, 77)))
    a.send(Op.DIGEST, user=user)


def unknown_operations(a: Author) -> None:
    """Every byte that is no operation."""
    for op in range(256):
        if not serves(a.geometry, op):
            a.send(op, user=a.user(), arg=a.item())


def refused(a: Author) -> None:
    """Requests with one thing wrong, or several: the first one decides the status."""
    room = MAX_BODY - Request.HEADER.size
    for wrong in a.rng.choices(("length", "user", "argument", "length user argument"), k=8):
        op = a.rng.choice([op for op in range(256) if serves(a.geometry, op)])
        size, most = record_bytes(a.geometry, op), max_count(a.geometry, op)
        count, user, arg = a.rng.choice((min_count(op), most)), a.user(), a.rng.choice((0, 1))
        length = count * size
        if "length" in wrong:
            count = a.rng.choice((count, count, most + 1, 0, 255))
            length = a.rng.choice((count * size, count * size + 1, count * size - 1, length, room))
        if "user" in wrong:
            user = a.rng.choice((a.geometry.users, ALL, ALL - 1))
        if "argument" in wrong:
            arg = a.rng.choice((a.geometry.target_max + 1, -a.geometry.target_max - 1, 0x8000, 0xFFFF))
        if op in (Op.RESET, Op.SELFTEST) and user == ALL:
            length = room
        records = a.rng.randbytes(min(max(length, 0), room))
        a.change(op, user=user, arg=arg, count=count, records=records)


def damage(a: Author) -> None:
    """Frames with a flipped bit, cut, too long, empty or made up, between good ones; none is answered."""
    for _ in range(a.rng.randrange(1, 4)):
        frame = a.frame()
        body = a.rng.randbytes(a.rng.randrange(1, 300)).replace(b"\0", b"\x01") + b"\0"
        at = a.rng.randrange(len(frame) - 1)
        flipped = frame[:at] + bytes([frame[at] ^ 1 << a.rng.randrange(8)]) + frame[at + 1 :]
        cut = frame[:at] + a.rng.choice((b"\0", b""))
        long = b"\xff" + b"\x55" * a.rng.choice((254, 255, 300, 511)) + b"\0"
        pieces = (flipped, frame[:at] + frame[at + 1 :], cut, long, body, b"\0" * a.rng.randrange(1, 4), b"\x01\0")
        a.noise(a.rng.choice(pieces))
        a.send(a.rng.choice((Op.STATS, Op.RANK, Op.DIGEST)), user=a.user(), arg=1)
    a.noise(b"\0")
    a.send(Op.STATS)
