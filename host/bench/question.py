"""One ranking as every contestant gets it: films, what an agent has learned, who is left out, and k."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ...sim.golden import Entry, Learned, top_k
from ..native import NativeAgent
from .workload import Rated, Workload

__all__ = ["Question", "ask"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """Rank the films that an agent has not rated.

    Parameters
    ----------
    geometry
        The agent's.
    codes, priors, allowed
        ``(films, code_bytes)`` uint8, ``(films,)`` int64 and bool.
    learned
        What it knows.
    k
        How many films are wanted.
    scores
        ``(films,)``: the exact scores, by the golden model.
    answer
        Item numbers of the best films, by the golden model.
    """

    geometry: Geometry
    codes: npt.NDArray[np.uint8]
    priors: Ints
    allowed: npt.NDArray[np.bool_]
    learned: Learned
    k: int
    scores: Ints
    answer: list[int]

    def merged(self, bits: int) -> Ints:
        """Tables of neighbouring neurons merged: ``(code_bits / bits, 2 ** bits)``, ``bits`` wired to each."""
        fused = bits // self.geometry.tuple_bits
        tables = self.learned.tables.reshape(-1, fused, self.geometry.cells)
        merged = tables[:, 0]
        for at in range(1, fused):
            merged = (tables[:, at, :, None] + merged[:, None, :]).reshape(len(tables), -1)
        return merged

    def share_found(self, items: Sequence[int]) -> float:
        """How many of the right films are among ``items``, 0 to 1."""
        return len(set(items) & set(self.answer)) / len(self.answer)


def ask(geometry: Geometry, workload: Workload, rated: Sequence[Rated], k: int) -> Question:
    """The question of a person who has rated these films."""
    kept = workload.kept(geometry, rated)
    agent = NativeAgent(geometry, [Entry(one.item, workload.codes[one.item].tobytes(), one.e) for one in kept])
    allowed = np.ones(len(workload.codes), np.bool_)
    allowed[[one.item for one in kept]] = False
    priors = workload.priors.astype(np.int64)
    scores = agent.scores(workload.codes, priors)
    answer = top_k(scores, allowed, k)
    return Question(geometry, workload.codes, priors, allowed, agent.learned, k, scores, answer)
