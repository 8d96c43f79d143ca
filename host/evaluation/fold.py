"""Which users are tested, whom is learned from, and how well a method does on those who were held out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from ..errors import RamrecError
from .baselines import Setting
from .method import Method
from .metrics import log_loss, top_ranked, user_auc
from .protocol import STAGES, Case, catalogue_wide, folds, inner_folds
from .tuning import Line

__all__ = ["MARKS", "Fold", "Plan", "make_folds", "measure"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MARKS = ("hits", "liked_hits", "auc", "loss", "ndcg", "recall")
"""What a user gets at each stage: right answers, those among likes, AUC, sum of log-losses, and two of a ranking."""


@dataclass(frozen=True)
class Plan:
    """What a fold needs to know beside its users. All of it decides the outcome.

    Parameters
    ----------
    geometry
        Of the agent ``sweep``; the others follow from it.
    seed
        Of everything that is random but the orders of ratings.
    inner
        Inner folds that settings and thresholds are chosen on, 1 to :data:`~.protocol.FOLDS`.
    like
        One of :data:`~.protocol.LIKES`.
    tuners
        Most users to tune on in an inner fold; None for all.
    """

    geometry: Geometry
    seed: int
    inner: int
    like: str = "4"
    tuners: int | None = None


@dataclass(frozen=True)
class Fold:
    """Users of one fold.

    Parameters
    ----------
    held
        Users to test.
    others
        Users to learn from, and to tune on in turn.
    extra
        Users of further data sets, to learn from only.
    """

    held: tuple[str, ...]
    others: tuple[str, ...]
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        both = set(self.held) & {*self.others, *self.extra}
        if both:
            raise RamrecError(f"a leak: {len(both)} users are tested and learned from, {min(both)} among them")

    def inner(self, plan: Plan) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        """Users to learn from and users to tune on, for each inner fold."""
        parts = inner_folds(self.others, plan.seed)[: plan.inner]
        return [((*learners, *self.extra), tuple(tuners[: plan.tuners])) for learners, tuners in parts]

    @property
    def learners(self) -> tuple[str, ...]:
        """All users to learn from."""
        return (*self.others, *self.extra)


def make_folds(
    dataset: Dataset, seed: int, *, run: int, most: int | None = None, extra: Collection[str] = ()
) -> list[Fold]:
    """The first ``run`` folds, with at most so many tested users in each.

    ``extra`` names users of the data set who are never tested. RamrecError if there are too few of the others.
    """
    parts = folds(dataset, seed, without=extra)
    return [
        Fold(tuple(parts[number][:most]), tuple(sorted(user for part in rest for user in part)), tuple(sorted(extra)))
        for number in range(run)
        for rest in [parts[:number] + parts[number + 1 :]]
    ]


def measure(method: Method, people: Sequence[Case], setting: Setting, line: Line, films: int | None = None) -> Floats:
    """Marks of tested users, ``(marks, users, stages)``; not a number where there is none.

    Parameters
    ----------
    method
        Learned from other users.
    people
        The tested users.
    setting, line
        Chosen on other users.
    films
        Films of the catalogue, if rankings of all of it are to be judged: those a user has not rated before.
    """
    marks = np.full((len(MARKS), len(people), len(STAGES)), np.nan)
    for block in range(0, len(people), _BLOCK):
        some = people[block : block + _BLOCK]
        asked = some if films is None else catalogue_wide(some, films)
        for number, (case, rows) in enumerate(zip(some, method.scores(asked, setting), strict=True), start=block):
            for (place, kept), row in zip(case.stages(), rows, strict=True):
                scores = row if films is None else row[case.tested]
                marks[:4, number, place] = _judged(scores, case.likes, line, kept)
                if films is not None:
                    marks[4:, number, place] = _ranked(row, case)
    return marks


_BLOCK = 64
"""Users whose scores of a whole catalogue are held at once."""


def _judged(scores: Ints, likes: npt.NDArray[np.bool_], line: Line, kept: int) -> list[float]:
    right = (scores >= line.threshold(kept)) == likes
    auc = user_auc(scores, likes)
    loss = log_loss(line.logits(scores, kept), likes).sum()
    return [right.sum(), right[likes].sum(), np.nan if auc is None else auc, loss]


def _ranked(scores: Ints, case: Case) -> tuple[float, float]:
    return top_ranked(scores, case.tested[case.likes], case.films) or (np.nan, np.nan)
