"""The agents themselves, with the integers that the hardware computes, behind the same seam as the baselines."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..film_model import PRIOR_UNITS, agent_targets
from .baselines import Population, Setting
from .batched import score_many
from .protocol import Case
from .published import PUBLISHED_NEURON, published_codes

__all__ = ["AgentMethod", "PublishedNearest"]

Ints = npt.NDArray[np.int64]


class AgentMethod:
    """Agents of one geometry on the population's catalogue. Nothing is tuned but the thresholds.

    Parameters
    ----------
    population
        What they start from.
    geometry
        Of the agents.
    codes, priors
        Of all films, in place of the catalogue's.

    Members
    -------
    settings
        One, empty.
    unit, middle
        Score units of a star, and the score half way between the targets of a like and of a dislike.
    memory_depth
        Ratings that an agent keeps.
    """

    settings: Sequence[Setting] = ({},)

    def __init__(
        self,
        population: Population,
        geometry: Geometry,
        *,
        codes: npt.NDArray[np.uint8] | None = None,
        priors: npt.NDArray[np.int8] | None = None,
    ) -> None:
        catalogue = population.catalogue
        self._geometry = geometry
        self._codes = catalogue.codes if codes is None else codes
        self._priors = catalogue.priors if priors is None else priors
        self._targets = agent_targets(catalogue.model, geometry).astype(np.int64)
        self.memory_depth = geometry.memory_depth
        self.unit = float(PRIOR_UNITS << geometry.prior_shift)
        self.middle = population.middle * self.unit

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        """Integer scores, ``(stages reached, tests)`` per user."""
        jobs = [(*self.kept(case, stage), case.tested) for case in cases for _, stage in case.stages()]
        said = iter(score_many(self._geometry, self._codes, self._priors, jobs))
        return [np.stack([next(said) for _ in case.stages()]) for case in cases]

    def kept(self, case: Case, stage: int) -> tuple[Ints, Ints]:
        """Films that an agent keeps of those it has seen, and what was said of them beyond the prior."""
        films, steps = case.support(stage)
        films, steps = films[-self._geometry.memory_depth :], steps[-self._geometry.memory_depth :]
        return films, self._targets[steps - 1] - (self._priors[films].astype(np.int64) << self._geometry.prior_shift)


class PublishedNearest(AgentMethod):
    """The published design: what was said of the nearest stored pattern, on the published bits, without a prior."""

    def __init__(self, population: Population) -> None:
        codes = published_codes(population)
        super().__init__(population, PUBLISHED_NEURON, codes=codes, priors=np.zeros(len(codes), np.int8))
