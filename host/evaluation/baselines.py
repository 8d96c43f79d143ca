"""What agents are compared with: methods that learn from the same population and are tuned in the same way."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array

from ...hdl.geometry import Geometry
from ..catalogue import Catalogue
from ..dataset import Dataset
from ..encoder import FACTORS, ITERATIONS, fit_uncalibrated
from ..factorisation import Factorisation, factorise
from ..features import Film
from ..film_model import LIKED, PRIOR_UNITS, STARS
from .protocol import Case

__all__ = ["UNIT", "Baseline", "Population", "Setting", "fingerprint", "grid", "liked"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Setting = Mapping[str, float | str]
"""Values of what is tuned, by name."""

UNIT = 1024
"""Score units of a star; baselines compute in floating point, and their scores are rounded to these."""


@dataclass(frozen=True)
class Population:
    """What is known of other users: their ratings, and the catalogue that the encoder learns from them.

    Parameters
    ----------
    catalogue
        From :func:`~.encoder.fit_uncalibrated`. All methods share its priors and targets.
    steps
        ``(users, films)``: ratings in half-star steps.
    features
        ``(films, features)``: what the encoder knows of a film.
    seed
        Of the factorisation's start values.
    dataset, users
        Where all this was learned from; None and none where it is not needed.
    fitted, plain
        The factorisation that the catalogue comes from, and one that knows nothing of a film but its ratings, where
        they are at hand.
    notes
        What :meth:`noted` has learned, by who learned it.
    """

    catalogue: Catalogue
    steps: csr_array
    features: csr_array
    seed: int
    dataset: Dataset | None = None
    users: tuple[str, ...] = ()
    fitted: Factorisation | None = None
    plain: Factorisation | None = None
    notes: dict[Callable[["Population"], Any], Any] = field(default_factory=dict, compare=False)

    @classmethod
    def learn(cls, dataset: Dataset, users: Collection[str], geometry: Geometry, seed: int) -> "Population":
        """Learn from the ratings of these users alone."""
        catalogue, fitted = fit_uncalibrated(dataset, geometry=geometry, population=users, seed=seed)
        ratings = dataset.ratings.filter(pl.col("user").is_in(sorted(users))).sort("user", "film")
        rows = ratings["user"].rle_id().to_numpy()
        steps = np.rint(ratings["rating"].to_numpy() * 2).clip(1, 10).astype(np.int64)
        shape = (int(rows[-1]) + 1, dataset.films.height)
        films = [Film(*row) for row in dataset.films.select("year", "genres", "tags").iter_rows()]
        features = csr_array(catalogue.model.vocabulary.matrix(films, catalogue.popularity))
        rated = csr_array((steps, (rows, ratings["film"].to_numpy())), shape=shape)
        return cls(catalogue, rated, features, seed, dataset, tuple(sorted(users)), fitted)

    @cached_property
    def priors(self) -> Floats:
        """Priors of the films, in stars."""
        return self.catalogue.priors / PRIOR_UNITS

    @cached_property
    def targets(self) -> Floats:
        """What each of the ten steps means as a score, in stars."""
        return self.catalogue.meanings / (PRIOR_UNITS << self.catalogue.geometry.prior_shift)

    @cached_property
    def surprises(self) -> csr_array:
        """``(users, films)``: target less prior of each rating, in stars."""
        said = self.targets[self.steps.data - 1] - self.priors[self.steps.indices]
        return csr_array((said, self.steps.indices, self.steps.indptr), shape=self.steps.shape)

    @cached_property
    def likes(self) -> npt.NDArray[np.bool_]:
        """Whether each of the ratings is a like, in the order of ``steps.data``."""
        return liked(self.steps.data)

    @cached_property
    def factorisation(self) -> Factorisation:
        """The encoder's factorisation of these ratings, in floating point."""
        return self.fitted or self._factorise(self.features)

    @cached_property
    def plain_factorisation(self) -> Factorisation:
        """The same that knows nothing of a film but its ratings."""
        return self.plain or self._factorise(csr_array(np.ones((self.features.shape[0], 1))))

    def _factorise(self, features: csr_array) -> Factorisation:
        stars = self.steps.data / 2 - self.catalogue.model.mean
        return factorise(
            csr_array((stars, self.steps.indices, self.steps.indptr), shape=self.steps.shape),
            features,
            factors=FACTORS,
            iterations=ITERATIONS,
            rng=np.random.default_rng([self.seed, 30]),
            advance=lambda: None,
        )

    def noted(self, learn: Callable[["Population"], Any]) -> Any:
        """What ``learn`` makes of this population, made once for all methods that ask."""
        if learn not in self.notes:
            self.notes[learn] = learn(self)
        return self.notes[learn]

    def surprise(self, films: Ints, steps: Ints) -> Floats:
        """What ratings say beyond the prior, in stars."""
        return self.targets[steps - 1] - self.priors[films]

    @property
    def middle(self) -> float:
        """Half way between the targets of the worst like and the best dislike, in stars."""
        first = int(np.flatnonzero(STARS >= LIKED)[0])
        return float(self.targets[first - 1 : first + 1].mean())


class Baseline(ABC):
    """One method. A score is in stars, or half a logit, which is about as steep.

    Members
    -------
    settings
        All that are tried on users of the population; once one is chosen, that one alone.
    unit, middle
        Score units of a star, and a score that is neither for nor against.
    """

    settings: Sequence[Setting] = ({},)
    unit = float(UNIT)

    def __init__(self, population: Population) -> None:
        self.population = population

    @property
    def middle(self) -> float:
        return self.population.middle * UNIT

    @abstractmethod
    def stages(self, case: Case, setting: Setting) -> Iterable[Floats]:
        """Scores ``(tests,)`` of the tested films, for each stage that the user reaches."""

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        """Scores in whole units, ``(stages reached, tests)`` per user."""
        stacked = (np.stack(list(self.stages(case, setting))) for case in cases)
        return [np.rint(scores * UNIT).astype(np.int64) for scores in stacked]


def fingerprint(cases: Sequence[Case]) -> int:
    """Equal for equal users, ratings and questions, so that what was computed for them can be found again."""
    return hash(tuple(part.tobytes() for case in cases for part in (case.films, case.steps, case.tested)))


def liked(steps: Ints) -> npt.NDArray[np.bool_]:
    """Which of some ratings, in half-star steps, are likes."""
    return steps >= 2 * LIKED


def grid(**values: Sequence[float | str]) -> Sequence[Setting]:
    """All combinations."""
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]
