"""From a film's mean rating and factors to its prior byte and its code, and from stars to a target."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from .features import Film, Vocabulary
from .logistic import logistic, logistic_regression

__all__ = ["LIKED", "PRESENCE", "PRIOR_UNITS", "STARS", "FilmModel", "agent_targets", "like_line", "rotation"]

Floats = npt.NDArray[np.float64]

LIKED = 4.0
"""Stars from which a rating counts as a like."""

STARS = np.arange(1, 11) / 2
"""Stars that a rating can have."""

PRIOR_UNITS = 64
"""Units of a prior byte per star."""

PRESENCE = 0.5
"""Stars by which an agent of the rule ``sweep`` learns more than a rating says: that a film was seen at all speaks
for films like it, as in SVD++ (Koren 2008)."""

_STAR_WEIGHT, _LIKE_WEIGHT = 0.8, 0.4
_RIDGE = 1e-4


@dataclass(frozen=True)
class FilmModel:
    """All that is needed to encode a film.

    Parameters
    ----------
    vocabulary
        Columns of the feature matrix.
    weights
        ``(features, 1 + factors)``: expected mean rating and factors of a film with given features.
    centre
        ``(factors,)``: where signs change, the mean over the rated films, each as often as it was rated.
    rotation
        ``(factors, code_bits)``: directions that the bits of a code look along.
    mean, like_rate
        Mean of the population's ratings in stars, and how many of them are likes.
    like_line
        Intercept and slope of the logit of a like, as a function of a film's mean rating less ``mean``.
    """

    vocabulary: Vocabulary
    weights: Floats
    centre: Floats
    rotation: Floats
    mean: float
    like_rate: float
    like_line: tuple[float, float]

    def expect(self, films: Sequence[Film]) -> tuple[Floats, Floats]:
        """Mean ratings ``(films,)`` and factors ``(films, factors)`` that films have before any rating."""
        x = self.vocabulary.matrix(films, np.zeros(len(films), np.int64))
        expected = np.einsum("ix,xf->if", x, self.weights)
        return expected[:, 0], expected[:, 1:]

    def codes(self, factors: Floats) -> npt.NDArray[np.uint8]:
        """Signs of the rotated factors: ``(films, factors)`` -> ``(films, code_bytes)``."""
        signs = np.einsum("if,fb->ib", factors - self.centre, self.rotation) > 0
        return np.packbits(signs, axis=1, bitorder="little")

    def priors(self, means: Floats) -> npt.NDArray[np.int8]:
        """Prior bytes ``(films,)`` of films with these mean ratings, in 1 / ``PRIOR_UNITS`` stars."""
        intercept, slope = self.like_line
        likes = logistic(intercept + slope * means)
        stars = _STAR_WEIGHT * means + _LIKE_WEIGHT * (likes - self.like_rate)
        return np.clip(np.rint(stars * PRIOR_UNITS), -128, 127).astype(np.int8)

    def targets(self, units: int, largest: int, presence: float = 0.0) -> npt.NDArray[np.int16]:
        """Score that each of ``STARS`` asks for, ``(10,)``, in 1 / ``units`` stars, at most ``largest``.

        ``presence`` stars are added to each.
        """
        stars = _STAR_WEIGHT * (STARS - self.mean) + _LIKE_WEIGHT * ((STARS >= LIKED) - self.like_rate) + presence
        targets: npt.NDArray[np.int16] = np.clip(np.rint(stars * units), -largest, largest).astype(np.int16)
        return targets


def agent_targets(model: FilmModel, geometry: Geometry) -> npt.NDArray[np.int16]:
    """Score that each of ``STARS`` asks an agent to learn, ``(10,)``, in score units."""
    presence = PRESENCE if geometry.rule == "sweep" else 0.0
    return model.targets(PRIOR_UNITS << geometry.prior_shift, geometry.target_max, presence)


def rotation(factors: int, code_bits: int, rng: np.random.Generator) -> Floats:
    """Random directions in orthogonal blocks, ``(factors, code_bits)``.

    Orthogonal blocks quantise with less redundancy than independent directions: super-bit locality-sensitive
    hashing, Ji et al. 2012.
    """
    blocks = [np.linalg.qr(rng.standard_normal((factors, factors)))[0] for _ in range(-(-code_bits // factors))]
    return np.hstack(blocks)[:, :code_bits]


def like_line(means: Floats, ratings: Floats, likes: Floats) -> tuple[float, float]:
    """Logistic regression: intercept and slope of the logit of a like over a film's mean rating.

    ``means``, ``ratings``, ``likes`` ``(films,)``: a film's mean rating, and how many ratings and likes it has.
    """
    x = np.stack([np.ones_like(means), means], axis=1)
    weights = np.r_[likes, ratings - likes] / ratings.sum()
    hit = np.repeat([True, False], len(means))
    beta = logistic_regression(np.vstack([x, x]), hit, weights, np.full(2, _RIDGE), np.array([0.0, 1.0]))
    return float(beta[0]), float(beta[1])
