"""From a score to stars, so that as many ratings as can be are within one star."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["NEAR", "STEPS", "Bands", "fit_bands"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEPS = 10
"""Half-star steps that a rating can have, 1 to 10: the length of its thermometer code."""

NEAR = 2
"""Most half-star steps by which a right answer may be wrong: one star."""


@dataclass(frozen=True)
class Bands:
    """Which step is said from which score on.

    Parameters
    ----------
    edges
        Ascending scores.
    steps
        What is said below the first edge, from it on, from the second on, and so forth.
    """

    edges: Floats
    steps: Ints

    def say(self, scores: Ints) -> Ints:
        """Half-star steps."""
        return self.steps[np.searchsorted(self.edges, scores, side="right")]


def fit_bands(scores: Ints, answers: Ints) -> Bands:
    """The bands with the most right answers, higher scores never saying fewer stars.

    Dynamic programming over the sorted scores: what is best up to a score with a step as the last one said comes
    from what is best with a lower step. Of bands that are equally good, those with the fewest steps are found.

    Parameters
    ----------
    scores, answers
        ``(n,)``: a method's scores, and half-star steps that the users gave.
    """
    order = np.argsort(scores, kind="stable")
    ranked, truth = scores[order], answers[order]
    # Equal scores can not be told apart: a band may begin only where the score changes.
    may = np.r_[True, ranked[1:] != ranked[:-1], True]
    right = np.abs(truth[None, :] - np.arange(1, STEPS + 1)[:, None]) <= NEAR
    sums = np.hstack([np.zeros((STEPS, 1)), np.cumsum(right, axis=1)])
    best, begins = sums[0], np.zeros((STEPS, len(scores) + 1), np.int64)
    for step in range(1, STEPS):
        # A new band begins where that gains most; not at all if nothing is gained.
        gain = np.where(may, best - sums[step], -np.inf)
        top = np.maximum.accumulate(gain)
        begins[step] = np.maximum.accumulate(np.where(gain >= top, np.arange(len(gain)), 0))
        taken = sums[step] + top
        begins[step] = np.where(taken > best, begins[step], -1)
        best = np.maximum(best, taken)
    edges: list[float] = []
    steps: list[int] = []
    at = len(scores)
    for step in range(STEPS - 1, 0, -1):
        if begins[step, at] >= 0:
            steps.insert(0, step + 1)
            at = int(begins[step, at])
            if at == 0:
                break
            edges.insert(0, (float(ranked[at - 1]) + float(ranked[at])) / 2)
    else:
        steps.insert(0, 1)
    return Bands(np.array(edges, np.float64), np.array(steps, np.int64))
