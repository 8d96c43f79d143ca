"""The published comparison's own protocol: stars from a handful of a user's ratings, right if within one star."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from .. import console
from ..dataset import Dataset
from .cache import Arrays, key_of
from .laboratory import Laboratory
from .metrics import bootstrap_weights, figures
from .pool import Crew, Task
from .protocol import STAGES, Case
from .publication_predictors import Ground, predictors
from .sources import source_digest
from .star_bands import NEAR, STEPS

__all__ = ["RATINGS", "drawn", "publication"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Row = dict[str, Any]

RATINGS = (5, 10, 25, 100, 200)
"""Ratings of a user that are drawn; four fifths of them are learned, the others predicted."""

_DRAWS = {5: 8, 10: 8, 25: 4, 100: 2, 200: 2}
"""How often a user's ratings are drawn, so that few predictions per draw are many together."""


class _Split(Case):
    """Ratings learned all at once."""

    def stages(self) -> Iterator[tuple[int, int]]:
        yield len(STAGES) - 1, len(self.films)


def publication(lab: Laboratory, *, seed: int, crew: Crew | None = None) -> list[Row]:
    """Rate all methods by the publication's protocol, on the tested users of a laboratory's folds.

    Of a user with that many ratings 5, 10, 25, 100 or 200 are drawn at random, and of these the first four fifths
    are learned. A rating is a thermometer of ten half-star bits; a prediction is right if no more than two of them
    differ. Films are joined with their own genres. Populations, and bands that turn a score into stars, come from
    the other folds; settings of baselines are those that tuning mostly chooses for likes.

    Returns
    -------
    rows
        ``method, ratings, users, predictions``, ``correct`` with its interval ``low, high`` (percent, mean over users
        as in the publication), and ``diff, diff_low, diff_high``: points above the constant, paired.
        Methods are ``constant`` (four stars), ``prior``, ``prior+bias``, ``item-knn``, ``mf``, ``sweep``,
        ``counting``, ``nearest`` (the published neuron on the published 26 bits) and, if PyTorch is installed,
        ``mlp-published`` (as published: 25 steps) and ``mlp`` (until it is best on the population's users).
    """
    worker = _Worker(lab)
    tasks: list[Task] = [("judge", fold) for fold in range(len(lab.folds)) if worker.judged(fold) is None]
    with console.progress("the publication's protocol", len(tasks), unit="folds") as bar:
        (crew or Crew()).work(worker, [tasks], done=lambda _: bar.advance())
    parts = [worker.judged(fold) or {} for fold in range(len(lab.folds))]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    weights = bootstrap_weights(len(next(iter(joined.values()))), seed)
    return [
        _row(name.partition(" ")[2], ratings, right, joined[f"{ratings} constant"], weights)
        for ratings in RATINGS
        for name, right in joined.items()
        if name.startswith(f"{ratings} ") and np.isfinite(right).any()
    ]


class _Worker:
    """Fills one fold at a time, in any process."""

    def __init__(self, lab: Laboratory) -> None:
        self._lab = lab

    def judged(self, fold: int) -> Arrays | None:
        """By ``"ratings method"``, how many of a user's predictions are right, ``(users,)``; None if not yet known."""
        return self._lab.shelf.arrays(self._key(fold))

    def judge(self, fold: int) -> None:
        """Do one fold, and keep it."""
        lab = self._lab
        parts = lab.folds[fold].inner(lab.plan)
        seed = lab.plan.seed
        ground = Ground(
            lab.population(fold, None),
            [lab.population(fold, number) for number in range(len(parts))],
            [{ratings: drawn(lab.dataset, tuners, ratings, seed) for ratings in RATINGS} for _, tuners in parts],
        )
        held = lab.folds[fold].held
        right: dict[str, Floats] = {}
        for ratings in RATINGS:
            people = drawn(lab.dataset, held, ratings, seed)
            for name, predict in predictors(ground, ratings, lab.plan.geometry).items():
                right[f"{ratings} {name}"] = _shares(held, people, predict(people) if people else [])
        lab.shelf.keep_arrays(self._key(fold), right)

    def _key(self, fold: int) -> str:
        lab, users = self._lab, self._lab.folds[fold]
        sources = source_digest(__name__), find_spec("torch") is not None
        where = lab.dataset.digest, users.held, users.learners, lab.plan.inner, lab.plan.tuners
        return key_of("publication", sources, where, lab.plan.geometry.agent, lab.plan.seed)


def drawn(dataset: Dataset, users: Sequence[str], ratings: int, seed: int) -> list[Case]:
    """Draws of ``ratings`` ratings each from those users who have as many, divided in the order drawn."""
    table = dataset.ratings.filter(pl.col("user").is_in(sorted(users))).sort("user", "film")
    learned = ratings * 4 // 5
    result: list[Case] = []
    for (user,), mine in sorted(table.partition_by("user", as_dict=True).items()):
        if mine.height < ratings:
            continue
        films = mine["film"].to_numpy().astype(np.int64)
        steps = np.rint(mine["rating"].to_numpy() * 2).clip(1, STEPS).astype(np.int64)
        rng = np.random.default_rng([seed, 50, ratings, crc32(str(user).encode())])
        for _ in range(_DRAWS[ratings]):
            at = rng.permutation(len(films))[:ratings]
            f, s = films[at], steps[at]
            result.append(_Split(str(user), f[:learned], s[:learned], f[learned:], s[learned:]))
    return result


def _shares(users: Sequence[str], people: Sequence[Case], said: Sequence[Ints]) -> Floats:
    """How many of each user's predictions are right; not a number for those who have too few ratings."""
    place = {user: at for at, user in enumerate(sorted(users))}
    hits, tests = np.zeros(len(users)), np.zeros(len(users))
    for case, steps in zip(people, said, strict=True):
        hits[place[case.user]] += (np.abs(steps - case.answers) <= NEAR).sum()
        tests[place[case.user]] += len(steps)
    return np.divide(hits, tests, out=np.full(len(users), np.nan), where=tests > 0)


def _row(name: str, ratings: int, right: Floats, constant: Floats, weights: Floats) -> Row:
    there = np.isfinite(right).astype(np.float64)
    tests = (ratings - ratings * 4 // 5) * _DRAWS[ratings]
    row: Row = {"method": name, "ratings": ratings, "users": int(there.sum())}
    row["predictions"] = row["users"] * tests
    row |= figures(("correct", "low", "high"), weights, np.nan_to_num(right), there)
    return row | figures(("diff", "diff_low", "diff_high"), weights, np.nan_to_num(right - constant), there)
