"""Baselines that compare films: those that the same people like say something about each other."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csc_array, csr_array

from .baselines import Baseline, Population, Setting, grid, liked
from .baselines_simple import shrunk_mean
from .layers import Layer
from .protocol import Case

__all__ = ["Ease", "ItemKnn"]

Floats = npt.NDArray[np.float64]

_TINY = 1e-9


class ItemKnn(Baseline):
    """Item-based neighbours on top of prior and user bias.

    The similarity of two films is the cosine of the population's centred surprises, with a constant in the
    denominator; a prediction is the mean of the user's own surprises, weighted by it (Sarwar et al. 2001;
    with baseline estimates and shrinkage: Koren 2008).
    """

    settings = grid(shrink=(10, 30, 100, 300, 1000), neighbours=(20, 1000), damping=(0.03, 0.1, 0.3, 1), bias=(4, 8))

    @cached_property
    def _centred(self) -> dict[float, tuple[csc_array, Floats]]:
        """Residuals ``(users, films)`` and the lengths of their columns, by strength of the user bias."""
        return {float(bias): self._residuals(float(bias)) for bias in {s["bias"] for s in self.settings}}

    def _residuals(self, bias: float) -> tuple[csc_array, Floats]:
        residuals = centred(self.population, bias)
        return csc_array(residuals), np.sqrt(np.asarray(residuals.power(2).sum(axis=0)).ravel())

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        bias, most = float(setting["bias"]), int(setting["neighbours"])
        residuals, lengths = self._centred[bias]
        similar = (residuals[:, case.films].T @ residuals[:, case.tested]).toarray()
        similar /= np.outer(lengths[case.films], lengths[case.tested]) + float(setting["shrink"])
        surprises = self.population.surprise(case.films, case.steps)
        for _, kept in case.stages():
            mine, near = surprises[len(surprises) - kept :], similar[len(similar) - kept :]
            if kept > most:
                least = np.partition(np.abs(near), kept - most, axis=0)[kept - most]
                near = np.where(np.abs(near) >= least, near, 0)
            offset = shrunk_mean(mine, bias)
            near_sum = np.abs(near).sum(axis=0) + float(setting["damping"])
            yield self.population.priors[case.tested] + offset + (mine - offset) @ near / near_sum


class Ease(Baseline):
    """EASE with fold-in, on top of prior and user bias.

    A linear autoencoder without self-weights, in closed form (Steck 2019): ``B = I - P / diag(P)`` with ``P``
    the inverse of ``X^T X + ridge``. It is computed from the eigenvectors of ``X X^T``, which serve all ridges.
    A new user's row times ``B`` is a fold-in. Rows are centred surprises, or ones for likes. A ridge shrinks the
    products, so they count ``ridge / scale`` times; the best scale then hardly depends on the ridge.
    """

    settings = grid(rows=("surprises", "likes"), ridge=(300, 3000, 10000, 30000), scale=(120, 240, 480), bias=(4,))

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._spectra: dict[tuple[str, float], tuple[Floats, Floats]] = {}
        self._last: tuple[tuple[str, float, float], Layer] | None = None

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        bias, rows = float(setting["bias"]), str(setting["rows"])
        ridge = float(setting["ridge"])
        surprises = self.population.surprise(case.films, case.steps)
        first = [len(surprises) - kept for _, kept in case.stages()]
        offsets = [shrunk_mean(surprises[at:], bias) for at in first]
        likes = liked(case.steps).astype(np.float64)
        said = [
            (case.films[at:], surprises[at:] - offset if rows == "surprises" else likes[at:])
            for at, offset in zip(first, offsets, strict=True)
        ]
        folded = self.layer(rows, ridge, bias).fold_in(said, case.tested)
        for offset, row in zip(offsets, folded, strict=True):
            yield self.population.priors[case.tested] + offset + ridge / float(setting["scale"]) * row

    def layer(self, rows: str, ridge: float, bias: float) -> Layer:
        """``B``; the last one is kept."""
        key = rows, ridge, bias
        if self._last is None or self._last[0] != key:
            squares, directions = self._spectrum(rows, bias)
            half = directions / np.sqrt(squares + ridge)
            self._last = key, Layer(half, 1 / (1 - np.einsum("ip,ip->i", half, half)))
        return self._last[1]

    def _spectrum(self, rows: str, bias: float) -> tuple[Floats, Floats]:
        """Eigenvalues of ``X X^T`` and the eigenvectors' products with ``X``, ``(users,)`` and ``(films, users)``."""
        if (rows, bias) not in self._spectra:
            x = centred(self.population, bias)
            if rows == "likes":
                x.data = self.population.likes.astype(np.float64)
            squares, vectors = np.linalg.eigh((x @ x.T).toarray())
            self._spectra[rows, bias] = np.maximum(squares, _TINY), x.T @ vectors
        return self._spectra[rows, bias]


def centred(population: Population, bias: float) -> csr_array:
    """Surprises ``(users, films)`` less each user's bias; what is stored was rated, a zero too."""
    surprises = population.surprises
    counts = np.diff(surprises.indptr)
    offsets = np.asarray(surprises.sum(axis=1)).ravel() / (counts + bias)
    data = surprises.data - np.repeat(offsets, counts)
    return csr_array((data, surprises.indices, surprises.indptr), shape=surprises.shape)
