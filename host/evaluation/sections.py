"""The sections of a report, from the results of an evaluation and of experiments."""

from collections.abc import Iterator, Sequence

from .document import Document, Picture, Section, Table, row_table, span
from .methods import REFERENCE
from .picture import Plot
from .rows import ORDERS, Row, of_order, orders
from .sections_accuracy import cohort, likes, losing, paired, prequential
from .sections_studies import population, publication, sizes
from .wording import ABOUT, summary

__all__ = ["document"]


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
        ("orders", ", ".join(ORDERS.get(order, order) for order in orders(results))),
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
        *likes(results),
        *paired(results),
        *losing(results),
        *cohort(results),
        *prequential(results),
        *publication(results),
        *population(results),
        *sizes(results),
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
    first = of_order(results["results"], orders(results)[0])
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
