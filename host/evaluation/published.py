"""What the published comparison shows its agents of a film: 26 bits."""

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from .baselines import Population

__all__ = ["PUBLISHED_NEURON", "published_bits", "published_codes"]

PUBLISHED_NEURON = Geometry(code_bits=32, tuple_bits=1, rule="nearest", memory_depth=256, neurons_per_clock=32)
"""Nearest pattern by Hamming distance, with room for the 26 bits."""

_GENRES = (
    *("drama", "comedy", "action", "romance", "documentary"),
    *("thriller", "adventure", "fantasy", "crime", "horror"),
)
_AVERAGES = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 1, 1]], np.uint8)
_LANGUAGE = 3
_COUNT_BINS, _COUNT_STEP = 10, 100


def published_bits(population: Population) -> npt.NDArray[np.uint8]:
    """Bits ``(films, 26)`` of genres, average vote, language and number of votes.

    As github.com/saatweek/recommender_systems_benchmark encodes them: ten genres, one bit each; the average vote
    in five classes of one star, three bits; the language, three bits, which are zero for English and here for
    all, since MovieLens does not know it; the number of votes in classes of a hundred, ten bits of which one is
    set. Averages and numbers are the population's. Genres are the film's own, not those of another film with
    the same number in another catalogue, which the publication joins.
    """
    assert population.dataset is not None
    genres = population.dataset.films["genres"].to_list()
    named = [{name.casefold() for name in names} for names in genres]
    has = np.array([[genre in names for genre in _GENRES] for names in named], np.uint8)
    counts = np.bincount(population.steps.indices, minlength=len(genres))
    stars = np.bincount(population.steps.indices, population.steps.data / 2, minlength=len(genres))
    average = _AVERAGES[np.clip(stars // np.maximum(counts, 1), 0, 4).astype(np.int64)]
    number = np.eye(_COUNT_BINS, dtype=np.uint8)[np.minimum(counts // _COUNT_STEP, _COUNT_BINS - 1)]
    return np.hstack([has, average, np.zeros((len(genres), _LANGUAGE), np.uint8), number])


def published_codes(population: Population) -> npt.NDArray[np.uint8]:
    """The same bits as codes of :data:`PUBLISHED_NEURON`, ``(films, code_bytes)``, filled up with zeros."""
    return np.packbits(published_bits(population), axis=1, bitorder="little")
