"""A user's taste turns round half-way: how soon does an agent notice?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..evaluation.baselines import Population, Setting
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.baselines_factors import FactorFoldIn
from ..evaluation.baselines_simple import PriorAndBias
from ..evaluation.batched import score_many
from ..evaluation.fold import measure
from ..evaluation.metrics import bootstrap_weights
from ..evaluation.picture import Plot, Series
from ..evaluation.protocol import Case, Whole
from ..evaluation.tuning import calibrate, choose
from ..outdated import newest_to_keep
from .laboratory import Ground, Laboratory, Make
from .outcome import Outcome, Row, Target
from .tables import signed

__all__ = ["run"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flip = Callable[[Population, Ints, Ints], Ints]
"""From films and half-star steps to what the user would say after the change."""

_OLD = _NEW = 50
_AFTER = (0, 5, 10, 20, 50)
_STEADY: tuple[int | str, ...] = (20, 50, "all")
_ASKED = 20
_EXPLORED = 2
_NAMED, _CUT = "sweep", "sweep, host forgets what is outdated"
_RECOVERED, _COST = 60.0, 0.5
_SWAPPED = np.array([0, 10, 10, 10, 10, 9, 8, 8, 6, 5, 4])


def run(lab: Laboratory) -> Outcome:
    """Accuracy before a user's taste turns round, and after so many ratings by the new one."""
    agents = _agents(lab.geometry)
    grounds = lab.grounds[_EXPLORED:] or lab.grounds
    flips: dict[str, Flip] = {"taste": _mirrored, "likes and dislikes": _swapped}
    right = {name: _follow(lab, make, grounds, flips) for name, make in agents.items()}
    rows: list[Row] = [
        {"turned": flip, "agent": name} | followed.row(lab.seed)
        for name, by_flip in right.items()
        for flip, followed in by_flip.items()
    ]
    steady = {name: lab.judge(make, grounds=grounds) for name, make in agents.items() if name.startswith(_NAMED)}
    costs = {
        name: [marks.less(steady[_NAMED], k) | {"k": k} for k in _STEADY]
        for name, marks in steady.items()
        if name != _NAMED
    }
    rows += [{"turned": "no", "agent": name} | cost for name, several in costs.items() for cost in several]
    by = {(row["turned"], row["agent"]): row for row in rows}
    cut, plain = (by["taste", name] for name in (_CUT, _NAMED))
    dearest = min(costs[_CUT], key=lambda row: row["diff"])
    back = {row["agent"]: _said(row) for row in rows if row["turned"] == "taste"}
    met = (cut["recovered_20"] or 0) >= _RECOVERED and dearest["diff"] >= -_COST
    return Outcome(
        name="drift",
        title="A user's taste turns round: how soon does an agent notice?",
        sentence=f"After {_ASKED} new ratings {back[_CUT]} of the lost accuracy is back if the host forgets what is "
        f"outdated, {back[_NAMED]} if nothing is done and {back['mf']} with batch matrix factorisation. Where nothing "
        f"changes that costs {signed(dearest)} at {dearest['k']} ratings, the most at any number. If likes and "
        f"dislikes change places altogether, and the prior with them is wrong, "
        f"{_said(by['likes and dislikes', _CUT])} is back.",
        rows=rows,
        plot=Plot(
            "new ratings since the change",
            "right answers, %",
            [
                Series(
                    name,
                    _AFTER,
                    [by["taste", name][f"after_{new}"] for new in _AFTER],
                    [by["taste", name][f"after_{new}_low"] for new in _AFTER],
                    [by["taste", name][f"after_{new}_high"] for new in _AFTER],
                )
                for name in sorted(agents, key=lambda name: name != _CUT)
            ],
            level=(plain["before"], "sweep before the change"),
        ),
        about=f"{plain['users']} users with {_OLD + _NEW} ratings to learn or more; {_OLD} by the old taste, then as "
        "many by the new one, which is also asked for. `taste`: every rating is mirrored at the film's mean rating, so "
        "common opinion still holds. `likes and dislikes`: the two change places. Constants were chosen on the "
        f"first {_EXPLORED} folds; {_confirmed(lab)}.",
        targets=[
            Target(
                "drift: lost accuracy that is back after 20 new ratings",
                f"at least {_RECOVERED:.0f} %, at a steady-state cost of at most {_COST} points",
                cut["recovered_20"] or 0.0,
                cut["recovered_low"],
                cut["recovered_high"],
                bool(met),
            )
        ],
    )


def _confirmed(lab: Laboratory) -> str:
    others = lab.folds - _EXPLORED
    return (
        f"the figures are of the {others} others" if others > 0 else "the figures are of these, nothing confirms them"
    )


def _said(row: Row) -> str:
    if row["recovered_20"] is None:
        return "nothing was lost, so nothing"
    return f"{row['recovered_20']:.0f} % ({row['recovered_low']:.0f} to {row['recovered_high']:.0f})"


