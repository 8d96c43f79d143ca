"""Baselines that know no taste: what most people like, and how generous a user is."""

from collections.abc import Iterator
from math import log

import numpy as np
import numpy.typing as npt

from .baselines import Baseline, Setting, grid, liked
from .protocol import Case

__all__ = ["LikeRate", "Majority", "Prior", "PriorAndBias", "shrunk_mean"]

Floats = npt.NDArray[np.float64]

_STRENGTHS = (0.5, 1, 2, 4, 8, 16, 32)


class Majority(Baseline):
    """The more frequent answer of the population, for every film."""

    middle = 0.0

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        return (np.zeros(len(case.tested)) for _ in case.stages())


class LikeRate(Baseline):
    """How often the user likes a film, with some ratings of the population's rate added."""

    middle = 0.0
    settings = grid(strength=_STRENGTHS)

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        strength, rate = float(setting["strength"]), float(self.population.likes.mean())
        for _, kept in case.stages():
            likes = float(liked(case.support(kept)[1]).sum())
            odds = (likes + strength * rate) / (kept - likes + strength * (1 - rate))
            yield np.full(len(case.tested), log(odds) / 2)


class Prior(Baseline):
    """How much the population likes the film."""

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        return (self.population.priors[case.tested] for _ in case.stages())


class PriorAndBias(Baseline):
    """The prior, and how much more generous the user is than others: a mean surprise, shrunk towards zero."""

    settings = grid(strength=_STRENGTHS)

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        for _, kept in case.stages():
            bias = shrunk_mean(self.population.surprise(*case.support(kept)), float(setting["strength"]))
            yield self.population.priors[case.tested] + bias


def shrunk_mean(values: Floats, strength: float) -> float:
    """Mean of the values and ``strength`` zeros."""
    return float(values.sum() / (len(values) + strength))
