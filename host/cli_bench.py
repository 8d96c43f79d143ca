"""``ramrec bench``: how fast it is, beside the best CPU code."""

import json
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from . import console
from .bench.document import CURVES_PICTURE, ROOFLINE_PICTURE, document, markdown
from .bench.page import html
from .bench.plots import as_data, curves, roofline
from .bench.workload import FILMS
from .cli_options import AsJson, GeometryName, Seed
from .cli_table import show_lines, show_table
from .errors import RamrecError, UsageError
from .geometries import parse_geometry

__all__ = ["bench_command"]

_GEOMETRY = "ECP5_85F"
_PEERS = {"numba": "Numba", "faiss": "FAISS", "sklearn": "scikit-learn", "threadpoolctl": "threadpoolctl"}
_TO_DRAW = {"matplotlib": "Matplotlib", "jinja2": "Jinja"}
"""Modules and what people call them."""


def bench_command(
    geometry: GeometryName = _GEOMETRY,
    data: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_PATH",
            help="Rank a data set's films for its busiest users. [default: random films, the cost is the same]",
        ),
    ] = None,
    films: Annotated[int, typer.Option(min=100, help="How many random films; no more than fit are ranked.")] = FILMS,
    k: Annotated[int | None, typer.Option("-k", min=1, help="Films wanted. [default: as many as there can be]")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few curves, and each peer for less than a second.")] = False,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write performance.json, .md, .html and .png there.")
    ] = None,
    written: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Print the page of a performance.json, and do nothing else."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure ranking, learning, switching users and the way over the line, against the best CPU code.

    This design's clocks are those of the compiled gateware, its clock is that of place and route: no hardware.
    Simulated clocks are kept, so an interrupted run goes on where it stopped.

    \b
    Examples:
      ramrec bench --quick
      ramrec bench --geometry ECP5_25F --json
      ramrec bench --out docs
      ramrec bench --report docs/performance.json > docs/performance.md
    """
    if written is not None:
        typer.echo(markdown(document(_read(written))), nl=False)
        return
    device = parse_geometry(geometry)
    if k is not None and k > device.top_k:
        raise UsageError(f"-k is at most {device.top_k} with {geometry}, not {k}")
    _require(_PEERS | (_TO_DRAW if out is not None else {}))
    from .bench.run import bench

    results = bench(geometry, device, data=data, films=films, k=k, quick=quick, seed=seed)
    results = {"command": _command(geometry, results, data, films, k, quick, seed)} | results
    if out is not None:
        _write(results, out)
    if as_json:
        console.emit_json(results)
    else:
        _show(results)


def _command(
    geometry: str, results: dict[str, Any], data: str | None, films: int, k: int | None, quick: bool, seed: int
) -> str:
    """The command that gives these results; data by name only."""
    parts = ["ramrec bench", f"--geometry {geometry}"]
    parts += [f"--data {results['data']}"] if data is not None else [f"--films {films}"] if films != FILMS else []
    parts += [f"-k {k}"] if k is not None else []
    parts += ["--quick"] if quick else []
    parts += [f"--seed {seed}"] if seed != 1 else []
    return " ".join(parts)


def _require(modules: Mapping[str, str]) -> None:
    missing = [name for module, name in modules.items() if find_spec(module) is None]
    if missing:
        raise RamrecError(f"the bench needs {' and '.join(missing)}, which is missing: pip install 'ramrec[bench]'")


def _show(results: dict[str, Any]) -> None:
    for number, section in enumerate(document(results)):
        if section.columns:
            plain = [[cell.replace("**", "") for cell in row] for row in section.rows]
            show_lines(["", section.title] if number else [section.title], style="bold")
            show_table(section.columns, plain, numbers=section.columns[1:])
    show_lines(["", f"clock: {results['clock_source']}", f"clocks: {results['clocks_source']}"])


def _read(path: Path) -> dict[str, Any]:
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can not be read as results ({error}); make them by `ramrec bench --out`") from None
    if not isinstance(results, dict):
        raise UsageError(f"{path} holds no results; make them by `ramrec bench --out`")
    return results


def _write(results: dict[str, Any], folder: Path) -> None:
    sections = document(results)
    pictures = {CURVES_PICTURE: curves(results), ROOFLINE_PICTURE: roofline(results)}
    page = html(sections, {name: as_data(picture) for name, picture in pictures.items()})
    texts = {
        "performance.json": json.dumps(results, indent=1, allow_nan=False) + "\n",
        "performance.md": markdown(sections),
        "performance.html": page,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text)
        for name, picture in pictures.items():
            (folder / name).write_bytes(picture)
    except OSError as error:
        raise RamrecError(f"can not write to {folder}: {error.strerror or error}") from None
