"""The picture of an evaluation: accuracy against the number of ratings learned, and what separates the methods."""

from pathlib import Path
from typing import Any

from ..errors import RamrecError
from .methods import REFERENCE

__all__ = ["plot", "require_plot"]

_FAINT = ("majority", "like-rate", "prior", "nearest")
"""Methods far below the others; drawn thin, and left out of the picture of differences."""


def require_plot() -> None:
    """RamrecError if the library that draws is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RamrecError("--out draws with matplotlib, which is missing; pip install 'ramrec[eval]'") from None


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw two panels into a PNG: accuracy, and the difference to the reference; 95 % intervals in both."""
    require_plot()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    names = list(dict.fromkeys(row["method"] for row in results["results"]))
    stages = list(dict.fromkeys(row["k"] for row in results["results"]))
    shift = {name: (place - len(names) / 2) * 0.04 for place, name in enumerate(names)}
    colours = {name: f"C{place % 10}" for place, name in enumerate(n for n in names if n != REFERENCE)}
    colours[REFERENCE] = "black"
    for name in names:
        rows = [row for row in results["results"] if row["method"] == name]
        style = {"lw": 2.5 if name == REFERENCE else 0.8 if name in _FAINT else 1.4, "color": colours[name]}
        _draw(left, rows, stages, ("accuracy", "accuracy_low", "accuracy_high"), shift[name], name, style)
        if name == REFERENCE or name in _FAINT:
            continue
        rows = [row for row in results["paired"] if row["b"] == name]
        _draw(right, rows, stages, ("diff", "low", "high"), shift[name], name, style)
    right.axhline(0, color="black", lw=2.5)
    left.set_ylabel("right answers, %")
    right.set_ylabel(f"{REFERENCE} less the other, points (above 0: {REFERENCE} is better)")
    for axes in (left, right):
        axes.set_xticks(range(len(stages)), [str(stage) for stage in stages])
        axes.set_xlabel("ratings learned, users who have as many")
        axes.grid(alpha=0.3)
        axes.legend(fontsize="small", loc="upper left", ncols=2)
    data = results["data"]["name"]
    figure.suptitle(
        f"Likes predicted for {results['users']} users of {data} that nothing was learned from (95 % intervals)"
    )
    try:
        figure.savefig(path, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise RamrecError(f"can not write {path}: {error.strerror or error}") from None


def _draw(
    axes: Any,
    rows: list[dict[str, Any]],
    stages: list[int | str],
    columns: tuple[str, str, str],
    shift: float,
    name: str,
    style: dict[str, Any],
) -> None:
    middle, low, high = ([row[column] for row in rows] for column in columns)
    errors = [
        [m - a for m, a in zip(middle, low, strict=True)],
        [b - m for m, b in zip(middle, high, strict=True)],
    ]
    x = [stages.index(row["k"]) + shift for row in rows]
    axes.errorbar(x, middle, yerr=errors, label=name, marker="o", ms=3, capsize=2, elinewidth=0.8, **style)
