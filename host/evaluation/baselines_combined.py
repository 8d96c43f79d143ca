"""Baselines that learn how to combine what other methods say, from the population's own people."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from .baselines import UNIT, Baseline, Population, Setting, fingerprint, grid
from .protocol import Case
from .signals import Signals, learn_table

__all__ = ["Boosting", "Stack"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_RATE = 0.05
_LEAVES = 4
_LEAF = 200
_RIDGE = 10.0
_BINS = 63
_STEPS = 300


class _Combination(Baseline):
    """Scores are half the logit of a like that is learned from signals."""

    heavy = True
    ranks = False
    middle = 0.0
    prepare = staticmethod(learn_table)

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._signals = Signals(population)
        self._seen: tuple[int, list[Floats]] = (0, [])

    @abstractmethod
    def logits(self, signals: Floats, setting: Setting) -> Floats:
        """Logits ``(n,)`` of signals ``(n, signals)``."""

    def stages(self, case: Case, setting: Setting) -> Iterable[Floats]:
        return iter(self.scores([case], setting)[0] / UNIT)

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        if self._seen[0] != (asked := fingerprint(cases)):
            self._seen = asked, self._signals.of(cases)
        tables = self._seen[1]
        with threadpool_limits(1):  # threads of several processes would wait for each other
            logits = self.logits(np.concatenate([rows.reshape(-1, rows.shape[2]) for rows in tables]), setting)
        whole = np.rint(logits / 2 * UNIT).astype(np.int64)
        ends = np.cumsum([rows.shape[0] * rows.shape[1] for rows in tables])[:-1]
        return [part.reshape(rows.shape[:2]) for part, rows in zip(np.split(whole, ends), tables, strict=True)]


class Boosting(_Combination):
    """Gradient boosting on the signals: histogram-based regression trees for the log-loss (Friedman 2001)."""

    settings = grid(trees=(100, 200, 300))

    def logits(self, signals: Floats, setting: Setting) -> Floats:
        return _after(self._model, signals, int(setting["trees"]))

    @cached_property
    def _model(self) -> Any:
        seen = self.population.noted(learn_table)
        model = HistGradientBoostingClassifier(
            learning_rate=_RATE,
            max_leaf_nodes=_LEAVES,
            max_iter=max(int(each["trees"]) for each in self.settings),
            min_samples_leaf=_LEAF,
            l2_regularization=_RIDGE,
            max_bins=_BINS,
            early_stopping=False,
            random_state=self.population.seed,
        )
        return model.fit(seen.signals, seen.likes, sample_weight=seen.weights)


class Stack(_Combination):
    """All signals together: a logistic regression whose weights change with the number of ratings.

    Stacked generalisation (Wolpert 1992), as a reference for what the signals hold at best. Boosted trees in the
    mixture, by a quarter or half, were tried and made it no better.
    """

    settings = grid(strength=(0.001, 0.01, 0.1))

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._models: dict[float, Any] = {}

    def logits(self, signals: Floats, setting: Setting) -> Floats:
        logits: Floats = self._model(float(setting["strength"])).decision_function(_crossed(signals))
        return logits

    def _model(self, strength: float) -> Any:
        if strength not in self._models:
            seen = self.population.noted(learn_table)
            model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=_STEPS))
            model.fit(_crossed(seen.signals), seen.likes, logisticregression__sample_weight=seen.weights)
            self._models[strength] = model
        return self._models[strength]


def _after(model: Any, signals: Floats, trees: int) -> Floats:
    """Logits after the first trees."""
    for done, logits in enumerate(model.staged_decision_function(signals), start=1):
        if done == trees:
            return np.asarray(logits, np.float64).ravel()
    raise ValueError(f"the model must have {trees} trees or more, not {model.n_iter_}")


def _crossed(signals: Floats) -> Floats:
    """Signals, and their products with the first of them and with its square."""
    t, said = signals[:, :1], signals[:, 1:]
    return np.hstack([t, t**2, said, said * t, said * t**2])
