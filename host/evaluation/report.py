"""An evaluation in words and tables: ``docs/results.md`` is made by this."""

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import UsageError
from .methods import REFERENCE

__all__ = ["by_stage", "report"]

Row = dict[str, Any]

_ABOUT = {
    "sweep": "the agent, integers of the hardware: regularised Gauss-Seidel sweeps",
    "counting": "the agent without feedback, integers of the hardware",
    "nearest": "nearest stored pattern by matching RAM neurons, integers of the hardware, on our codes and priors",
    "majority": "the population's more frequent answer, always",
    "like-rate": "how often the user likes a film, shrunk towards the population's rate",
    "prior": "how much the population likes the film",
    "prior+bias": "that, and the user's mean surprise",
    "item-knn": "item-based neighbours on top of prior and bias (Sarwar et al. 2001, Koren 2008)",
    "ease": "EASE with fold-in on top of prior and bias (Steck 2019)",
    "mf": "biased Bayesian matrix factorisation, posterior fold-in, floating point, the encoder's factors",
    "logistic": "one logistic regression per user on prior and factors, shrunk towards the population's",
}

_OPEN = """\
## Not measured yet

- Only the data set, order and seed above. Several seeds, other data sets and several populations together are
  still to come, and so is a prequential run in time order.
- Full-catalogue ranking (NDCG, recall), log-loss, other definitions of a like.
- User-kNN, a per-user MLP, a factorisation model with side features, gradient boosting, an online recommender, a
  stack of all methods as reference ceiling.
- Drift, forgetting as an experiment, new films, other widths of codes and memories, the rule `wisard`.
- The published comparison's own protocol. The row `nearest` is its neuron on *our* codes and priors, which is
  kinder to it than the published genre codes.
- The scores come from a batched form of the golden model that a test holds equal to it bit for bit; none of these
  predictions has been replayed on the virtual board yet."""


def report(results: dict[str, Any]) -> str:
    """The page, in Markdown, of what :func:`~.evaluate.evaluate` returned; UsageError if it is something else."""
    try:
        return "\n\n".join(_parts(results)) + "\n"
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f"not the results of an evaluation ({error!r}); make them by `ramrec evaluate --out`"
        ) from None


