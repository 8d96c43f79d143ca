"""The encoder: from a population's ratings and the films' features to a catalogue."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array

from ..hdl.geometry import Geometry
from .catalogue import Catalogue
from .dataset import Dataset
from .errors import RamrecError
from .factorisation import Factorisation, factorise, with_means_of
from .features import Film, Vocabulary
from .film_model import LIKED, PRIOR_UNITS, STARS, FilmModel, agent_targets, like_line, rotation
from .thresholds import fit_thresholds, replay

__all__ = ["FACTORS", "ITERATIONS", "METHOD", "Progress", "fit", "fit_uncalibrated"]

Ints = npt.NDArray[np.int64]

METHOD = 2
"""Raised whenever the same input would give another catalogue; kept catalogues are then fitted again."""

FACTORS = 24
"""Dimensions of the factorisation."""

ITERATIONS = 12
"""Rounds of EM; more of them fit small populations no better."""

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)``."""

_REPLAYED = 300
_LIKED_FROM = int(np.flatnonzero(STARS >= LIKED)[0])


@dataclass(frozen=True)
class _Encoding:
    model: FilmModel
    fitted: Factorisation
    codes: npt.NDArray[np.uint8]
    priors: npt.NDArray[np.int8]


def fit(
    dataset: Dataset,
    *,
    geometry: Geometry,
    population: Collection[str] | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> Catalogue:
    """Learn codes, priors and thresholds for all films of a data set from the ratings of a population.

    Ratings of other users have no influence. The codes are signs of the films' factors along seeded random
    directions, see :func:`~.factorisation.factorise`. The thresholds come from a fifth of the population,
    replayed against an encoder that was fitted on the rest. Guests of the data set teach the films' factors, but
    the films' means and the thresholds are those of its own users. The same arguments give the same catalogue on
    the same machine, to the bit.

    Parameters
    ----------
    dataset
        Ratings and films.
    geometry
        The agents that the catalogue is for.
    population
        Users to learn from; None for all.
    seed
        Of the start values, the directions, and the choice and order of the replayed ratings.
    progress
        Called after each step of the work.

    Raises
    ------
    RamrecError
        The population has fewer than two users with ratings, or the data set has too many films.
    """
    steps, own = _steps(dataset, population)
    films, rng = _films(dataset), np.random.default_rng([seed, 0])
    order = rng.permutation(np.flatnonzero(own))
    count = min(-(-len(order) // 5), _REPLAYED)
    done, total = 0, 2 * ITERATIONS + count

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    others = np.setdiff1d(np.arange(len(own)), order[:count])
    trial = _encode(csr_array(steps[others]), own[others], films, geometry, seed, advance)
    thresholds = _thresholds(geometry, trial, csr_array(steps[order[:count]]), rng, advance)
    final = _encode(steps, own, films, geometry, seed, advance)
    return _catalogue(dataset, geometry, final, steps, seed, thresholds)


def fit_uncalibrated(
    dataset: Dataset, *, geometry: Geometry, population: Collection[str] | None = None, seed: int = 1
) -> tuple[Catalogue, Factorisation]:
    """The catalogue of :func:`fit` but for its thresholds, with nobody replayed, and the factorisation it comes from.

    All thresholds are the score half way between the best dislike and the worst like.
    """
    steps, own = _steps(dataset, population)
    found = _encode(steps, own, _films(dataset), geometry, seed, lambda: None)
    middle, _ = _middle(geometry, found.model)
    thresholds = np.full(geometry.memory_depth + 1, round(middle), np.int32)
    return _catalogue(dataset, geometry, found, steps, seed, thresholds), found.fitted


def _catalogue(
    dataset: Dataset,
    geometry: Geometry,
    found: _Encoding,
    steps: csr_array,
    seed: int,
    thresholds: npt.NDArray[np.int32],
) -> Catalogue:
    return Catalogue(
        geometry=geometry,
        film_ids=tuple(dataset.films["film_id"]),
        titles=tuple(dataset.films["title"]),
        genres=tuple(map(tuple, dataset.films["genres"])),
        codes=found.codes,
        priors=found.priors,
        targets=agent_targets(found.model, geometry),
        thresholds=thresholds,
        popularity=_counts(steps).astype(np.int32),
        name=dataset.name,
        licence=dataset.licence,
        data_digest=dataset.digest,
        encoder={"factors": FACTORS, "iterations": ITERATIONS, "seed": seed, "users": steps.shape[0]},
        model=found.model,
    )


def _films(dataset: Dataset) -> list[Film]:
    if dataset.films.height >= 1 << 16:
        raise RamrecError(f"a catalogue has at most 65535 films, {dataset.name} has {dataset.films.height}")
    return [Film(*row) for row in dataset.films.select("year", "genres", "tags").iter_rows()]


def _steps(dataset: Dataset, population: Collection[str] | None) -> tuple[csr_array, npt.NDArray[np.bool_]]:
    """Ratings of the population in half stars, ``(users, films)``, and whose count as the data set's own.

    Users are in the order of their names. If all are guests, all count.
    """
    ratings = dataset.ratings
    if population is not None:
        ratings = ratings.filter(pl.col("user").is_in(sorted(population)))
    ratings = ratings.sort("user", "film")
    users = ratings["user"].unique(maintain_order=True)
    if len(users) < 2:
        raise RamrecError(
            f"the encoder needs ratings of at least 2 users, not {len(users)}; choose a larger population"
        )
    values = np.rint(ratings["rating"].to_numpy() * 2).clip(1, 10).astype(np.float64)
    at = ratings["user"].rle_id().to_numpy(), ratings["film"].to_numpy()
    own = ~users.is_in(sorted(dataset.guests)).to_numpy()
    return csr_array((values, at), shape=(len(users), dataset.films.height)), own if own.any() else ~own


def _counts(steps: csr_array) -> Ints:
    return np.bincount(steps.indices, minlength=steps.shape[1])


def _encode(
    steps: csr_array,
    own: npt.NDArray[np.bool_],
    films: Sequence[Film],
    geometry: Geometry,
    seed: int,
    advance: Callable[[], None],
) -> _Encoding:
    """Fit the film model on all ratings given, and encode all films with it."""
    vocabulary = Vocabulary.of(films)
    stars = steps.data / 2
    mean = float(stars.mean())
    counts = _counts(steps)
    likes = np.bincount(steps.indices, stars >= LIKED, minlength=len(films)).astype(np.float64)
    centred = csr_array((stars - mean, steps.indices, steps.indptr), shape=steps.shape)
    rng = np.random.default_rng([seed, 1])
    directions = rotation(FACTORS, geometry.code_bits, rng)
    fitted = factorise(
        centred,
        csr_array(vocabulary.matrix(films, counts)),
        factors=FACTORS,
        iterations=ITERATIONS,
        rng=rng,
        advance=advance,
    )
    if not own.all():
        fitted = with_means_of(fitted, csr_array(centred[np.flatnonzero(own)]))
    model = FilmModel(
        vocabulary=vocabulary,
        weights=fitted.weights,
        centre=np.einsum("i,if->f", counts / counts.sum(), fitted.factors),
        rotation=directions,
        mean=mean,
        like_rate=float(likes.sum() / counts.sum()),
        like_line=like_line(fitted.means, counts.astype(np.float64), likes),
    )
    return _Encoding(model, fitted, model.codes(fitted.factors), model.priors(fitted.means))


def _thresholds(
    geometry: Geometry,
    encoding: _Encoding,
    steps: csr_array,
    rng: np.random.Generator,
    advance: Callable[[], None],
) -> npt.NDArray[np.int32]:
    """Thresholds from users, rows of ``steps``, whom the encoding has not seen."""
    targets = agent_targets(encoding.model, geometry)
    bounds = zip(steps.indptr, steps.indptr[1:], strict=False)
    users = [(steps.indices[a:b].astype(np.int64), steps.data[a:b].astype(np.int64)) for a, b in bounds]
    kept, scores, rated, weights = replay(geometry, encoding.codes, encoding.priors, targets, users, rng, advance)
    middle, unit = _middle(geometry, encoding.model)
    return fit_thresholds(geometry.memory_depth, middle, unit, kept, scores, rated > _LIKED_FROM, weights)


def _middle(geometry: Geometry, model: FilmModel) -> tuple[float, float]:
    """Score half way between the best dislike and the worst like, and score units of a star."""
    unit = PRIOR_UNITS << geometry.prior_shift
    meanings = model.targets(unit, geometry.target_max)
    return float(meanings[_LIKED_FROM - 1 : _LIKED_FROM + 1].mean()), float(unit)
