"""The sections of a report, from the results of an evaluation and of experiments."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from .document import Document, Picture, Section, Table, by_stage, row_table, span
from .methods import REFERENCE
from .picture import Plot, Series
from .wording import ABOUT, losses, summary

__all__ = ["document"]

Row = dict[str, Any]

_SHOWN = (REFERENCE, "stack", "mf", "ease", "item-knn", "prior+bias", "mlp", "nearest", "nearest-published")
"""Methods that a picture shows; tables have all."""
_RANKED = (("ndcg", "NDCG@10, all films ranked, %"), ("recall", "Recall@10, all films ranked, %"))
_METRICS = (
    ("auc", "AUC per user, %"),
    ("macro", "Accuracy, mean over users, %"),
    ("balanced", "Balanced accuracy, %"),
    ("log_loss", "Log-loss, nats"),
    *_RANKED,
)
_ORDERS = {"random": "random order", "time": "order of time"}


def document(results: Row, experiments: Row | None = None) -> Document:
    """The report of an evaluation, with experiments if there are any.

    Parameters
    ----------
    results
        From :func:`~.evaluate.evaluate`, and ``command``. Parts that were not run may be absent.
    experiments
        From ``ramrec experiment --out``.

    Raises
    ------
    KeyError, TypeError, IndexError
        If it is something else.
    """
    data, folds = results["data"], results["folds"]
    found = (experiments or {}).get("experiments", [])
    facts = [
        ("data", f"{data['name']}: {data['ratings']:,} ratings of {data['films']:,} films"),
        (
            "tested",
            f"{results['users']:,} users, {results['predictions']:,} predictions per method and number of ratings",
        ),
        ("folds", f"{folds['run']} of {folds['of']}, settings chosen on {folds['inner']} inner folds"),
        ("orders", ", ".join(_ORDERS.get(order, order) for order in _orders(results))),
        (
            "a like",
            {"4": "4 stars or more", "3.5": "3.5 stars or more"}.get(
                results.get("like", "4"), "the user's mean or more"
            ),
        ),
        ("licence of the data", data["licence"]),
    ]
    sections = [
        *_targets([*results.get("targets", []), *(target for one in found for target in one["targets"])]),
        *_accuracy(results),
        *_paired(results),
        *_losses(results),
        *_cohort(results),
        *_prequential(results),
        *_publication(results),
        *_population(results),
        *_grid(results),
        *(_experiment(one) for one in found),
        *_left_out({**results.get("left_out", {}), **(experiments or {}).get("left_out", {})}),
        _protocol(results),
        _methods(results),
    ]
    return Document(
        title="Is it any good?",
        lead=f"How well `{REFERENCE}`, the agent as the hardware computes it, predicts what people like, beside "
        f"{len({row['method'] for row in results['results']} - {REFERENCE}) or 'no'} other methods.",
        summary=summary(results, found),
        facts=facts,
        sections=sections,
    )


def _orders(results: Row) -> list[str]:
    return list(dict.fromkeys(row["order"] for row in results["results"]))


def _of(rows: Sequence[Row], order: str) -> list[Row]:
    return [row for row in rows if row["order"] == order]


def _picked(rows: Sequence[Row], by: str) -> list[Row]:
    order = {name: place for place, name in enumerate(_SHOWN)}
    return sorted((row for row in rows if row[by] in order), key=lambda row: order[row[by]])


def _lines(rows: Sequence[Row], by: str, x: str, columns: tuple[str, str, str]) -> list[Series]:
    value, low, high = columns
    names = dict.fromkeys(row[by] for row in rows)
    mine = {name: [row for row in rows if row[by] == name and row[value] is not None] for name in names}
    return [
        Series(
            name,
            [str(row[x]) for row in own],
            [row[value] for row in own],
            [row[low] for row in own],
            [row[high] for row in own],
        )
        for name, own in mine.items()
    ]


def _targets(targets: Sequence[Row]) -> Iterator[Section]:
    asked = [row for row in targets if row.get("met") is not None]
    if not asked:
        return
    met = sum(row["met"] for row in asked)
    silent = len(targets) - len(asked)
    rows = [
        [
            "met" if row["met"] else "**not met**",
            row["name"],
            str(row.get("k", "-")),
            row["target"],
            span(row, "measured", "low", "high", digits=2),
        ]
        for row in sorted(asked, key=lambda row: row["met"])
    ]
    tail = f" This run says nothing about {silent} more." if silent else ""
    columns = ["", "what", "k", "target", "measured (95 % interval)"]
    missed = [row for row in rows if row[0] != "met"]
    kept = [row for row in rows if row[0] == "met"]
    yield Section(
        "Targets",
        [f"{met} of {len(asked)} targets are met.{tail} Points of accuracy unless a percentage is named."],
        tables=[
            *([Table(columns, missed, "Not met")] if missed else []),
            *([Table(columns, kept, "Met", folded=bool(missed))] if kept else []),
        ],
    )


def _accuracy(results: Row) -> Iterator[Section]:
    for number, order in enumerate(_orders(results)):
        rows = _of(results["results"], order)
        columns = ("accuracy", "accuracy_low", "accuracy_high")
        tables = [
            Table(*by_stage(rows, "method", _right), "Right answers, % (95 % interval)"),
        ]
        for name, caption in _METRICS:
            if any(row.get(name) is not None for row in rows):
                digits = 4 if name == "log_loss" else 1
                cells = by_stage(
                    rows, "method", partial(span, value=name, low=f"{name}_low", high=f"{name}_high", digits=digits)
                )
                tables.append(Table(*cells, caption, folded=True))
        plot = Plot("ratings learned", "right answers, %", _lines(_picked(rows, "method"), "method", "k", columns))
        name = "results" if number == 0 else f"results-{order}"
        yield Section(
            f"Likes predicted, {_ORDERS.get(order, order)}",
            [
                "Everybody has ratings at the left of the picture, fewer users at the right; a table further down "
                "keeps to the same users throughout.",
                *_unranked(rows),
            ]
            if number == 0
            else (),
            [Picture(plot, name, "Right answers against ratings learned, 95 % intervals")],
            tables,
            results["command"],
        )


def _unranked(rows: Sequence[Row]) -> Iterator[str]:
    """Which methods have no NDCG and recall, and why."""
    ranked = {row["method"] for row in rows if row.get("ndcg") is not None}
    names = [name for name in dict.fromkeys(row["method"] for row in rows) if name not in ranked]
    if ranked and names:
        yield (
            f"NDCG and recall are not measured for {', '.join(f'`{name}`' for name in names)}: to rank all films for "
            "each user and number of ratings, a combination needs the scores of all its parts for every film, River a "
            "call for every film, and a network per user a pass over the catalogue."
        )


def _right(row: Row) -> str:
    return span(row, "accuracy", "accuracy_low", "accuracy_high")


def _paired(results: Row) -> Iterator[Section]:
    order = _orders(results)[0]
    rows = _of(results["paired"], order)
    if not rows:
        return
    columns = ("diff", "low", "high")
    close = [row for row in _picked(rows, "b") if row["b"] not in ("nearest", "nearest-published", "mlp")]
    tables = []
    for at in _orders(results):
        cells = by_stage(_of(results["paired"], at), "b", lambda row: span(row, *columns, digits=2, signed=True))
        tables.append(Table(*cells, f"Accuracy, points, {_ORDERS.get(at, at)}", folded=at != order))
    if any(row.get("auc_diff") is not None for row in rows):
        cells = by_stage(rows, "b", lambda row: span(row, "auc_diff", "auc_low", "auc_high", digits=2, signed=True))
        tables.append(Table(*cells, "AUC, points", folded=True))
    yield Section(
        f"{REFERENCE} less each other method",
        [
            f"Above zero `{REFERENCE}` is better. Intervals are paired: same users, same films. "
            "**Bold**: zero is not in it."
        ],
        [
            Picture(
                Plot("ratings learned", "points", _lines(close, "b", "k", columns), level=(0.0, f"{REFERENCE}")),
                "differences",
                f"{REFERENCE} less strong methods, points of accuracy",
            )
        ],
        tables,
        results["command"],
    )


def _losses(results: Row) -> Iterator[Section]:
    if results["paired"]:
        yield Section(f"Where {REFERENCE} loses", losses(results["paired"]), command=results["command"])


def _cohort(results: Row) -> Iterator[Section]:
    rows = _of(results.get("constant_cohort", []), _orders(results)[0])
    if not rows:
        return
    columns = ("accuracy", "accuracy_low", "accuracy_high")
    steps = [row for row in _of(results.get("cohort_steps", []), _orders(results)[0]) if row["method"] == REFERENCE]
    worse = [row for row in steps if row["high"] < 0]
    said = (
        "At no step is it surely worse with more ratings."
        if not worse
        else "It is surely worse "
        + ", ".join(f"at {row['k']} than at {row['after']} ({row['diff']:+.2f})" for row in worse)
        + "."
    )
    tables = [Table(*by_stage(rows, "method", lambda row: span(row, *columns)), "Right answers, %", folded=True)]
    if steps:
        cells = [
            [f"{row['after']} to {row['k']}", span(row, "diff", "low", "high", digits=2, signed=True)] for row in steps
        ]
        tables.insert(0, Table(["ratings", f"{REFERENCE}, points"], cells, "What more ratings bring"))
    yield Section(
        "Always the same users",
        [f"{rows[0]['users']} users with at least 50 ratings to learn. {said if steps else ''}"],
        [
            Picture(
                Plot("ratings learned", "right answers, %", _lines(_picked(rows, "method"), "method", "k", columns)),
                "cohort",
                "The same users at every number of ratings",
            )
        ],
        tables,
        results["command"],
    )


def _prequential(results: Row) -> Iterator[Section]:
    rows = results.get("prequential") or []
    if not rows:
        return
    columns = ("accuracy", "accuracy_low", "accuracy_high")
    as_k = [row | {"k": row["after"]} for row in rows]
    cells = by_stage(as_k, "method", lambda row: span(row, *columns))
    tables = [Table(["ratings before", *cells[0][1:]], cells[1], "Right answers, %")]
    paired = [row | {"k": row["after"]} for row in results.get("prequential_paired") or []]
    if paired:
        cells = by_stage(paired, "b", lambda row: span(row, "diff", "low", "high", digits=2, signed=True))
        tables.append(Table(["ratings before", *cells[0][1:]], cells[1], f"{REFERENCE} less the other, points"))
    shown = [row for row in rows if row["after"] != "any"]
    yield Section(
        "Predict, then learn",
        [
            "Every rating of the tested users in order of time: predicted from all before it, then learned. This is "
            "how online learning is judged (prequential evaluation, Dawid 1984)."
        ],
        [
            Picture(
                Plot("ratings given before", "right answers, %", _lines(shown, "method", "after", columns)),
                "prequential",
                "Right answers against ratings given before",
            )
        ],
        tables,
        results["command"],
    )


def _publication(results: Row) -> Iterator[Section]:
    rows = results.get("publication") or []
    if not rows:
        return
    as_k = [row | {"k": row["ratings"]} for row in rows]
    correct = by_stage(as_k, "method", lambda row: span(row, "correct", "low", "high"))
    against = by_stage(
        [row for row in as_k if row["method"] != "constant"],
        "method",
        lambda row: span(row, "diff", "diff_low", "diff_high", digits=2, signed=True),
    )
    order = sorted(
        dict.fromkeys(row["method"] for row in rows), key=lambda name: (name != REFERENCE, name != "constant")
    )
    lines = _lines(sorted(as_k, key=lambda row: order.index(row["method"])), "method", "k", ("correct", "low", "high"))
    yield Section(
        "The publication's own protocol",
        [
            "Four fifths of a user's ratings are learned, stars are predicted, and one star beside counts as right. "
            'The publication reports 74, 58.4 and 80.4 %. The answer "4 stars", always, is the line `constant`: what '
            "is below it has learned nothing."
        ],
        [Picture(Plot("ratings of a user", "within one star, %", lines[:8]), "publication", "Within one star, %")],
        [
            Table(["ratings", *correct[0][1:]], correct[1], "Within one star, %"),
            Table(["ratings", *against[0][1:]], against[1], "Less the constant, points"),
        ],
        results["command"],
    )


def _population(results: Row) -> Iterator[Section]:
    population = results.get("population")
    if not population:
        return
    rows = _of(population["paired"], "random") or population["paired"]
    accuracy = by_stage(rows, "method", lambda row: span(row, "diff", "low", "high", digits=2, signed=True))
    auc = by_stage(rows, "method", lambda row: span(row, "auc_diff", "auc_low", "auc_high", digits=2, signed=True))
    yield Section(
        "More people to learn from",
        [
            "What further data sets as population bring, on the same tested users: with them less without. Intervals "
            "are paired. **Bold**: zero is not in it."
        ],
        tables=[
            row_table(population["sets"], "What was added", folded=False),
            Table(*accuracy, "Accuracy, points"),
            Table(*auc, "AUC, points"),
        ],
        command=results["command"],
    )


def _grid(results: Row) -> Iterator[Section]:
    rows = [row | {"name": f"{row['name']}, {row['bits']:,} bits"} for row in results.get("agents_grid") or []]
    if not rows:
        return
    cells = by_stage(rows, "name", lambda row: span(row, "accuracy", "accuracy_low", "accuracy_high"))
    diffs = by_stage(rows, "name", lambda row: span(row, "diff", "low", "high", digits=2, signed=True))
    shown = [row | {"k": f"{row['k']} ratings"} for row in rows if row["k"] in (20, "all")]
    above, below = (sum(there) for there in zip(*((row["low"] > 0, row["high"] < 0) for row in rows), strict=True))
    yield Section(
        "Agents of other sizes",
        [
            "W: bits of a code; n: bits of a tuple; M: ratings in memory; bits: of memory per user. Ridge and weight "
            "of the bias are chosen for each among nine at most, the shift follows from them. First random order.",
            f"Of {len(rows)} comparisons with the geometry that was evaluated {above} are surely above zero, {below} "
            "below.",
        ],
        [
            Picture(
                Plot("points", "", _lines(shown, "k", "name", ("diff", "low", "high")), "bars"),
                "sizes",
                "other sizes less the geometry that was evaluated, points of accuracy",
            )
        ],
        [
            Table(*cells, "Right answers, %", folded=True),
            Table(*diffs, "Less the geometry that was evaluated, points"),
        ],
        results["command"],
    )


def _experiment(one: Row) -> Section:
    return Section(
        one["title"],
        [one["sentence"], one["about"]],
        [_figure(one)],
        [row_table(one["rows"], "All figures")],
        one.get("command", ""),
    )


def _figure(one: Row) -> Picture:
    plot = Plot.from_json(one["plot"])
    shown = plot.x if plot.kind == "bars" else f"{plot.y} against {plot.x}"
    sure = any(series.low for series in plot.series)
    return Picture(plot, one["name"], f"{shown[0].upper()}{shown[1:]}{'; 95 % intervals' if sure else ''}")


def _left_out(reasons: dict[str, str]) -> Iterator[Section]:
    if reasons:
        yield Section(
            "Left out",
            ["What this machine could not run:"],
            tables=[Table(["what", "why"], [[f"`{name}`", reason] for name, reason in reasons.items()])],
        )


def _protocol(results: Row) -> Section:
    depth = results["geometries"][REFERENCE]["memory_depth"]
    first = _of(results["results"], _orders(results)[0])
    reached = {str(row["k"]): row["users"] for row in first}
    replay = results.get("replay")
    said = (
        f"{replay['predictions']:,} of the predictions were repeated on the backend `{replay['backend']}`: "
        f"{replay['mismatches']} differ."
        if replay
        else "No prediction of this run was repeated on a device; a test holds the batched scores equal to the model's."
    )
    like = results.get("like", "4")
    kept = (
        "What is asked, the thresholds and what a network per user learns follow this like; the encoder's priors and "
        "targets, and what other methods learn from, keep 4 stars or more."
    )
    return Section(
        "Protocol",
        [
            "Users are split into folds. Encoder, priors, thresholds and every tuned number come from the other folds. "
            "Of a tested user the last min(20, n/2) ratings are predicted, the same for every k; k ratings before them "
            f"are learned. An agent keeps its last {depth} ratings, so for it `all` means {depth} at most; baselines "
            "keep everything. All methods get thresholds by the same procedure from the same users, and share the "
            "encoder's prior. Accuracy counts predictions, AUC users. Intervals: 2,000 bootstrap resamples of users; "
            "those of differences are paired.",
            f"Users who have k ratings to learn: {', '.join(f'{count} at {k}' for k, count in reached.items())}.",
            *([] if like == "4" else [kept]),
            said,
        ],
        command=results["command"],
    )


def _methods(results: Row) -> Section:
    lines = []
    for name, entry in results["tuned"].items():
        said = ["; ".join(f"{key} {value}" for key, value in setting.items()) for setting in entry["chosen"]]
        distinct = [f"{text} ({said.count(text)})" for text in dict.fromkeys(said) if text]
        lines.append([f"`{name}`", ABOUT.get(name, ""), str(entry["tried"]), ", ".join(distinct) or "-"])
    return Section(
        "The methods, and what was tuned",
        [
            "Settings are chosen per fold by cross-validation among the users of the other folds: the one with the "
            "best AUC over all users' predictions, mean over numbers of ratings. All are tried on one inner fold, and "
            "after each the better half goes on to the next, as long as there are many. Behind a setting: in how many "
            "folds it was chosen. Codes, priors and thresholds come from the other folds alone."
        ],
        tables=[Table(["method", "what", "tried", "chosen, per fold"], lines, folded=True)],
        command=results["command"],
    )
