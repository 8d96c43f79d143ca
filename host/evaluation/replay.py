"""Evaluated predictions once more, on a device behind the driver."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ..console import progress
from ..driver import Driver, Kept
from ..transport import open_transport
from .baselines import Population
from .baselines_agents import AgentMethod
from .laboratory import Laboratory
from .protocol import Case

__all__ = ["device_geometry", "replay"]

Ints = npt.NDArray[np.int64]


def device_geometry(geometry: Geometry, films: int) -> Geometry:
    """A small device whose agents are these."""
    return geometry.with_(users=1, catalogue_depth=films, lanes=1, comparators=1)


def replay(lab: Laboratory, most: int, *, backend: str) -> dict[str, Any]:
    """Let a device learn what tested users say, ask it for the scores, and count those that differ.

    For each user and stage all ratings but the last are restored, the last is rated, and the tested films are scored.

    Parameters
    ----------
    lab
        Folds, populations, and the agents' geometry.
    most
        Predictions to repeat, the same number in each fold.
    backend
        Of :func:`~..transport.open_transport`.

    Returns
    -------
    outcome
        ``predictions, users, mismatches, backend, geometry``, values for JSON.
    """
    geometry = lab.plan.geometry
    device = device_geometry(geometry, lab.dataset.films.height)
    predictions, mismatches, users = 0, 0, set()
    with closing(open_transport(backend, device)) as transport, progress("replaying", most, unit="predictions") as bar:
        driver = Driver(transport, device, timeout=60)
        driver.hello()
        for fold in range(len(lab.folds)):
            population, people = lab.population(fold, None), lab.cases(fold, "random", lab.plan.seed)
            driver.reset()
            driver.load(0, population.catalogue.codes, population.catalogue.priors)
            share = most * (fold + 1) // len(lab.folds) - predictions
            for user, tested, kept, expected in _jobs(geometry, population, people, share):
                scores = _scores(driver, geometry, population, kept, tested)
                users.add(user)
                predictions += len(tested)
                mismatches += sum(a != b for a, b in zip(scores, expected.tolist(), strict=True))
                bar.advance(len(tested))
    return {
        "predictions": predictions,
        "users": len(users),
        "mismatches": mismatches,
        "backend": backend,
        "geometry": device.agent,
    }


def _jobs(
    geometry: Geometry, population: Population, people: Sequence[Case], most: int
) -> Iterator[tuple[str, list[int], list[Kept], Ints]]:
    """User, tested films, what the agent keeps, and the evaluation's scores, for about ``most`` predictions."""
    method = AgentMethod(population, geometry)
    for case, place in _mixed(people):
        (rows,) = method.scores([case], {})
        _, stage = list(case.stages())[place]
        tested = case.tested[:most].tolist()
        films, e = method.kept(case, stage)
        kept = [Kept(*entry) for entry in zip(films.tolist(), e.tolist(), strict=True)]
        yield case.user, tested, kept, rows[place, : len(tested)]
        most -= len(tested)
        if not most:
            return


def _mixed(people: Sequence[Case]) -> Iterator[tuple[Case, int]]:
    """Each user at each stage reached, by its place among them: first all users at one stage each, then at others."""
    reached = [len(list(case.stages())) for case in people]
    for turn in range(max(reached, default=0)):
        for number, (case, count) in enumerate(zip(people, reached, strict=True)):
            if turn < count:
                yield case, (number + turn) % count


def _scores(
    driver: Driver, geometry: Geometry, population: Population, kept: Sequence[Kept], tested: Sequence[int]
) -> list[int]:
    driver.reset(0)
    if kept:
        *before, last = kept
        if before:
            driver.restore(0, before)
        prior = int(population.catalogue.priors[last.item]) << geometry.prior_shift
        driver.rate(0, last.item, last.e + prior)
    return driver.score(0, tested)
