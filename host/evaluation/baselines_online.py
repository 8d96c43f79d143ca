"""A baseline from the field of online learning: a factorisation that learns one rating at a time."""

from collections.abc import Iterator
from copy import copy, deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
from river.optim import SGD
from river.optim.initializers import Normal
from river.reco import BiasedMF

from .baselines import Baseline, Population, Setting, grid
from .protocol import Case

__all__ = ["OnlineFactors"]

Floats = npt.NDArray[np.float64]

_FACTORS = 10
_SPREAD = 0.03
_RATE = 0.02
_DECAY = 0.1
_PASSES = 8
_NEW = -1
"""Name of the user whose ratings are learned, whoever it is; the population's are 0 and up."""


def _learn_model(population: Population) -> Any:
    """River's model after passes over the ratings in random order; films nobody rated are known as well."""
    rng = np.random.default_rng([population.seed, 42])
    model: Any = BiasedMF(
        n_factors=_FACTORS,
        bias_optimizer=SGD(_RATE),
        latent_optimizer=SGD(_RATE),
        l2_bias=_DECAY,
        l2_latent=_DECAY,
        latent_initializer=Normal(mu=0, sigma=_SPREAD, seed=population.seed),
    )
    ratings = population.surprises.tocoo()
    users, films = (axis.tolist() for axis in ratings.coords)
    said = ratings.data.tolist()
    for film in np.flatnonzero(np.bincount(ratings.coords[1], minlength=ratings.shape[1]) == 0).tolist():
        model.i_biases[film], model.i_latents[film] = 0.0, np.zeros(_FACTORS)
    for _ in range(_PASSES):
        for at in rng.permutation(len(said)).tolist():
            model.learn_one(users[at], films[at], said[at])
    return model


class OnlineFactors(Baseline):
    """River's biased matrix factorisation by stochastic gradient steps, on surprises.

    It learns the population's ratings one by one, in random order and several times, and then those of a new
    user in the order they were given, also several times, while the films stay as they are (Paterek 2007).
    """

    heavy = True
    ranks = False
    settings = grid(repeats=(3, 6))
    prepare = staticmethod(_learn_model)

    def stages(self, case: Case, setting: Setting) -> Iterator[Floats]:
        model = self.population.noted(_learn_model)
        said = self.population.surprise(case.films, case.steps).tolist()
        films, tested = case.films.tolist(), case.tested.tolist()
        priors = self.population.priors[case.tested]
        for _, kept in case.stages():
            first = len(said) - kept
            user = _of_new_user(model)
            for _ in range(int(setting["repeats"])):
                for film, surprise in zip(films[first:], said[first:], strict=True):
                    user.learn_one(_NEW, film, surprise)
            yield priors + np.array([user.predict_one(_NEW, film) for film in tested])


def _of_new_user(model: Any) -> Any:
    """The model for one more user, who begins with nothing, and who changes nothing for others."""
    user = copy(model)
    user.global_mean = deepcopy(model.global_mean)
    user.i_bias_optimizer, user.i_latent_optimizer = SGD(0.0), SGD(0.0)
    user.u_bias_optimizer, user.u_latent_optimizer = SGD(_RATE), SGD(_RATE)
    user.u_biases, user.u_latents = {_NEW: 0.0}, {_NEW: np.zeros(_FACTORS)}
    return user
