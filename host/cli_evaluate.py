"""``ramrec evaluate``: agents and baselines on users whom nothing was learned from."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from . import console
from .cli_options import AsJson, Backend, Data, GeometryName, Seed, chosen_backend
from .cli_table import show_lines, show_table
from .dataset import load
from .errors import UsageError
from .evaluation.evaluate import QUICK_TUNERS, QUICK_USERS, REPLAYED, SEEDS, Scope, evaluate
from .evaluation.files import experiments_beside, write_page, write_report
from .evaluation.page import require_page
from .evaluation.protocol import FOLDS, ORDERS
from .evaluation.report import by_stage, report
from .geometries import parse_geometry

__all__ = ["evaluate_command"]

_GEOMETRY = "ECP5_85F"
_ORDERS = ",".join(ORDERS)


def evaluate_command(
    data: Data = "ml-100k",
    population: Annotated[
        str | None, typer.Option(metavar="NAME,...", help="Further data sets whose users are learned from.")
    ] = None,
    quick: Annotated[
        bool,
        typer.Option("--quick", help=f"One fold, {QUICK_USERS} users, one random order, tuned on {QUICK_TUNERS}."),
    ] = False,
    folds: Annotated[
        int | None, typer.Option(min=1, max=FOLDS, help=f"How many of the {FOLDS} folds to test. [default: {FOLDS}]")
    ] = None,
    order: Annotated[
        str, typer.Option(metavar="ORDER,...", help="Of a user's ratings: random, time, or both.")
    ] = _ORDERS,
    seeds: Annotated[int | None, typer.Option(min=1, help=f"How many random orders. [default: {SEEDS}]")] = None,
    like: Annotated[
        str, typer.Option(help="Stars that make a like when testing: 4, 3.5, or the user's mean. The encoder keeps 4.")
    ] = "4",
    methods: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,...", help="Compare sweep with these only, without the publication's protocol. [default: all]"
        ),
    ] = None,
    grid: Annotated[bool, typer.Option("--grid", help="Evaluate agents of other sizes as well.")] = False,
    replay: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help=f"Predictions to repeat on a device. [default: {REPLAYED}; quick: 0]"),
    ] = None,
    backend: Backend = None,
    geometry: GeometryName = _GEOMETRY,
    seed: Seed = 1,
    jobs: Annotated[int | None, typer.Option(min=1, help="Most processes. [default: one per core]")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the results there: JSON, tables, pictures, a page.")
    ] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the page alone.")] = None,
    written: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Print the page of a results.json, and do nothing else."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well likes of new users are predicted, against strong baselines.

    The users are split into folds; everything is learned, tuned and calibrated on the others. What is finished
    is kept, so an interrupted run goes on where it stopped, and a method that is new is computed alone.

    \b
    Examples:
      ramrec evaluate --quick
      ramrec evaluate --data ml-100k --out docs
      ramrec evaluate --data ml-100k --population ml-latest-small --methods ease,mf
      ramrec evaluate --report docs/results.json > docs/results.md
    """
    if written is not None:
        typer.echo(report(_read(written), experiments_beside(written)), nl=False)
        return
    if out is not None or html is not None:
        require_page()
    if quick and (folds not in (None, 1) or seeds not in (None, 1)):
        raise UsageError("--quick tests one fold in one random order; leave out --quick, or --folds and --seeds")
    start = time.monotonic()
    replayed = (0 if quick else REPLAYED) if replay is None else replay
    device = parse_geometry(geometry)
    scope = Scope(
        folds=1 if quick else folds or FOLDS,
        users=QUICK_USERS if quick else None,
        inner=1 if quick else FOLDS,
        tuners=QUICK_TUNERS if quick else None,
        orders=_names(order),
        seeds=1 if quick else seeds or SEEDS,
        like=like,
        only=None if methods is None else _names(methods),
        publication=methods is None,
        grid=grid,
        replayed=replayed,
        backend=chosen_backend(backend) if replayed else "golden",
    )
    dataset = load(data)
    others = [load(name) for name in _names(population or "")]
    results = evaluate(dataset, device, scope=scope, seed=seed, population=others, jobs=jobs)
    given = {
        "--data": dataset.name,
        "--population": ",".join(other.name for other in others) or None,
        "--quick": quick,
        "--folds": folds,
        "--order": order if order != _ORDERS else None,
        "--seeds": seeds,
        "--like": like if like != "4" else None,
        "--methods": methods,
        "--grid": grid,
        "--replay": replay,
        "--geometry": geometry if geometry != _GEOMETRY else None,
        "--seed": seed if seed != 1 else None,
        "--out": out.name if out is not None else None,
        "--html": html.name if html is not None else None,
    }
    results = {"command": _command(given)} | results
    for line in results["left_out"].values():
        console.say(line)
    if out is not None:
        write_report(results, out)
    if html is not None:
        write_page(results, html)
    if as_json:
        console.emit_json(results)
    else:
        _show(results)
    console.say(f"{results['users']} users of {scope.folds} folds in {time.monotonic() - start:.0f} s")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _command(given: dict[str, Any]) -> str:
    """The command that gives these results; data and folder by name only."""
    said = [name if value is True else f"{name} {value}" for name, value in given.items() if value not in (None, False)]
    return " ".join(["ramrec evaluate", *said])


def _show(results: dict[str, Any]) -> None:
    for order in results["orders"]:
        columns, lines = by_stage(_of(results["results"], order), "method", lambda row: f"{row['accuracy']:.1f}")
        show_lines([f"right answers, %, against ratings learned, {order} order"], style="bold")
        show_table(columns, lines, numbers=columns[1:])
        columns, lines = by_stage(
            _of(results["paired"], order),
            "b",
            lambda row: f"{row['diff']:+.1f} ({row['low']:+.1f}..{row['high']:+.1f})",
        )
        show_lines(["", "sweep less each other method, points (paired 95 % interval)"], style="bold")
        show_table(columns, lines, numbers=columns[1:])


def _of(rows: list[dict[str, Any]], order: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["order"] == order]


def _read(path: Path) -> dict[str, Any]:
    try:
        results = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can not be read as results ({error}); make them by `ramrec evaluate --out`") from None
    if not isinstance(results, dict):
        raise UsageError(f"{path} holds no results; make them by `ramrec evaluate --out`")
    return results
