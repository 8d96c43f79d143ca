"""One layer of weights between films, as narrow as there are people: what a linear autoencoder comes down to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Layer"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """Weights ``half[i] . half[j] * gains[j]`` from film ``i`` to another film ``j``.

    By the matrix inversion lemma the inverse of ``X^T X + diag(ridges)`` is ``diag(1 / ridges) - half half^T``, with
    as many columns as ``X`` has rows. So neither the inverse nor the weights, both films by films, are ever written
    down; where there are more films than people that saves most of the work.

    Parameters
    ----------
    half
        ``(films, people)``.
    gains
        ``(films,)``.
    """

    half: npt.NDArray[np.floating[Any]]
    gains: Floats

    def weights(self, films: Ints, others: Ints) -> Floats:
        """From some films to others, ``(films, others)``; not defined from a film to itself."""
        products: Floats = (self.half[films] @ self.half[others].T).astype(np.float64)
        return products * self.gains[others]

    def fold_in(self, said: Sequence[tuple[Ints, Floats]], asked: Ints) -> Floats:
        """What the layer gives for new rows, ``(rows, asked)``.

        Parameters
        ----------
        said
            For each row films, and what was said of them; of all other films nothing was.
        asked
            Films.
        """
        hidden = np.stack([values.astype(self.half.dtype) @ self.half[films] for films, values in said])
        everything = len(asked) == len(self.half) and bool((asked == np.arange(len(asked))).all())
        half = self.half if everything else self.half[asked]
        given: Floats = (hidden @ half.T).astype(np.float64)
        return given * self.gains[asked]
