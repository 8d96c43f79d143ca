"""Fill a device with patterns, and compare all that it says of them with the golden model."""

from collections.abc import Iterable

from ..hdl.geometry import Geometry
from ..hdl.pattern import INVERT
from ..hdl.protocol import ALL
from . import console
from .driver import Driver
from .transport import open_transport

__all__ = ["self_test"]

_AT_ONCE = 16
"""Users between two moves of the progress bar."""

_RANKED = 4
"""Users whose rankings are compared."""


def self_test(device: Driver, geometry: Geometry, *, loops: int) -> str | None:
    """What is wrong with a device, None if nothing is found. What it held is lost; it is empty afterwards.

    Each loop writes a pattern of its own, and then its inverse, into the whole catalogue and into the memories of
    all users, has every user's ratings learned, reads all of it again after all of it was written, and ranks.

    Parameters
    ----------
    device
        In step, and built for ``geometry``.
    loops
        How often, at least 1.
    """
    model = Driver(open_transport("golden", geometry), geometry)
    model.hello()
    steps = 2 * loops * geometry.users
    with console.progress("self-test", steps, unit="users") as bar:
        for loop in range(loops):
            for inversion in (0, INVERT):
                fault = _Pair(device, model, geometry, bar).fault(_spread(loop) | inversion)
                device.reset()
                if fault is not None:
                    return fault
    return None


class _Pair:
    """The device, and the golden model that is told the same."""

    def __init__(self, device: Driver, model: Driver, geometry: Geometry, bar: console.Bar) -> None:
        self._device = device
        self._model = model
        self._users = range(geometry.users)
        self._top_k = geometry.top_k
        self._bar = bar

    def fault(self, seed: int) -> str | None:
        """What goes wrong with one pattern."""
        for driver in (self._device, self._model):
            driver.reset()
        films = self._model.self_test({ALL: seed})
        if self._device.self_test({ALL: seed}) != films:
            return "its catalogue does not hold the films that are written into it"
        expected: list[int] = []
        for first in self._users[::_AT_ONCE]:
            part = self._users[first : first + _AT_ONCE]
            seeds = {user: _spread(user + 1, seed) for user in part}
            expected += self._model.self_test(seeds)
            digests = self._device.self_test(seeds)
            wrong = _differing(part, digests, expected[first:])
            if wrong:
                return self._blame(wrong)
            self._bar.advance(len(part))
        if [self._device.digest()] != films:
            return "its catalogue changes while users' ratings are written"
        wrong = _differing(self._users, self._device.digests(self._users), expected)
        if wrong:
            return f"it mixes up its users: {_listed(wrong)} differ after all have been written"
        for user in self._users[:: max(1, len(self._users) // _RANKED)]:
            if self._device.rank(user, self._top_k) != self._model.rank(user, self._top_k):
                return f"it ranks otherwise than the model, though it has learned the same (user {user})"
        return None

    def _blame(self, users: list[int]) -> str:
        """Whether users' ratings are wrong, or what was learned from them."""
        kept = [user for user in users if self._device.save(user) != self._model.save(user)]
        if kept:
            return f"its users' memory does not hold the ratings that are written into it: {_listed(kept)}"
        return f"it learns otherwise than the model from the same ratings: {_listed(users)}"


def _spread(number: int, seed: int = 0) -> int:
    """A seed for a number, another one for each; the inversion is that of ``seed``."""
    return (0x2A6D * number + seed) & (INVERT - 1) | seed & INVERT


def _differing(users: Iterable[int], digests: Iterable[int], expected: Iterable[int]) -> list[int]:
    return [user for user, found, due in zip(users, digests, expected, strict=False) if found != due]


def _listed(users: list[int]) -> str:
    shown = ", ".join(map(str, users[:4]))
    return f"user{'s' if len(users) > 1 else ''} {shown}{f' and {len(users) - 4} more' if len(users) > 4 else ''}"
