"""The sections of a report on how well likes are predicted."""

from collections.abc import Iterator, Sequence
from functools import partial

from .document import Picture, Section, Table, by_stage, span
from .methods import REFERENCE
from .picture import Plot
from .rows import ORDERS, Row, curves, of_order, orders, picked
from .wording import losses

__all__ = ["cohort", "likes", "losing", "paired", "prequential"]

_METRICS = (
    ("auc", "AUC per user, %"),
    ("macro", "Accuracy, mean over users, %"),
    ("balanced", "Balanced accuracy, %"),
    ("log_loss", "Log-loss, nats"),
    ("ndcg", "NDCG@10, all films ranked, %"),
    ("recall", "Recall@10, all films ranked, %"),
)


def likes(results: Row) -> Iterator[Section]:
    """What each method gets right of likes, in each order of ratings."""
    for number, order in enumerate(orders(results)):
        rows = of_order(results["results"], order)
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
        plot = Plot("ratings learned", "right answers, %", curves(picked(rows, "method"), "method", "k", columns))
        name = "results" if number == 0 else f"results-{order}"
        yield Section(
            f"Likes predicted, {ORDERS.get(order, order)}",
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


def paired(results: Row) -> Iterator[Section]:
    """The agent less every other method, on the same users and films."""
    order = orders(results)[0]
    rows = of_order(results["paired"], order)
    if not rows:
        return
    columns = ("diff", "low", "high")
    close = [row for row in picked(rows, "b") if row["b"] not in ("nearest", "nearest-published", "mlp")]
    tables = []
    for at in orders(results):
        cells = by_stage(of_order(results["paired"], at), "b", lambda row: span(row, *columns, digits=2, signed=True))
        tables.append(Table(*cells, f"Accuracy, points, {ORDERS.get(at, at)}", folded=at != order))
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
                Plot("ratings learned", "points", curves(close, "b", "k", columns), level=(0.0, f"{REFERENCE}")),
                "differences",
                f"{REFERENCE} less strong methods, points of accuracy",
            )
        ],
        tables,
        results["command"],
    )


def losing(results: Row) -> Iterator[Section]:
    """Where another method is better than the agent."""
    if results["paired"]:
        yield Section(f"Where {REFERENCE} loses", losses(results["paired"]), command=results["command"])


def cohort(results: Row) -> Iterator[Section]:
    """Users with many ratings, followed as these are learned."""
    rows = of_order(results.get("constant_cohort", []), orders(results)[0])
    if not rows:
        return
    columns = ("accuracy", "accuracy_low", "accuracy_high")
    steps = [row for row in of_order(results.get("cohort_steps", []), orders(results)[0]) if row["method"] == REFERENCE]
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
                Plot("ratings learned", "right answers, %", curves(picked(rows, "method"), "method", "k", columns)),
                "cohort",
                "The same users at every number of ratings",
            )
        ],
        tables,
        results["command"],
    )


def prequential(results: Row) -> Iterator[Section]:
    """Every rating predicted, then learned."""
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
                Plot("ratings given before", "right answers, %", curves(shown, "method", "after", columns)),
                "prequential",
                "Right answers against ratings given before",
            )
        ],
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
