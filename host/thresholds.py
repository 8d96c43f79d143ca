"""From which score on an agent likes a film: fitted by replaying users whom the encoder has not seen."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..sim.golden import Agent, Entry
from .logistic import logistic_regression

__all__ = ["Sample", "fit_thresholds", "replay"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sample = tuple[Ints, Ints]
"""One user: films and half-star steps 1 to 10 of the ratings, both ``(ratings,)``."""

_TESTED_ONE_IN = 5
_MOST_TESTED = 50
_RIDGE = np.array([1e-3, 0.02, 0.02, 1e-3, 0.02])
_START = np.array([0.0, 0.0, 0.0, 2.0, 0.0])
_LEAST_SLOPE = 0.1


def replay(
    geometry: Geometry,
    codes: npt.NDArray[np.uint8],
    priors: npt.NDArray[np.int8],
    targets: npt.NDArray[np.int16],
    users: Sequence[Sample],
    rng: np.random.Generator,
    advance: Callable[[], None],
) -> tuple[Ints, Ints, Ints, Floats]:
    """Let agents learn users' ratings in random order and score a fifth of them that they never see.

    Returns
    -------
    kept, scores, steps, weights
        ``(n,)`` each: ratings kept, score of a film, the user's rating of it in half stars, and the weight
        that makes users equal at each number of kept ratings.
    """
    units = priors.astype(np.int64) << geometry.prior_shift
    columns: list[tuple[Ints, Ints, Ints, Floats]] = []
    for films, steps in users:
        order = rng.permutation(len(films))
        held, learned = np.split(order, [min(-(-len(films) // _TESTED_ONE_IN), _MOST_TESTED)])
        e = targets[steps - 1] - units[films]
        learned = learned[: geometry.memory_depth]
        entries = [Entry(int(films[j]), codes[films[j]].tobytes(), int(e[j])) for j in learned]
        for k in (stage for stage in _stages(geometry.memory_depth) if stage <= len(entries)):
            said = Agent(geometry, entries[:k]).scores(codes[films[held]], priors[films[held]].tolist())
            n = len(held)
            columns.append((np.full(n, k), said, steps[held], np.full(n, 1 / n)))
        advance()
    kept, scores, rated, weights = zip(*columns, strict=True)
    return np.concatenate(kept), np.concatenate(scores), np.concatenate(rated), np.concatenate(weights)


def fit_thresholds(
    depth: int,
    middle: float,
    unit: float,
    kept: Ints,
    scores: Ints,
    liked: npt.NDArray[np.bool_],
    weights: Floats,
) -> npt.NDArray[np.int32]:
    """Thresholds ``(depth + 1,)`` at which a like is as probable as not, smooth in the kept ratings.

    A logistic regression of ``liked`` on the score, whose intercept and slope are polynomials in
    ``log(1 + kept)``, with a ridge.

    Parameters
    ----------
    depth
        Most ratings that an agent keeps.
    middle, unit
        Score that would do without any observation, and score units of a star.
    kept, scores, liked, weights
        The observations, ``(n,)`` each.
    """
    t = np.log1p(kept) / np.log1p(depth)
    score = (scores - middle) / unit
    x = np.stack([np.ones_like(t), t, t**2, score, t * score], axis=1)
    beta = logistic_regression(x, liked, weights / weights.sum(), _RIDGE, _START)
    t = np.log1p(np.arange(depth + 1)) / np.log1p(depth)
    intercept = beta[0] + beta[1] * t + beta[2] * t**2
    slope = np.maximum(beta[3] + beta[4] * t, _LEAST_SLOPE)
    thresholds: npt.NDArray[np.int32] = np.rint(middle - unit * intercept / slope).astype(np.int32)
    return thresholds


def _stages(depth: int) -> list[int]:
    """Numbers of kept ratings to look at: 0, powers of 1.6, and ``depth``."""
    return sorted({0, depth, *(round(1.6**i) for i in range(30) if 1.6**i < depth)})
