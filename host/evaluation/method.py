"""What the evaluation asks of a method."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .baselines import Population, Setting
from .protocol import Case

__all__ = ["Method", "is_heavy", "is_online", "preparation", "ranks"]


class Method(Protocol):
    """Predicts from a population and a user's ratings; see :class:`~.baselines.Baseline`.

    A class may say ``heavy = True``, then one seed of the random order is evaluated, and ``ranks = False``, then it
    is not asked for scores of a whole catalogue. One that keeps a limited number of ratings has a
    ``memory_depth``; for thresholds, more ratings are as many. One that first learns something from its population that
    takes long, or that it shares with others, has a static ``prepare(population)``, which returns that, and asks for it
    by :meth:`~.baselines.Population.noted`.
    """

    settings: Sequence[Setting]
    """What is tried on users of the population; once one is chosen, that one alone."""

    @property
    def unit(self) -> float:
        """Score units of a star."""
        ...

    @property
    def middle(self) -> float:
        """A score that is neither for nor against."""
        ...

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[npt.NDArray[np.int64]]:
        """Scores in whole units, ``(stages reached, tests)`` per user."""
        ...


def is_heavy(made: object) -> bool:
    """Whether a method, or what makes it, says that it takes long."""
    return bool(getattr(getattr(made, "func", made), "heavy", False))


def is_online(made: object) -> bool:
    """Whether a method, or what makes it, takes events only, see :func:`~.protocol.events`."""
    return bool(getattr(getattr(made, "func", made), "online", False))


def preparation(made: object) -> Callable[[Population], Any] | None:
    """What a method, or what makes it, has learned from a population before it is first used; None if nothing."""
    found: Callable[[Population], Any] | None = getattr(getattr(made, "func", made), "prepare", None)
    return found


def ranks(made: object) -> bool:
    """Whether a method, or what makes it, can score a whole catalogue."""
    return bool(getattr(getattr(made, "func", made), "ranks", True))
