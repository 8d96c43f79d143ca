"""Who teaches the encoder and who is new to it."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .dataset import Dataset
from .errors import RamrecError

__all__ = ["LEAST_HELD", "LEAST_LEARNED", "Person", "split"]

LEAST_LEARNED = 20
LEAST_HELD = 10
_MOST_HELD = 40
_HELD_ONE_IN = 5
_NEW_ONE_IN = 4
"""At most this part of all users is new: the encoder needs the others."""


@dataclass(frozen=True)
class Person:
    """A user whom the encoder has never seen. Ratings are (row of the film, stars)."""

    name: str
    learned: tuple[tuple[int, float], ...]
    held: tuple[tuple[int, float], ...]


def split(dataset: Dataset, *, users: int, depth: int, seed: int) -> tuple[list[str], list[Person]]:
    """Divide users into a population and people who are new, and the latter's ratings into two parts.

    A person's ratings are shuffled; the last fifth, 10 to 40 of them, is held back.

    Parameters
    ----------
    dataset
        Ratings.
    users
        How many people; fewer if the data set has not four times as many users.
    depth
        Ratings that an agent keeps. A person learns no more than these, or 20; others are not used.
    seed
        Of the choice of people and of the order of their ratings.

    Returns
    -------
    population, people
        Names of users, and people with at least 20 ratings to learn and 10 held back, in random order.

    Raises
    ------
    RamrecError
        If nobody has that many ratings, or there is no population beside them.
    """
    rng = np.random.default_rng(seed)
    counts = dataset.ratings.group_by("user").len().sort("user")
    everybody = counts["user"].to_list()
    able = counts.filter(pl.col("len") >= LEAST_LEARNED + LEAST_HELD)["user"].to_list()
    number = min(users, len(able), len(everybody) // _NEW_ONE_IN)
    if number < 1:
        raise RamrecError(
            f"{dataset.name} is too small for this: it needs at least {_NEW_ONE_IN} users, "
            f"one of them with {LEAST_LEARNED + LEAST_HELD} ratings"
        )
    chosen = [able[at] for at in rng.permutation(len(able))[:number]]
    theirs = dataset.ratings.filter(pl.col("user").is_in(chosen)).sort("user", "film")
    parts = theirs.partition_by("user", as_dict=True)
    people = [_person(name, parts[(name,)], max(depth, LEAST_LEARNED), rng) for name in chosen]
    return sorted(set(everybody) - set(chosen)), people


def _person(name: str, ratings: pl.DataFrame, most: int, rng: np.random.Generator) -> Person:
    shuffled = ratings[rng.permutation(ratings.height)]
    pairs = list(zip(shuffled["film"].to_list(), shuffled["rating"].to_list(), strict=True))
    held = min(max(LEAST_HELD, len(pairs) // _HELD_ONE_IN), _MOST_HELD)
    return Person(name, tuple(pairs[: len(pairs) - held][:most]), tuple(pairs[-held:]))
