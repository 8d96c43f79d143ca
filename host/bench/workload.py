"""What is ranked and who asks: the same films, users and ratings for the gateware and for its peers."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from ...hdl.geometry import Geometry
from ..driver import Kept
from ..errors import RamrecError

__all__ = ["FILMS", "Rated", "Workload", "end_to_end_k", "from_data", "synthetic"]

FILMS = 9742
"""Films ranked, where no data set is named: as many as MovieLens's ml-latest-small has."""

Rated = tuple[int, int]
"""A film's item number and the target of its rating, in score units."""

_SPARE = 8
"""Ratings beyond a full memory that a person has, to be learned one by one."""

_STARS = 1000
"""Score units that a made-up rating may differ from the mean by: about a star."""


@dataclass(frozen=True)
class Workload:
    """Films and people.

    Parameters
    ----------
    name
        The data set, or what was made up.
    codes, priors
        ``(films, code_bytes)`` uint8 and ``(films,)`` int8: the films that the device holds.
    people
        Each one's ratings, oldest first; no film twice.
    """

    name: str
    codes: npt.NDArray[np.uint8]
    priors: npt.NDArray[np.int8]
    people: tuple[tuple[Rated, ...], ...]

    def kept(self, geometry: Geometry, rated: Sequence[Rated]) -> list[Kept]:
        """Ratings as a memory keeps them."""
        shift = geometry.prior_shift
        return [Kept(item, target - (int(self.priors[item]) << shift)) for item, target in rated]

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hex."""
        return sha256(self.codes.tobytes() + self.priors.tobytes() + repr(self.people).encode()).hexdigest()


def end_to_end_k(geometry: Geometry) -> int:
    """Films asked for after a rating, end to end."""
    return min(10, geometry.top_k)


def synthetic(
    geometry: Geometry, *, films: int, people: int, ratings: int, seed: int, popular: int | None = None
) -> Workload:
    """Random codes, priors and ratings. What a ranking costs hardly depends on them.

    Parameters
    ----------
    films
        At most ``geometry.catalogue_depth`` are made.
    people, ratings
        How many people, with how many ratings each and some more, as far as there are films.
    popular
        Only the first so many films are rated; None for all.
    """
    rng = np.random.default_rng(seed)
    films = min(films, geometry.catalogue_depth)
    codes = rng.integers(0, 256, (films, geometry.code_bytes), np.uint8)
    priors = np.clip(np.rint(rng.normal(0, 32, films)), -128, 127).astype(np.int8)
    rated = min(ratings + _SPARE, films if popular is None else popular)
    targets = rng.integers(-_STARS, _STARS, (people, rated))
    items = [rng.choice(films if popular is None else popular, rated, replace=False) for _ in range(people)]
    stories = tuple(tuple(zip(i.tolist(), t.tolist(), strict=True)) for i, t in zip(items, targets, strict=True))
    return Workload(f"{films:,} random films", codes, priors, stories)


def from_data(data: str | Path, geometry: Geometry, *, people: int) -> Workload:
    """A data set's own films, and its users with the most ratings.

    Raises
    ------
    RamrecError
        If it can not be had, or nobody rated more resident films than a memory keeps.
    """
    from ..dataset import load
    from ..fitted import fitted
    from ..shelf import Shelf

    dataset = load(data)
    catalogue = fitted(dataset, geometry)
    shelf = Shelf(catalogue, geometry)
    counts = dataset.ratings.group_by("user").len().sort(["len", "user"], descending=[True, False])
    stories = []
    for user in counts["user"].head(people):
        theirs = dataset.ratings.filter(pl.col("user") == user).select("film", "rating").rows()
        rated = [(shelf.item(row), catalogue.target(stars)) for row, stars in theirs]
        resident = [(item, target) for item, target in rated if item is not None]
        if len(resident) > geometry.memory_depth:
            stories.append(tuple(resident[: geometry.memory_depth + _SPARE]))
    if not stories:
        raise RamrecError(f"nobody in {dataset.name} rated more than {geometry.memory_depth} resident films")
    return Workload(dataset.name, shelf.codes, shelf.priors, tuple(stories))
