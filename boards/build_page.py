"""A build for a person to look at: one page with its figures and pictures, which needs nothing else."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import Any

from .build_area import RESOURCES
from .build_stages import Built

__all__ = ["area_chart", "floorplan_picture", "page"]

_COLOURS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#edc948", "#76b7b2", "#ff9da7", "#9c755f", "#1f5f3a",
    "#a0cbe8", "#ffbe7d", "#8cd17d", "#b6992d", "#d37295", "#499894", "#d4a6c8", "#86bcb6", "#6b4c9a", "#79706e",
)  # fmt: skip
_OTHER = "#d7d7d7"
_CHARTED = ("lut", "ff", "bram", "lut_ram", "spram", "dsp")

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 64em; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 0.5em 0 1.5em } th, td { padding: 0.15em 0.9em 0.15em 0; text-align: left }
td.n { text-align: right; font-variant-numeric: tabular-nums } svg { max-width: 100%; height: auto }
code { font-size: 90%; overflow-wrap: anywhere } .missed { color: #b00020 }
"""


def page(built: Built) -> str:
    """The build as HTML."""
    report = built.report
    met = "timing met" if report["timing_met"] else '<span class="missed">timing missed</span>'
    path = report["critical_path"]
    resources = [
        (name, f"{report[key]:,}", f"{report[f'{key}_available']:,}", f"{_share(report, key):.0%}")
        for key, (name, _) in RESOURCES.items()
        if report[f"{key}_available"]
    ]
    steps = [(step["component"], f"{step['ns']:.2f} ns") for step in path["through"]]
    schematic = built.neuron or "<p>Not drawn: <code>pip install 'ramrec[build]'</code> brings what draws it.</p>"
    sections = [
        f"<h1>{escape(report['board'])}: {met}</h1>",
        f"<p>Fmax {report['fmax_mhz']} MHz after place and route, {report['clock_mhz']} MHz demanded; "
        f"seed {report['seed']}, gateware {report['build_id']}. No hardware has been measured.</p>",
        "<h2>Resources</h2>",
        _table(("resource", "used", "available", "share"), resources),
        "<h2>Where the area goes</h2>",
        area_chart(report),
        "<p>Bars are as long as their part is large beside the largest of the column. Synthesis merges logic across "
        "borders, so a LUT counts with the part whose name it kept.</p>",
        "<h2>Floorplan</h2>",
        floorplan_picture(report, built.floorplan),
        "<p>The tiles of the FPGA, as far as the design reaches, each in the colour of the part that most of its cells "
        "belong to.</p>",
        "<h2>Critical path</h2>",
        f"<p>{path['ns']} ns from <code>{escape(path['from'])}</code> to <code>{escape(path['to'])}</code></p>",
        _table(("component", "time in it, and on the way to it"), steps),
        "<h2>One RAM neuron</h2>",
        schematic,
        "<h2>How it was built</h2>",
        _table(("stage", "seconds"), [(stage, f"{seconds:.1f}") for stage, seconds in report["seconds"].items()]),
        _table(("tool", "version"), list(report["tools"].items())),
        _table(("geometry", ""), [(name, str(value)) for name, value in report["geometry"].items()]),
    ]
    title = f"ramrec on {escape(report['board'])}"
    head = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    return head + "\n" + "\n".join(sections) + "\n</html>\n"


def area_chart(report: Mapping[str, Any]) -> str:
    """Bars, one row per component and one column per resource, as SVG."""
    charted = [key for key in _CHARTED if report[key]]
    parts = report["components"]
    row, label, column = 20, 130, 150
    rows = []
    for number, part in enumerate(parts):
        y = 24 + row * number
        rows.append(f'<text x="{label - 8}" y="{y + 14}" text-anchor="end">{escape(part["component"])}</text>')
        for place, key in enumerate(charted):
            x = label + column * place
            if part[key]:
                width = max(1, round((column - 60) * part[key] / max(other[key] for other in parts), 1))
                rows.append(
                    f'<rect x="{x}" y="{y + 3}" width="{width}" height="{row - 6}" fill="{_colour(number)}"/>'
                    f'<text x="{x + width + 4}" y="{y + 14}" fill="#555">{part[key]:,}</text>'
                )
    heads = [
        f'<text x="{label + column * place}" y="14" font-weight="bold">{RESOURCES[key][0]}</text>'
        for place, key in enumerate(charted)
    ]
    return _svg(label + column * len(charted), 30 + row * len(parts), [*heads, *rows])


def floorplan_picture(report: Mapping[str, Any], floorplan: Sequence[Sequence[int]]) -> str:
    """Tiles in the colours of their components, with a legend, as SVG."""
    across = max(map(len, floorplan), default=0)
    tile = min(14, max(4, 600 // max(1, across)))
    width, height = tile * across, tile * len(floorplan)
    shapes = [f'<rect width="{width}" height="{height}" fill="#f4f4f4"/>']
    for y, line in enumerate(floorplan):
        x = 0
        for number, run in groupby(line):
            length = len(list(run))
            if number >= 0:
                shapes.append(
                    f'<rect x="{tile * x}" y="{tile * y}" width="{tile * length}" height="{tile}" '
                    f'fill="{_colour(number)}"/>'
                )
            x += length
    for number, part in enumerate(report["components"]):
        y = 16 * number
        shapes.append(f'<rect x="{width + 16}" y="{y + 2}" width="11" height="11" fill="{_colour(number)}"/>')
        shapes.append(f'<text x="{width + 32}" y="{y + 12}">{escape(part["component"])}</text>')
    return _svg(width + 170, max(height, 16 * len(report["components"])), shapes)


def _colour(number: int) -> str:
    return _COLOURS[number] if number < len(_COLOURS) else _OTHER


def _share(report: Mapping[str, Any], key: str) -> float:
    return report[key] / report[f"{key}_available"]


def _svg(width: int, height: int, shapes: Iterable[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
    return head + 'font-family="sans-serif" font-size="11">\n' + "\n".join(shapes) + "\n</svg>"


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    lines = (
        "".join(f"<td{' class=n' if number else ''}>{escape(cell)}</td>" for number, cell in enumerate(row))
        for row in rows
    )
    return f"<table><tr>{head}</tr>\n" + "\n".join(f"<tr>{line}</tr>" for line in lines) + "</table>"
