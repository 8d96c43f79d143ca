"""Which experiments there are, and how they are run: on all cores, each once for the same data and program."""

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import Any

from ...hdl.geometry import Geometry
from .. import console
from ..dataset import Dataset
from ..errors import RamrecError, UsageError
from ..evaluation.cache import Shelf, key_of
from ..evaluation.pool import Crew, cores
from ..evaluation.protocol import FOLDS
from ..evaluation.sources import source_digest
from .laboratory import Laboratory

__all__ = ["NAMES", "run_experiments"]

_MODULES = {
    "cold-start": "cold_start",
    "latency": "latency",
    "memory": "memory",
    "widths": "widths",
    "ablation": "ablation",
    "forgetting": "forgetting",
    "unlearning": "unlearning",
    "drift": "drift",
    "new-films": "new_films",
    "books": "books",
    "thumbs": "thumbs",
}

NAMES = tuple(_MODULES)
"""All experiments, in the order of a report."""

_LONGEST_FIRST = ("books", "drift", "new-films", "latency", "forgetting")


def run_experiments(
    dataset: Dataset,
    geometry: Geometry,
    names: Sequence[str] = (),
    *,
    folds: int = FOLDS,
    most: int | None = None,
    seed: int = 1,
) -> dict[str, Any]:
    """Run experiments, or read what they gave before.

    Parameters
    ----------
    dataset
        Ratings and films.
    geometry
        Of the agents; its rule must be ``sweep``.
    names
        Which, of :data:`NAMES`; all by default, then one that can not be run here is left out.
    folds, most, seed
        As :class:`~.laboratory.Laboratory` takes them.

    Returns
    -------
    results
        For JSON: ``data``, ``geometry``, ``folds``, ``most``, ``seed``; ``experiments``, a list of
        :class:`~.outcome.Outcome`; ``left_out``, the reasons by name.

    Raises
    ------
    UsageError
        If there is no such experiment, or the geometry has another rule.
    RamrecError
        If one that was named can not be run here.
    """
    for name in names:
        if name not in _MODULES:
            raise UsageError(f"an experiment is one of {', '.join(NAMES)}, not {name!r}")
    if geometry.rule != "sweep":
        raise UsageError(
            f"give a geometry with the rule sweep; experiments compare others with it, not {geometry.rule}"
        )
    asked = [name for name in NAMES if name in names] if names else list(NAMES)
    runner = _Runner(dataset, geometry, folds, most, seed)
    missing = [name for name in asked if "error" in runner.kept(name)]
    missing.sort(key=lambda name: _LONGEST_FIRST.index(name) if name in _LONGEST_FIRST else len(_LONGEST_FIRST))
    jobs = max(min(cores(), len(missing)), 1)
    with Crew(jobs) as crew, console.progress(f"experiments on {dataset.name}", len(missing), unit="done") as bar:
        crew.work(runner, [[("perform", name) for name in missing]], done=lambda _: bar.advance())
    kept = {name: runner.kept(name) for name in asked}
    failed = {name: outcome["error"] for name, outcome in kept.items() if "error" in outcome}
    if names and failed:
        raise RamrecError("; ".join(f"{name}: {reason}" for name, reason in failed.items()))
    return {
        "data": {"name": dataset.name, "digest": dataset.digest, "licence": dataset.licence},
        "geometry": geometry.agent,
        "folds": folds,
        "most": most,
        "seed": seed,
        "experiments": [outcome for outcome in kept.values() if "error" not in outcome],
        "left_out": failed,
    }


class _Runner:
    """Runs in any process; what it finds is kept on the shelf."""

    def __init__(self, dataset: Dataset, geometry: Geometry, folds: int, most: int | None, seed: int) -> None:
        self._what = dataset, geometry, folds, most, seed
        self._shelf = Shelf(dataset.name)
        decides = dataset.digest, geometry.agent, folds, most, seed
        # All of them now: a source file that changes during a run must not lose what is being computed.
        self._keys = {
            name: key_of("experiment", name, source_digest(f"{__package__}.{module}"), *decides)
            for name, module in _MODULES.items()
        }

    @cached_property
    def _laboratory(self) -> Laboratory:
        dataset, geometry, folds, most, seed = self._what
        return Laboratory(dataset, geometry, folds=folds, most=most, seed=seed)

    def perform(self, name: str) -> None:
        """Run one experiment and keep its outcome, or why there is none."""
        try:
            outcome = import_module(f".{_MODULES[name]}", __package__).run(self._laboratory).as_json()
        except RamrecError as error:
            outcome = {"error": str(error)}
        self._shelf.keep_values(self._keys[name], outcome)

    def kept(self, name: str) -> dict[str, Any]:
        """An outcome; ``error`` where there is none."""
        return self._shelf.values(self._keys[name]) or {"error": "not run yet"}
