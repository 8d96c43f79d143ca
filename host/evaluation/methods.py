"""The methods that are compared, by the names they have in results."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from .baselines import Population, Setting
from .baselines_agents import AgentMethod
from .baselines_factors import FactorFoldIn, UserLogistic
from .baselines_items import Ease, ItemKnn
from .baselines_simple import LikeRate, Majority, Prior, PriorAndBias
from .protocol import Case

__all__ = ["REFERENCE", "Method", "agent_geometries", "methods"]

REFERENCE = "sweep"
"""The method that all others are compared with."""


class Method(Protocol):
    """Predicts from a population and a user's ratings; see :class:`~.baselines.Baseline`."""

    @property
    def settings(self) -> Sequence[Setting]:
        """What is tried on users of the population."""
        ...

    @property
    def unit(self) -> float:
        """Score units of a star."""
        ...

    @property
    def middle(self) -> float:
        """A score that is neither for nor against."""
        ...

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[npt.NDArray[np.int64]]:
        """Scores in whole units, ``(stages reached, tests)`` per user."""
        ...


def agent_geometries(geometry: Geometry) -> dict[str, Geometry]:
    """The learning rules on codes of one geometry; ``counting`` with constants that suit 128 bits."""
    return {
        REFERENCE: geometry,
        "counting": geometry.with_(rule="counting", bias_gain=0, shift=9, alpha_bits=4, prior_shift=4),
        "nearest": geometry.with_(rule="nearest", lanes=1),
    }


def methods(geometry: Geometry) -> dict[str, Callable[[Population], Method]]:
    """Everything that is compared: how to make it from a population."""
    made: dict[str, Callable[[Population], Method]] = {
        name: partial(AgentMethod, geometry=agent) for name, agent in agent_geometries(geometry).items()
    }
    made |= {
        "majority": Majority,
        "like-rate": LikeRate,
        "prior": Prior,
        "prior+bias": PriorAndBias,
        "item-knn": ItemKnn,
        "ease": Ease,
        "mf": FactorFoldIn,
        "logistic": UserLogistic,
    }
    return made
