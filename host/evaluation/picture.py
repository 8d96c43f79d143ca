"""A picture as data: what to draw, not how."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Plot", "Series"]


@dataclass(frozen=True)
class Series:
    """One line, or one set of bars, of a picture.

    Parameters
    ----------
    name
        Method or setting.
    x, y
        Points; ``x`` are numbers, or names where the axis has categories.
    low, high
        Ends of 95 % intervals, empty where there are none.
    """

    name: str
    x: Sequence[float | str]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Plot:
    """A picture.

    Parameters
    ----------
    x, y
        What the axes show, with units.
    series
        In the order of the legend; the first is drawn strongest.
    kind
        ``line``, or ``bars``: horizontal, categories from top to bottom.
    log_x, log_y
        Whether an axis is logarithmic.
    level
        A value that all is compared with, and its name; None for none.
    """

    x: str
    y: str
    series: Sequence[Series]
    kind: str = "line"
    log_x: bool = False
    log_y: bool = False
    level: tuple[float, str] | None = None

    def as_json(self) -> dict[str, Any]:
        """Values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Plot":
        """Inverse of :meth:`as_json`; TypeError or KeyError if it is none."""
        series = [Series(**one) for one in value["series"]]
        level = value.get("level")
        return cls(**value | {"series": series, "level": None if level is None else (level[0], level[1])})
