"""Users to learn from, to calibrate on and to test, and what was learned: the ground that experiments stand on."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from ..evaluation.baselines import Population
from ..evaluation.fold import make_folds, measure
from ..evaluation.method import Method
from ..evaluation.metrics import bootstrap_weights, interval
from ..evaluation.protocol import FOLDS, STAGES, Case, cases, inner_folds, stage_name
from ..evaluation.tuning import calibrate, choose
from .outcome import Row

__all__ = ["Ground", "Judged", "Laboratory", "Make", "View"]

Floats = npt.NDArray[np.float64]
Make = Callable[[Population], Method]
View = Callable[[Population, Case], Case]
"""What becomes of a user before a method sees them."""

_PLACES = {stage_name(stage): place for place, stage in enumerate(STAGES)}


@dataclass(frozen=True)
class Ground:
    """One fold: a population, users to calibrate on, and users to test; nobody is in two of them."""

    population: Population
    tuners: tuple[str, ...]
    tested: tuple[str, ...]


class Laboratory:
    """A data set divided for experiments, see ``ramrec evaluate`` for the folds.

    Settings and thresholds come from one inner fold, whose users the population does not have; so one population
    per fold is enough, and figures are a little below those of an evaluation.

    Parameters
    ----------
    dataset
        Ratings and films.
    geometry
        Of the agents; its rule must be ``sweep``.
    folds
        How many of the folds to test.
    most
        Most users to test in a fold; None for all.
    seed
        Of everything that is random.
    """

    def __init__(
        self, dataset: Dataset, geometry: Geometry, *, folds: int = FOLDS, most: int | None = None, seed: int = 1
    ) -> None:
        self.dataset, self.geometry, self.folds, self.most, self.seed = dataset, geometry, folds, most, seed

    @cached_property
    def grounds(self) -> list[Ground]:
        """All folds, learned with this geometry."""
        return self.learned()

    def learned(
        self, *, dataset: Dataset | None = None, geometry: Geometry | None = None, folds: int | None = None
    ) -> list[Ground]:
        """The folds, learned from other ratings by the same users, or with another geometry.

        Parameters
        ----------
        dataset
            To learn from, in place of this one.
        geometry
            To learn for.
        folds
            How many of the folds.
        """
        grounds = []
        for fold in make_folds(self.dataset, self.seed, run=self.folds, most=self.most)[:folds]:
            learners, tuners = inner_folds(fold.others, self.seed)[0]
            population = Population.learn(dataset or self.dataset, learners, geometry or self.geometry, self.seed)
            grounds.append(Ground(population, tuple(tuners), fold.held))
        return grounds

    def people(self, users: Collection[str]) -> list[Case]:
        """Users with their ratings in random order."""
        return cases(self.dataset, users, order="random", seed=self.seed)

    def judge(
        self,
        make: Make,
        *,
        grounds: Sequence[Ground] | None = None,
        depth: int | None = None,
        view: View = lambda _, case: case,
    ) -> "Judged":
        """Tune and calibrate a method in each fold, and test it.

        Parameters
        ----------
        make
            The method, made from a population.
        grounds
            The folds; by default all, learned with this laboratory's geometry.
        depth
            Most ratings that have a threshold of their own; the geometry's memory by default.
        view
            Applied to all users, those to calibrate on too.
        """
        depth = depth or self.geometry.memory_depth
        hits, tests = [], []
        for ground in grounds or self.grounds:
            method = make(ground.population)
            known = [view(ground.population, case) for case in self.people(ground.tuners)]
            tested = [view(ground.population, case) for case in self.people(ground.tested)]
            setting = choose([method], [known], depth)
            line = calibrate([method], [known], setting, depth)
            hits.append(measure(method, tested, setting, line)[0])
            tests += [len(case.tested) for case in tested]
        return Judged(np.concatenate(hits), np.array(tests, np.float64), self.seed)


@dataclass(frozen=True)
class Judged:
    """How a method did.

    Parameters
    ----------
    hits
        Right answers ``(users, stages)``; not a number where a user does not reach a stage.
    tests
        Answers asked for, ``(users,)``.
    seed
        Of the bootstrap.
    """

    hits: Floats
    tests: Floats
    seed: int

    def accuracy(self, k: int | str) -> Row:
        """``accuracy, low, high`` in percent and ``users``, over those who reach ``k`` ratings."""
        values, sizes = self._at(k)
        point, low, high = _percent(values, sizes, self.seed)
        return {"accuracy": point, "low": low, "high": high, "users": int((sizes > 0).sum())}

    def less(self, other: "Judged", k: int | str) -> Row:
        """``diff, low, high`` in points: this method less another one on the same users, paired."""
        values, sizes = self._at(k)
        point, low, high = _percent(values - other._at(k)[0], sizes, self.seed)
        return {"diff": point, "low": low, "high": high}

    def reach(self, k: int) -> npt.NDArray[np.bool_]:
        """Which users have ``k`` ratings to learn."""
        return ~np.isnan(self.hits[:, _PLACES[k]])

    def among(self, users: npt.NDArray[np.bool_]) -> "Judged":
        """The marks of some users."""
        return Judged(self.hits[users], self.tests[users], self.seed)

    def _at(self, k: int | str) -> tuple[Floats, Floats]:
        hits = self.hits[:, _PLACES[k]]
        return np.nan_to_num(hits), np.where(np.isnan(hits), 0, self.tests)


def _percent(values: Floats, sizes: Floats, seed: int) -> tuple[float, float, float]:
    point, low, high = interval(_weights(len(sizes), seed), values, sizes)
    return round(100 * point, 2), round(100 * low, 2), round(100 * high, 2)


@lru_cache(4)
def _weights(users: int, seed: int) -> Floats:
    return bootstrap_weights(users, seed)
