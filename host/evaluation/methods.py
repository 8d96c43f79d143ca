"""The methods that are compared, by the names they have in results."""

from collections.abc import Callable
from functools import partial

from ...hdl.geometry import Geometry
from .baselines import Population
from .baselines_agents import AgentMethod, PublishedNearest
from .baselines_autoencoder import ConstrainedAutoencoder
from .baselines_factors import FactorFoldIn, FeatureFoldIn, UserLogistic
from .baselines_items import Ease, ItemKnn
from .baselines_simple import LikeRate, Majority, Prior, PriorAndBias
from .baselines_users import UserKnn
from .method import Method
from .optional import optional_methods

__all__ = ["REFERENCE", "agent_geometries", "methods"]

REFERENCE = "sweep"
"""The method that all others are compared with."""


def agent_geometries(geometry: Geometry) -> dict[str, Geometry]:
    """The learning rules on codes of one geometry; ``counting`` with constants that suit 128 bits."""
    return {
        REFERENCE: geometry,
        "counting": geometry.with_(rule="counting", bias_gain=0, shift=9, alpha_bits=4, prior_shift=4),
        "wisard": geometry.with_(rule="wisard"),
        "nearest": geometry.with_(rule="nearest", lanes=1),
    }


def methods(geometry: Geometry) -> dict[str, Callable[[Population], Method]]:
    """Everything that is compared: how to make it from a population."""
    made: dict[str, Callable[[Population], Method]] = {
        name: partial(AgentMethod, geometry=agent) for name, agent in agent_geometries(geometry).items()
    }
    made |= {
        "nearest-published": PublishedNearest,
        "majority": Majority,
        "like-rate": LikeRate,
        "prior": Prior,
        "prior+bias": PriorAndBias,
        "user-knn": UserKnn,
        "item-knn": ItemKnn,
        "ease": Ease,
        "csla": ConstrainedAutoencoder,
        "mf": FactorFoldIn,
        "fm": FeatureFoldIn,
        "logistic": UserLogistic,
    }
    return made | optional_methods()
