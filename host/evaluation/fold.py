"""One fold: learn, tune and set thresholds on the other users, then predict for those who were held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from ..thresholds import fit_thresholds
from .baselines import Population, Setting, liked
from .methods import Method, methods
from .metrics import pooled_auc, user_auc
from .protocol import STAGES, Case, cases, inner_folds

__all__ = ["Plan", "run_fold", "tune"]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Plan:
    """What a fold needs to know. All of it decides the outcome.

    Parameters
    ----------
    geometry
        Of the agent ``sweep``; the others follow from it.
    order
        One of :data:`~.protocol.ORDERS`.
    seed
        Of everything that is random.
    inner
        Inner folds that settings and thresholds are chosen on, 1 to :data:`~.protocol.FOLDS`.
    """

    geometry: Geometry
    order: str
    seed: int
    inner: int

    @property
    def steps(self) -> int:
        """How often a fold reports that a step is done."""
        return (self.inner + 1) * (len(methods(self.geometry)) + 1)


def run_fold(
    dataset: Dataset, held: Sequence[str], others: Sequence[str], plan: Plan, advance: Callable[[], None]
) -> dict[str, Any]:
    """Outcome of one fold, in values for JSON.

    The other users choose settings and thresholds by cross-validation among themselves; then everything is
    learned again from all of them.

    Parameters
    ----------
    dataset
        Ratings and films.
    held, others
        Users to test, and users to learn from.
    plan
        What to do.
    advance
        Called after each of ``plan.steps`` steps.

    Returns
    -------
    outcome
        ``users``, ``tests``, ``support``, one value per tested user; ``methods``: for each its ``setting``, how
        many were ``tried``, its ``thresholds``, and per user a list of ``hits`` and of ``auc``, one value per
        stage (null: not reached, or no pair of a like and a dislike).
    """

    def learn(users: Sequence[str]) -> Population:
        population = Population.learn(dataset, users, plan.geometry, plan.seed)
        advance()
        return population

    inner = inner_folds(others, plan.seed)[: plan.inner]
    known = [cases(dataset, tuners, order=plan.order, seed=plan.seed) for _, tuners in inner]
    populations = [learn(learners) for learners, _ in inner]
    whole = learn(others)
    tested = cases(dataset, held, order=plan.order, seed=plan.seed)
    outcomes = {}
    for name, make in methods(plan.geometry).items():
        made = [make(population) for population in populations]
        setting, thresholds = tune(made, known, plan.geometry.memory_depth, advance)
        scores = make(whole).scores(tested, setting)
        learned = {"setting": dict(setting), "tried": len(made[0].settings), "thresholds": thresholds.tolist()}
        outcomes[name] = learned | _marks(tested, scores, thresholds)
        advance()
    return {
        "users": [case.user for case in tested],
        "tests": [len(case.tested) for case in tested],
        "support": [len(case.films) for case in tested],
        "methods": outcomes,
    }


def tune(
    made: Sequence[Method], known: Sequence[Sequence[Case]], depth: int, advance: Callable[[], None]
) -> tuple[Setting, Ints]:
    """The setting with the best pooled AUC, mean over inner folds and stages, and its thresholds ``(depth + 1,)``.

    Pooled AUC needs no threshold and asks, other than a user's own, whether users compare with each other, as
    they have to if they share a threshold.

    Parameters
    ----------
    made
        The method for each inner population.
    known
        Users that the inner population does not have.
    depth
        Most ratings that have a threshold of their own.
    advance
        Called once per inner fold.
    """
    settings = made[0].settings
    observed = [_observations(people, depth) for people in known]
    quality = np.zeros(len(settings))
    for method, people, (kept, answers, _) in zip(made, known, observed, strict=True):
        at = [kept == k for k in np.unique(kept)]
        for place, setting in enumerate(settings):
            scores = _scores(method, people, setting)
            quality[place] += np.mean([pooled_auc(scores[here], answers[here]) for here in at])
        advance()
    best = settings[int(quality.argmax())]
    scores = np.concatenate([_scores(method, people, best) for method, people in zip(made, known, strict=True)])
    kept, answers, weights = (np.concatenate(column) for column in zip(*observed, strict=True))
    thresholds = fit_thresholds(depth, made[0].middle, made[0].unit, kept, scores, answers, weights)
    return best, thresholds.astype(np.int64)


def _scores(method: Method, people: Sequence[Case], setting: Setting) -> Ints:
    return np.concatenate([rows.ravel() for rows in method.scores(people, setting)])


def _observations(known: Sequence[Case], depth: int) -> tuple[Ints, npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
    """Ratings kept, likes, and weights that make users equal, in the order of the scores."""
    kept, answers, weights = [], [], []
    for case in known:
        n = len(case.tested)
        for _, k in case.stages():
            kept.append(np.full(n, min(k, depth)))
            answers.append(liked(case.answers))
            weights.append(np.full(n, 1 / n))
    return np.concatenate(kept), np.concatenate(answers), np.concatenate(weights)


def _marks(tested: Sequence[Case], scores: Sequence[Ints], thresholds: Ints) -> dict[str, Any]:
    """Right answers and AUC, per user and stage."""
    hits: list[list[int | None]] = []
    aucs: list[list[float | None]] = []
    for case, rows in zip(tested, scores, strict=True):
        likes = liked(case.answers)
        hit: list[int | None] = [None] * len(STAGES)
        auc: list[float | None] = [None] * len(STAGES)
        for (place, kept), row in zip(case.stages(), rows, strict=True):
            threshold = thresholds[min(kept, len(thresholds) - 1)]
            hit[place] = int(((row >= threshold) == likes).sum())
            auc[place] = user_auc(row, likes)
        hits.append(hit)
        aucs.append(auc)
    return {"hits": hits, "auc": aucs}
