"""Sentences that are made from figures."""

from collections.abc import Iterator, Sequence
from typing import Any

from .methods import REFERENCE

__all__ = ["ABOUT", "losses", "summary"]

Row = dict[str, Any]

ABOUT = {
    "sweep": "the agent, integers of the hardware: regularised Gauss-Seidel sweeps",
    "counting": "the agent without feedback, integers of the hardware",
    "wisard": "two discriminators with bleaching, integers (Aleksander et al. 1984, Grieco et al. 2010)",
    "nearest": "nearest stored pattern by matching RAM neurons, integers of the hardware, on our codes and priors",
    "nearest-published": "the same rule as published: Hamming distance between 26 bits of genres and votes, no prior",
    "majority": "the population's more frequent answer, always",
    "like-rate": "how often the user likes a film, shrunk towards the population's rate",
    "prior": "how much the population likes the film",
    "prior+bias": "that, and the user's mean surprise",
    "user-knn": "user-based neighbours on top of prior and bias (Herlocker et al. 1999)",
    "item-knn": "item-based neighbours on top of prior and bias (Sarwar et al. 2001, Koren 2008)",
    "ease": "EASE with fold-in on top of prior and bias (Steck 2019)",
    "csla": "constrained single-layer autoencoder with fold-in",
    "mf": "biased Bayesian matrix factorisation, posterior fold-in, floating point, the encoder's factors",
    "fm": "factorisation with side features",
    "logistic": "one logistic regression per user on prior and factors, shrunk towards the population's",
    "mlp": "one multilayer perceptron per user, trained properly",
    "mlp-codes": "the same on the codes of the agents",
    "mlp-published": "one multilayer perceptron per user, trained as the publication did",
    "river": "online matrix factorisation of the library River",
    "gbm": "gradient boosting on the same signals",
    "stack": "a stack of all signals: the reference ceiling",
}

_STRONG = ("stack", "mf", "ease", "item-knn", "fm", "prior+bias")
_AT = 20


def summary(results: Row, experiments: Sequence[Row]) -> list[str]:
    """What the figures say, in a few sentences; what was not run is not spoken of."""
    order = results["results"][0]["order"]
    accuracy = {(row["method"], row["k"]): row for row in results["results"] if row["order"] == order}
    paired = {(row["b"], row["k"]): row for row in results["paired"] if row["order"] == order}
    found = {one["name"]: one for one in experiments}
    return list(_sentences(results, accuracy, paired, found))


def _sentences(results: Row, accuracy: dict[Any, Row], paired: dict[Any, Row], found: dict[str, Row]) -> Iterator[str]:
    at = [k for k in (0, 5, _AT, "all") if (REFERENCE, k) in accuracy]
    said = ", ".join(f"{accuracy[REFERENCE, k]['accuracy']:.1f} % with {'no' if k == 0 else k} ratings" for k in at)
    yield f"`{REFERENCE}` predicts {said} of a new user's likes right."
    if ("nearest", _AT) in paired:
        against = [f"{_signed(paired['nearest', _AT])} against the published neuron on the same codes"]
        if ("nearest-published", _AT) in paired:
            against.append(f"{_signed(paired['nearest-published', _AT])} against it on the published ones")
        if ("mlp", _AT) in paired:
            against.append(f"{_signed(paired['mlp', _AT])} against a network per user")
        *first, last = against
        yield f"At {_AT} ratings that is {', '.join(first)}{' and ' if first else ''}{last}."
    strong = [f"`{name}` {_signed(paired[name, _AT])}" for name in _STRONG if (name, _AT) in paired]
    if strong:
        yield f"Against the strongest, at {_AT} ratings: {'; '.join(strong)}."
    lost = [row for row in paired.values() if row["high"] < 0]
    names = list(dict.fromkeys(row["b"] for row in lost))
    if paired:
        yield (
            f"It is surely worse than another method in {len(lost)} of {len(paired)} comparisons"
            + (f" (with {', '.join(f'`{name}`' for name in names)})." if names else ".")
        )
    population = results.get("population")
    if population:
        more = {row["k"]: row for row in population["paired"] if row["order"] == results["results"][0]["order"]}
        said = ", ".join(f"{_signed(more[k])} at {k}" for k in (5, _AT, "all") if k in more)
        sets = " and ".join(f"{one['users']:,} users of {one['name']}" for one in population["sets"])
        yield f"With {sets} to learn from as well: {said} ratings."
    if "forgetting" in found or "drift" in found:
        yield " ".join(found[name]["sentence"] for name in ("forgetting", "drift") if name in found)
    publication = {(row["method"], row["ratings"]): row for row in results.get("publication") or []}
    rows = [row for (name, _), row in publication.items() if name == REFERENCE]
    if rows:
        said = ", ".join(f"{row['diff']:+.1f} at {row['ratings']}" for row in rows)
        yield f'In the publication\'s own protocol it stands against the constant "4 stars" at {said} ratings (points).'


def losses(paired: Sequence[Row]) -> list[str]:
    """Everything that the reference is surely worse in, and how often it is behind at all."""
    said = []
    for order in dict.fromkeys(row["order"] for row in paired):
        rows = [row for row in paired if row["order"] == order]
        for what, value, high in (("accuracy", "diff", "high"), ("AUC", "auc_diff", "auc_high")):
            lost = [row for row in rows if row.get(high) is not None and row[high] < 0]
            each = ", ".join(f"`{row['b']}` at {row['k']} ({row[value]:+.2f})" for row in lost)
            said.append(f"**{what}, {order} order**, interval below zero: {each or 'nowhere'}.")
        behind = sum(row["diff"] < 0 for row in rows)
        said.append(
            f"Accuracy below another method's by any amount, {order} order: {behind} of {len(rows)} comparisons."
        )
    return said


def _signed(row: Row) -> str:
    return f"{row['diff']:+.2f} points ({row['low']:+.2f} to {row['high']:+.2f})"
