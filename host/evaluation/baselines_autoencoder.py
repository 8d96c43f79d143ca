"""A baseline that reproduces a user's ratings through one layer of weights between films."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.linalg import solve_triangular

from .baselines import Baseline, Population, Setting, grid
from .baselines_items import centred
from .baselines_simple import shrunk_mean
from .layers import Layer
from .protocol import Case

__all__ = ["ConstrainedAutoencoder"]

Floats = npt.NDArray[np.float64]
Halves = npt.NDArray[np.float32]

_BIAS = 4.0


class ConstrainedAutoencoder(Baseline):
    """A constrained single-layer autoencoder with fold-in, on top of prior and user bias.

    Weights ``B`` minimise the error of ``X B`` under dropout of the input, which is a ridge on each film in
    proportion to its ratings (Steck 2020), and under an upper limit of the self-weights (Moon, Kim & Lee 2023).
    With limit 0 and no dropout they are EASE's. The closed form is
    ``B = I - P diag(max(ridge_j, (1 - limit) / P_jj))`` with ``P`` the inverse of ``X^T X + diag(ridge)``; it is
    computed through a matrix of people by people, by the matrix inversion lemma. Rows of ``X`` are centred
    surprises; as for EASE, products count ``ridge / scale`` times.
    """

    settings = grid(dropout=(0.2, 0.5), ridge=(300, 3000, 10000), limit=(0, 0.5), scale=(60, 120, 240))

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._halves: dict[tuple[float, float], tuple[Halves, Floats, Floats]] = {}

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        surprises = self.population.surprise(case.films, case.steps)
        first = [len(surprises) - kept for _, kept in case.stages()]
        offsets = [shrunk_mean(surprises[at:], _BIAS) for at in first]
        said = [(case.films[at:], surprises[at:] - offset) for at, offset in zip(first, offsets, strict=True)]
        gain = float(setting["ridge"]) / float(setting["scale"])
        for offset, row in zip(offsets, self.layer(setting).fold_in(said, case.tested), strict=True):
            yield self.population.priors[case.tested] + offset + gain * row

    def layer(self, setting: Setting) -> Layer:
        """``B``."""
        half, diagonal, ridges = self._half(setting)
        return Layer(half, np.maximum(ridges, (1 - float(setting["limit"])) / diagonal))

    def _half(self, setting: Setting) -> tuple[Halves, Floats, Floats]:
        """``half`` ``(films, people)`` with ``P = diag(1 / ridges) - half half^T``, and diagonal and ridges of it."""
        key = (float(setting["dropout"]), float(setting["ridge"]))
        if key not in self._halves:
            dropout, ridge = key
            x = centred(self.population, _BIAS)
            ridges = ridge + dropout / (1 - dropout) * np.asarray(x.power(2).sum(axis=0)).ravel()
            scaled = x.multiply(1 / ridges).tocsr()
            lower = np.linalg.cholesky(np.eye(x.shape[0]) + (scaled @ x.T).toarray()).astype(np.float32)
            half = solve_triangular(lower, scaled.toarray().astype(np.float32), lower=True)
            diagonal = 1 / ridges - np.square(half).sum(axis=0, dtype=np.float64)
            self._halves[key] = np.ascontiguousarray(half.T), diagonal, ridges
        return self._halves[key]
