"""What single methods say about a user and a film, side by side: the inputs of those that learn to combine them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .baselines import Baseline, Population, Setting
from .baselines_agents import AgentMethod
from .baselines_autoencoder import ConstrainedAutoencoder
from .baselines_factors import FactorFoldIn, FeatureFoldIn, UserLogistic
from .baselines_items import Ease, ItemKnn
from .baselines_simple import LikeRate, PriorAndBias
from .baselines_users import UserKnn
from .protocol import Case, cases

__all__ = ["USUAL", "Signals", "Table", "learn_table"]

Floats = npt.NDArray[np.float64]

_PARTS, _USED = 4, 2
_FEW = 64
USUAL: dict[str, tuple[type[Baseline], Setting]] = {
    "prior+bias": (PriorAndBias, {"strength": 4}),
    "like-rate": (LikeRate, {"strength": 4}),
    "item-knn": (ItemKnn, {"shrink": 30, "neighbours": 20, "damping": 0.3, "bias": 4}),
    "user-knn": (UserKnn, {"shrink": 30, "power": 1, "damping": 1.6, "gain": 2.5}),
    "ease": (Ease, {"rows": "surprises", "ridge": 10000, "scale": 240, "bias": 4}),
    "csla": (ConstrainedAutoencoder, {"dropout": 0.5, "ridge": 3000, "limit": 0.5, "scale": 120}),
    "mf": (FactorFoldIn, {"target": "stars", "noise": 0.8, "offset": 0.2}),
    "mf for likes": (FactorFoldIn, {"target": "like", "noise": 0.8, "offset": 0.2}),
    "fm": (FeatureFoldIn, {"target": "stars", "noise": 0.8, "offset": 0.2, "taste": 0.03}),
    "fm for likes": (FeatureFoldIn, {"target": "like", "noise": 0.8, "offset": 0.2, "taste": 0.03}),
    "logistic": (UserLogistic, {"offset": 1, "factors": 0.25}),
}
"""Methods and the settings that tuning mostly chooses for them, or some that are as good."""


@dataclass(frozen=True)
class Table:
    """Observations to learn a combination from.

    Parameters
    ----------
    signals
        ``(n, signals)``; the first is the logarithm of the number of ratings, 0 to about 1.
    likes, weights
        ``(n,)``: what the user said, and a weight that makes users equal at each stage.
    """

    signals: Floats
    likes: npt.NDArray[np.bool_]
    weights: Floats


class Signals:
    """Signals of one population."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._made = [(kind(population), setting) for kind, setting in USUAL.values()]
        self._agent = AgentMethod(population, population.catalogue.geometry)

    def of(self, people: Sequence[Case]) -> list[Floats]:
        """Signals ``(stages reached, tests, signals)`` per user."""
        said = [[rows / method.unit for rows in method.scores(people, setting)] for method, setting in self._made]
        said.append([rows / self._agent.unit for rows in self._agent.scores(people, {})])
        counts = np.log1p(self._population.catalogue.popularity) / 5
        tables = []
        for case, *rows in zip(people, *said, strict=True):
            prior = np.broadcast_to(self._population.priors[case.tested], rows[0].shape)
            popularity = np.broadcast_to(counts[case.tested], rows[0].shape)
            kept = np.array([[np.log1p(kept) / np.log1p(_FEW)] for _, kept in case.stages()])
            # What a method adds to the prior; but the rate of likes is no more than itself.
            kinds = [kind for kind, _ in USUAL.values()] + [AgentMethod]
            added = [row if kind is LikeRate else row - prior for kind, row in zip(kinds, rows, strict=True)]
            tables.append(np.stack([np.broadcast_to(kept, prior.shape), prior, popularity, *added], axis=2))
        return tables


def learn_table(population: Population) -> Table:
    """Signals about half of the population's own people: two quarters, each from a population without it.

    It takes as long as two populations.
    """
    if population.dataset is None:
        raise ValueError("the population must be one of Population.learn, which knows its data set")
    order = np.random.default_rng([population.seed, 41]).permutation(len(population.users))
    parts = []
    for part in range(_USED):
        out = {population.users[at] for at in order[part::_PARTS]}
        rest = [user for user in population.users if user not in out]
        others = Population.learn(population.dataset, rest, population.catalogue.geometry, population.seed)
        people = cases(population.dataset, out, order="random", seed=population.seed)
        parts.append(_observed(people, Signals(others).of(people)))
    columns = zip(*((part.signals, part.likes, part.weights) for part in parts), strict=True)
    signals, likes, weights = (np.concatenate(column) for column in columns)
    return Table(signals, likes, weights / weights.mean())


def _observed(people: Sequence[Case], tables: Sequence[Floats]) -> Table:
    signals = np.concatenate([table.reshape(-1, table.shape[2]) for table in tables])
    likes = [np.tile(case.likes, len(table)) for case, table in zip(people, tables, strict=True)]
    weights = [np.full(table.shape[0] * table.shape[1], 1 / table.shape[1]) for table in tables]
    return Table(signals, np.concatenate(likes), np.concatenate(weights))
