"""``ramrec experiment``: questions around the evaluation, each with figures, a picture and a sentence."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import console
from .cli_options import AsJson, Data, GeometryName, Seed
from .cli_table import show_lines
from .dataset import load
from .evaluation.evaluate import QUICK_USERS
from .evaluation.protocol import FOLDS
from .experiments.runner import NAMES, run_experiments
from .geometries import parse_geometry

__all__ = ["experiment_command"]

_GEOMETRY = "ECP5_85F"


def experiment_command(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=f"Which: {', '.join(NAMES)}.")] = None,
    data: Data = "ml-100k",
    quick: Annotated[bool, typer.Option("--quick", help=f"One fold, at most {QUICK_USERS} users.")] = False,
    geometry: GeometryName = _GEOMETRY,
    seed: Seed = 1,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write experiments.json there, a table and a picture of each, and a page."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer questions around the evaluation by experiments, all of them or some.

    What was computed is kept, so an interrupted run goes on where it stopped.

    \b
    Examples:
      ramrec experiment --quick
      ramrec experiment drift forgetting
      ramrec experiment --data ml-100k --out docs
    """
    if out is not None:
        from .evaluation.plot import require_plot

        require_plot()
    start = time.monotonic()
    dataset = load(data)
    folds, most = (1, QUICK_USERS) if quick else (FOLDS, None)
    results = run_experiments(dataset, parse_geometry(geometry), names or [], folds=folds, most=most, seed=seed)
    command = _command(dataset.name, quick, geometry, seed)
    for experiment in results["experiments"]:
        experiment["command"] = f"ramrec experiment {experiment['name']} {command}"
    results = {"command": " ".join(["ramrec experiment", *(names or []), command])} | results
    if out is not None:
        from .evaluation.files import write_experiments

        write_experiments(results, out)
    if as_json:
        console.emit_json(results)
    else:
        _show(results)
    console.say(f"{len(results['experiments'])} experiments in {time.monotonic() - start:.0f} s")


def _command(data: str, quick: bool, geometry: str, seed: int) -> str:
    """Options that give these results; the data by name only."""
    parts = [f"--data {data}"]
    parts += ["--quick"] if quick else []
    parts += [f"--geometry {geometry}"] if geometry != _GEOMETRY else []
    return " ".join([*parts, f"--seed {seed}"])


def _show(results: dict[str, Any]) -> None:
    for experiment in results["experiments"]:
        show_lines([experiment["title"]], style="bold")
        show_lines([experiment["sentence"]])
        for target in experiment["targets"]:
            show_lines([f"target {target['target']}: {'met' if target['met'] else 'not met'}"], style="dim")
        show_lines([""])
    for name, reason in results["left_out"].items():
        console.say(f"left out: {name}: {reason}")
