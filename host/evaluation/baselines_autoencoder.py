"""A baseline that reproduces a user's ratings through one layer of weights between films."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from .baselines import Baseline, Population, Setting, grid
from .baselines_items import centred
from .baselines_simple import shrunk_mean
from .protocol import Case

__all__ = ["ConstrainedAutoencoder"]

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

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
        self._layers: dict[tuple[float, float], tuple[Weights, Floats, Floats]] = {}

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        weights = float(setting["ridge"]) / float(setting["scale"]) * self.weights(case, setting)
        surprises = self.population.surprise(case.films, case.steps)
        for _, kept in case.stages():
            first = len(surprises) - kept
            offset = shrunk_mean(surprises[first:], _BIAS)
            yield self.population.priors[case.tested] + offset + (surprises[first:] - offset) @ weights[first:]

    def weights(self, case: Case, setting: Setting) -> Floats:
        """``B`` from a user's films to the tested ones, ``(support, tests)``."""
        half, diagonal, ridges = self._layer(setting)
        scale = np.maximum(ridges, (1 - float(setting["limit"])) / diagonal)[case.tested]
        weights: Floats = (half[:, case.films].T @ half[:, case.tested]).astype(np.float64) * scale
        return weights

    def _layer(self, setting: Setting) -> tuple[Weights, Floats, Floats]:
        """``half`` ``(people, films)`` with ``P = diag(1 / ridges) - half^T half``, and diagonal and ridges of it."""
        key = (float(setting["dropout"]), float(setting["ridge"]))
        if key not in self._layers:
            dropout, ridge = key
            x = centred(self.population, _BIAS)
            ridges = ridge + dropout / (1 - dropout) * np.square(x).sum(axis=0)
            scaled = x / ridges
            lower = np.linalg.cholesky(np.eye(len(x)) + scaled @ x.T)
            half = np.linalg.solve(lower, scaled)
            self._layers[key] = half.astype(np.float32), 1 / ridges - np.square(half).sum(axis=0), ridges
        return self._layers[key]
