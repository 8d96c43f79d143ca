"""The sections of a report on the publication's protocol, larger populations and agents of other sizes."""

from collections.abc import Iterator

from .document import Picture, Section, Table, by_stage, row_table, span
from .methods import REFERENCE
from .picture import Plot
from .rows import Row, curves, of_order

__all__ = ["population", "publication", "sizes"]


def publication(results: Row) -> Iterator[Section]:
    """Stars within one, as the publication counts them."""
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
    drawn = curves(sorted(as_k, key=lambda row: order.index(row["method"])), "method", "k", ("correct", "low", "high"))
    yield Section(
        "The publication's own protocol",
        [
            "Four fifths of a user's ratings are learned, stars are predicted, and one star beside counts as right. "
            'The publication reports 74, 58.4 and 80.4 %. The answer "4 stars", always, is the line `constant`: what '
            "is below it has learned nothing."
        ],
        [Picture(Plot("ratings of a user", "within one star, %", drawn[:8]), "publication", "Within one star, %")],
        [
            Table(["ratings", *correct[0][1:]], correct[1], "Within one star, %"),
            Table(["ratings", *against[0][1:]], against[1], "Less the constant, points"),
        ],
        results["command"],
    )


def population(results: Row) -> Iterator[Section]:
    """What further data sets bring as population."""
    found = results.get("population")
    if not found:
        return
    rows = of_order(found["paired"], "random") or found["paired"]
    accuracy = by_stage(rows, "method", lambda row: span(row, "diff", "low", "high", digits=2, signed=True))
    auc = by_stage(rows, "method", lambda row: span(row, "auc_diff", "auc_low", "auc_high", digits=2, signed=True))
    yield Section(
        "More people to learn from",
        [
            "What further data sets as population bring, on the same tested users: with them less without. Intervals "
            "are paired. **Bold**: zero is not in it."
        ],
        tables=[
            row_table(found["sets"], "What was added", folded=False),
            Table(*accuracy, "Accuracy, points"),
            Table(*auc, "AUC, points"),
        ],
        command=results["command"],
    )


def sizes(results: Row) -> Iterator[Section]:
    """Agents of other sizes than the one that was evaluated."""
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
                Plot("points", "", curves(shown, "k", "name", ("diff", "low", "high")), "bars"),
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
