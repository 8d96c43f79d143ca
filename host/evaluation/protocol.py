"""Who is tested, on which ratings, after how many others."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from zlib import crc32

import numpy as np
import numpy.typing as npt
import polars as pl

from ..dataset import Dataset
from ..errors import RamrecError

__all__ = [
    "FOLDS",
    "LIKES",
    "ORDERS",
    "STAGES",
    "Case",
    "Whole",
    "cases",
    "catalogue_wide",
    "events",
    "folds",
    "inner_folds",
    "stage_name",
]

Ints = npt.NDArray[np.int64]

STAGES: tuple[int | None, ...] = (0, 1, 2, 5, 10, 20, 50, None)
"""Ratings an agent has seen when it is tested; None for all that a user has beside the tested ones."""

FOLDS = 5
"""Parts that the users are divided into; each is tested with all that is learned from the others."""

ORDERS = ("random", "time")
"""Of a user's ratings: shuffled, or as they were given."""

LIKES = ("4", "3.5", "mean")
"""What counts as a like: that many stars or more, or the mean of the user's ratings or more."""

_MOST_TESTED = 20


@dataclass(frozen=True)
class Case:
    """One user: ratings in the order given, as rows of films and half-star steps 1 to 10.

    Parameters
    ----------
    user
        Name in the data set.
    films, steps
        ``(support,)``: what may be learned, oldest first.
    tested, answers
        ``(tests,)``: what is predicted, the same at every stage.
    bar
        Half-star steps from which a rating is a like.
    """

    user: str
    films: Ints
    steps: Ints
    tested: Ints
    answers: Ints
    bar: float = 8.0

    @property
    def likes(self) -> npt.NDArray[np.bool_]:
        """Which of the answers are likes."""
        return self.answers >= self.bar

    def support(self, stage: int | None) -> tuple[Ints, Ints]:
        """Films and steps of the last ``stage`` ratings before the tested ones; fewer if there are not as many."""
        first = 0 if stage is None else max(len(self.films) - stage, 0)
        return self.films[first:], self.steps[first:]

    def reaches(self, stage: int | None) -> bool:
        """Whether the user has as many ratings to learn."""
        return stage is None or stage <= len(self.films)

    def stages(self) -> Iterator[tuple[int, int]]:
        """Place in `STAGES` and number of ratings, for each stage that the user reaches."""
        for place, stage in enumerate(STAGES):
            if self.reaches(stage):
                yield place, len(self.films) if stage is None else stage


def stage_name(stage: int | None) -> int | str:
    """How a stage is called in results: a number, or ``"all"``."""
    return "all" if stage is None else stage


def folds(dataset: Dataset, seed: int, *, without: Collection[str] = ()) -> list[list[str]]:
    """Users with two ratings or more in `FOLDS` random parts of equal size; some users may be left out.

    Raises
    ------
    RamrecError
        If there are too few of them to divide, and to divide each four parts again.
    """
    counts = dataset.ratings.group_by("user").len().sort("user")
    left_out = set(without)
    users = [user for user in counts.filter(pl.col("len") >= 2)["user"] if user not in left_out]
    if len(users) < 4 * FOLDS:
        raise RamrecError(f"an evaluation needs {4 * FOLDS} users or more, {dataset.name} has {len(users)}")
    return _parts(users, np.random.default_rng([seed, 10]))


def inner_folds(users: Sequence[str], seed: int) -> list[tuple[list[str], list[str]]]:
    """The users of a population divided in `FOLDS` ways into those to learn from and those to tune on."""
    parts = _parts(users, np.random.default_rng([seed, 11]))
    return [(sorted(set(users).difference(part)), part) for part in parts]


def _parts(users: Sequence[str], rng: np.random.Generator) -> list[list[str]]:
    order = rng.permutation(len(users))
    return [[users[at] for at in order[part::FOLDS]] for part in range(FOLDS)]


def cases(dataset: Dataset, users: Collection[str], *, order: str, seed: int, like: str = "4") -> list[Case]:
    """Divide each user's ratings: the last ``min(20, n // 2)`` of them are tested.

    A user's random order depends on the user's name and the seed, not on other users. People with a single
    rating are left out.
    """
    result = []
    for user, films, steps, _ in _histories(dataset, users):
        bar = _bar(steps, like)
        if order == "random":
            shuffled = np.random.default_rng([seed, 12, crc32(user.encode())]).permutation(len(films))
            films, steps = films[shuffled], steps[shuffled]
        tests = min(_MOST_TESTED, len(films) // 2)
        if tests:
            result.append(Case(user, films[:-tests], steps[:-tests], films[-tests:], steps[-tests:], bar))
    return result


def catalogue_wide(people: Sequence[Case], films: int) -> list[Case]:
    """The same users, asked for the scores of all films, and without the answers."""
    everything, unknown = np.arange(films), np.zeros(films, np.int64)
    return [Case(case.user, case.films, case.steps, everything, unknown, case.bar) for case in people]


class Whole(Case):
    """Asked once, after all ratings: the stage "all" alone."""

    def stages(self) -> Iterator[tuple[int, int]]:
        yield len(STAGES) - 1, len(self.films)


def events(dataset: Dataset, users: Collection[str], *, like: str = "4") -> list[Case]:
    """Every rating of these users, in the order of time, as a case that has all earlier ones of the user to learn."""
    found: list[tuple[int, Case]] = []
    for user, films, steps, rows in _histories(dataset, users):
        bar = _bar(steps, like)
        for at, row in enumerate(rows.tolist()):
            one = slice(at, at + 1)
            found.append((row, Whole(user, films[:at], steps[:at], films[one], steps[one], bar)))
    return [case for _, case in sorted(found, key=itemgetter(0))]


def _histories(dataset: Dataset, users: Collection[str]) -> Iterator[tuple[str, Ints, Ints, Ints]]:
    """Users by name, with films and steps in the order they were rated, and rows of the ratings in the data set."""
    mine = pl.col("user").is_in(sorted(users))
    ratings = dataset.ratings.with_row_index("row").filter(mine).sort("user", "time", "film")
    for (user,), own in sorted(ratings.partition_by("user", as_dict=True).items()):
        steps = np.rint(own["rating"].to_numpy() * 2).clip(1, 10).astype(np.int64)
        yield str(user), own["film"].to_numpy().astype(np.int64), steps, own["row"].to_numpy().astype(np.int64)


def _bar(steps: Ints, like: str) -> float:
    return float(steps.mean()) if like == "mean" else 2 * float(like)
