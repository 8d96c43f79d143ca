"""Everything that an evaluation or experiments leave in a folder: figures, tables, pictures, and the page."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import RamrecError
from .document import Document
from .drawing import write_png
from .page import page
from .report import report, require_document

__all__ = ["experiments_beside", "write_experiments", "write_page", "write_report"]

Row = Mapping[str, Any]

RESULTS, EXPERIMENTS = "results.json", "experiments.json"
_TABLES = ("results", "paired", "constant_cohort", "prequential", "publication", "agents_grid", "targets")


def experiments_beside(path: Path) -> dict[str, Any] | None:
    """What ``ramrec experiment --out`` left in the folder of a file; None if nothing, or nothing that can be read."""
    return _read(path.parent / EXPERIMENTS)


def write_report(results: dict[str, Any], folder: Path) -> None:
    """Write ``results.json``, the page as HTML and Markdown, and the tables and pictures of both as CSV and PNG.

    Experiments that lie in the folder become part of the page.

    Raises
    ------
    RamrecError
        If a file can not be written, or a library is missing.
    """
    _write(folder / RESULTS, _json(results))
    for name in _TABLES:
        if results.get(name):
            _write(folder / f"{name}.csv", _csv(results[name]))
    _write_document(results, _read(folder / EXPERIMENTS), folder)


def write_experiments(experiments: dict[str, Any], folder: Path) -> None:
    """Write ``experiments.json`` and a table of each as CSV; if an evaluation lies in the folder, its page again.

    Raises
    ------
    RamrecError
        If a file can not be written, or a library is missing.
    """
    from .picture import Plot

    _write(folder / EXPERIMENTS, _json(experiments))
    for one in experiments["experiments"]:
        _write(folder / f"{one['name']}.csv", _csv(one["rows"]))
        write_png(Plot.from_json(one["plot"]), folder / f"{one['name']}.png")
    results = _read(folder / RESULTS)
    if results is not None:
        _write_document(results, experiments, folder)


def write_page(results: dict[str, Any], path: Path) -> None:
    """Write the page to one file, with the experiments that lie beside it."""
    _write(path, page(require_document(results, experiments_beside(path))))


def _write_document(results: dict[str, Any], experiments: dict[str, Any] | None, folder: Path) -> None:
    document: Document = require_document(results, experiments)
    _write(folder / "results.html", page(document))
    _write(folder / "results.md", report(results, experiments))
    for section in document.sections:
        for picture in section.pictures:
            write_png(picture.plot, folder / f"{picture.name}.png")


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _json(value: object) -> str:
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise RamrecError(f"can not write {path}: {error.strerror or error}") from None
