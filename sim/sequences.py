"""Sessions: what a device is verified with, from a seed."""

import random
from dataclasses import dataclass

from ..hdl.geometry import Geometry
from ..hdl.protocol import ALL, Op
from .author import Author
from .faults import unknown_operations
from .phrases import PHRASES, fill_catalogue, load
from .steps import Step

__all__ = ["Session", "write_session"]

_LENGTH = 60
_FULL_EVERY = 25


@dataclass(frozen=True)
class Session:
    """Steps from a device without films and ratings on; ``pipelined`` if several may be under way at once."""

    steps: tuple[Step, ...]
    pipelined: bool


def write_session(geometry: Geometry, seed: int, number: int) -> Session:
    """Write one session, at least 60 steps long; the same arguments always write the same one.

    Session 0 also tries every unknown operation, and one session in 25 fills the catalogue.
    """
    rng = random.Random(f"{seed}/{number}")
    author = Author(geometry, rng)
    load(author)
    if number == 0:
        unknown_operations(author)
    if number % _FULL_EVERY == 1:
        fill_catalogue(author)
    phrases, weights = zip(*PHRASES, strict=True)
    # A few kinds of phrases per session: they come closer together than if all took part.
    chosen = [phrase for phrase in rng.choices(phrases, weights, k=rng.choice((3, 5, len(phrases))))]
    while len(author.steps) < _LENGTH:
        rng.choice(chosen)(author)
    author.noise(b"\0")
    author.send(Op.DIGEST, user=ALL)
    for user in {author.user() for _ in range(4)}:
        author.send(Op.DIGEST, user=user)
    return Session(tuple(author.steps), pipelined=rng.random() < 0.3)
