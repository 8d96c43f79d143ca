"""From users' marks to accuracies, differences and how sure they are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .methods import REFERENCE
from .metrics import bootstrap_weights, interval
from .protocol import STAGES, stage_name

__all__ = ["summarise"]

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

_COHORT = 50
"""Ratings to learn that users of the constant cohort have at least."""


def summarise(outcomes: Sequence[dict[str, Any]], order: str, seed: int) -> dict[str, list[Row]]:
    """Tables of all folds together, in percent and points.

    Parameters
    ----------
    outcomes
        From :func:`~.fold.run_fold`; no user is in two of them.
    order
        Written into each row.
    seed
        Of the bootstrap.

    Returns
    -------
    tables
        ``results``: accuracy (right answers among all) and AUC (mean over users) per method and stage, over the
        users who reach the stage. ``paired``: the reference less another method, on the same users.
        ``constant_cohort``: accuracies over users who reach 50 ratings, so that stages can be compared.
    """
    tests = np.array([n for outcome in outcomes for n in outcome["tests"]], np.float64)
    support = np.array([n for outcome in outcomes for n in outcome["support"]], np.float64)
    weights = bootstrap_weights(len(tests), seed)
    table = {name: _joined(outcomes, name) for name in outcomes[0]["methods"]}
    cohort = support >= _COHORT
    tables: dict[str, list[Row]] = {"results": [], "paired": [], "constant_cohort": []}
    for place, stage in enumerate(STAGES):
        there = support >= (stage or 0)
        if not there.any():
            continue
        tag = {"order": order, "k": stage_name(stage)}
        for name, marks in table.items():
            tables["results"].append({"method": name} | tag | _row(weights, marks[:, place], tests * there))
            if name != REFERENCE:
                difference = table[REFERENCE][:, place] - marks[:, place]
                tables["paired"].append(
                    {"a": REFERENCE, "b": name} | tag | _difference(weights, difference, tests * there)
                )
            if cohort.any():
                tables["constant_cohort"].append(
                    {"method": name} | tag | _row(weights, np.where(cohort, marks[:, place], np.nan), tests * cohort)
                )
    return tables


def _joined(outcomes: Sequence[dict[str, Any]], name: str) -> Floats:
    """Hits and AUC ``(2, stages, users)``; not a number where there is none."""
    marks = [outcome["methods"][name] for outcome in outcomes]
    hits = [row for mark in marks for row in mark["hits"]]
    aucs = [row for mark in marks for row in mark["auc"]]
    return np.array([hits, aucs], np.float64).transpose(0, 2, 1)


def _row(weights: Floats, marks: Floats, tests: Floats) -> Row:
    """Accuracy and AUC with intervals; ``marks`` ``(2, users)``."""
    names = ("accuracy", "accuracy_low", "accuracy_high")
    row: Row = dict(zip(names, _percent(weights, marks[0], tests), strict=True))
    return row | _auc(weights, marks[1], ("auc", "auc_low", "auc_high")) | {"users": int((tests > 0).sum())}


def _difference(weights: Floats, marks: Floats, tests: Floats) -> Row:
    row: Row = dict(zip(("diff", "low", "high"), _percent(weights, marks[0], tests), strict=True))
    return row | _auc(weights, marks[1], ("auc_diff", "auc_low", "auc_high"))


def _auc(weights: Floats, values: Floats, names: tuple[str, str, str]) -> Row:
    has = np.isfinite(values).astype(np.float64)
    figures = _percent(weights, values, has) if has.any() else (None, None, None)
    return dict(zip(names, figures, strict=True))


def _percent(weights: Floats, values: Floats, sizes: Floats) -> tuple[float, float, float]:
    point, low, high = interval(weights, np.nan_to_num(values), sizes)
    return round(100 * point, 3), round(100 * low, 3), round(100 * high, 3)
