"""A baseline that compares people: those who agreed with a user about some films speak for the others."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

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
        support, tested = residuals[case.films], residuals[case.tested]
        seen, asked = rated[case.films], rated[case.tested]
        surprises = self.population.surprise(case.films, case.steps)
        damping, gain = float(setting["damping"]), float(setting["gain"])
        for _, kept in case.stages():
            first = len(surprises) - kept
            offset = shrunk_mean(surprises[first:], _BIAS)
            near = _similar(support[first:], seen[first:], surprises[first:] - offset, setting)
            yield (
                self.population.priors[case.tested] + offset + gain * (tested @ near) / (asked @ np.abs(near) + damping)
            )

    @cached_property
    def _residuals(self) -> tuple[Floats, Floats]:
        """Centred surprises and who rated what, ``(films, people)``."""
        rated = np.zeros(self.population.steps.shape)
        rated[self.population.steps.nonzero()] = 1
        return np.ascontiguousarray(centred(self.population, _BIAS).T), np.ascontiguousarray(rated.T)


def _similar(theirs: Floats, seen: Floats, mine: Floats, setting: Setting) -> Floats:
    """Weight ``(people,)`` of everybody for a user, from what both said of some films, ``(films, people)``."""
    common = seen.sum(axis=0)
    lengths = np.sqrt((theirs**2).sum(axis=0) * (mine**2 @ seen))
    similar = mine @ theirs / (lengths + _TINY) * (common / (common + float(setting["shrink"])))
    amplified: Floats = np.sign(similar) * np.abs(similar) ** float(setting["power"])
    return amplified