def by_stage(rows: Sequence[Row], name: str, cell: Callable[[Row], str]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines of a table: a line per value of ``name``, a column per stage."""
    stages = list(dict.fromkeys(row["k"] for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row[name], [row[name]] + ["-"] * len(stages))[1 + stages.index(row["k"])] = cell(row)
    return ["k", *(str(stage) for stage in stages)], list(lines.values())


def _parts(results: dict[str, Any]) -> list[str]:
    data, folds = results["data"], results["folds"]
    users = {str(row["k"]): row["users"] for row in results["results"]}
    reached = ", ".join(f"{count} at {k}" for k, count in users.items())
    return [
        "# Results",
        "*Generated, do not edit:* `ramrec evaluate --report docs/results.json > docs/results.md`. "
        f"Every figure on this page comes from `{results['command']}`.",
        f"Data: {data['name']}, {data['ratings']:,} ratings of {data['films']:,} films. {results['users']} users "
        f"tested in {folds['run']} of {folds['of']} folds, {results['predictions']:,} predictions per method and "
        f"number of ratings, order of a user's ratings: {results['order']}, seed {results['seed']}. "
        f"Licence of the data: {data['licence']}.",
        "![Accuracy against ratings learned, and differences](results.png)",
        _protocol(reached, results["geometries"][REFERENCE]["memory_depth"]),
        "## Right answers, % (95 % interval)",
        _table(*by_stage(results["results"], "method", _accuracy)),
        "## AUC per user, %",
        "How often a liked film of a user scores above one that is not; 50 is chance.",
        _table(*by_stage(results["results"], "method", _auc)),
        f"## {REFERENCE} less each other method, points (paired 95 % interval)",
        f"Above zero `{REFERENCE}` is better. **Bold**: the interval does not contain zero.",
        _table(*by_stage(results["paired"], "b", lambda row: _paired(row, "diff", "low", "high"))),
        "The same for AUC:",
        _table(*by_stage(results["paired"], "b", lambda row: _paired(row, "auc_diff", "auc_low", "auc_high"))),
        f"## Where {REFERENCE} loses",
        _losses(results["paired"]),
        *_cohort(results["constant_cohort"]),
        "## The methods, and what was tuned",
        "Settings and thresholds have been chosen per fold, by cross-validation among the users of the other folds "
        f"({folds['inner']} of {folds['of']} inner folds): the setting with the best AUC over all users' predictions, "
        "mean over numbers of ratings. Behind a setting: in how many folds it was chosen. After a first full run "
        "tuning went from one inner fold to five, for all methods, and baselines' grids were widened where a value at "
        "their end was chosen; codes and constants of the agents were left as they were.",
        _table(["method", "what", "tried", "chosen, per fold"], _tuned(results["tuned"])),
        "The integer constants of the three agents and the encoder's own constants were fixed before this protocol "
        "existed, by trying configurations on MovieLens data, users of the two small sets among them; they are not "
        "chosen per fold. Codes, priors and thresholds come from the other folds alone.",
        _OPEN,
    ]


def _cohort(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    return [
        "## Always the same users, right answers, %",
        "Columns above differ in their users, because not everybody has as many ratings. Here are only those who have "
        "at least 50 to learn, so that columns can be compared.",
        _table(*by_stage(rows, "method", _accuracy)),
    ]


def _protocol(reached: str, depth: int) -> str:
    return (
        "## Protocol\n\n"
        "Users are split into folds. Encoder, priors, thresholds and every tuned number come from the other folds. "
        "Of a tested user the last min(20, n/2) ratings are predicted, the same for every k; k ratings before them "
        f"are learned. A like is a rating of 4 or more. An agent keeps its last {depth} ratings, so for it `all` means "
        f"{depth} at most; "
        "baselines keep everything. All methods get thresholds by the same procedure from the same users, and share "
        f"the encoder's prior. Users who have k ratings to learn: {reached}. Accuracy counts predictions, AUC users. "
        "Intervals: 2,000 bootstrap resamples of users; those of differences are paired."
    )


def _accuracy(row: Row) -> str:
    return f"{row['accuracy']:.1f} ({row['accuracy_low']:.1f} to {row['accuracy_high']:.1f})"


def _auc(row: Row) -> str:
    return "-" if row["auc"] is None else f"{row['auc']:.1f} ({row['auc_low']:.1f} to {row['auc_high']:.1f})"


def _paired(row: Row, middle: str, low: str, high: str) -> str:
    if row[middle] is None:
        return "-"
    text = f"{row[middle]:+.2f} ({row[low]:+.2f} to {row[high]:+.2f})"
    return f"**{text}**" if row[low] > 0 or row[high] < 0 else text


def _losses(paired: Sequence[Row]) -> str:
    lost = {
        "accuracy": [row for row in paired if row["high"] < 0],
        "AUC": [row for row in paired if row["auc_high"] is not None and row["auc_high"] < 0],
    }
    lines = []
    for what, rows in lost.items():
        middle = "diff" if what == "accuracy" else "auc_diff"
        said = ", ".join(f"{row['b']} at k={row['k']} ({row[middle]:+.2f})" for row in rows)
        lines.append(f"- {what}, interval below zero: {said or 'nowhere'}.")
    behind = sum(row["diff"] < 0 for row in paired)
    lines.append(f"- Accuracy below another method's by any amount: {behind} of {len(paired)} comparisons.")
    return "\n".join(lines)


def _tuned(tuned: dict[str, Any]) -> list[list[str]]:
    lines = []
    for name, entry in tuned.items():
        said = ["; ".join(f"{key} {value}" for key, value in setting.items()) for setting in entry["chosen"]]
        distinct = [f"{text} ({said.count(text)})" for text in dict.fromkeys(said) if text]
        lines.append([f"`{name}`", _ABOUT.get(name, ""), str(entry["tried"]), "<br>".join(distinct) or "-"])
    return lines


def _table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    head = [columns, ["---"] + ["---"] * (len(columns) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [*head, *lines])
