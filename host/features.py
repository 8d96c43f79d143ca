"""Features of a film: what is known about it before anybody has rated it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import numpy.typing as npt

__all__ = ["Film", "Vocabulary"]

Floats = npt.NDArray[np.float64]

_FIRST_YEAR, _LAST_YEAR, _BUCKET = 1920, 2029, 10
_YEARS = (_LAST_YEAR - _FIRST_YEAR) // _BUCKET + 1
_HASHED = 8
_COUNT_SCALE = 5.0


@dataclass(frozen=True)
class Film:
    """A film's features; all but the genres may well be unknown."""

    year: int | None = None
    genres: Sequence[str] = ()
    tags: Sequence[str] = ()


@dataclass(frozen=True)
class Vocabulary:
    """Genres and tags that own a column of the feature matrix; all others share hashed columns.

    The columns are: one, film was rated, two powers of the logarithm of its rating count, year unknown,
    decades, genres, hashed genres, tags, hashed tags.
    """

    genres: tuple[str, ...]
    tags: tuple[str, ...]

    @classmethod
    def of(cls, films: Iterable[Film], *, most: int = 100, at_least: int = 5) -> "Vocabulary":
        """The genres and the ``most`` frequent tags that at least ``at_least`` of these films have."""
        genres: Counter[str] = Counter()
        tags: Counter[str] = Counter()
        for film in films:
            genres.update(set(_names(film.genres)))
            tags.update(set(_names(film.tags)))
        return cls(_frequent(genres, most, at_least), _frequent(tags, most, at_least))

    @property
    def columns(self) -> int:
        """Number of features."""
        return 5 + _YEARS + len(self.genres) + len(self.tags) + 2 * _HASHED

    def matrix(self, films: Sequence[Film], counts: npt.NDArray[np.integer]) -> Floats:
        """Features ``(films, columns)``; ``counts`` ``(films,)`` are the ratings that each film has."""
        x = np.zeros((len(films), self.columns))
        popularity = np.log1p(counts) / _COUNT_SCALE
        x[:, 0] = 1
        x[:, 1] = counts > 0
        x[:, 2] = popularity
        x[:, 3] = popularity**2
        genre_column = {name: column for column, name in enumerate(self.genres, 5 + _YEARS)}
        hashed_genres = 5 + _YEARS + len(self.genres)
        tag_column = {name: column for column, name in enumerate(self.tags, hashed_genres + _HASHED)}
        hashed_tags = self.columns - _HASHED
        for row, film in zip(x, films, strict=True):
            row[_year_column(film.year)] = 1
            for name in _names(film.genres):
                row[genre_column.get(name, hashed_genres + _hash(name))] = 1
            for name in _names(film.tags):
                row[tag_column.get(name, hashed_tags + _hash(name))] = 1
        return x


def _names(names: Iterable[str]) -> list[str]:
    folded = (" ".join(name.casefold().split()) for name in names)
    return [name for name in folded if name]


def _frequent(counts: Counter[str], most: int, at_least: int) -> tuple[str, ...]:
    ranked = sorted((-count, name) for name, count in counts.items() if count >= at_least)
    return tuple(name for _, name in ranked[:most])


def _hash(name: str) -> int:
    return crc32(name.encode()) % _HASHED


def _year_column(year: int | None) -> int:
    if year is None:
        return 4
    return 5 + (min(max(year, _FIRST_YEAR), _LAST_YEAR) - _FIRST_YEAR) // _BUCKET
