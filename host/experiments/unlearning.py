"""Could a model that learns in one pass forget as well?"""

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ...sim.golden import addresses, learn, match
from ..catalogue import Catalogue
from ..evaluation.metrics import bootstrap_weights, interval
from ..evaluation.picture import Plot
from ..evaluation.tuning import choose
from .delta_rule import DeltaRule, one_pass, step
from .laboratory import Ground, Laboratory
from .outcome import Outcome, Row
from .planted import FALSE, Planted, plant
from .tables import series

__all__ = ["run"]

Ints = npt.NDArray[np.int64]

_METHODS = {
    "sweep: forget": "the ratings leave the list, the rest is learned anew",
    "delta rule: take back what was added": "needs a log of all steps; later ratings were learned in the false light",
    "delta rule: step in reverse": "a step of gradient ascent for each rating to be forgotten, the latest first",
    "delta rule: do nothing": "the false ratings stay",
}


def run(lab: Laboratory) -> Outcome:
    """How much of the effect of false ratings on the scores is left after they were unlearned."""
    shifts = {id(ground): _shift(lab, ground) for ground in lab.grounds}
    left = np.array(
        [
            _left(lab.geometry, ground.population.catalogue, planted, shifts[id(ground)], [lab.seed, 43, number])
            for ground in lab.grounds
            for number, planted in enumerate(plant(lab, ground))
            if planted.true
        ]
    )
    weights = bootstrap_weights(len(left), lab.seed)
    rows: list[Row] = []
    for place, (name, how) in enumerate(_METHODS.items()):
        point, low, high = interval(weights, left[:, place, 0], left[:, place, 1])
        rows.append(
            {"method": name, "how": how, "left": round(100 * point, 2), "low": round(100 * low, 2)}
            | {"high": round(100 * high, 2), "users": len(left)}
        )
    ours, log, reverse, _ = rows
    return Outcome(
        name="unlearning",
        title="Could a model that learns in one pass forget as well?",
        sentence=f"Of what {FALSE} false ratings among a user's true ones did to the scores of all films, "
        f"{ours['left']:g} % is left after `sweep` forgot them. A delta rule that steps in reverse keeps "
        f"{reverse['left']:.0f} % ({reverse['low']:.0f} to {reverse['high']:.0f}), and one that takes back what it had "
        f"added, which takes a log, {log['left']:.0f} % ({log['low']:.0f} to {log['high']:.0f}).",
        rows=rows,
        plot=Plot(
            "effect of the false ratings that is left, %",
            "",
            series([row | {"what": "left"} for row in rows], "what", "method", "left"),
            kind="bars",
        ),
        about="Effect: sum over films of the absolute difference to the scores of the same model that never saw the "
        "false ratings, which come in random order among the true ones. The delta rule is the same step on the same "
        "neurons, once per rating (Widrow & Hoff 1960), with the step "
        f"that predicts best: 2^-{sorted(shifts.values())[len(shifts) // 2]}.",
    )


def _shift(lab: Laboratory, ground: Ground) -> int:
    """The delta rule's step that predicts best, chosen on users of the population."""
    make = DeltaRule(ground.population, lab.geometry)
    return int(choose([make], [lab.people(ground.tuners)], lab.geometry.memory_depth)["shift"])


def _left(geometry: Geometry, catalogue: Catalogue, planted: Planted, shift: int, seed: list[int]) -> list[list[float]]:
    """For each method the effect that is left, and the whole effect."""
    order = np.random.default_rng(seed).permutation(len(planted.films))
    films, e = planted.films[order], planted.e[order]
    true = order < planted.true
    where = addresses(geometry, catalogue.codes)
    kernel = match(where[films], where[films]) + geometry.bias_gain
    towards = match(where, where[films]) + geometry.bias_gain
    both = learn(geometry, catalogue.codes[films], e.tolist()).alpha
    never, forgot = np.zeros_like(both), np.zeros_like(both)
    never[true] = forgot[true] = learn(geometry, catalogue.codes[films[true]], e[true].tolist()).alpha
    alphas = one_pass(kernel, e, np.ones_like(true), shift)
    clean = one_pass(kernel, e, true, shift)
    reverse = _reversed(kernel, e, alphas, ~true, shift)
    taken = np.where(true, alphas, 0)

    def effect(strengths: Ints, reference: Ints) -> float:
        return float(np.abs(towards @ (strengths - reference)).sum())

    sweep, delta = effect(both, never), effect(alphas, clean)
    return [
        [effect(forgot, never), sweep],
        [effect(taken, clean), delta],
        [effect(reverse, clean), delta],
        [delta, delta],
    ]


def _reversed(kernel: Ints, e: Ints, alpha: Ints, gone: npt.NDArray[np.bool_], shift: int) -> Ints:
    """Strengths after a step away from each rating to be forgotten, the latest first."""
    alpha = alpha.copy()
    for j in np.flatnonzero(gone)[::-1]:
        alpha[j] -= step(int(e[j] - kernel[j] @ alpha), shift)
    return alpha
