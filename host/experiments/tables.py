"""From marks to rows, and from rows to what a plot draws."""

from collections.abc import Mapping, Sequence

from ..evaluation.picture import Series
from .laboratory import Judged
from .outcome import Row

__all__ = ["accuracies", "series", "signed"]


def accuracies(judged: Mapping[str, Judged], ks: Sequence[int | str], *, name: str = "method") -> list[Row]:
    """A row per method and number of ratings: ``name``, ``k``, ``accuracy``, ``low``, ``high``, ``users``."""
    return [{name: key, "k": k} | marks.accuracy(k) for key, marks in judged.items() for k in ks]


def series(rows: Sequence[Row], by: str, x: str, y: str = "accuracy") -> list[Series]:
    """The points of each value of ``by``, with intervals where the rows have ``low`` and ``high``."""
    lines = []
    for name in dict.fromkeys(row[by] for row in rows):
        own = [row for row in rows if row[by] == name]
        low, high = ([row[end] for row in own if row.get(end) is not None] for end in ("low", "high"))
        lines.append(Series(str(name), [row[x] for row in own], [row[y] for row in own], low, high))
    return lines


def signed(row: Row, *, value: str = "diff") -> str:
    """A difference with its interval, ``+0.43 points (+0.01 to +0.83)``."""
    return f"{row[value]:+.2f} points ({row['low']:+.2f} to {row['high']:+.2f})"
