"""Draws pictures: as SVG in the colours of a page, or as PNG."""

import io
import re
from pathlib import Path
from typing import Any

from ..errors import RamrecError
from .picture import Plot, Series

__all__ = ["COLOURS", "as_svg", "require_drawing", "write_png"]

_INK, _FAINT, _GROUND = "#1f2328", "#d4d8dd", "#ffffff"
COLOURS = ("#c2410c", "#1d6fb8", "#2e8b57", "#8250df", "#b8860b", "#0f8b8d", "#9a3b6b", "#5f6b7a", "#8b5e3c")
"""Of series; told apart with any kind of colour vision, the first for what the picture is about."""
_MARKERS = "osD^vPX*h"
_PAGE = {_INK: "var(--ink)", _FAINT: "var(--rule)", _GROUND: "var(--ground)"} | {
    colour: f"var(--series-{place})" for place, colour in enumerate(COLOURS)
}
_WIDTH, _HEIGHT, _BAR, _DPI = 7.2, 4.0, 0.28, 150


def require_drawing() -> None:
    """RamrecError if the library that draws is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RamrecError("pictures are drawn with matplotlib, which is missing; pip install 'ramrec[eval]'") from None


def as_svg(plot: Plot, name: str) -> str:
    """An ``<svg>`` element that takes its colours from the variables of the page's style.

    Parameters
    ----------
    plot
        What to draw.
    name
        Makes the identifiers in it differ from those of other pictures on the page.
    """
    text = io.StringIO()
    with _style(name):
        _figure(plot).savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    for colour, variable in _PAGE.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    return re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1 role="img"', svg, count=1)


def write_png(plot: Plot, path: Path) -> None:
    """Draw into a file; RamrecError if it can not be written."""
    with _style(path.stem):
        figure = _figure(plot)
        try:
            figure.savefig(path, dpi=_DPI, metadata={"Software": None})
        except OSError as error:
            raise RamrecError(f"can not write {path}: {error.strerror or error}") from None


def _style(name: str) -> Any:
    require_drawing()
    import matplotlib

    return matplotlib.rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": name,
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans"],
            "font.size": 9,
            "text.color": _INK,
            "axes.labelcolor": _INK,
            "axes.edgecolor": _FAINT,
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": _FAINT,
            "grid.linewidth": 0.6,
            "xtick.color": _INK,
            "ytick.color": _INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "xtick.minor.size": 0,
            "ytick.minor.size": 0,
            "legend.frameon": False,
        }
    )


def _figure(plot: Plot) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = plot.kind == "bars"
    groups = list(dict.fromkeys(str(x) for series in plot.series for x in series.x))
    count = sum(len(series.x) for series in plot.series)
    height = max(1.4 + _BAR * count + 0.12 * len(groups), 2.2) if bars else _HEIGHT
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    if bars:
        _bars(axes, plot, groups)
    else:
        _lines(axes, plot, groups)
    if len(plot.series) > 1:
        columns = 3 if len(plot.series) != 4 else 2
        figure.legend(loc="outside upper left", ncols=columns, handlelength=1.6, columnspacing=1.4, borderpad=0.1)
    return figure


def _lines(axes: Any, plot: Plot, groups: list[str]) -> None:
    named = any(isinstance(x, str) for series in plot.series for x in series.x)
    shift = 0.5 / max(len(plot.series), 1)
    for place, series in enumerate(plot.series):
        middle = (place - (len(plot.series) - 1) / 2) * shift
        at = [groups.index(str(x)) + 0.6 * middle for x in series.x] if named else list(series.x)
        drawn = axes.errorbar(
            at,
            series.y,
            yerr=_errors(series),
            label=series.name,
            marker=_MARKERS[place % len(_MARKERS)],
            ms=4.5 if place == 0 else 3.5,
            lw=2.4 if place == 0 else 1.2,
            elinewidth=0.8,
            color=COLOURS[place % len(COLOURS)],
            zorder=10 - min(place, 8),
        )
        for interval in drawn[2]:
            interval.set_alpha(0.45)
    if named:
        axes.set_xticks(range(len(groups)), groups)
    for scale, log, setter in (("x", plot.log_x, axes.set_xscale), ("y", plot.log_y, axes.set_yscale)):
        if log:
            setter("log")
            _plain_ticks(axes, scale)
    if plot.level is not None:
        axes.axhline(plot.level[0], color=_INK, lw=1, ls=(0, (4, 3)))
        axes.annotate(
            plot.level[1],
            (1, plot.level[0]),
            (0, 3),
            xycoords=("axes fraction", "data"),
            ha="right",
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)


def _plain_ticks(axes: Any, which: str) -> None:
    """Numbers in place of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high / low < 5000 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axis.set_minor_formatter(NullFormatter())


def _bars(axes: Any, plot: Plot, groups: list[str]) -> None:
    alone = all(sum(group in map(str, series.x) for series in plot.series) == 1 for group in groups)
    position = 0.0
    ticks: dict[str, list[float]] = {group: [] for group in groups}
    spots: dict[tuple[str, int], float] = {}
    for group in groups:
        for place, series in enumerate(plot.series):
            if group in map(str, series.x):
                spots[group, place] = position
                ticks[group].append(position)
                position += 1
        position += 0 if alone else 0.6
    for place, series in enumerate(plot.series):
        at = [spots[str(x), place] for x in series.x]
        errors = _errors(series)
        axes.barh(at, series.y, 0.8, color=COLOURS[place % len(COLOURS)], label=series.name, alpha=0.85)
        if errors is not None:
            axes.errorbar(series.y, at, xerr=errors, fmt="none", ecolor=_INK, elinewidth=0.9)
        for y, value, high in zip(at, series.y, series.high or series.y, strict=True):
            axes.annotate(
                f"{round(value, 1) + 0.0:.1f}",
                (max(value, high), y),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=8,
            )
    axes.set_yticks([sum(at) / len(at) for at in ticks.values()], groups)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(plot.x)
    axes.margins(x=0.08)


def _errors(series: Series) -> list[list[float]] | None:
    if not series.low:
        return None
    below = [max(y - low, 0) for y, low in zip(series.y, series.low, strict=True)]
    above = [max(high - y, 0) for y, high in zip(series.y, series.high, strict=True)]
    return [below, above]
