"""Baselines on the encoder's factors in floating point: what the integers could reach at best."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..factorisation import Factorisation
from ..logistic import logistic, logistic_regression
from .baselines import Baseline, Setting, grid, liked
from .protocol import Case

__all__ = ["FactorFoldIn", "FeatureFoldIn", "UserLogistic", "newton", "posterior_mean"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_STEPS = 12
_LEAST_WEIGHT = 1e-3


class FactorFoldIn(Baseline):
    """Biased matrix factorisation; a new user's vector is the mean of its posterior, given the films' vectors.

    Bayesian ridge regression of the user's ratings on (1, film factors): the user's step of Salakhutdinov &
    Mnih 2008, in closed form. The factors' variance is one; that of the noise and that of the user's offset are
    tuned. What is predicted is either stars, or the same target that agents learn. The factors come from ratings
    alone.
    """

    settings = grid(
        target=("stars", "like"), noise=(0.3, 0.5, 0.8, 1.2, 1.8, 2.7, 4.0), offset=(0.05, 0.1, 0.2, 0.4, 0.8)
    )

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        fitted, population = self.fitted, self.population
        x, tested = self.vectors(case.films, setting), self.vectors(case.tested, setting)
        if setting["target"] == "stars":
            expected = fitted.means[case.tested]
            said = case.steps / 2 - population.catalogue.model.mean - fitted.means[case.films]
        else:
            expected, said = population.priors[case.tested], population.surprise(case.films, case.steps)
        spread = np.ones(x.shape[1])
        spread[0] = float(setting["offset"])
        for _, kept in case.stages():
            first = len(x) - kept
            yield expected + tested @ posterior_mean(x[first:], said[first:], spread, float(setting["noise"]))

    @property
    def fitted(self) -> Factorisation:
        """What the films' means and factors come from."""
        return self.population.plain_factorisation

    def vectors(self, films: Ints, setting: Setting) -> Floats:
        """One, and all about some films that a user may have a taste for, ``(films, 1 + size)``."""
        return self._vectors[films]

    @cached_property
    def _vectors(self) -> Floats:
        factors = self.fitted.factors
        return np.hstack([np.ones((len(factors), 1)), factors])


class FeatureFoldIn(FactorFoldIn):
    """A factorisation model with side features and fold-in.

    Films' factors have a prior that is linear in genres, decade, tags and popularity (Agarwal & Chen 2009), and
    a user has, beside factors, a weight for each of these features, as in a factorisation machine (Rendle 2010).
    ``taste`` is the variance of those weights; with 0 these are the encoder's factors in floating point.
    """

    settings = grid(target=("stars", "like"), noise=(0.5, 0.8, 1.2), offset=(0.1, 0.2, 0.4), taste=(0, 0.01, 0.03, 0.1))

    @property
    def fitted(self) -> Factorisation:
        return self.population.factorisation

    def vectors(self, films: Ints, setting: Setting) -> Floats:
        factors, taste = super().vectors(films, setting), float(setting["taste"])
        return np.hstack([factors, self._features[films] * np.sqrt(taste)]) if taste else factors

    @cached_property
    def _features(self) -> Floats:
        """Features less their mean over the population's ratings, ``(films, features)``."""
        features: Floats = self.population.features.toarray()
        centre = np.bincount(self.population.steps.indices, minlength=len(features)) @ features
        return features - centre / self.population.steps.nnz


class UserLogistic(Baseline):
    """One logistic regression per user on (1, prior, film factors), shrunk towards the population's.

    The population's has intercept and slope on the prior. With few ratings the user's is near it; an ordinary
    one would begin from nothing.
    """

    middle = 0.0
    settings = grid(offset=(0.3, 1, 3, 10), factors=(0.1, 0.25, 0.5, 1, 2))

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        x, likes = self._vectors[case.films], liked(case.steps)
        tested = self._vectors[case.tested]
        ridge = np.full(x.shape[1], float(setting["factors"]))
        ridge[:2] = float(setting["offset"]), 10 * float(setting["offset"])
        beta = self._start
        for _, kept in case.stages():
            beta = newton(x[len(x) - kept :], likes[len(x) - kept :], ridge, self._start, beta)
            yield tested @ beta / 2

    @cached_property
    def _vectors(self) -> Floats:
        factors = self.population.factorisation.factors
        return np.hstack([np.ones((len(factors), 1)), self.population.priors[:, None], factors])

    @cached_property
    def _start(self) -> Floats:
        """The population's regression: intercept, slope, and no taste."""
        priors, likes = self.population.priors[self.population.steps.indices], self.population.likes
        x = np.stack([np.ones_like(priors), priors], axis=1)
        weights = np.full(len(x), 1 / len(x))
        line = logistic_regression(x, likes, weights, np.full(2, 1e-4), np.array([0.0, 2.0]))
        return np.r_[line, np.zeros(self._vectors.shape[1] - 2)]


def posterior_mean(x: Floats, said: Floats, spread: Floats, noise: float) -> Floats:
    """Expected vector ``(size,)`` given ``said = x @ vector`` and noise, by way of the smaller of two matrices.

    Parameters
    ----------
    x, said
        ``(n, size)`` and ``(n,)``.
    spread
        ``(size,)``: variances of the vector before anything is said.
    noise
        Variance of the noise.
    """
    if len(x) <= len(spread):
        apart = (x * spread) @ x.T + noise * np.eye(len(x))
        return spread * (x.T @ np.linalg.solve(apart, said))
    return np.asarray(np.linalg.solve(x.T @ x + np.diag(noise / spread), x.T @ said), np.float64)


def newton(x: Floats, hit: npt.NDArray[np.bool_], ridge: Floats, centre: Floats, start: Floats) -> Floats:
    """Logistic regression with a ridge towards ``centre``, by Newton's method; weights are bounded from below.

    ``start`` is where it begins, and decides how soon it ends, not where.
    """
    beta = start.copy()
    for _ in range(_STEPS if len(x) else 0):
        probability = logistic(x @ beta)
        slope = np.maximum(probability * (1 - probability), _LEAST_WEIGHT)
        gradient = x.T @ (probability - hit) + ridge * (beta - centre)
        step = np.linalg.solve((x.T * slope) @ x + np.diag(ridge), gradient)
        beta -= step
        if np.abs(step).max() < 1e-6:
            break
    return beta
