"""A serial line in simulated clocks: what loading and commands take on it, and what they could take at best."""

from collections import deque
from collections.abc import Callable
from typing import Any

from ...hdl.geometry import Geometry
from ...hdl.protocol import ALL, digest
from ...sim.serial_board import SerialBoard
from ..catalogue import words
from ..driver import Driver
from .kept_clocks import remembered
from .workload import end_to_end_k, synthetic

__all__ = ["BITS_PER_BYTE", "RATING_TO_LIST", "TimedLine", "commands", "loading"]

BITS_PER_BYTE = 10
"""On a serial line: start bit, eight data bits, stop bit."""

RATING_TO_LIST = "RATE, then RANK"

_NOTHING_COMES = 1 << 40
_SEED = 1


class TimedLine:
    """A transport to a chip that counts its clocks, to which a host's bytes come only after a delay.

    The host itself takes no time.

    Parameters
    ----------
    board
        The chip.
    delay
        Clocks from a write to the first bit on the line: what adapter and system take for a question and its answer
        together.

    Attributes
    ----------
    sent, received : bytes so far
    """

    def __init__(self, board: SerialBoard, delay: int = 0) -> None:
        self._board = board
        self._delay = delay
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._skipped = 0
        self.sent = 0
        self.received = 0

    @property
    def now(self) -> int:
        """Clocks since the start; those in which the chip had nothing to do are not simulated."""
        return self._board.clocks + self._skipped

    def write(self, data: bytes) -> None:
        self.sent += len(data)
        self._waiting.append((self.now + self._delay, data))

    def read(self, timeout: float) -> bytes:
        """Run until a frame has come; nothing if none will come. Time is the chip's, so ``timeout`` has no meaning."""
        while True:
            while self._waiting and self._waiting[0][0] <= self.now:
                self._board.write(self._waiting.popleft()[1])
            idle = self._board.run(self._waiting[0][0] - self.now if self._waiting else _NOTHING_COMES)
            data = self._board.take()
            self.received += len(data)
            if data:
                return data
            if idle and not self._waiting:
                return b""
            if idle:
                self._skipped += max(0, self._waiting[0][0] - self.now)

    def close(self) -> None:
        self._board.close()


def loading(geometry: Geometry, divisor: int, films: int, *, delay: int = 0) -> dict[str, Any]:
    """Clocks and bytes of loading films over a line of ``divisor`` clocks per bit.

    Returns
    -------
    dict
        ``clocks`` from the first write, ``delay`` before the first bit, to the last reply's last bit; ``sent`` and
        ``received`` bytes, ``payload`` bytes of films among them; ``equal``: whether the device then held the films.
    """

    def simulate() -> dict[str, Any]:
        workload = synthetic(geometry, films=films, people=1, ratings=1, seed=_SEED)
        line = TimedLine(SerialBoard(geometry, divisor), delay)
        try:
            device = Driver(line, geometry)
            device.hello()
            cost = _cost(line, lambda: device.load(0, workload.codes, workload.priors))
            expected = digest(words(workload.codes, workload.priors))
            return cost | {"payload": films * (geometry.code_bytes + 1), "equal": device.digest() == expected}
        finally:
            line.close()

    result: dict[str, Any] = remembered("loading", geometry, [divisor, films, delay], simulate)
    return result


def commands(geometry: Geometry, divisor: int) -> dict[str, dict[str, int]]:
    """Clocks and bytes of single commands, by name; the host waits for each reply.

    Catalogue and memory are full, with the patterns of a self-test. The last one is a rating and the new list of the
    best films, one after the other.
    """

    def simulate() -> dict[str, dict[str, int]]:
        k = end_to_end_k(geometry)
        line = TimedLine(SerialBoard(geometry, divisor))
        try:
            device = Driver(line, geometry)
            device.hello()
            device.self_test({ALL: 1})
            device.self_test({0: 2})

            def rate_and_rank() -> None:
                device.rate(0, 1, 100)
                device.rank(0, k)

            asked: dict[str, Callable[[], object]] = {
                "STATS": device.stats,
                "RATE": lambda: device.rate(0, 0, -100),
                f"RANK, top {k}": lambda: device.rank(0, k),
                "SCORE of one film": lambda: device.score(0, [0]),
                RATING_TO_LIST: rate_and_rank,
            }
            return {name: _cost(line, command) for name, command in asked.items()}
        finally:
            line.close()

    result: dict[str, dict[str, int]] = remembered("line", geometry, divisor, simulate)
    return result


def _cost(line: TimedLine, command: Callable[[], object]) -> dict[str, int]:
    start, sent, received = line.now, line.sent, line.received
    command()
    return {"clocks": line.now - start, "sent": line.sent - sent, "received": line.received - received}
