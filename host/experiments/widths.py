"""How many bits does an agent need?"""

from functools import partial

import numpy as np

from ..evaluation.baselines import Population
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.method import Method
from ..evaluation.picture import Plot
from .laboratory import Judged, Laboratory
from .outcome import Outcome, Row
from .tables import series, signed

__all__ = ["run"]

_ALPHA_BITS = (2, 3, 4, 5, 6, 8)
_PRIOR_BITS = (1, 2, 3, 4, 5, 6, 8)
_K = "all"


def run(lab: Laboratory) -> Outcome:
    """Accuracy with narrower and wider strengths of entries, and with coarser priors."""
    geometry = lab.geometry
    strengths = {
        bits: lab.judge(partial(AgentMethod, geometry=geometry.with_(alpha_bits=bits))) for bits in _ALPHA_BITS
    }
    priors = {bits: lab.judge(partial(_coarse, lab=lab, bits=bits)) for bits in _PRIOR_BITS}
    rows = _rows("strength of an entry (alpha)", strengths, lab) + _rows("prior", priors, lab)
    cost = strengths[4].less(strengths[8], _K)
    small = min((bits for bits in _PRIOR_BITS if priors[bits].less(priors[8], _K)["low"] > -0.5), default=8)
    return Outcome(
        name="widths",
        title="How many bits does an agent need?",
        sentence=f"Strengths of 4 bits instead of 8 change the accuracy by {signed(cost)}. A prior of {small} bits "
        f"is surely not worse than one of 8 by half a point: {signed(priors[small].less(priors[8], _K))}.",
        rows=rows,
        plot=Plot(
            "bits",
            "right answers with all ratings, %",
            series(rows, "what", "bits"),
        ),
        about=f"Everything else as evaluated: alpha of {geometry.alpha_bits} bits, priors of 8. A cell is as wide as "
        f"the sum of {geometry.memory_depth} strengths, so it can not overflow; `cell_bits` says how wide.",
    )


def _rows(what: str, judged: dict[int, Judged], lab: Laboratory) -> list[Row]:
    def cells(bits: int) -> int:
        return (lab.geometry.with_(alpha_bits=bits) if what.startswith("strength") else lab.geometry).cell_bits

    return [
        {"what": what, "bits": bits, "cell_bits": cells(bits)} | marks.accuracy(_K) for bits, marks in judged.items()
    ]


def _coarse(population: Population, *, lab: Laboratory, bits: int) -> Method:
    """The agent with priors of so many bits, the others of the byte being zero."""
    step = 1 << (8 - bits)
    coarse = np.clip(np.floor(population.catalogue.priors / step + 0.5) * step, -128, 128 - step).astype(np.int8)
    return AgentMethod(population, lab.geometry, priors=coarse)
