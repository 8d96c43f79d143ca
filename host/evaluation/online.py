"""Matrix factorisation that learns online, from everybody, one rating after the other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..film_model import LIKED
from .baselines import UNIT, Population, Setting, grid
from .protocol import Case

__all__ = ["StreamedFactors"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


_RIDGE = 0.05


class StreamedFactors:
    """Biased matrix factorisation by stochastic gradient descent (Koren, Bell & Volinsky 2009), predict then learn.

    Films start with means and factors of the population, users with nothing. Every rating, of whatever user, changes
    the film for all users after it. Its cases are events in the order of time, and it takes the answer to one before
    it goes on to the next.
    """

    settings: Sequence[Setting] = grid(rate=(0.02, 0.04, 0.08), films=(0.0, 0.2))
    online = True
    heavy = True

    def __init__(self, population: Population) -> None:
        self._population = population
        self.unit, self.middle = float(UNIT), UNIT * (LIKED - 0.25 - population.catalogue.model.mean)

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        """Scores of the events, ``(1, 1)`` each, in units of a star over the population's mean rating."""
        fitted = self._population.factorisation
        means, factors = fitted.means.copy(), fitted.factors.copy()
        rate, ridge = float(setting["rate"]), _RIDGE
        slow = rate * float(setting["films"])
        tastes: dict[str, Floats] = {}
        offsets: dict[str, float] = {}
        said = []
        for case in cases:
            film = int(case.tested[0])
            taste = tastes.setdefault(case.user, np.zeros(factors.shape[1]))
            offset = offsets.get(case.user, 0.0)
            expected = means[film] + offset + taste @ factors[film]
            said.append(np.array([[round(expected * UNIT)]]))
            error = case.answers[0] / 2 - self._population.catalogue.model.mean - expected
            before = taste.copy()
            offsets[case.user] = offset + rate * (error - ridge * offset)
            taste += rate * (error * factors[film] - ridge * taste)
            means[film] += slow * (error - ridge * (means[film] - fitted.means[film]))
            factors[film] += slow * (error * before - ridge * (factors[film] - fitted.factors[film]))
        return said
