"""Predict, then learn: every rating of the tested users, in the order of time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .baselines import Setting
from .cache import Arrays
from .method import Method
from .metrics import bootstrap_weights, figures, log_loss, user_auc
from .protocol import Case
from .tuning import Line

__all__ = ["FOLLOWED", "follow", "prequential"]

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]

FOLLOWED = ("sweep", "counting", "prior+bias")
"""Methods that are followed, beside those that learn online only."""

_AFTER = {"0": (0, 1), "1-4": (1, 5), "5-9": (5, 10), "10-19": (10, 20), "20-49": (20, 50), "50-99": (50, 100)}
_AFTER |= {"100+": (100, 1 << 62), "any": (0, 1 << 62)}


def follow(method: Method, cases: Sequence[Case], setting: Setting, line: Line) -> Arrays:
    """What a method predicts for events, and how well.

    Returns ``users``, ``kept``, ``scores``, ``likes``, ``hits`` and ``loss``, ``(events,)`` each; users are numbered
    by their names.
    """
    names = {user: number for number, user in enumerate(sorted({case.user for case in cases}))}
    kept = np.array([len(case.films) for case in cases])
    scores = np.array([int(rows[0, 0]) for rows in method.scores(cases, setting)])
    likes = np.array([bool(case.likes[0]) for case in cases])
    said = np.array([score >= line.threshold(k) for score, k in zip(scores.tolist(), kept.tolist(), strict=True)])
    logits = np.array([float(line.logits(score, k)) for score, k in zip(scores, kept.tolist(), strict=True)])
    return {
        "users": np.array([names[case.user] for case in cases]),
        "kept": kept,
        "scores": scores,
        "likes": likes,
        "hits": said == likes,
        "loss": log_loss(logits, likes),
    }


def prequential(followed: Mapping[str, Sequence[Arrays]], *, reference: str, seed: int) -> dict[str, list[Row]]:
    """Tables ``prequential`` and ``prequential_paired`` of :func:`~.evaluate.evaluate`.

    Parameters
    ----------
    followed
        By method, what :func:`follow` returned for each fold.
    reference
        Method that the others are compared with.
    seed
        Of the bootstrap.
    """
    counts = [int(fold["users"].max()) + 1 for fold in followed[reference]]
    starts = np.cumsum([0, *counts[:-1]])
    weights = bootstrap_weights(sum(counts), seed)
    tables: dict[str, list[Row]] = {"prequential": [], "prequential_paired": []}
    joined = {name: _joined(parts, starts) for name, parts in followed.items()}
    for after, (first, end) in _AFTER.items():
        sums = {name: _sums(events, sum(counts), first, end) for name, events in joined.items()}
        if not sums[reference]["ratings"].any():
            continue
        for name, own in sums.items():
            row: Row = {"method": name, "after": after, "predictions": int(own["ratings"].sum())}
            row["users"] = int((own["ratings"] > 0).sum())
            tables["prequential"].append(row | _row(weights, own))
            if name != reference:
                less, ratings = sums[reference]["hits"] - own["hits"], own["ratings"]
                compared = figures(("diff", "low", "high"), weights, less, ratings)
                tables["prequential_paired"].append({"a": reference, "b": name, "after": after} | compared)
    return tables


def _joined(parts: Sequence[Arrays], starts: Floats) -> Arrays:
    shifted = [part | {"users": part["users"] + start} for part, start in zip(parts, starts, strict=True)]
    return {name: np.concatenate([part[name] for part in shifted]) for name in parts[0]}


def _sums(events: Arrays, users: int, first: int, end: int) -> dict[str, Floats]:
    """Per user: ratings, likes, right answers, those among likes, loss, and AUC, not a number if undefined."""
    at = (events["kept"] >= first) & (events["kept"] < end)
    who, likes, hits = events["users"][at], events["likes"][at] > 0, events["hits"][at] > 0
    auc = np.full(users, np.nan)
    order = np.argsort(who, kind="stable")
    bounds = np.searchsorted(who[order], np.arange(users + 1))
    for user in range(users):
        mine = order[bounds[user] : bounds[user + 1]]
        found = user_auc(events["scores"][at][mine], likes[mine]) if len(mine) else None
        auc[user] = np.nan if found is None else found
    columns = {"ratings": np.ones(len(who)), "likes": likes, "hits": hits, "liked_hits": hits & likes}
    columns["loss"] = events["loss"][at]
    sums: dict[str, Floats] = {
        name: np.bincount(who, column, users).astype(np.float64) for name, column in columns.items()
    }
    return sums | {"auc": auc}


def _row(weights: Floats, own: Mapping[str, Floats]) -> Row:
    ratings, likes, hits, liked_hits = (own[name] for name in ("ratings", "likes", "hits", "liked_hits"))
    there = (ratings > 0).astype(np.float64)
    defined = np.isfinite(own["auc"])
    parts = {
        "accuracy": (hits, ratings),
        "macro": (hits / np.maximum(ratings, 1), there),
        "balanced": (np.stack([liked_hits, hits - liked_hits]), np.stack([likes, ratings - likes])),
        "auc": (np.where(defined, own["auc"], 0), defined.astype(np.float64)),
        "log_loss": (own["loss"], ratings),
    }
    row: Row = {}
    for measure, (values, sizes) in parts.items():
        row |= figures(
            (measure, f"{measure}_low", f"{measure}_high"), weights, values, sizes, percent=measure != "log_loss"
        )
    return row
