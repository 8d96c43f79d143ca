"""A baseline that compares people: those who agreed with a user about some films speak for the others."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .baselines import Baseline, Setting, grid
from .baselines_items import centred
from .baselines_simple import shrunk_mean
from .protocol import Case

__all__ = ["UserKnn"]

Floats = npt.NDArray[np.float64]

_BIAS = 4.0
_TINY = 1e-9


class UserKnn(Baseline):
    """User-based neighbours on top of prior and user bias.

    The similarity of two people is the correlation of their centred surprises over the films that both rated,
    shrunk by their number; a prediction is the mean of the raters' surprises, weighted by it (Resnick et al.
    1994; significance weighting: Herlocker et al. 1999). Near neighbours are favoured by a power of the
    similarity, not chosen (case amplification: Breese et al. 1998). Damping weakens what few say.
    """

    settings = grid(shrink=(10, 30), power=(1, 2), damping=(0.4, 1.6, 6), gain=(1.5, 2.5))

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        residuals, rated = self._residuals
        support, seen = residuals[case.films].toarray(), rated[case.films].toarray()
        surprises = self.population.surprise(case.films, case.steps)
        first = [len(surprises) - kept for _, kept in case.stages()]
        offsets = [shrunk_mean(surprises[at:], _BIAS) for at in first]
        near = np.stack(
            [
                _similar(support[at:], seen[at:], surprises[at:] - offset, setting)
                for at, offset in zip(first, offsets, strict=True)
            ],
            axis=1,
        )
        sizes = rated[case.tested] @ np.abs(near) + float(setting["damping"])
        said = float(setting["gain"]) * (residuals[case.tested] @ near) / sizes
        for offset, column in zip(offsets, said.T, strict=True):
            yield self.population.priors[case.tested] + offset + column

    @cached_property
    def _residuals(self) -> tuple[csr_array, csr_array]:
        """Centred surprises and a one for whoever rated what, ``(films, people)``."""
        residuals = csr_array(centred(self.population, _BIAS).T)
        return residuals, csr_array(
            (np.ones_like(residuals.data), residuals.indices, residuals.indptr), residuals.shape
        )


def _similar(theirs: Floats, seen: Floats, mine: Floats, setting: Setting) -> Floats:
    """Weight ``(people,)`` of everybody for a user, from what both said of some films, ``(films, people)``."""
    common = seen.sum(axis=0)
    lengths = np.sqrt((theirs**2).sum(axis=0) * (mine**2 @ seen))
    similar = mine @ theirs / (lengths + _TINY) * (common / (common + float(setting["shrink"])))
    amplified: Floats = np.sign(similar) * np.abs(similar) ** float(setting["power"])
    return amplified
