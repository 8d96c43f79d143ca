"""Bayesian matrix factorisation by expectation maximisation."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

__all__ = ["Factorisation", "factorise", "with_means_of"]

Floats = npt.NDArray[np.float64]

_BLOCK = 1 << 8
_WEIGHT_RIDGE = 3.0
_LEAST_VARIANCE = 1e-3
_OFFSET_VARIANCE = 0.2
_MEANS_VARIANCE = 0.03

# A prediction is a scalar product of two vectors: (offset, 1, factors) of the user and (1, mean, factors) of
# the film. So both sides are updated by the same function, and only the place of the 1 differs.
_USER_ONE, _FILM_ONE = 1, 0


@dataclass(frozen=True)
class Factorisation:
    """What the ratings say about the films.

    Parameters
    ----------
    means, factors
        ``(films,)`` and ``(films, factors)``: posterior expectations, for users whose factors have mean zero
        and unit covariance.
    weights
        ``(features, 1 + factors)``: expected mean and factors of a film before any rating.
    noise
        Variance of a rating around its prediction.
    """

    means: Floats
    factors: Floats
    weights: Floats
    noise: float


@dataclass(frozen=True)
class _Belief:
    """Posterior of vectors: E[x] ``(rows, size)`` and E[x x^T] ``(rows, size, size)``."""

    mean: Floats
    second: Floats

    @classmethod
    def sure(cls, mean: Floats) -> "_Belief":
        return cls(mean, mean[:, :, None] * mean[:, None, :])


def factorise(
    ratings: csr_array,
    features: csr_array,
    *,
    factors: int,
    iterations: int,
    rng: np.random.Generator,
    advance: Callable[[], None],
) -> Factorisation:
    """Fit ``rating = user offset + film mean + user factors . film factors + noise``.

    Users' offsets and factors have a normal prior; films' means and factors have one whose expectation is
    linear in the film's features, so that films without ratings have factors too. Users and films are updated
    in turn, with their covariances: variational Bayes (Lim & Teh 2007) with a prior from features (Agarwal &
    Chen 2009). After each update of the users their covariance moves into the films' factors, which speeds up
    convergence (parameter expansion: Liu, Rubin & Wu 1998). Long sums go through sparse products and einsum,
    not BLAS, so that the result does not depend on the number of threads.

    Parameters
    ----------
    ratings
        ``(users, films)``, centred on zero. A stored zero is a rating.
    features
        ``(films, features)``.
    factors, iterations
        Dimensions, and rounds of EM.
    rng
        Source of the start values.
    advance
        Called after each round.
    """
    users, films = ratings.shape
    by_film = csr_array(ratings.T.tocsr())
    rated = np.diff(by_film.indptr) > 0
    start = np.ones((films, 2 + factors))
    start[:, 1] = 0
    start[:, 2:] = 0.1 * rng.standard_normal((films, factors))
    film = _Belief.sure(start)
    noise, offset_variance = 0.8, _OFFSET_VARIANCE
    weights = np.zeros((features.shape[1], 1 + factors))
    covariance = np.diag(np.r_[0.25, np.full(factors, 0.02)])
    for _ in range(iterations):
        precision = np.diag(np.r_[1 / offset_variance, np.ones(factors)])
        user, _ = _update(ratings, film, _USER_ONE, np.zeros((users, 1 + factors)), precision, noise)
        offset_variance = max(float(user.second[:, 0, 0].mean()), _LEAST_VARIANCE)
        user, back = _whiten(user)
        prior = features @ (weights @ back)
        film, noise = _update(by_film, user, _FILM_ONE, prior, np.linalg.inv(back.T @ covariance @ back), noise)
        weights, covariance = _film_prior(features[rated], film.mean[rated, 1:], film.second[rated, 1:, 1:])
        advance()
    return Factorisation(film.mean[:, 1], film.mean[:, 2:], weights, noise)


def with_means_of(fitted: Factorisation, ratings: csr_array) -> Factorisation:
    """Film means for some of the users: those of all are what is expected before these users' ratings are seen.

    People of different data sets rated the same films in different years, and do not think the same of each.

    Parameters
    ----------
    fitted
        From :func:`factorise`, for all users.
    ratings
        ``(users, films)``: some of the same ratings.
    """
    factors = fitted.factors.shape[1]
    film = np.column_stack([np.ones_like(fitted.means), fitted.means, fitted.factors])
    precision = np.diag(np.r_[1 / _OFFSET_VARIANCE, np.ones(factors)])
    expected = np.zeros((ratings.shape[0], 1 + factors))
    user, _ = _update(ratings, _Belief.sure(film), _USER_ONE, expected, precision, fitted.noise)
    by_film = csr_array(ratings.T.tocsr())
    stars = by_film @ np.ones(by_film.shape[1])
    by_film.data = np.ones_like(by_film.data)
    residuals = stars - np.einsum("if,if->i", film, by_film @ user.mean)
    counts = np.diff(by_film.indptr)
    return replace(fitted, means=fitted.means + residuals / (counts + fitted.noise / _MEANS_VARIANCE))


def _update(
    ratings: csr_array, other: _Belief, one: int, expected: Floats, precision: Floats, noise: float
) -> tuple[_Belief, float]:
    """Posterior of the rows' vectors given the columns' and the prior; new variance of the noise.

    ``one`` is the place of the constant 1; ``expected`` ``(rows, size - 1)`` and ``precision`` leave it out.
    """
    rows, size = ratings.shape[0], other.mean.shape[1]
    free = np.flatnonzero(np.arange(size) != one)
    flat = other.second.reshape(-1, size * size)
    mean, second = np.ones((rows, size)), np.empty((rows, size, size))
    error = float(np.square(ratings.data).sum())
    for first in range(0, rows, _BLOCK):
        block = slice(first, first + _BLOCK)
        seen = csr_array(ratings[block])
        stars = seen @ other.mean
        seen.data = np.ones_like(seen.data)
        moments = (seen @ flat).reshape(-1, size, size)
        inner = moments[:, free[:, None], free]
        covariances = np.linalg.inv(inner / noise + precision)
        right = (stars[:, free] - moments[:, free, one]) / noise
        right += np.einsum("rj,ji->ri", expected[block], precision)
        mean[block, free] = np.einsum("rij,rj->ri", covariances, right)
        second[block] = mean[block, :, None] * mean[block, None, :]
        second[block, free[:, None], free] += covariances
        error += float((second[block] * moments).sum() - 2 * (mean[block] * stars).sum())
    return _Belief(mean, second), max(error / ratings.nnz, _LEAST_VARIANCE)


def _whiten(user: _Belief) -> tuple[_Belief, Floats]:
    """Users with factors of mean zero and unit covariance, and what films' (mean, factors) multiply with."""
    centre = user.mean[:, 2:].mean(axis=0)
    root = np.linalg.cholesky(user.second[:, 2:, 2:].mean(axis=0) - np.outer(centre, centre))
    back = np.eye(user.mean.shape[1])
    back[2:, 2:] = root
    back[2:, 1] = centre
    there = np.linalg.inv(back)
    mean = np.einsum("rj,ij->ri", user.mean, there)
    return _Belief(mean, there @ user.second @ there.T), back[1:, 1:]


def _film_prior(features: csr_array, mean: Floats, second: Floats) -> tuple[Floats, Floats]:
    """Weights and covariance of the rated films' prior: a ridge regression on their features."""
    gram = (features.T @ features).toarray() + _WEIGHT_RIDGE * np.eye(features.shape[1])
    weights = _solve(gram, features.T @ mean)
    expected: Floats = features @ weights
    cross = np.einsum("ri,rj->ij", mean, expected)
    covariance: Floats = second.sum(axis=0) - cross - cross.T + np.einsum("ri,rj->ij", expected, expected)
    return weights, covariance / features.shape[0] + _LEAST_VARIANCE**2 * np.eye(len(cross))


def _solve(a: Floats, b: Floats) -> Floats:
    """Gauss-Jordan elimination for a positive definite ``a``; LAPACK's rounding depends on its threads."""
    joint = np.hstack([a, b])
    for k in range(len(a)):
        joint[k] /= joint[k, k]
        factor = joint[:, k].copy()
        factor[k] = 0
        joint -= factor[:, None] * joint[k]
    return joint[:, len(a) :]
