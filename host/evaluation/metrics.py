"""How good predictions are, and how sure that is."""

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

__all__ = ["bootstrap_weights", "interval", "pooled_auc", "user_auc"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_RESAMPLES = 2000
_TAILS = (2.5, 97.5)


def user_auc(scores: npt.NDArray[np.int64], liked: Bools) -> float | None:
    """Probability that a liked film scores above one that is not; a tie counts half. None if there is no pair."""
    for_it, against = scores[liked], scores[~liked]
    if not len(for_it) or not len(against):
        return None
    difference = for_it[:, None] - against[None, :]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def pooled_auc(scores: npt.NDArray[np.int64], liked: Bools) -> float:
    """The same over the ratings of all users together; 0.5 if there is no pair. By ranks: Mann & Whitney 1947."""
    hits = int(liked.sum())
    pairs = hits * (len(liked) - hits)
    if not pairs:
        return 0.5
    return float(rankdata(scores)[liked].sum() - hits * (hits + 1) / 2) / pairs


def bootstrap_weights(users: int, seed: int) -> Floats:
    """How often each user is drawn in each resample, ``(resamples, users)`` (Efron 1979)."""
    rng = np.random.default_rng([seed, 20])
    return rng.multinomial(users, np.full(users, 1 / users), size=_RESAMPLES).astype(np.float64)


def interval(weights: Floats, values: Floats, sizes: Floats) -> tuple[float, float, float]:
    """Ratio of sums over users, and a 95 % percentile interval of it.

    Parameters
    ----------
    weights
        From :func:`bootstrap_weights`; the same weights for two methods make their difference a paired one.
    values, sizes
        ``(users,)``: for an accuracy hits and tests, for a mean over users values and ones, for a difference
        the difference of the values. A user who does not count has size 0 and value 0.
    """
    drawn = weights @ sizes
    ratios = (weights @ values)[drawn > 0] / drawn[drawn > 0]
    low, high = np.percentile(ratios, _TAILS)
    return float(values.sum() / sizes.sum()), float(low), float(high)
