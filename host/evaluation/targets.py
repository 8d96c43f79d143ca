"""What the project wants to reach, and whether an evaluation shows it."""

from collections.abc import Iterator, Sequence
from typing import Any

from .protocol import STAGES, stage_name

__all__ = ["targets"]

Row = dict[str, Any]

_STRONG = ("item-knn", "ease", "mf", "fm")
_WEAK = ("nearest", "mlp")
_KS: list[int | str] = [stage_name(stage) for stage in STAGES]


def targets(results: dict[str, Any]) -> list[Row]:
    """Rows ``name, target, order, k, measured, low, high, met``, for whatever of it the results hold.

    Parameters
    ----------
    results
        What :func:`~.evaluate.evaluate` returns: ``paired``, and where they are there ``cohort_steps``,
        ``population`` and ``publication``.

    Returns
    -------
    rows
        Points of accuracy with paired 95 % intervals, random order. ``met`` is null, and so are the figures, where
        the comparison is not among the results.
    """
    return [*_compared(results["paired"]), *_steps(results), *_population(results), *_publication(results)]


def _compared(paired: Sequence[Row]) -> Iterator[Row]:
    rows = {(row["b"], row["k"]): row for row in paired if row["order"] == "random"}

    def row(other: str, k: int | str, target: str, end: str, least: float, *, strictly: bool = False) -> Row:
        found = rows.get((other, k))
        return _target(f"sweep less {other}", target, k, found, end, least, strictly=strictly)

    yield row("prior+bias", 5, "above 0, all of the interval", "low", 0, strictly=True)
    yield row("prior+bias", 20, "+1.0 or more", "diff", 1)
    yield row("prior+bias", 50, "+1.0 or more", "diff", 1)
    for other in _STRONG:
        for k in _KS[1:]:
            if isinstance(k, int) and k <= 10:
                yield row(other, k, "above 0", "diff", 0, strictly=True)
            else:
                yield row(other, k, "-0.3 or more", "diff", -0.3)
    for k in _KS:
        yield row("stack", k, *(("-1.2 or more", "diff", -1.2) if k in (50, "all") else ("-0.7 or more", "diff", -0.7)))
    for other in _WEAK:
        for k in _KS[_KS.index(5) :]:
            yield row(other, k, "+5 or more", "diff", 5)


def _steps(results: dict[str, Any]) -> Iterator[Row]:
    for row in results.get("cohort_steps", []):
        if row["method"] == "sweep" and row["order"] == "random":
            name = f"sweep at {row['k']} less itself at {row['after']}, same users"
            yield _target(name, "not below 0", row["k"], row, "diff", 0)


def _population(results: dict[str, Any]) -> Iterator[Row]:
    found = {(row["k"], row["order"]): row for row in (results.get("population") or {}).get("paired", [])}
    for k in (5, 10, 20):
        name = "sweep with all data sets as population less with one"
        yield _target(name, "+0.5 or more", k, found.get((k, "random")), "diff", 0.5)


def _publication(results: dict[str, Any]) -> Iterator[Row]:
    rows = {(row["method"], row["ratings"]): row for row in results.get("publication", [])}
    for ratings in (5, 10, 25, 100, 200):
        least = 1.0 if ratings == 5 else 4.0
        row = rows.get(("sweep", ratings))
        figures = row and {"diff": row["diff"], "low": row["diff_low"], "high": row["diff_high"]}
        name = f"the publication's protocol, {ratings} ratings: sweep less the constant"
        yield _target(name, f"+{least:.1f} or more", ratings, figures, "diff", least)


def _target(
    name: str, target: str, k: int | str, row: Row | None, end: str, least: float, *, strictly: bool = False
) -> Row:
    figures = dict.fromkeys(("measured", "low", "high", "met"))
    if row is not None:
        met = row[end] > least if strictly else row[end] >= least
        figures = {"measured": row["diff"], "low": row["low"], "high": row["high"], "met": met}
    return {"name": name, "target": target, "order": "random", "k": k} | figures
