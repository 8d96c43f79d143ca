"""Has a user's taste changed? Then the host lets the agent forget what came before."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from .catalogue import Catalogue
from .evaluation.batched import score_many
from .journal import Rating

__all__ = ["newest_to_keep", "without_outdated"]

Ints = npt.NDArray[np.int64]

_NEWEST = (6, 8, 10, 13, 16, 20, 25, 32, 40)
"""Numbers of newest ratings that are held against all older ones."""
_LEAST_OLDER = 20
_SURE = 1.75
"""How many standard errors the older ratings must do harm before they go."""


def newest_to_keep(
    geometry: Geometry,
    codes: npt.NDArray[np.uint8],
    priors: npt.NDArray[np.int8],
    memories: Sequence[tuple[Ints, Ints]],
) -> list[int]:
    """How many of an agent's newest ratings still hold.

    An agent of the older ratings predicts the newer ones. Where its squared errors are larger than those of the
    prior alone, by :data:`_SURE` standard errors of the difference, the older ratings mislead; of several places
    to cut the one with the largest sum of differences is taken (a two-window test for concept drift in the manner
    of Bifet & Gavalda 2007). A pure function of the list, like the agent itself.

    Parameters
    ----------
    geometry, codes, priors
        The agents and the catalogue.
    memories
        Films that an agent keeps, oldest first, and their ``e = target - prior``.

    Returns
    -------
    newest
        For each memory how many of the newest ratings to keep; all of them where nothing has changed.
    """
    units = priors.astype(np.int64) << geometry.prior_shift
    places = [
        (number, newest)
        for number, (films, _) in enumerate(memories)
        for newest in _NEWEST
        if len(films) - newest >= _LEAST_OLDER
    ]
    jobs = [(memories[at][0][:-newest], memories[at][1][:-newest], memories[at][0][-newest:]) for at, newest in places]
    keep = [len(films) for films, _ in memories]
    worst = [0.0] * len(memories)
    for (number, newest), (_, _, films), scores in zip(
        places, jobs, score_many(geometry, codes, priors, jobs), strict=True
    ):
        e = memories[number][1][-newest:].astype(np.float64)
        harm = np.square(e - (scores - units[films])) - np.square(e)
        error = float(harm.std(ddof=1)) / newest**0.5
        if harm.mean() > _SURE * error and harm.sum() > worst[number]:
            keep[number], worst[number] = newest, float(harm.sum())
    return keep


def without_outdated(catalogue: Catalogue, geometry: Geometry, ratings: Sequence[Rating]) -> list[Rating]:
    """The newest of a user's ratings, oldest first: all, or those since the taste changed.

    Only what an agent of this geometry would keep is looked at; where that is all that holds, older ratings stay too.
    """
    lasting = ratings[-geometry.memory_depth :]
    films = np.array([catalogue.item(rating.film) for rating in lasting], np.int64)
    targets = np.array([catalogue.target(rating.stars) for rating in lasting], np.int64)
    e = targets - (catalogue.priors[films].astype(np.int64) << geometry.prior_shift)
    (keep,) = newest_to_keep(geometry, catalogue.codes, catalogue.priors, [(films, e)])
    return list(ratings if keep == len(lasting) else ratings[-keep:])
