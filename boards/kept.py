"""Reports kept in the repository, and the table of boards that is made from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..hdl.geometry import PRESETS, Geometry
from .registry import BOARDS

__all__ = ["COLUMNS", "NUMBERS", "describe", "geometry_name", "keep", "kept", "markdown", "row"]

_FOLDER = Path(__file__).parent / "reports"

_WORDS = ("board", "FPGA", "geometry")
NUMBERS = (
    "films",
    "users",
    "LUT",
    "block RAM",
    "large RAM",
    "Fmax",
    "clock",
    "timing",
    "\u00b5s per ranking",
    "\u00b5s per learning",
)
COLUMNS = (*_WORDS, *NUMBERS)


def geometry_name(geometry: Geometry) -> str:
    """A geometry as ``--geometry`` takes it: the nearest preset, and where it differs from that."""
    wanted = asdict(geometry)

    def changes(preset: str) -> list[str]:
        other = asdict(PRESETS[preset])
        return [f"{field}={value}" for field, value in wanted.items() if other[field] != value]

    nearest = min(PRESETS, key=lambda preset: len(changes(preset)))
    return ":".join(filter(None, (nearest, ",".join(changes(nearest)))))


def kept(folder: Path = _FOLDER) -> dict[str, dict[str, Any]]:
    """The report of each board that was built for it, in the order of the boards."""
    paths = {name: folder / f"{name}.json" for name in BOARDS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def keep(report: Mapping[str, Any], folder: Path = _FOLDER) -> Path:
    """Write a report to where the table is made from, without the folder that the bitstream went to."""
    path = folder / f"{report['board']}.json"
    names = {key: Path(report[key]).name for key in ("bitstream", "page")}
    text = json.dumps({**report, **names}, indent=1)
    path.write_text(text + "\n")
    return path


def describe(reports: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every board in values for JSON; ``report`` is null for one that was never built with its geometry."""
    return [
        {
            "board": name,
            "fpga": board.fpga,
            "geometry": geometry_name(board.geometry),
            "films": board.geometry.catalogue_depth,
            "users": board.geometry.users,
            "baud": board.baud,
            "report": report if report and report["geometry"] == asdict(board.geometry) else None,
        }
        for name, board, report in ((name, board, reports.get(name)) for name, board in BOARDS.items())
    ]


def row(described: Mapping[str, Any]) -> list[str]:
    """One board's cells, as `COLUMNS` names them; dashes where only a build could tell."""
    about = [described[key] for key in ("board", "fpga", "geometry")]
    sizes = [f"{described[key]:,}" for key in ("films", "users")]
    report = described["report"]
    if report is None:
        return [*about, *sizes, *["-"] * (len(COLUMNS) - len(about) - len(sizes))]
    shares = [_share(report[key], report[f"{key}_available"]) for key in ("lut", "bram", "spram")]
    clocks = [f"{report[key]:.1f} MHz" for key in ("fmax_mhz", "clock_mhz")]
    times = [
        f"{report[key] / report['clock_mhz']:,.1f}" if key in report else "-" for key in ("cycles_rank", "cycles_learn")
    ]
    return [*about, *sizes, *shares, *clocks, "met" if report["timing_met"] else "missed", *times]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows below `COLUMNS` as a table in Markdown."""
    rule = ["---" if column in _WORDS else "---:" for column in COLUMNS]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, rule, *rows))


def _share(used: int, available: int) -> str:
    return f"{used:,} ({used / available:.0%})" if available else "-"
