"""Who says how many stars in the publication's protocol, and how it is decided for so many ratings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from .baselines import Population, Setting
from .baselines_agents import AgentMethod
from .baselines_simple import Prior
from .batched import score_many
from .method import Method
from .methods import REFERENCE, agent_geometries
from .protocol import Case
from .published import PUBLISHED_NEURON, published_bits, published_codes
from .signals import USUAL
from .star_bands import NEAR, STEPS, Bands, fit_bands

__all__ = ["CONSTANT", "Ground", "Predictor", "predictors", "thermometer"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Logits = npt.NDArray[np.float32]

CONSTANT = 8
"""Half-star steps of the answer that needs no learning: four stars."""

_TUNED_ON = 100
_RATE = 0.01
_STOPS = (10, 25, 50, 100, 200)


class Predictor(Protocol):
    """Says half-star steps ``(tests,)`` for each of some users, all of whom have as many ratings."""

    def __call__(self, people: Sequence[Case]) -> list[Ints]: ...


@dataclass(frozen=True)
class Ground:
    """A population, and those on whom what is decided about stars is tuned.

    Parameters
    ----------
    whole
        Learned from everybody but the tested users.
    inner
        Learned from parts of them.
    known
        For each inner population users it does not know, by number of ratings.
    """

    whole: Population
    inner: Sequence[Population]
    known: Sequence[Mapping[int, Sequence[Case]]]


def predictors(ground: Ground, ratings: int, geometry: Geometry) -> dict[str, Predictor]:
    """All methods, with what is decided about stars for so many ratings."""
    agents = agent_geometries(geometry)
    scored: dict[str, tuple[Callable[[Population], Method], Setting]] = {"prior": (Prior, {})}
    scored |= {name: USUAL[name] for name in ("prior+bias", "item-knn", "mf")}
    scored |= {name: (partial(AgentMethod, geometry=agents[name]), {}) for name in (REFERENCE, "counting")}
    found: dict[str, Predictor] = {"constant": lambda people: [np.full(len(c.tested), CONSTANT) for c in people]}
    found |= {name: _banded(ground, ratings, make, setting) for name, (make, setting) in scored.items()}
    found["nearest"] = lambda people: _nearest(ground.whole, people)
    return found | _networks(ground, ratings)


def _banded(ground: Ground, ratings: int, make: Callable[[Population], Method], setting: Setting) -> Predictor:
    """A method's scores in bands of stars that suit the population's own users."""
    bands = Bands(np.empty(0), np.array([CONSTANT]))
    known = [(make(population), people[ratings]) for population, people in zip(ground.inner, ground.known, strict=True)]
    scores = [rows[0] for method, people in known if people for rows in method.scores(people, setting)]
    if scores:
        bands = fit_bands(np.concatenate(scores), np.concatenate([c.answers for _, people in known for c in people]))
    method = make(ground.whole)
    return lambda people: [bands.say(rows[0]) for rows in method.scores(people, setting)]


def _nearest(population: Population, people: Sequence[Case]) -> list[Ints]:
    """The published neuron: what was said of the nearest stored pattern, the newest of those equally near."""
    codes = published_codes(population)
    jobs = [(case.films, case.steps, case.tested) for case in people]
    return score_many(PUBLISHED_NEURON, codes, np.zeros(len(codes), np.int8), jobs)


def _networks(ground: Ground, ratings: int) -> dict[str, Predictor]:
    """One network per user with the thermometer as its ten outputs."""
    if find_spec("torch") is None:
        return {}
    from .baselines_networks import UserMlp
    from .networks import Training, predict_many

    def logits(inputs: Floats, people: Sequence[Case], training: Training) -> list[Logits]:
        seen = inputs.astype(np.float32)
        return predict_many([(seen[c.films], thermometer(c.steps), seen[c.tested]) for c in people], training)

    seed = ground.whole.seed
    published = Training(0.001, 0, (25,), None, seed)
    start = tuple(_start(ground.whole).tolist())
    proper = Training(_RATE, 1, _STOPS, start, seed)
    right = np.zeros(len(_STOPS))
    if people := ground.known[0][ratings][:_TUNED_ON]:
        inputs = UserMlp(ground.inner[0]).inputs()
        for case, rows in zip(people, logits(inputs, people, proper), strict=True):
            said = np.stack([_best_step(row) for row in rows])
            right += (np.abs(said - case.answers) <= NEAR).mean(axis=1)
    best = replace(proper, stops=(_STOPS[int(right.argmax())],))
    return {
        "mlp-published": lambda people: [
            np.asarray((rows[0] >= 0).sum(axis=1), np.int64)
            for rows in logits(published_bits(ground.whole).astype(np.float64), people, published)
        ],
        "mlp": lambda people: [_best_step(rows[0]) for rows in logits(UserMlp(ground.whole).inputs(), people, best)],
    }


def thermometer(steps: Ints) -> Logits:
    """Ten bits ``(n, 10)``, as many of them set as there are half stars."""
    return (np.arange(STEPS) < steps[:, None]).astype(np.float32)


def _start(population: Population) -> Floats:
    """Logits of the population's thermometer bits."""
    share = thermometer(population.steps.data).mean(axis=0, dtype=np.float64).clip(0.001, 0.999)
    return np.log(share / (1 - share))


def _best_step(logits: Logits) -> Ints:
    """The step with most probability within one star of it, from logits ``(tests, 10)`` of a thermometer."""
    reached = 1 / (1 + np.exp(-np.clip(logits.astype(np.float64), -30, 30)))
    padded = np.hstack([np.ones((len(logits), NEAR)), reached, np.zeros((len(logits), NEAR + 1))])
    covered = padded[:, :STEPS] - padded[:, 2 * NEAR + 1 : 2 * NEAR + 1 + STEPS]
    return np.asarray(covered.argmax(axis=1) + 1, np.int64)
