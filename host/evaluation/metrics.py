"""How good predictions are, and how sure that is."""

import numpy as np
import numpy.typing as npt

__all__ = ["RANKED", "bootstrap_weights", "figures", "interval", "log_loss", "pooled_auc", "top_ranked", "user_auc"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RANKED = 10
"""Length of the rankings that are judged."""

_RESAMPLES = 2000
_TAILS = (2.5, 97.5)
_LARGEST_LOGIT = 30.0


def user_auc(scores: Ints, liked: Bools) -> float | None:
    """Probability that a liked film scores above one that is not; a tie counts half. None if there is no pair."""
    for_it, against = scores[liked], np.sort(scores[~liked])
    pairs = len(for_it) * len(against)
    if not pairs:
        return None
    below, not_above = (np.searchsorted(against, for_it, side).sum() for side in ("left", "right"))
    return float(below + not_above) / 2 / pairs


def pooled_auc(scores: Ints, liked: Bools) -> float:
    """The same over the ratings of all users together; 0.5 if there is no pair."""
    auc = user_auc(scores, liked)
    return 0.5 if auc is None else auc


def log_loss(logits: Floats, liked: Bools) -> Floats:
    """Minus the logarithm of the probability that was given to what came true, in nats, elementwise."""
    towards = np.clip(np.where(liked, logits, -logits), -_LARGEST_LOGIT, _LARGEST_LOGIT)
    loss: Floats = np.log1p(np.exp(-towards))
    return loss


def top_ranked(scores: Ints, relevant: Ints, excluded: Ints) -> tuple[float, float] | None:
    """NDCG and recall of the `RANKED` best films; None if no film is relevant.

    The gain of a relevant film is one (Jarvelin & Kekalainen 2002). Recall is taken of as many films as could be
    found (Liang et al. 2018). The lower film number wins a tie, as in :func:`ramrec.sim.golden.top_k`.

    Parameters
    ----------
    scores
        Of all films, ``(films,)``.
    relevant, excluded
        Numbers of the films that should be found, and of those that are not ranked.
    """
    if not len(relevant):
        return None
    allowed = np.ones(len(scores), bool)
    allowed[excluded] = False
    items = np.flatnonzero(allowed)
    if len(items) > RANKED:
        least = np.partition(scores[items], len(items) - RANKED)[len(items) - RANKED]
        items = items[scores[items] >= least]
    best = items[np.lexsort((items, -scores[items]))][:RANKED]
    discounts = 1 / np.log2(np.arange(2, RANKED + 2))
    found, possible = np.isin(best, relevant), min(len(relevant), RANKED)
    return float(discounts[: len(best)][found].sum() / discounts[:possible].sum()), float(found.sum() / possible)


def bootstrap_weights(users: int, seed: int) -> Floats:
    """How often each user is drawn in each resample, ``(resamples, users)`` (Efron 1979)."""
    rng = np.random.default_rng([seed, 20])
    return rng.multinomial(users, np.full(users, 1 / users), size=_RESAMPLES).astype(np.float64)


def figures(
    names: tuple[str, str, str], weights: Floats, values: Floats, sizes: Floats, *, percent: bool = True
) -> dict[str, float | None]:
    """A figure and its interval, see :func:`interval`, rounded for a table; None where nobody counts."""
    if not np.atleast_2d(sizes).sum(axis=1).all():
        return dict.fromkeys(names)
    scale, digits = (100, 3) if percent else (1, 5)
    found = interval(weights, values, sizes)
    return {name: round(scale * figure, digits) for name, figure in zip(names, found, strict=True)}


def interval(weights: Floats, values: Floats, sizes: Floats) -> tuple[float, float, float]:
    """Ratio of sums over users, and a 95 % percentile interval of it.

    Parameters
    ----------
    weights
        From :func:`bootstrap_weights`; the same weights for two methods make their difference a paired one.
    values, sizes
        ``(users,)``: for an accuracy hits and tests, for a mean over users values and ones, for a difference
        the difference of the values. A user who does not count has size 0 and value 0. Or ``(parts, users)``:
        the mean of the parts' ratios.
    """
    values, sizes = np.atleast_2d(values), np.atleast_2d(sizes)
    drawn = weights @ sizes.T
    use = (drawn > 0).all(axis=1)
    ratios = ((weights @ values.T)[use] / drawn[use]).mean(axis=1)
    low, high = np.percentile(ratios, _TAILS)
    return float((values.sum(axis=1) / sizes.sum(axis=1)).mean()), float(low), float(high)
