"""The native device: the golden device with its inner loops compiled. For people without a board.

It answers every request bit for bit as the golden device does, and ranks a catalogue some ten times as fast.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..sim.golden import Agent, Entry, Learned
from ..sim.golden_device import GoldenDevice
from . import native_kernels as kernels

__all__ = ["NativeAgent", "NativeDevice", "Ranker", "learn", "words"]

_LINEAR = ("sweep", "counting")
"""Rules whose scores are sums of cells."""

Codes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


def words(codes: Codes) -> npt.NDArray[np.uint64]:
    """Codes ``(films, code_bytes)`` as 64-bit words, little endian, with zeros behind the last bit."""
    width = codes.shape[1]
    return np.ascontiguousarray(np.pad(codes, ((0, 0), (0, -width % 8)))).view(np.uint64)


def learn(geometry: Geometry, codes: npt.NDArray[np.uint64], e: Ints) -> Learned:
    """:func:`ramrec.sim.golden.learn` for the rule ``sweep``: codes ``(kept, words)`` and surprises ``(kept,)``."""
    alpha = kernels.strengths(
        codes,
        e,
        geometry.tuple_bits,
        geometry.neurons,
        geometry.bias_gain,
        geometry.ridge,
        geometry.drift,
        geometry.shift,
        geometry.alpha_max,
        geometry.sweeps,
    )
    tables = kernels.cell_tables(codes, alpha, geometry.tuple_bits, geometry.neurons)
    return Learned(alpha, int(alpha.sum()), tables)


class NativeAgent(Agent):
    """One user; learns the rule ``sweep`` in compiled code, and other rules as its base class does."""

    def replace(self, entries: Sequence[Entry]) -> None:
        geometry = self.geometry
        if geometry.rule != "sweep" or not 0 < len(entries) <= geometry.memory_depth:
            super().replace(entries)
            return
        self.entries = list(entries)
        self.learned = learn(geometry, words(self.codes), np.array([entry.e for entry in entries], np.int64))


class Ranker:
    """Ranks films for one learned agent after another, with room that is made once.

    Parameters
    ----------
    geometry
        With the rule ``sweep`` or ``counting``.
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._rank = kernels.ranking(geometry.code_bytes)
        self._merged = np.zeros(geometry.code_bytes * kernels.BYTE_CELLS, np.int32)
        self._items = np.zeros(geometry.top_k, np.int64)
        self._best = np.zeros(geometry.top_k, np.int64)

    def rank(
        self, learned: Learned, codes: Codes, priors: Ints, allowed: npt.NDArray[np.bool_], k: int
    ) -> tuple[Ints, Ints]:
        """The ``k`` best allowed films: item numbers and scores, best first.

        Parameters
        ----------
        learned
            What the agent knows.
        codes, priors, allowed
            Of all films: ``(films, code_bytes)``, ``(films,)`` and ``(films,)``.
        k
            At most ``geometry.top_k``.
        """
        kernels.byte_tables(learned.tables, self._merged)
        geometry = self._geometry
        bias = geometry.bias_gain * learned.bias
        found = self._rank(codes, priors, geometry.prior_shift, bias, self._merged, allowed, k, self._items, self._best)
        return self._items[:found].copy(), self._best[:found].copy()


class NativeDevice(GoldenDevice):
    """The golden device, compiled where it takes time; see there."""

    def __init__(self, geometry: Geometry) -> None:
        self._ranker = Ranker(geometry)
        super().__init__(geometry)

    def _reset_all(self) -> None:
        super()._reset_all()
        self.agents = [NativeAgent(self.geometry) for _ in range(self.geometry.users)]

    def _ranking(self, user: int, k: int) -> list[tuple[int, int]]:
        if self.geometry.rule not in _LINEAR:
            return super()._ranking(user, k)
        films = slice(self.loaded)
        items, scores = self._ranker.rank(
            self.agents[user].learned, self.codes[films], self.priors[films], self._allowed(user), k
        )
        return list(zip(items.tolist(), scores.tolist(), strict=True))
