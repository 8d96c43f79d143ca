"""Reports kept in the repository, and the table of boards that is made from them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..hdl.geometry import PRESETS
from .registry import BOARDS

__all__ = ["COLUMNS", "describe", "keep", "kept", "markdown", "row"]

_FOLDER = Path(__file__).parent / "reports"

COLUMNS = (
    "board",
    "FPGA",
    "geometry",
    "films",
    "users",
    "LUT",
    "FF",
    "block RAM",
    "LUT RAM",
    "Fmax",
    "clock",
    "timing",
)
_WORDS = 3  # columns that do not hold numbers


def kept(folder: Path = _FOLDER) -> dict[str, dict[str, Any]]:
    """The report of each board that was built for it, in the order of the boards."""
    paths = {name: folder / f"{name}.json" for name in BOARDS}
    return {name: json.loads(path.read_text()) for name, path in paths.items() if path.exists()}


def keep(report: Mapping[str, Any], folder: Path = _FOLDER) -> Path:
    """Write a report to where the table is made from, without the folder of its bitstream."""
    path = folder / f"{report['board']}.json"
    text = json.dumps({**report, "bitstream": Path(report["bitstream"]).name}, indent=1)
    path.write_text(text + "\n")
    return path


def describe(reports: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every board in values for JSON; ``report`` is null for one that was never built."""
    return [
        {
            "board": name,
            "fpga": board.fpga,
            "preset": next(preset for preset, geometry in PRESETS.items() if geometry == board.geometry),
            "films": board.geometry.catalogue_depth,
            "users": board.geometry.users,
            "baud": board.baud,
            "report": reports.get(name),
        }
        for name, board in BOARDS.items()
    ]


def row(described: Mapping[str, Any]) -> list[str]:
    """One board's cells, as `COLUMNS` names them; dashes where only a build could tell."""
    about = [described[key] for key in ("board", "fpga", "preset")]
    sizes = [f"{described[key]:,}" for key in ("films", "users")]
    report = described["report"]
    if report is None:
        return [*about, *sizes, *["-"] * (len(COLUMNS) - len(about) - len(sizes))]
    shares = [_share(report[key], report[f"{key}_available"]) for key in ("lut", "ff", "bram", "lut_ram")]
    clocks = [f"{report[key]:.1f} MHz" for key in ("fmax_mhz", "clock_mhz")]
    return [*about, *sizes, *shares, *clocks, "met" if report["timing_met"] else "missed"]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows below `COLUMNS` as a table in Markdown."""
    rule = ["---" if number < _WORDS else "---:" for number in range(len(COLUMNS))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (COLUMNS, rule, *rows))


def _share(used: int, available: int) -> str:
    return f"{used:,} ({used / available:.0%})" if available else "-"
