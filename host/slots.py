"""The device as a cache: brings a user's ratings into one of its slots, by the shortest way."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..hdl.protocol import digest
from . import console
from .driver import Driver, Kept
from .errors import RamrecError
from .journal import Rating
from .link import DeviceRestarted
from .shelf import Shelf
from .transport import LinkError

__all__ = ["Slots", "agent_digest", "kept_after"]

T = TypeVar("T")

_LOADED_AT_ONCE = 500
"""Films between two moves of the progress bar; at 115,200 baud they take a second."""

_ATTEMPTS = 3
"""How often an operation is tried on a device that restarts during it."""


class Slots:
    """Users in the slots of a device, the least recently used one being replaced.

    Parameters
    ----------
    driver
        The device. It is greeted, and loaded with the catalogue, when it is first needed.
    shelf
        The catalogue.
    """

    def __init__(self, driver: Driver, shelf: Shelf) -> None:
        self._driver = driver
        self._geometry = driver.geometry
        self._shelf = shelf
        self._ready = False
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._held: dict[int, list[Kept]] = {}

    def connect(self) -> None:
        """Greet the device, and load the catalogue if it holds another one.

        Raises
        ------
        RamrecError
            If it is the wrong device, does not answer, or holds another catalogue than was loaded.
        """
        self._ready = False
        self._slots.clear()
        self._held.clear()
        self._driver.hello()
        if self._driver.digest() != self._shelf.digest():
            self._driver.reset()
            self._load()
            if self._driver.digest() != self._shelf.digest():
                raise RamrecError("the device does not hold the catalogue that was loaded; its memory is faulty")
        self._ready = True

    def _load(self) -> None:
        codes, priors = self._shelf.codes, self._shelf.priors
        with console.progress("loading the catalogue", len(codes), unit="films") as bar:
            for first in range(0, len(codes), _LOADED_AT_ONCE):
                part = slice(first, first + _LOADED_AT_ONCE)
                self._driver.load(first, codes[part], priors[part])
                bar.advance(len(codes[part]))

    def run(self, user: str, ratings: Sequence[Rating], action: Callable[[int], T]) -> T:
        """Bring a user's ratings, oldest first, into a slot, and do something with it.

        The films that were rated become resident before, which may change what is an item number of what.
        After a restart of the device all is done again, so ``action`` must not change ratings.
        """
        for _ in range(_ATTEMPTS):
            try:
                if not self._ready:
                    self.connect()
                return action(self._select(user, self._resident(ratings)))
            except DeviceRestarted:
                self._ready = False
        raise LinkError("the device restarts again and again; check its supply and its cable")

    def expected_digest(self, ratings: Sequence[Rating]) -> int:
        """DIGEST of the golden model's agent that is told these ratings, oldest first."""
        return agent_digest(self._geometry, self._resident(ratings), self._shelf.codes)

    def _resident(self, ratings: Sequence[Rating]) -> list[Kept]:
        """What an agent keeps of ratings, whose films are loaded if the device does not hold them."""
        shelf, lasting = self._shelf, ratings[-self._geometry.memory_depth :]
        for item in shelf.admit([shelf.row_of(rating) for rating in lasting]):
            self._driver.load(item, shelf.codes[item : item + 1], shelf.priors[item : item + 1])
        return [shelf.kept(rating) for rating in lasting]

    def _select(self, user: str, wanted: list[Kept]) -> int:
        slot = self._slots.pop(user, None)
        if slot is None:
            full = len(self._slots) == self._geometry.users
            slot = self._slots.popitem(last=False)[1] if full else len(self._slots)
            self._held.pop(slot, None)
        self._slots[user] = slot
        held = self._held.pop(slot, None)
        if held != wanted and (held is None or not self._step(slot, held, wanted)):
            self._restore(slot, wanted)
        self._held[slot] = wanted
        return slot

    def _step(self, slot: int, held: list[Kept], wanted: list[Kept]) -> bool:
        """Get from the held ratings to the wanted ones by one RATE or FORGET, if that is enough."""
        if wanted and wanted == kept_after(held, wanted[-1], depth=self._geometry.memory_depth):
            item, e = wanted[-1]
            return self._driver.rate(slot, item, e + self._shelf.prior(self._shelf.row(item))) == len(wanted)
        gone = [entry.item for entry in held if entry not in wanted]
        if len(gone) == 1 and wanted == [entry for entry in held if entry.item != gone[0]]:
            return self._driver.forget(slot, gone[0]) == len(wanted)
        return False

    def _restore(self, slot: int, wanted: list[Kept]) -> None:
        """Write all ratings, unless the device still holds them, and compare with the golden model."""
        expected = agent_digest(self._geometry, wanted, self._shelf.codes)
        if self._driver.digest(slot) == expected:
            return
        self._driver.restore(slot, wanted)
        if self._driver.digest(slot) != expected:
            raise RamrecError("the device learns otherwise than the golden model; its gateware is faulty")


def kept_after(held: Sequence[Kept], rating: Kept, *, depth: int) -> list[Kept]:
    """The ratings that a memory of ``depth`` keeps after one more."""
    others = [entry for entry in held if entry.item != rating.item]
    return [*others, rating][-depth:]


def agent_digest(geometry: Geometry, ratings: Sequence[Kept], codes: npt.NDArray[np.uint8]) -> int:
    """DIGEST of the golden model's agent that keeps these ratings, oldest first; ``codes`` are those of all items."""
    from ..sim.golden import Agent, Entry

    return digest(Agent(geometry, [Entry(item, codes[item].tobytes(), e) for item, e in ratings]).words())
