"""The cells of an evaluation: what each is called, and how it is filled. Runs in any process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from . import fold as fold_module
from . import tuning
from .baselines import Population
from .cache import Arrays, Shelf, key_of
from .fold import Fold, Plan, measure
from .method import Method, is_heavy, is_online, preparation, ranks
from .prequential import follow
from .protocol import ORDERS, Case, cases, events
from .sources import source_digest
from .tuning import Tuned, calibrate, choose

__all__ = ["Cell", "Laboratory", "Make"]

Make = Callable[[Population], Method]

_POPULATIONS_HELD = 8

_HEAVY_INNER = 2
"""Inner folds that a method that takes long is tuned on."""


@dataclass(frozen=True)
class Cell:
    """A method on one fold in one order of ratings; ``seed`` is that of the order."""

    fold: int
    method: str
    order: str
    seed: int


class Laboratory:
    """Learns, tunes and measures; what is done already is read from the cache.

    Parameters
    ----------
    dataset
        Ratings of tested users and of all to learn from.
    plan, folds
        What to do.
    makers
        Methods by name; picklable.
    shelf
        Where everything is kept.
    """

    def __init__(
        self, dataset: Dataset, plan: Plan, folds: Sequence[Fold], makers: Mapping[str, Make], shelf: Shelf
    ) -> None:
        self.dataset, self.plan, self.folds, self.makers, self.shelf = dataset, plan, folds, makers, shelf
        # Said once, so that an edit meanwhile does not give a cell two names.
        self._sources = {name: source_digest(_function(make).__module__, *_ENGINE) for name, make in makers.items()}
        self._population_source, self._follow_source = map(source_digest, (Population.__module__, follow.__module__))
        self._held: OrderedDict[tuple[int, int | None], Population] = OrderedDict()

    # What there is to know before any work

    def cells(self, orders: Sequence[str], seeds: Sequence[int]) -> list[Cell]:
        """All cells: every seed for the random order, except for a heavy method, which gets the first."""
        return [
            Cell(number, name, order, seed)
            for number in range(len(self.folds))
            for name, make in self.makers.items()
            for order in orders
            for seed in (seeds[:1] if order != "random" or is_heavy(make) else seeds)
        ]

    def cases(self, fold: int, order: str, seed: int) -> list[Case]:
        """The tested users of a fold."""
        return cases(self.dataset, self.folds[fold].held, order=order, seed=seed, like=self.plan.like)

    def followed(self, fold: int, name: str) -> Arrays | None:
        """What :func:`~.prequential.follow` returned for a fold's tested users; None if it is not there yet."""
        return self.shelf.arrays(self._followed_key(fold, name))

    def marks(self, cell: Cell) -> Arrays | None:
        """``marks`` (see :func:`~.fold.measure`), ``likes`` ``(users,)`` among the answers, and ``seconds``."""
        return self.shelf.arrays(self._cell_key(cell))

    def tuned(self, fold: int, name: str) -> Tuned | None:
        """What was chosen for a method; None if nothing was yet."""
        value = self.shelf.values(self._tuned_key(fold, name))
        try:
            return None if value is None else Tuned.from_json(value)
        except (KeyError, TypeError):
            return None

    def inner(self, name: str) -> int:
        """How many inner folds a method is tuned on."""
        return min(self.plan.inner, _HEAVY_INNER) if is_heavy(self.makers[name]) else self.plan.inner

    # Work

    def learn(self, fold: int, inner: int | None) -> None:
        """Learn a population and keep it: all learners of a fold, or those of one of its inner folds."""
        self.population(fold, inner)

    def fill(self, fold: int, name: str, cells: Sequence[Cell]) -> None:
        """Tune a method in a fold, unless that is done, and fill some of its cells."""
        tuned = self.tuned(fold, name) or self._tune(fold, name)
        make = self.makers[name]
        method = make(self._prepared(fold, None, name))
        method.settings = (tuned.setting,)
        for cell in cells:
            start = time.process_time()
            people = self.cases(fold, cell.order, cell.seed)
            films = self.dataset.films.height if ranks(make) and cell.seed == self.plan.seed else None
            marks = measure(method, people, tuned.setting, tuned.lines[cell.order], films)
            likes = np.array([case.likes.sum() for case in people])
            seconds = np.array(time.process_time() - start)
            self.shelf.keep_arrays(self._cell_key(cell), {"marks": marks, "likes": likes, "seconds": seconds})

    def follow(self, fold: int, name: str) -> None:
        """Let a method predict, then learn, each rating of a fold's tested users."""
        tuned = self.tuned(fold, name) or self._tune(fold, name)
        people = events(self.dataset, self.folds[fold].held, like=self.plan.like)
        method = self.makers[name](self.population(fold, None))
        method.settings = (tuned.setting,)
        self.shelf.keep_arrays(
            self._followed_key(fold, name), follow(method, people, tuned.setting, tuned.lines["time"])
        )

    def prepare(self, fold: int, inner: int | None, name: str) -> None:
        """Let a method learn what it leaves with a population for others of its kind, and keep it."""
        self._prepared(fold, inner, name)

    def population(self, fold: int, inner: int | None) -> Population:
        """What is learned from the users of a fold, or of one of its inner folds."""
        at = fold, inner
        if at not in self._held:
            key = self._population_key(fold, inner)
            population: Population | None = self.shelf.learned(key)
            if population is None:
                learners, plan = self._learners(fold, inner), self.plan
                population = Population.learn(self.dataset, learners, plan.geometry, plan.seed)
                population = replace(population, dataset=None, plain=population.plain_factorisation)
                self.shelf.keep_learned(key, population)
            self._held[at] = replace(population, dataset=self.dataset)
            if len(self._held) > _POPULATIONS_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(at)
        return self._held[at]

    def _prepared(self, fold: int, inner: int | None, name: str) -> Population:
        population = self.population(fold, inner)
        prepare = preparation(self.makers[name])
        if prepare is not None and prepare not in population.notes:
            key = key_of("notes", prepare.__qualname__, self._sources[name], self._population_key(fold, inner))
            made = self.shelf.learned(key)
            if made is None:
                self.shelf.keep_learned(key, population.noted(prepare))
            else:
                population.notes[prepare] = made
        return population

    def _tune(self, fold: int, name: str) -> Tuned:
        start = time.process_time()
        make, parts = self.makers[name], self.folds[fold].inner(self.plan)[: self.inner(name)]
        made = [make(self._prepared(fold, number, name)) for number in range(len(parts))]
        depth = getattr(made[0], "memory_depth", self.plan.geometry.memory_depth)
        orders = ("time",) if is_online(make) else ORDERS
        known = {order: [self._cases(make, tuners, order, self.plan.seed) for _, tuners in parts] for order in orders}
        tried = len(made[0].settings)
        setting = choose(made, known[orders[0]], depth)
        for method in made:
            method.settings = (setting,)
        lines = {order: calibrate(made, people, setting, depth) for order, people in known.items()}
        tuned = Tuned(setting, tried, lines, time.process_time() - start)
        self.shelf.keep_values(self._tuned_key(fold, name), tuned.as_json())
        return tuned

    def _cases(self, make: Make, users: Sequence[str], order: str, seed: int) -> list[Case]:
        if is_online(make):
            return events(self.dataset, users, like=self.plan.like)
        return cases(self.dataset, users, order=order, seed=seed, like=self.plan.like)

    def _learners(self, fold: int, inner: int | None) -> Sequence[str]:
        users = self.folds[fold]
        return users.learners if inner is None else users.inner(self.plan)[inner][0]

    # Names

    def _cell_key(self, cell: Cell) -> str:
        tuned, held = self._tuned_key(cell.fold, cell.method), self.folds[cell.fold].held
        return key_of("cell", tuned, held, cell.order, cell.seed)

    def _followed_key(self, fold: int, name: str) -> str:
        return key_of("followed", self._tuned_key(fold, name), self.folds[fold].held, self._follow_source)

    def _tuned_key(self, fold: int, name: str) -> str:
        make = self.makers[name]
        function = _function(make)
        fields = {key: _plain(value) for key, value in make.keywords.items()} if isinstance(make, partial) else {}
        what = function.__module__, function.__qualname__, fields
        return key_of(
            "tuned",
            what,
            self._sources[name],
            self.inner(name),
            self.plan.like,
            self.plan.tuners,
            self._population_key(fold, None),
        )

    def _population_key(self, fold: int, inner: int | None) -> str:
        learners = key_of(self._learners(fold, inner))
        plan = self.plan
        return key_of(
            "population", self._population_source, self.dataset.digest, learners, plan.geometry.agent, plan.seed
        )


_ENGINE = (fold_module.__name__, tuning.__name__)


def _function(make: Make) -> Any:
    return make.func if isinstance(make, partial) else make


def _plain(value: object) -> object:
    return value.agent if isinstance(value, Geometry) else value
