"""Is it a good recommender? Agents and baselines on users whom nothing was learned from."""

from typing import Any

from ...hdl.geometry import Geometry
from .. import console
from ..dataset import Dataset
from ..errors import UsageError
from .cache import load_fold, path_of, save_fold
from .fold import Plan, run_fold
from .methods import agent_geometries
from .protocol import FOLDS, ORDERS, folds
from .summary import summarise

__all__ = ["QUICK_USERS", "evaluate"]

QUICK_USERS = 100
"""Users that ``--quick`` tests."""

_LARGEST = 1 << 25
"""Most users times films: item-kNN and EASE hold several full matrices of that size. ml-1m is within it."""


def evaluate(
    dataset: Dataset,
    geometry: Geometry,
    *,
    run: int = FOLDS,
    most: int | None = None,
    order: str = "random",
    seed: int = 1,
    inner: int = FOLDS,
) -> dict[str, Any]:
    """Evaluate on a data set; the outcome of each fold is kept, so that a second call is quick.

    Parameters
    ----------
    dataset
        Ratings and films.
    geometry
        Of the agents; its rule must be ``sweep``.
    run
        How many of the folds to test.
    most
        Most users to test in a fold; None for all.
    order
        Of a user's ratings: ``random``, or ``time``.
    seed
        Of folds, orders, encoder and bootstrap.
    inner
        How many of the inner folds settings and thresholds are chosen on.

    Returns
    -------
    results
        For JSON: what was evaluated, ``results``, ``paired``, ``constant_cohort`` (see
        :func:`~.summary.summarise`), and what was tuned in each fold.
    """
    if geometry.rule != "sweep":
        raise UsageError(
            f"give a geometry with the rule sweep; the other rules are derived from it, not {geometry.rule}"
        )
    if order not in ORDERS:
        raise UsageError(f"an order is one of {', '.join(ORDERS)}, not {order!r}")
    for count in (run, inner):
        if not 1 <= count <= FOLDS:
            raise UsageError(f"folds must be 1 to {FOLDS}, not {count}")
    cells = dataset.ratings["user"].n_unique() * dataset.films.height
    if cells > _LARGEST:
        raise UsageError(f"{dataset.name} is too large: users x films may be {_LARGEST:,} for EASE, not {cells:,}")
    plan = Plan(geometry, order, seed, inner)
    parts = folds(dataset, seed)
    outcomes = []
    with console.progress(f"evaluating on {dataset.name}", run * plan.steps, unit="steps") as bar:
        for number in range(run):
            held = parts[number][:most]
            others = sorted(user for at, part in enumerate(parts) if at != number for user in part)
            path = path_of(dataset, held, others, plan)
            outcome = load_fold(path)
            if outcome is None:
                outcome = run_fold(dataset, held, others, plan, bar.advance)
                save_fold(path, outcome)
            else:
                bar.advance(plan.steps)
            outcomes.append(outcome)
    return {
        "data": {
            "name": dataset.name,
            "digest": dataset.digest,
            "licence": dataset.licence,
            "ratings": dataset.ratings.height,
            "films": dataset.films.height,
        },
        "order": order,
        "seed": seed,
        "folds": {"run": run, "of": FOLDS, "inner": inner},
        "users": sum(len(outcome["users"]) for outcome in outcomes),
        "predictions": sum(sum(outcome["tests"]) for outcome in outcomes),
        "geometries": {name: agent.agent for name, agent in agent_geometries(geometry).items()},
        "tuned": {
            name: {
                "tried": outcomes[0]["methods"][name]["tried"],
                "chosen": [outcome["methods"][name]["setting"] for outcome in outcomes],
            }
            for name in outcomes[0]["methods"]
        },
        **summarise(outcomes, order, seed),
    }
