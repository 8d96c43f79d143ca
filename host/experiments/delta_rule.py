"""The control: RAM neurons that learn by the delta rule, each rating once."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ...sim.golden import addresses, match
from ..evaluation.baselines import Baseline, Population, Setting, grid
from ..evaluation.protocol import Case

__all__ = ["DeltaRule", "one_pass", "step"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class DeltaRule(Baseline):
    """Tables that follow each rating's error once, at a step that is tuned (Widrow & Hoff 1960).

    Codes, priors, targets and integers are those of the agents, but what is kept is no list of ratings.
    """

    settings = grid(shift=(7, 8, 9, 10, 11, 12))

    def __init__(self, population: Population, geometry: Geometry) -> None:
        super().__init__(population)
        self._geometry = geometry
        self._where = addresses(geometry, population.catalogue.codes)
        self._units = population.catalogue.priors.astype(np.int64) << geometry.prior_shift

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        star = (self.population.catalogue.targets[1] - self.population.catalogue.targets[0]) or 1
        for _, kept in case.stages():
            films, steps = case.support(kept)
            e = self.population.catalogue.targets.astype(np.int64)[steps - 1] - self._units[films]
            kernel = match(self._where[films], self._where[films]) + self._geometry.bias_gain
            alpha = one_pass(kernel, e, np.ones(len(e), bool), int(setting["shift"]))
            towards = match(self._where[case.tested], self._where[films]) + self._geometry.bias_gain
            yield (self._units[case.tested] + towards @ alpha) / star


def one_pass(kernel: Ints, e: Ints, seen: npt.NDArray[np.bool_], shift: int) -> Ints:
    """Strengths ``(ratings,)`` after one pass over the ratings that are seen; zero for the others.

    Parameters
    ----------
    kernel
        ``(ratings, ratings)``: RAM neurons that two films address alike, plus the bias.
    e
        ``(ratings,)``: what was said beyond the prior.
    """
    alpha = np.zeros(len(e), np.int64)
    for j in np.flatnonzero(seen):
        alpha[j] = step(int(e[j] - kernel[j] @ alpha), shift)
    return alpha


def step(residual: int, shift: int) -> int:
    """A residual times ``2 ** -shift``, rounded."""
    return (residual + (1 << (shift - 1))) >> shift
