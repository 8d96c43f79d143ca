"""From which score on an agent likes a film: fitted by replaying users whom the encoder has not seen."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from ..sim.golden import Agent, Entry
from .logistic import logistic_regression

__all__ = ["Sample", "fit_lines", "fit_thresholds", "replay"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Sample = tuple[Ints, Ints]
"""One user: films and half-star steps 1 to 10 of the ratings, both ``(ratings,)``."""

_TESTED_ONE_IN = 5
_MOST_TESTED = 50
_RIDGE, _SLOPE_RIDGE = 1e-3, 0.02
_START_SLOPE = 2.0
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


def fit_lines(
    depth: int,
    middle: float,
    unit: float,
    kept: Ints,
    scores: Ints,
    liked: npt.NDArray[np.bool_],
    weights: Floats,
) -> tuple[Floats, Floats]:
    """Intercepts and slopes ``(depth + 1,)`` of the logit of a like over ``(score - middle) / unit``.

    A logistic regression (Platt 1999). Over ``log(1 + kept)``, the intercept is linear between knots at 0, the
    powers of two, and ``depth``, with a ridge on its changes from knot to knot (a P-spline: Eilers & Marx 1996);
    the slope is a line.

    Parameters
    ----------
    depth
        Most ratings that an agent keeps.
    middle, unit
        Score that would do without any observation, and score units of a star.
    kept, scores, liked, weights
        The observations, ``(n,)`` each.
    """
    knots = np.log1p([0, *(1 << i for i in range(depth.bit_length()) if 1 << i < depth), depth])
    score = ((scores - middle) / unit)[:, None]
    spline = _spline(kept, knots)
    x = np.hstack([np.ones_like(score), spline, score, np.log1p(kept)[:, None] / knots[-1] * score])
    changes = spline.shape[1]
    ridge = np.r_[np.full(changes + 2, _RIDGE), _SLOPE_RIDGE]
    start = np.r_[np.zeros(changes + 1), _START_SLOPE, 0.0]
    beta = logistic_regression(x, liked, weights / weights.sum(), ridge, start)
    every = np.arange(depth + 1)
    intercepts = beta[0] + np.einsum("ri,i->r", _spline(every, knots), beta[1:-2])
    return intercepts, np.maximum(beta[-2] + beta[-1] * np.log1p(every) / knots[-1], _LEAST_SLOPE)


def _spline(kept: Ints, knots: Floats) -> Floats:
    """How much of each way from knot to knot lies behind, 0 to 1, ``(n, knots - 1)``."""
    way: Floats = np.clip((np.log1p(kept)[:, None] - knots[:-1]) / np.diff(knots), 0, 1)
    return way


def fit_thresholds(
    depth: int,
    middle: float,
    unit: float,
    kept: Ints,
    scores: Ints,
    liked: npt.NDArray[np.bool_],
    weights: Floats,
) -> npt.NDArray[np.int32]:
    """Thresholds ``(depth + 1,)`` at which a like is as probable as not; the arguments are those of `fit_lines`."""
    intercepts, slopes = fit_lines(depth, middle, unit, kept, scores, liked, weights)
    thresholds: npt.NDArray[np.int32] = np.rint(middle - unit * intercepts / slopes).astype(np.int32)
    return thresholds


def _stages(depth: int) -> list[int]:
    """Numbers of kept ratings to look at: 0, powers of 1.6, and ``depth``."""
    return sorted({0, depth, *(round(1.6**i) for i in range(30) if 1.6**i < depth)})
