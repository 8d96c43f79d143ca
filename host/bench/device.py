"""A device under measurement: the compiled gateware behind the driver, and the bytes that cross its line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TypeVar

from ...hdl.geometry import Geometry
from ...hdl.protocol import Op, max_count
from ..driver import Driver
from ..transport import Transport
from .workload import Rated, Workload

__all__ = ["Cost", "Device"]

T = TypeVar("T")

_AT_ONCE = 500
"""Films loaded by one call of the driver."""


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Parameters
    ----------
    clocks
        From its header to its reply.
    learn, rank
        Of the last relearning and of the last ranking, within this command or before it.
    sent, received
        Bytes on the line, frames and all.
    """

    clocks: int
    learn: int
    rank: int
    sent: int
    received: int

    def __add__(self, after: "Cost") -> "Cost":
        return Cost(
            self.clocks + after.clocks,
            after.learn,
            after.rank,
            self.sent + after.sent,
            self.received + after.received,
        )


class _Counted:
    """A transport that counts what passes it."""

    def __init__(self, line: Transport) -> None:
        self._line = line
        self.sent = 0
        self.received = 0

    def write(self, data: bytes) -> None:
        self.sent += len(data)
        self._line.write(data)

    def read(self, timeout: float) -> bytes:
        data = self._line.read(timeout)
        self.received += len(data)
        return data

    def close(self) -> None:
        self._line.close()


class Device:
    """A device that says what its commands cost. It is emptied first.

    Parameters
    ----------
    line
        Leads to it.
    geometry
        What it is.
    workload
        Where films and codes come from.
    """

    def __init__(self, line: Transport, geometry: Geometry, workload: Workload) -> None:
        self.geometry = geometry
        self._workload = workload
        self._loaded = 0
        self._line = _Counted(line)
        self._driver = Driver(self._line, geometry, timeout=60.0)
        self._driver.hello()
        self._driver.reset()

    def load(self, films: int) -> None:
        """Load films until there are so many."""
        for first in range(self._loaded, films, _AT_ONCE):
            part = slice(first, min(first + _AT_ONCE, films))
            self._driver.load(first, self._workload.codes[part], self._workload.priors[part])
            self._loaded = part.stop

    def keep(self, user: int, rated: Sequence[Rated], *, first: int = 0) -> Cost:
        """Replace a user's ratings from slot ``first`` on: the cost of all requests that takes."""
        kept = self._workload.kept(self.geometry, rated)
        size = max_count(self.geometry, Op.RESTORE)
        pages = [(first + at, kept[at : at + size]) for at in range(0, len(kept), size)]
        costs = [self._costs(partial(self._driver.restore, user, page, first=at))[1] for at, page in pages]
        return reduce(Cost.__add__, costs)

    def rank(self, user: int, k: int) -> tuple[list[tuple[int, int]], Cost]:
        """The best films and their scores, and what finding them cost."""
        return self._costs(lambda: self._driver.rank(user, k))

    def rate(self, user: int, rated: Rated) -> Cost:
        """The cost of a rating."""
        return self._costs(lambda: self._driver.rate(user, *rated))[1]

    def _costs(self, command: Callable[[], T]) -> tuple[T, Cost]:
        sent, received = self._line.sent, self._line.received
        result = command()
        sent, received = self._line.sent - sent, self._line.received - received
        stats = self._driver.stats()
        return result, Cost(stats.command_clocks, stats.learn_clocks, stats.rank_clocks, sent, received)
