"""Weighted, weightless, or both: which part of an agent does what?"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from ..evaluation.baselines import Population
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.baselines_factors import FactorFoldIn
from ..evaluation.baselines_simple import Prior, PriorAndBias
from ..evaluation.method import Method
from ..evaluation.methods import agent_geometries
from ..evaluation.picture import Plot
from .laboratory import Laboratory, Make
from .outcome import Outcome, Row
from .tables import accuracies, series, signed

__all__ = ["run"]

Codes = npt.NDArray[np.uint8]
_KS: tuple[int | str, ...] = (5, 20, "all")
_SHOWN = 20


def run(lab: Laboratory) -> Outcome:
    """Accuracy of agents that lack a part, and of the parts alone."""
    judged = {name: lab.judge(make) for name, (_, make) in _variants(lab).items()}
    kinds = {name: kind for name, (kind, _) in _variants(lab).items()}
    rows: list[Row] = [{"kind": kinds[str(row["variant"])]} | row for row in accuracies(judged, _KS, name="variant")]
    both, ram = judged["learned codes, prior: sweep"], judged["learned codes, no prior: sweep"]
    published, weights = judged["genre codes, no prior: nearest"], judged["prior and bias"]
    shown = [row for row in rows if row["k"] == _SHOWN]
    return Outcome(
        name="ablation",
        title="Weighted, weightless, or both?",
        sentence=f"With learned codes and a prior RAM neurons predict {both.accuracy(_SHOWN)['accuracy']:.1f} % right "
        f"at {_SHOWN} ratings. Against the weights alone (prior and bias) that is "
        f"{signed(both.less(weights, _SHOWN))}, against the same neurons without a prior "
        f"{signed(both.less(ram, _SHOWN))}, and against the published neuron on genre codes "
        f"{signed(both.less(published, _SHOWN))}.",
        rows=rows,
        plot=Plot(
            f"right answers at {_SHOWN} ratings, %",
            "",
            series(shown, "kind", "variant"),
            kind="bars",
        ),
        about="Weightless: RAM neurons alone, on codes of genres, of random bits, or learned. Weighted: the prior, a "
        "mean or factors in floating point, and no neurons. Thresholds are fitted for each variant on its own.",
    )


def _variants(lab: Laboratory) -> dict[str, tuple[str, Make]]:
    """By name: which kind it is, and how it is made."""
    agents = agent_geometries(lab.geometry)
    sweep = agents["sweep"]
    genres = _genre_codes(lab.dataset, sweep.code_bytes)
    random = np.random.default_rng([lab.seed, 40]).integers(0, 256, genres.shape, dtype=np.uint8)
    return {
        "learned codes, prior: sweep": ("both", _agent(sweep)),
        "learned codes, prior: counting": ("both", _agent(agents["counting"])),
        "genre codes, prior: sweep": ("both", _agent(sweep, codes=genres)),
        "random codes, prior: sweep": ("both", _agent(sweep, codes=random)),
        "factors in floating point (mf)": ("weighted", FactorFoldIn),
        "prior and bias": ("weighted", PriorAndBias),
        "prior": ("weighted", Prior),
        "learned codes, no prior: sweep": ("weightless", _agent(sweep, prior=False)),
        "learned codes, no prior: wisard": ("weightless", _agent(agents["wisard"], prior=False)),
        "genre codes, no prior: sweep": ("weightless", _agent(sweep, codes=genres, prior=False)),
        "genre codes, no prior: wisard": ("weightless", _agent(agents["wisard"], codes=genres, prior=False)),
        "genre codes, no prior: nearest": ("weightless", _agent(agents["nearest"], codes=genres, prior=False)),
    }


def _agent(geometry: Geometry, *, codes: Codes | None = None, prior: bool = True) -> Callable[[Population], Method]:
    return partial(_changed, geometry=geometry, codes=codes, prior=prior)


def _changed(population: Population, *, geometry: Geometry, codes: Codes | None, prior: bool) -> Method:
    priors = None if prior else np.zeros_like(population.catalogue.priors)
    return AgentMethod(population, geometry, codes=codes, priors=priors)


def _genre_codes(dataset: Dataset, code_bytes: int) -> Codes:
    """Codes whose bits say which genres a film has, each genre over and over: ``(films, code_bytes)``."""
    genres = dataset.films["genres"].to_list()
    names = sorted({name for of_film in genres for name in of_film}) or [""]
    has = np.array([[name in of_film for name in names] for of_film in genres])
    return np.packbits(has[:, np.arange(8 * code_bytes) % len(names)], axis=1, bitorder="little")
