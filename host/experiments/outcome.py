"""What an experiment gives: rows, a picture of them, and a sentence made from the figures."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..evaluation.picture import Plot

__all__ = ["Outcome", "Row", "Target"]

Row = dict[str, Any]
"""Figures by name, values for JSON."""


@dataclass(frozen=True)
class Target:
    """A figure that was asked for: what, what came out with its interval, and whether that is enough."""

    name: str
    target: str
    measured: float
    low: float | None
    high: float | None
    met: bool


@dataclass(frozen=True)
class Outcome:
    """The answer to an experiment's question.

    Parameters
    ----------
    name
        As ``ramrec experiment`` takes it.
    title
        The question.
    sentence
        The answer, made from ``rows``.
    rows
        All figures; rates in percent, differences in points.
    plot
        The picture.
    about
        How it was measured.
    targets
        What was asked for.
    """

    name: str
    title: str
    sentence: str
    rows: Sequence[Row]
    plot: Plot
    about: str
    targets: Sequence[Target] = ()

    def as_json(self) -> Row:
        """Values for JSON."""
        value: Row = asdict(self)
        return value
