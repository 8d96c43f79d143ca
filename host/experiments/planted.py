"""Users who are told to have liked films of a genre that they never rated."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..evaluation.baselines import Population
from .laboratory import Ground, Laboratory

__all__ = ["FALSE", "GENRE", "Planted", "of_genre", "plant"]

Ints = npt.NDArray[np.int64]

GENRE = "Horror"
FALSE = 20
"""False ratings of five stars that are planted."""


@dataclass(frozen=True)
class Planted:
    """One user's ratings as an agent keeps them, true ones before the false ones.

    Parameters
    ----------
    films, e
        ``(kept,)``: films, and what was said of them beyond the prior, in score units.
    true
        How many of them are true.
    """

    films: Ints
    e: Ints
    true: int


def of_genre(lab: Laboratory) -> npt.NDArray[np.bool_]:
    """Which films are of the genre; UsageError if too few are."""
    has = np.array([GENRE in genres for genres in lab.dataset.films["genres"].to_list()])
    if has.sum() < 2 * FALSE:
        raise UsageError(f"{lab.dataset.name} has {has.sum()} films of the genre {GENRE}, {2 * FALSE} are needed")
    return has


def plant(lab: Laboratory, ground: Ground) -> Iterator[Planted]:
    """Tested users of a fold; true ratings are the last ones that leave room for the false ones."""
    catalogue, geometry = ground.population.catalogue, lab.geometry
    genre = np.flatnonzero(of_genre(lab))
    for number, case in enumerate(lab.people(ground.tested)):
        true = case.films[FALSE - geometry.memory_depth :]
        steps = case.steps[FALSE - geometry.memory_depth :]
        unrated = np.setdiff1d(genre, np.r_[case.films, case.tested])
        rng = np.random.default_rng([lab.seed, 41, number])
        false = rng.permutation(unrated)[:FALSE]
        films = np.r_[true, false]
        said = _targets(ground.population)[np.r_[steps, np.full(len(false), 10)] - 1]
        yield Planted(films, said - (catalogue.priors[films].astype(np.int64) << geometry.prior_shift), len(true))


def _targets(population: Population) -> Ints:
    return population.catalogue.targets.astype(np.int64)
