"""Fill the cells of an evaluation on all cores, and gather what is in them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .. import console
from ..errors import RamrecError
from .cache import Arrays
from .laboratory import Cell, Laboratory
from .method import is_heavy, preparation
from .metrics import bootstrap_weights
from .pool import Crew, Task
from .protocol import STAGES, stage_name
from .summary import Marked, Row, comparison, summarise
from .tuning import Tuned

__all__ = ["Outcome", "compared", "fill", "run_cells", "run_events"]

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """All marks of an evaluation, folds together.

    Parameters
    ----------
    marked
        By order and method.
    tests, support
        ``(users,)``: predictions per stage, and ratings to learn.
    tuned
        What was chosen, by method and fold.
    seconds
        Of one core, by method: tuning and cells.
    """

    marked: dict[str, dict[str, Marked]]
    tests: Floats
    support: Floats
    tuned: dict[str, list[Tuned]]
    seconds: dict[str, float]

    def tables(self, *, reference: str, seed: int) -> dict[str, list[Row]]:
        """Tables of :func:`~.summary.summarise`, of all orders together."""
        parts = [
            summarise(order, marked, self.tests, self.support, reference=reference, seed=seed)
            for order, marked in self.marked.items()
        ]
        return {name: [row for part in parts for row in part[name]] for name in parts[0]}


def run_cells(lab: Laboratory, orders: Sequence[str], seeds: Sequence[int], *, crew: Crew, what: str) -> Outcome:
    """Fill what is missing, and gather everything.

    Parameters
    ----------
    lab
        What fills them.
    orders, seeds
        Which cells.
    crew
        Who does it.
    what
        Said beside the progress bar.
    """
    cells = lab.cells(orders, seeds)
    missing: dict[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        if lab.marks(cell) is None:
            missing[cell.fold, cell.method].append(cell)
    # What takes longest begins first, so that in the end no process has to wait for another.
    ordered = sorted(missing.items(), key=lambda item: not is_heavy(lab.makers[item[0][1]]))
    tasks: list[Task] = [("fill", fold, name, tuple(some)) for (fold, name), some in ordered]
    fill(lab, tasks, [(fold, name) for fold, name in missing if lab.tuned(fold, name) is None], crew=crew, what=what)
    return _gathered(lab, cells)


def fill(lab: Laboratory, tasks: Sequence[Task], untuned: Sequence[tuple[int, str]], *, crew: Crew, what: str) -> None:
    """Do tasks, whose arguments are a fold and a method first, after learning the populations that they need.

    ``untuned`` names folds and methods to be tuned, which takes the populations of inner folds too.
    """
    needed: set[tuple[int, int | None, str]] = {(fold, None, name) for _, fold, name, *_ in tasks}
    needed |= {(fold, inner, name) for fold, name in untuned for inner in range(lab.inner(name))}
    ordered = sorted(needed, key=str)
    learn: list[Task] = [("learn", *part) for part in dict.fromkeys((fold, inner) for fold, inner, _ in ordered)]
    # What methods share is prepared by the first of them.
    shared = {(fold, inner, preparation(lab.makers[name])): name for fold, inner, name in reversed(ordered)}
    prepare: list[Task] = [("prepare", *at, name) for (*at, found), name in shared.items() if found is not None]
    with console.progress(what, len(learn) + len(prepare) + len(tasks), unit="tasks") as bar:
        crew.work(lab, [learn, prepare, tasks], done=lambda _: bar.advance())
    lab.shelf.drop_learned()


def run_events(lab: Laboratory, names: Sequence[str], *, crew: Crew, what: str) -> dict[str, list[Arrays]]:
    """What :func:`~.prequential.follow` returns for these methods, a list over folds each."""
    everything = [(fold, name) for fold in range(len(lab.folds)) for name in names]
    missing = [at for at in everything if lab.followed(*at) is None]
    untuned = [at for at in missing if lab.tuned(*at) is None]
    fill(lab, [("follow", *at) for at in missing], untuned, crew=crew, what=what)
    return {name: [_there(lab.followed(fold, name)) for fold in range(len(lab.folds))] for name in names}


def compared(name: str, a: Outcome, b: Outcome, *, seed: int) -> list[Row]:
    """Rows ``method, order, k`` and those of :func:`~.summary.comparison`: a method in one evaluation less in another.

    Both have the same tested users, orders and seeds.
    """
    weights = bootstrap_weights(len(a.tests), seed)
    return [
        {"method": name, "order": order, "k": stage_name(stage)}
        | comparison(weights, a.marked[order][name], b.marked[order][name], a.tests, there, place)
        for order in a.marked
        for place, stage in enumerate(STAGES)
        for there in [a.support >= (stage or 0)]
        if there.any()
    ]


def _gathered(lab: Laboratory, cells: Sequence[Cell]) -> Outcome:
    folds = range(len(lab.folds))
    marked: dict[str, dict[str, Marked]] = defaultdict(dict)
    tuned = {name: [_there(lab.tuned(fold, name)) for fold in folds] for name in lab.makers}
    seconds = {name: sum(one.seconds for one in chosen) for name, chosen in tuned.items()}
    seeds: dict[tuple[str, str], list[int]] = defaultdict(list)
    for cell in cells:
        if cell.fold == 0:
            seeds[cell.order, cell.method].append(cell.seed)
    for (order, name), of_order in seeds.items():
        parts = [[_there(lab.marks(Cell(fold, name, order, seed))) for fold in folds] for seed in of_order]
        seconds[name] += float(sum(part["seconds"] for row in parts for part in row))
        marked[order][name] = Marked(
            np.stack([np.concatenate([part["marks"] for part in row], axis=1) for row in parts]),
            np.stack([np.concatenate([part["likes"] for part in row]) for row in parts]),
        )
    people = [case for fold in folds for case in lab.cases(fold, cells[0].order, cells[0].seed)]
    tests = np.array([len(case.tested) for case in people], np.float64)
    support = np.array([len(case.films) for case in people], np.float64)
    return Outcome(dict(marked), tests, support, tuned, seconds)


def _there(found: T | None) -> T:
    if found is None:
        raise RamrecError("a finished cell of the evaluation is gone from the cache; run the command again")
    return found
