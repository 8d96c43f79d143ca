"""Agents of other sizes: what width of codes, neurons and strengths, and what depth of memory are worth."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import ceil, log2
from typing import Any

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from .baselines import Population, Setting, grid
from .baselines_agents import AgentMethod
from .laboratory import Laboratory
from .metrics import bootstrap_weights
from .pool import Crew
from .protocol import STAGES, Case, stage_name
from .run import Outcome, run_cells
from .summary import difference

__all__ = ["TunedAgent", "agent_bits", "agents_grid", "variants"]

Ints = npt.NDArray[np.int64]
Row = dict[str, Any]

_WIDTHS, _TUPLES, _DEPTHS, _ALPHAS = (64, 128, 256), (1, 2, 4), (32, 64, 128, 256), (2, 3, 4, 5, 6, 7)
_FACTORS = (0.5, 1.0, 2.0)


def variants(geometry: Geometry) -> dict[str, Geometry]:
    """Geometries by name: widths of codes with sizes of neurons, then depths of memory, then widths of strengths.

    With more neurons a strength counts more; the constants change with their number, so that a star stays a star.
    """
    named = {
        f"W{width} n{bits}": _resized(geometry, code_bits=width, tuple_bits=bits)
        for width in _WIDTHS
        for bits in _TUPLES
    }
    named |= {f"M{depth}": geometry.with_(memory_depth=depth) for depth in _DEPTHS}
    for bits in _ALPHAS:
        prior_shift = geometry.prior_shift + bits - geometry.alpha_bits
        if prior_shift >= 0:
            changed = geometry.with_(alpha_bits=bits, prior_shift=prior_shift)
            named[f"cells of {changed.cell_bits} bits"] = changed
    return {name: other for name, other in named.items() if other.agent != geometry.agent}


def agent_bits(geometry: Geometry) -> int:
    """Bits that one user's memory, tables and bias take."""
    entry = 16 + 16 + geometry.alpha_bits + geometry.code_bits
    return geometry.memory_depth * entry + (geometry.neurons * geometry.cells + 1) * geometry.cell_bits


class TunedAgent:
    """An agent whose ridge and bias are chosen among values around those of its geometry."""

    ranks = False

    def __init__(self, population: Population, geometry: Geometry) -> None:
        self._population, self._geometry = population, geometry
        first = AgentMethod(population, geometry)
        self.unit, self.middle, self.memory_depth = first.unit, first.middle, first.memory_depth
        ridges = [round(geometry.ridge * factor) for factor in _FACTORS]
        biases = [round(geometry.bias_gain * factor) for factor in _FACTORS]
        self.settings: Sequence[Setting] = [
            setting for setting in grid(ridge=ridges, bias_gain=biases) if _step(geometry, setting) <= 15
        ]

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        """Integer scores, as :class:`~.baselines_agents.AgentMethod` gives them."""
        changes = {name: int(value) for name, value in setting.items()}
        geometry = self._geometry.with_(**changes, shift=_step(self._geometry, setting))
        return AgentMethod(self._population, geometry).scores(cases, {})


def _resized(geometry: Geometry, *, code_bits: int, tuple_bits: int) -> Geometry:
    neurons = code_bits // tuple_bits
    times = neurons / geometry.neurons
    changed = {
        "ridge": round(geometry.ridge * times),
        "bias_gain": min(round(geometry.bias_gain * times), 255),
        "prior_shift": min(max(geometry.prior_shift + round(log2(times)), 0), 7),
    }
    gain = changed["ridge"] + changed["bias_gain"] + neurons
    sizes = {"code_bits": code_bits, "tuple_bits": tuple_bits, "neurons_per_clock": neurons}
    return replace(geometry, **sizes, **changed, shift=ceil(log2(gain)))  # type: ignore[arg-type]


def _step(geometry: Geometry, setting: Setting) -> int:
    """Shift that makes a step no larger than one of Gauss and Seidel."""
    gain = int(setting["ridge"]) + int(setting["bias_gain"]) + geometry.neurons
    return ceil(log2(gain + geometry.drift * (geometry.memory_depth - 1)))


def agents_grid(lab: Laboratory, outcome: Outcome, *, reference: str, crew: Crew) -> list[Row]:
    """Rows ``agents_grid`` of :func:`~.evaluate.evaluate`: random order, the first seed.

    Parameters
    ----------
    lab
        Its folds are evaluated, with agents in place of its methods.
    outcome, reference
        Of that laboratory, and the agent in it that the others are compared with.
    crew
        Who does it.
    """
    base, seed, support = lab.plan.geometry, lab.plan.seed, outcome.support
    marked = outcome.marked["random"][reference].first(1)
    weights = bootstrap_weights(len(support), seed)
    rows = []
    for width, geometries in _by_width(variants(base)):
        plan = replace(
            lab.plan,
            geometry=base if width == base.code_bits else _resized(base, code_bits=width, tuple_bits=base.tuple_bits),
        )
        makers = {name: partial(TunedAgent, geometry=geometry) for name, geometry in geometries.items()}
        other = Laboratory(lab.dataset, plan, lab.folds, makers, lab.shelf)
        found = run_cells(other, ["random"], [seed], crew=crew, what=f"evaluating agents with codes of {width} bits")
        for row in found.tables(reference=next(iter(makers)), seed=seed)["results"]:
            name, place = row["method"], [stage_name(stage) for stage in STAGES].index(row["k"])
            geometry = geometries[name]
            there = support >= (STAGES[place] or 0)
            compared = difference(weights, found.marked["random"][name], marked, outcome.tests, there, place)
            rows.append(
                {"name": name, "changes": _changes(base, geometry), "bits": agent_bits(geometry)}
                | {key: value for key, value in row.items() if key != "method"}
                | compared
            )
    return rows


def _by_width(named: dict[str, Geometry]) -> Iterator[tuple[int, dict[str, Geometry]]]:
    for width in sorted({geometry.code_bits for geometry in named.values()}):
        yield width, {name: geometry for name, geometry in named.items() if geometry.code_bits == width}


def _changes(base: Geometry, geometry: Geometry) -> dict[str, int | str]:
    return {name: value for name, value in geometry.agent.items() if value != base.agent[name]}
