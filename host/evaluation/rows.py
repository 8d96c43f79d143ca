"""Rows of results, chosen and put in order for a report."""

from collections.abc import Sequence
from typing import Any

from .methods import REFERENCE
from .picture import Series

__all__ = ["ORDERS", "Row", "curves", "of_order", "orders", "picked"]

Row = dict[str, Any]

ORDERS = {"random": "random order", "time": "order of time"}
"""Orders of a user's ratings in words."""

_SHOWN = (REFERENCE, "stack", "mf", "ease", "item-knn", "prior+bias", "mlp", "nearest", "nearest-published")
"""Methods that a picture shows; tables have all."""


def orders(results: Row) -> list[str]:
    """The orders of ratings that results have."""
    return list(dict.fromkeys(row["order"] for row in results["results"]))


def of_order(rows: Sequence[Row], order: str) -> list[Row]:
    """Those of one order of ratings."""
    return [row for row in rows if row["order"] == order]


def picked(rows: Sequence[Row], by: str) -> list[Row]:
    """Those of the methods that a picture shows, ``by`` being the column with the method; the agent first."""
    order = {name: place for place, name in enumerate(_SHOWN)}
    return sorted((row for row in rows if row[by] in order), key=lambda row: order[row[by]])


def curves(rows: Sequence[Row], by: str, x: str, columns: tuple[str, str, str]) -> list[Series]:
    """One curve for each name in column ``by``, over ``x``; ``columns`` are value and ends of its interval."""
    value, low, high = columns
    names = dict.fromkeys(row[by] for row in rows)
    mine = {name: [row for row in rows if row[by] == name and row[value] is not None] for name in names}
    return [
        Series(
            name,
            [str(row[x]) for row in own],
            [row[value] for row in own],
            [row[low] for row in own],
            [row[high] for row in own],
        )
        for name, own in mine.items()
    ]
