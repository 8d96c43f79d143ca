"""The catalogue: films as a device sees them, and what the host needs to speak about them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry
from . import catalogue_file
from .errors import RamrecError, UsageError
from .features import Film, Vocabulary
from .film_model import PRIOR_UNITS, STARS, FilmModel

__all__ = ["Catalogue", "words"]


def words(codes: npt.NDArray[np.uint8], priors: npt.NDArray[np.int8]) -> bytes:
    """Count, then code and prior of each film, in 16-bit words: what DIGEST(ALL) of a device covers."""
    wide = priors.astype("<i2").reshape(-1, 1).view(np.uint8)
    return len(codes).to_bytes(2, "little") + np.hstack([codes, wide]).tobytes()


@dataclass(frozen=True, kw_only=True, eq=False)
class Catalogue:
    """Films with codes and priors, learned from a population for one geometry. Immutable, arrays included.

    Parameters
    ----------
    geometry
        The geometry that the thresholds hold for; ``geometry.agent`` is what counts.
    film_ids, titles, genres
        One per film, in the same order. Ids are unique; a film may have no genre, or several.
    codes
        uint8 ``(films, geometry.code_bytes)``.
    priors
        int8 ``(films,)``, each worth ``2 ** geometry.prior_shift`` score units.
    targets
        int16 ``(10,)``: what an agent learns a rating of 0.5, 1, ... 5 stars to ask for, in score units.
    thresholds
        int32 ``(geometry.memory_depth + 1,)``: score from which ``k`` kept ratings make a like.
    popularity
        int32 ``(films,)``: ratings by the population.
    name, licence, data_digest
        The data set that the population comes from.
    encoder
        Parameters of the encoder and its seed; JSON-able.
    model
        What is needed to encode films that come later.

    Raises
    ------
    ValueError
        If the parts do not fit each other.
    """

    geometry: Geometry
    film_ids: tuple[str, ...]
    titles: tuple[str, ...]
    genres: tuple[tuple[str, ...], ...]
    codes: npt.NDArray[np.uint8]
    priors: npt.NDArray[np.int8]
    targets: npt.NDArray[np.int16]
    thresholds: npt.NDArray[np.int32]
    popularity: npt.NDArray[np.int32]
    name: str
    licence: str
    data_digest: str
    encoder: dict[str, Any]
    model: FilmModel

    def __post_init__(self) -> None:
        films = len(self.film_ids)
        if films >= 1 << 16:
            raise ValueError(f"a catalogue has at most 65535 films, not {films}")
        if len(set(self.film_ids)) != films:
            raise ValueError("film ids must be unique")
        if len(self.titles) != films:
            raise ValueError(f"titles must be {films}, one per film, not {len(self.titles)}")
        if len(self.genres) != films:
            raise ValueError(f"genres must be {films}, some or none for each film, not {len(self.genres)}")
        features, factors = self.model.vocabulary.columns, len(self.model.centre)
        for name, array, dtype, shape in (
            ("codes", self.codes, np.uint8, (films, self.geometry.code_bytes)),
            ("priors", self.priors, np.int8, (films,)),
            ("targets", self.targets, np.int16, (10,)),
            ("thresholds", self.thresholds, np.int32, (self.geometry.memory_depth + 1,)),
            ("popularity", self.popularity, np.int32, (films,)),
            ("model.weights", self.model.weights, np.float64, (features, 1 + factors)),
            ("model.centre", self.model.centre, np.float64, (factors,)),
            ("model.rotation", self.model.rotation, np.float64, (factors, self.geometry.code_bits)),
        ):
            if array.dtype != dtype or array.shape != shape:
                expected = f"{np.dtype(dtype)} {shape}"
                raise ValueError(f"{name} must be {expected}, not {array.dtype} {array.shape}")
            array.flags.writeable = False
        if np.abs(self.targets.astype(np.int64)).max() > self.geometry.target_max:
            raise ValueError(f"targets must be within +-{self.geometry.target_max}, not {self.targets.tolist()}")

    def __len__(self) -> int:
        return len(self.film_ids)

    @cached_property
    def _items(self) -> dict[str, int]:
        return {film_id: item for item, film_id in enumerate(self.film_ids)}

    def item(self, film_id: str) -> int:
        """Item number of a film; UsageError if the catalogue does not have it."""
        try:
            return self._items[film_id]
        except KeyError:
            raise UsageError(f"film {film_id!r} is not in the catalogue {self.name}") from None

    def rows_of_genre(self, genre: str) -> list[int]:
        """Positions of the films of a genre, whatever its case; UsageError that names the genres if there are none."""
        rows = [row for row, genres in enumerate(self.genres) if genre.lower() in map(str.lower, genres)]
        if not rows:
            known = ", ".join(sorted({one for genres in self.genres for one in genres})) or "none"
            raise UsageError(f"{self.name} has no genre {genre!r}; it has {known}")
        return rows

    def target(self, stars: float) -> int:
        """Target of a rating in score units; UsageError unless ``stars`` is nearly a half step in 0.5..5."""
        step = round(stars * 2) if 0 < stars < 6 else 0
        if not 1 <= step <= 10 or abs(stars * 2 - step) > 1e-6:
            raise UsageError(f"a rating is 0.5 to 5 stars in half steps, not {stars}")
        return int(self.targets[step - 1])

    @cached_property
    def meanings(self) -> npt.NDArray[np.int16]:
        """Scores ``(10,)`` that mean 0.5, 1, ... 5 stars: targets without what the mere presence of a rating adds."""
        return self.model.targets(PRIOR_UNITS << self.geometry.prior_shift, self.geometry.target_max)

    def stars(self, score: int) -> float:
        """The rating that a score means, between the half steps by proportion."""
        return float(np.interp(score, self.meanings, STARS))

    def likes(self, score: int, kept: int) -> bool:
        """Whether an agent that keeps ``kept`` ratings likes a film with this score."""
        return score >= int(self.thresholds[min(kept, self.geometry.memory_depth)])

    def require(self, geometry: Geometry) -> None:
        """RamrecError that names the fields in which this geometry's agent differs from the catalogue's."""
        ours, theirs = self.geometry.agent, geometry.agent
        different = [name for name in ours if ours[name] != theirs[name]]
        if different:
            changes = ", ".join(f"{name}={ours[name]} (device: {theirs[name]})" for name in different)
            raise RamrecError(f"the catalogue was made for {changes}; encode the data again for this geometry")

    def add_film(
        self,
        film_id: str,
        title: str,
        *,
        year: int | None = None,
        genres: Sequence[str] = (),
        tags: Sequence[str] = (),
    ) -> "Catalogue":
        """A catalogue with one more film at its end, encoded from its features; nothing else changes.

        Raises
        ------
        UsageError
            If the catalogue has a film of this id already, or is full.
        """
        if film_id in self._items:
            raise UsageError(f"film {film_id!r} is in the catalogue {self.name} already")
        if len(self) + 1 >= 1 << 16:
            raise UsageError("the catalogue is full: it has 65535 films")
        means, factors = self.model.expect([Film(year, genres, tags)])
        return replace(
            self,
            film_ids=(*self.film_ids, film_id),
            titles=(*self.titles, title),
            genres=(*self.genres, tuple(genres)),
            codes=np.vstack([self.codes, self.model.codes(factors)]),
            priors=np.append(self.priors, self.model.priors(means)),
            popularity=np.append(self.popularity, np.int32(0)),
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content, in hex: equal for equal catalogues, whatever file they come from."""
        return catalogue_file.digest(*self._parts())

    def save(self, path: Path) -> None:
        """Write to one file, which appears whole or not at all; RamrecError if it can not be written."""
        catalogue_file.write(path, *self._parts())

    @classmethod
    def load(cls, path: Path) -> "Catalogue":
        """Read what :meth:`save` wrote; RamrecError that says what is wrong with the file."""
        meta, arrays = catalogue_file.read(path)
        try:
            model = meta.pop("model")
            vocabulary = Vocabulary(tuple(model.pop("genres")), tuple(model.pop("tags")))
            model["like_line"] = tuple(model["like_line"])
            of_model = {name: arrays.pop(f"model_{name}") for name in _MODEL_ARRAYS}
            meta["geometry"] = Geometry(**meta["geometry"])
            meta["film_ids"], meta["titles"] = tuple(meta["film_ids"]), tuple(meta["titles"])
            meta["genres"] = tuple(map(tuple, meta["genres"]))
            return cls(**meta | arrays, model=FilmModel(vocabulary=vocabulary, **model | of_model))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RamrecError(f"{path} is not a valid catalogue ({error}); encode the data again") from None

    def _parts(self) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
        model = self.model
        meta = {
            "geometry": {name: getattr(self.geometry, name) for name in self.geometry.__dataclass_fields__},
            "film_ids": self.film_ids,
            "titles": self.titles,
            "genres": self.genres,
            "name": self.name,
            "licence": self.licence,
            "data_digest": self.data_digest,
            "encoder": self.encoder,
            "model": {
                "genres": model.vocabulary.genres,
                "tags": model.vocabulary.tags,
                "mean": model.mean,
                "like_rate": model.like_rate,
                "like_line": model.like_line,
            },
        }
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return meta, arrays | {f"model_{name}": getattr(model, name) for name in _MODEL_ARRAYS}


_ARRAYS = ("codes", "priors", "targets", "thresholds", "popularity")
_MODEL_ARRAYS = ("weights", "centre", "rotation")