def _agents(geometry: Geometry) -> dict[str, Make]:
    """What is compared: ageing as far as learning converges, an agent that may be slower, a short memory, batches."""
    slow = geometry.with_(ridge=geometry.ridge // 7, shift=geometry.shift + 1)
    return {
        _NAMED: partial(AgentMethod, geometry=geometry),
        _CUT: partial(_Cutting, geometry=geometry),
        "sweep, lambda grows with age": partial(AgentMethod, geometry=_aged(geometry)),
        "sweep, lambda grows steeply": partial(AgentMethod, geometry=_aged(slow)),
        "sweep, half the memory": partial(
            AgentMethod, geometry=geometry.with_(memory_depth=geometry.memory_depth // 2)
        ),
        "mf": FactorFoldIn,
        "prior+bias": PriorAndBias,
    }


def _aged(geometry: Geometry) -> Geometry:
    room = (2 << geometry.shift) - 1 - geometry.bias_gain - geometry.neurons - geometry.ridge
    return geometry.with_(drift=room // (geometry.memory_depth - 1))


class _Cutting(AgentMethod):
    """An agent whose host forgets ratings that no longer hold."""

    def __init__(self, population: Population, geometry: Geometry) -> None:
        super().__init__(population, geometry)
        self._catalogue = population.catalogue

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        codes, priors = self._catalogue.codes, self._catalogue.priors
        memories = [self.kept(case, stage) for case in cases for _, stage in case.stages()]
        asked = [case.tested for case in cases for _ in case.stages()]
        newest = newest_to_keep(self._geometry, codes, priors, memories)
        jobs = [
            (films[len(films) - keep :], e[len(e) - keep :], tested)
            for (films, e), keep, tested in zip(memories, newest, asked, strict=True)
        ]
        said = iter(score_many(self._geometry, codes, priors, jobs))
        return [np.stack([next(said) for _ in case.stages()]) for case in cases]


@dataclass(frozen=True)
class _Followed:
    """Right answers ``(users,)`` before the change and after each of ``_AFTER``, and how many were asked for."""

    before: Floats
    after: Floats
    tests: Floats

    def row(self, seed: int) -> Row:
        """Accuracies in percent, and what share of the lost accuracy is back, with bootstrap intervals."""
        weights = bootstrap_weights(len(self.tests), seed)
        drawn = 100 * weights @ np.vstack([self.before, self.after]).T / (weights @ self.tests)[:, None]
        values = 100 * np.array([self.before.sum(), *self.after.sum(axis=1)]) / self.tests.sum()
        low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
        row: Row = {"users": len(self.tests), "before": round(float(values[0]), 2)}
        for place, new in enumerate(_AFTER, 1):
            row |= {f"after_{new}": round(float(values[place]), 2)}
            row |= {f"after_{new}_low": round(float(low[place]), 2), f"after_{new}_high": round(float(high[place]), 2)}
            row |= {f"recovered_{new}": _recovered(values[:, None], place)[0]}
        _, *ends = _recovered(np.c_[values, drawn.T], 1 + _AFTER.index(_ASKED))
        return row | dict(zip(("recovered_low", "recovered_high"), ends, strict=True))


def _recovered(values: Floats, place: int) -> tuple[float | None, float | None, float | None]:
    """Share of the lost accuracy that is back, in percent, and its interval over resamples; None if none was lost.

    ``values`` ``(states, 1 + resamples)``: accuracies, those of all users first.
    """
    lost = values[0] - values[1]
    if lost[0] <= 0 or not (lost > 0).all():
        return None, None, None
    share = 100 * (values[place] - values[1]) / lost
    low, high = np.percentile(share, (2.5, 97.5))
    return round(float(share[0]), 1), round(float(low), 1), round(float(high), 1)


def _follow(lab: Laboratory, make: Make, grounds: Sequence[Ground], flips: Mapping[str, Flip]) -> dict[str, _Followed]:
    """Let a method see users with many ratings before and after each kind of change."""
    hits: dict[str, list[Floats]] = {name: [] for name in flips}
    tests: list[int] = []
    for ground in grounds:
        method, population = make(ground.population), ground.population
        known = [lab.people(ground.tuners)]
        setting = choose([method], known, lab.geometry.memory_depth)
        line = calibrate([method], known, setting, lab.geometry.memory_depth)
        people = [case for case in lab.people(ground.tested) if len(case.films) >= _OLD + _NEW]
        tests += [len(case.tested) for case in people]
        for name, flip in flips.items():
            states = [[_before(case) for case in people]]
            states += [[_turned(case, partial(flip, population), new) for case in people] for new in _AFTER]
            hits[name].append(np.array([measure(method, state, setting, line)[0][:, -1] for state in states]))
    joined = {name: np.concatenate(parts, axis=1) for name, parts in hits.items()}
    return {name: _Followed(marks[0], marks[1:], np.array(tests, np.float64)) for name, marks in joined.items()}


def _before(case: Case) -> Case:
    old = slice(-_OLD - _NEW, -_NEW)
    return Whole(case.user, case.films[old], case.steps[old], case.tested, case.answers, case.bar)


def _turned(case: Case, flip: Callable[[Ints, Ints], Ints], new: int) -> Case:
    """The user after ``new`` ratings by the new taste, asked by the new taste."""
    kept = slice(len(case.films) - _OLD - _NEW, len(case.films) - _NEW + new)
    steps = np.r_[case.steps[:-_NEW], flip(case.films[-_NEW:], case.steps[-_NEW:])]
    answers = flip(case.tested, case.answers)
    return Whole(case.user, case.films[kept], steps[kept], case.tested, answers, case.bar)


def _mirrored(population: Population, films: Ints, steps: Ints) -> Ints:
    means = population.catalogue.model.mean + population.factorisation.means[films]
    return np.clip(np.rint(4 * means - steps), 1, 10).astype(np.int64)


def _swapped(_: Population, films: Ints, steps: Ints) -> Ints:
    return _SWAPPED[steps]
