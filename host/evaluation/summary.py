"""From users' marks to accuracies, differences and how sure they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .fold import MARKS
from .metrics import bootstrap_weights, figures
from .protocol import STAGES, stage_name

__all__ = ["Marked", "Row", "comparison", "difference", "summarise"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

_COHORT = 50
"""Ratings to learn that users of the constant cohort have at least."""

_MEASURES = ("accuracy", "macro", "balanced", "auc", "log_loss", "ndcg", "recall")
_NATS = "log_loss"


@dataclass(frozen=True)
class Marked:
    """A method's marks in one order of ratings.

    Parameters
    ----------
    marks
        ``(seeds, marks, users, stages)``, see :data:`~.fold.MARKS`.
    likes
        ``(seeds, users)``: likes among the answers.
    """

    marks: Floats
    likes: Floats

    @property
    def seeds(self) -> int:
        return len(self.marks)

    def first(self, seeds: int) -> "Marked":
        """The same, as if there were so many seeds."""
        return Marked(self.marks[:seeds], self.likes[:seeds])


def summarise(
    order: str, methods: Mapping[str, Marked], tests: Floats, support: Floats, *, reference: str, seed: int
) -> dict[str, list[Row]]:
    """Tables of all folds together, in percent and points; log-losses in nats.

    A user's marks are means over seeds; intervals come from resampling users. Accuracy, balanced accuracy and
    log-loss count predictions, the others users.

    Parameters
    ----------
    order
        Written into each row.
    methods
        Marks by name; all have the same users, and the same first seeds.
    tests, support
        ``(users,)``: predictions per stage, and ratings to learn.
    reference
        Method that the others are compared with.
    seed
        Of the bootstrap.

    Returns
    -------
    tables
        ``results``, ``paired``, ``constant_cohort`` and ``cohort_steps`` of :func:`~.evaluate.evaluate`.
    """
    weights = bootstrap_weights(len(tests), seed)
    cohort = support >= _COHORT
    tables: dict[str, list[Row]] = {"results": [], "paired": [], "constant_cohort": [], "cohort_steps": []}
    for place, stage in enumerate(STAGES):
        there = support >= (stage or 0)
        if not there.any():
            continue
        tag: Row = {"order": order, "k": stage_name(stage)}
        for name, marked in methods.items():
            tables["results"].append(_row(name, tag, weights, marked, tests, there, place))
            if cohort.any():
                tables["constant_cohort"].append(_row(name, tag, weights, marked, tests, cohort, place))
                if place:
                    tables["cohort_steps"].append(_step(name, tag, weights, marked, tests, cohort, place))
            if name != reference:
                tables["paired"].append(
                    {"a": reference, "b": name}
                    | tag
                    | comparison(weights, methods[reference], marked, tests, there, place)
                )
    return tables


def difference(weights: Floats, a: Marked, b: Marked, tests: Floats, there: Bools, place: int) -> Row:
    """Accuracy of ``a`` less that of ``b`` at a stage, on the same users: ``diff, low, high``."""
    (mine, sizes), (theirs, _) = (_parts(marked, "accuracy", tests, there, place) for marked in (a, b))
    return figures(("diff", "low", "high"), weights, mine - theirs, sizes)


def _row(name: str, tag: Row, weights: Floats, marked: Marked, tests: Floats, there: Bools, place: int) -> Row:
    row: Row = {"method": name} | tag | {"users": int(there.sum()), "seeds": marked.seeds}
    for measure in _MEASURES:
        names = (measure, f"{measure}_low", f"{measure}_high")
        row |= figures(names, weights, *_parts(marked, measure, tests, there, place), percent=measure != _NATS)
    return row


def comparison(weights: Floats, a: Marked, b: Marked, tests: Floats, there: Bools, place: int) -> Row:
    """``a`` less ``b`` at a stage, in all measures: columns of a row ``paired`` of :func:`~.evaluate.evaluate`."""
    seeds = min(a.seeds, b.seeds)
    row: Row = {"users": int(there.sum()), "seeds": seeds}
    for measure in _MEASURES:
        names = (f"{measure}_diff", f"{measure}_low", f"{measure}_high")
        (mine, size), (theirs, other) = (_parts(m.first(seeds), measure, tests, there, place) for m in (a, b))
        both = (size > 0) & (other > 0)
        row |= figures(
            ("diff", "low", "high") if measure == "accuracy" else names,
            weights,
            np.where(both, mine - theirs, 0),
            size * both,
            percent=measure != _NATS,
        )
    return row


def _step(name: str, tag: Row, weights: Floats, marked: Marked, tests: Floats, there: Bools, place: int) -> Row:
    """Accuracy at a stage less that at the one before."""
    (now, sizes), (before, _) = (_parts(marked, "accuracy", tests, there, at) for at in (place, place - 1))
    after = {"after": stage_name(STAGES[place - 1])}
    return {"method": name} | tag | after | figures(("diff", "low", "high"), weights, now - before, sizes)


def _parts(marked: Marked, measure: str, tests: Floats, there: Bools, place: int) -> tuple[Floats, Floats]:
    """Values and sizes, ``(users,)`` or ``(parts, users)``, of a measure; zero where a user does not count."""
    marks = dict(zip(MARKS, marked.marks[..., place].swapaxes(0, 1), strict=True))
    ones = np.ones_like(tests)
    if measure in ("accuracy", "macro", "log_loss"):
        total = marks["loss" if measure == "log_loss" else "hits"].mean(axis=0)
        values, sizes = (total / tests, ones) if measure == "macro" else (total, tests)
    elif measure == "balanced":
        liked = marked.likes.mean(axis=0)
        right = marks["liked_hits"].mean(axis=0)
        values, sizes = np.stack([right, marks["hits"].mean(axis=0) - right]), np.stack([liked, tests - liked])
    else:
        defined = np.isfinite(marks[measure])
        values = np.nansum(marks[measure], axis=0) / np.maximum(defined.sum(axis=0), 1)
        sizes = defined.any(axis=0).astype(np.float64)
    return np.where(there & (sizes > 0), values, 0), sizes * there
