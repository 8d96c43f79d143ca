"""``ramrec evaluate``: agents and baselines on users whom nothing was learned from."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import console
from .cli_options import AsJson, Data, GeometryName, Seed
from .cli_table import show_lines, show_table
from .dataset import load
from .errors import RamrecError, UsageError
from .evaluation.evaluate import QUICK_USERS, evaluate
from .evaluation.plot import plot, require_plot
from .evaluation.protocol import FOLDS
from .evaluation.report import by_stage, report
from .geometries import parse_geometry

__all__ = ["evaluate_command"]

_GEOMETRY = "ECP5_85F"


def evaluate_command(
    data: Data = "ml-100k",
    folds: Annotated[
        int | None, typer.Option(min=1, max=FOLDS, help=f"How many of the {FOLDS} folds to test. [default: {FOLDS}]")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help=f"One fold, at most {QUICK_USERS} users, tuned on one inner fold.")
    ] = False,
    order: Annotated[str, typer.Option(metavar="ORDER", help="Of a user's ratings: random, or time.")] = "random",
    geometry: GeometryName = _GEOMETRY,
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write results.json and results.png there.")
    ] = None,
    written: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Print the page of a results.json, and do nothing else."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well likes of new users are predicted, against strong baselines.

    The users are split into folds; everything is learned, tuned and calibrated on the others. Finished folds
    are kept, so an interrupted run goes on where it stopped.

    \b
    Examples:
      ramrec evaluate --quick
      ramrec evaluate --data ml-100k --out docs
      ramrec evaluate --report docs/results.json > docs/results.md
    """
    if written is not None:
        typer.echo(report(_read(written)), nl=False)
        return
    if out is not None:
        require_plot()
    if quick and folds not in (None, 1):
        raise UsageError(f"--quick tests one fold, not {folds}; leave out one of the two options")
    start = time.monotonic()
    dataset = load(data)
    most = QUICK_USERS if quick else None
    run = 1 if quick else folds or FOLDS
    inner = 1 if quick else FOLDS
    results = evaluate(dataset, parse_geometry(geometry), run=run, most=most, order=order, seed=seed, inner=inner)
    results = {"command": _command(dataset.name, folds, quick, order, geometry, seed, out)} | results
    if out is not None:
        _write(results, out)
    if as_json:
        console.emit_json(results)
    else:
        _show(results)
    console.say(f"{results['users']} users of {run} folds in {time.monotonic() - start:.0f} s")


def _command(data: str, folds: int | None, quick: bool, order: str, geometry: str, seed: int, out: Path | None) -> str:
    """The command that gives these results; data and folder by name only."""
    parts = ["ramrec evaluate", f"--data {data}"]
    parts += ["--quick"] if quick else []
    parts += [f"--folds {folds}"] if folds else []
    parts += [f"--order {order}"] if order != "random" else []
    parts += [f"--geometry {geometry}"] if geometry != _GEOMETRY else []
    parts += [f"--seed {seed}"]
    return " ".join(parts + ([f"--out {out.name}"] if out is not None else []))


def _show(results: dict[str, Any]) -> None:
    columns, lines = by_stage(results["results"], "method", lambda row: f"{row['accuracy']:.1f}")
    show_lines(["right answers, %, against ratings learned"], style="bold")
    show_table(columns, lines, numbers=columns[1:])
    columns, lines = by_stage(
        results["paired"], "b", lambda row: f"{row['diff']:+.1f} ({row['low']:+.1f}..{row['high']:+.1f})"
    )
    show_lines(["", "sweep less each other method, points (paired 95 % interval)"], style="bold")
    show_table(columns, lines, numbers=columns[1:])


def _read(path: Path) -> dict[str, Any]:
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can not be read as results ({error}); make them by `ramrec evaluate --out`") from None
    if not isinstance(results, dict):
        raise UsageError(f"{path} holds no results; make them by `ramrec evaluate --out`")
    return results


def _write(results: dict[str, Any], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")
    except OSError as error:
        raise RamrecError(f"can not write to {folder}: {error.strerror or error}") from None
    plot(results, folder / "results.png")
