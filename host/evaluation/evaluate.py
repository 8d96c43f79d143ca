"""Is it a good recommender? Agents and baselines on users whom nothing was learned from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...hdl.geometry import Geometry
from ..dataset import Dataset
from ..errors import UsageError
from .cache import Shelf
from .fold import Plan, make_folds
from .grid import agents_grid
from .laboratory import Laboratory, Make
from .leak import require_no_leak
from .method import is_heavy
from .methods import REFERENCE, agent_geometries, methods
from .online import StreamedFactors
from .optional import left_out
from .pool import Crew, cores
from .population import merge_population
from .prequential import FOLLOWED, prequential
from .protocol import FOLDS, LIKES, ORDERS
from .publication import publication
from .replay import replay
from .run import Outcome, compared, run_cells, run_events
from .targets import targets

__all__ = ["QUICK_TUNERS", "QUICK_USERS", "REPLAYED", "SEEDS", "Scope", "evaluate"]

QUICK_USERS, QUICK_TUNERS = 100, 60
"""Users that ``--quick`` tests, and on whom it tunes."""

SEEDS = 5
"""Random orders of every user's ratings."""

REPLAYED = 3000
"""Predictions that are repeated on a device."""

_LARGEST = 1 << 25
"""Most users times films: item-kNN and EASE hold several full matrices of that size. ml-1m is within it."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How much is evaluated.

    Parameters
    ----------
    folds
        How many of the folds to test.
    users
        Most users to test in a fold; None for all.
    inner
        How many of the inner folds settings and thresholds are chosen on; two at most for heavy methods.
    tuners
        Most users of an inner fold that they are chosen on; None for all.
    orders
        Of a user's ratings, of :data:`~.protocol.ORDERS`.
    seeds
        Random orders.
    like
        What counts as a like, one of :data:`~.protocol.LIKES`.
    only
        Methods to evaluate, ``sweep`` among them; None for all.
    prequential
        Whether agents are followed rating by rating as well.
    publication
        Whether the publication's own protocol is run as well.
    grid
        Whether agents of other geometries are evaluated as well.
    replayed
        Predictions to repeat on the ``backend``.

    Raises
    ------
    UsageError
        If a value is out of range.
    """

    folds: int = FOLDS
    users: int | None = None
    inner: int = FOLDS
    tuners: int | None = None
    orders: Sequence[str] = ORDERS
    seeds: int = SEEDS
    like: str = "4"
    only: Collection[str] | None = None
    prequential: bool = True
    publication: bool = True
    grid: bool = False
    replayed: int = 0
    backend: str = "virtual"

    def __post_init__(self) -> None:
        for order in self.orders or ("none",):
            if order not in ORDERS:
                raise UsageError(f"an order is one of {', '.join(ORDERS)}, not {order!r}")
        if self.like not in LIKES:
            raise UsageError(f"a like is one of {', '.join(LIKES)}, not {self.like!r}")
        for count in (self.folds, self.inner):
            if not 1 <= count <= FOLDS:
                raise UsageError(f"folds must be 1 to {FOLDS}, not {count}")
        if self.seeds < 1:
            raise UsageError(f"seeds must be 1 or more, not {self.seeds}")


def evaluate(
    dataset: Dataset,
    geometry: Geometry,
    *,
    scope: Scope | None = None,
    seed: int = 1,
    population: Sequence[Dataset] = (),
    jobs: int | None = None,
) -> dict[str, Any]:
    """Evaluate on a data set; every finished cell is kept, so that a second call is quick.

    Parameters
    ----------
    dataset
        Ratings and films; its users are tested.
    geometry
        Of the agents; its rule must be ``sweep``.
    scope
        How much to do; everything but the optional parts by default.
    seed
        Of folds, encoder and bootstrap; the random orders have this seed and the ones after it.
    population
        Further data sets, whose users are learned from as well.
    jobs
        Most processes; by default one per core.

    Returns
    -------
    results
        Values for JSON. A *row* is an object; ``X_low`` and ``X_high`` are the ends of the 95 % interval of
        ``X``; rates are in percent, differences in points; null stands for what is not defined. ``k`` is 0, 1,
        2, 5, 10, 20, 50 or ``"all"``, ``order`` is ``"random"`` or ``"time"``.

        - ``data``: ``name, digest, licence, ratings, films, users``.
        - ``like`` (``"4"``, ``"3.5"``, ``"mean"``), ``orders``, ``seeds`` (list, of the random order), ``seed``
          (of everything else), ``folds`` (``run, of, inner``), ``users`` (tested), ``predictions`` (per method,
          order, seed and stage), ``seconds`` (of computing, cached cells at what they took, per core).
        - ``geometries``: agents by name, their fields.
        - ``tuned``: by method: ``tried`` (number), ``chosen`` (list of settings, one per fold), ``heavy``,
          ``seconds`` (all folds).
        - ``left_out``: by method: the line that says which library is missing.
        - ``results``: rows ``method, order, k, users, seeds`` (number of seeds pooled), and with intervals
          ``accuracy`` (micro), ``macro`` (mean over users), ``balanced``, ``auc`` (mean over users), ``log_loss``
          (nats; probabilities by a Platt scale per fold, fitted on the tuning users), ``ndcg`` and ``recall``
          (at 10, all films the user has not learned are ranked; first seed; null where a method can not).
        - ``paired``: rows ``a, b, order, k, users, seeds``, ``diff, low, high`` (accuracy of a less that of b) and
          for X in ``macro, balanced, auc, log_loss, ndcg, recall``: ``X_diff, X_low, X_high``.
        - ``constant_cohort``: rows as in ``results`` over users with 50 ratings to learn or more; and
          ``cohort_steps``: rows ``method, order, k, after, diff, low, high``: accuracy at ``k`` less that at the
          stage ``after`` before it, same users.
        - ``prequential``: rows ``method, after, predictions, users``, with intervals ``accuracy, macro, balanced,
          auc, log_loss``; ``after`` says how many ratings the user had given: ``"0"``, ``"1-4"``, ``"5-9"``,
          ``"10-19"``, ``"20-49"``, ``"50-99"``, ``"100+"`` or ``"any"``.
        - ``prequential_paired``: rows ``a, b, after, diff, low, high``.
        - ``agents_grid``: rows ``name, changes`` (fields that differ), ``bits`` (of memory per user), ``order, k``,
          ``accuracy`` and ``auc`` with intervals, ``diff, low, high`` against the geometry evaluated. Empty
          unless asked for.
        - ``replay``: ``predictions, users, mismatches, backend, geometry``; null unless asked for.
        - ``population``: null for one data set, else ``sets`` (rows ``name, users, ratings`` of the further sets,
          what was added), and ``paired``: rows ``method, order, k``, the rest as in ``paired`` above: with them less
          without.
        - ``publication``: rows of :func:`~.publication.publication`.
        - ``targets``: rows ``name, target`` (text), ``k``, ``order``, ``measured, low, high, met`` (true, false, or
          null where this run does not say).
    """
    scope = Scope() if scope is None else scope
    if geometry.rule != "sweep":
        raise UsageError(
            f"give a geometry with the rule sweep; the other rules are derived from it, not {geometry.rule}"
        )
    merged, joined = merge_population(dataset, population) if population else (dataset, [])
    cells = merged.ratings["user"].n_unique() * merged.films.height
    if cells > _LARGEST:
        raise UsageError(f"{merged.name} is too large: users x films may be {_LARGEST:,} for EASE, not {cells:,}")
    plan = Plan(geometry, seed, scope.inner, scope.like, scope.tuners)
    makers = methods(geometry)
    if scope.only is not None:
        unknown = sorted(set(scope.only) - makers.keys())
        if unknown:
            raise UsageError(f"a method is one of {', '.join(makers)}, not {unknown[0]!r}")
        makers = {name: make for name, make in makers.items() if name in {REFERENCE, *scope.only}}
    seeds = [seed + number for number in range(scope.seeds)]

    def laboratory(dataset: Dataset, makers: Mapping[str, Make], extra: Collection[str]) -> Laboratory:
        folds = make_folds(dataset, seed, run=scope.folds, most=scope.users, extra=extra)
        require_no_leak(dataset, folds)
        return Laboratory(dataset, plan, folds, makers, Shelf(dataset.name))

    lab = laboratory(merged, makers, [user for one in joined for user in one.users])
    with Crew(cores() if jobs is None else jobs) as crew:
        outcome = run_cells(lab, scope.orders, seeds, crew=crew, what=f"evaluating on {merged.name}")
        results = _about(dataset, scope, seeds, outcome) | {
            "geometries": {name: agent.agent for name, agent in agent_geometries(geometry).items()},
            "left_out": left_out(),
            "tuned": {name: _tuned(outcome, name, is_heavy(makers[name])) for name in makers},
            **outcome.tables(reference=REFERENCE, seed=seed),
            **_further(lab, outcome, scope, crew),
            "population": None,
        }
        if joined:
            alone = laboratory(dataset, {REFERENCE: makers[REFERENCE]}, ())
            less = run_cells(alone, scope.orders, seeds, crew=crew, what=f"evaluating on {dataset.name} alone")
            results["population"] = {
                "sets": [{"name": one.name, "users": len(one.users), "ratings": one.ratings} for one in joined],
                "paired": compared(REFERENCE, outcome, less, seed=seed),
            }
    return results | {"targets": targets(results)}


def _about(dataset: Dataset, scope: Scope, seeds: Sequence[int], outcome: Outcome) -> dict[str, Any]:
    return {
        "data": {
            "name": dataset.name,
            "digest": dataset.digest,
            "licence": dataset.licence,
            "ratings": dataset.ratings.height,
            "films": dataset.films.height,
            "users": dataset.ratings["user"].n_unique(),
        },
        "like": scope.like,
        "orders": list(scope.orders),
        "seeds": list(seeds),
        "seed": seeds[0],
        "folds": {"run": scope.folds, "of": FOLDS, "inner": scope.inner},
        "users": len(outcome.tests),
        "predictions": int(outcome.tests.sum()),
        "seconds": round(sum(outcome.seconds.values()), 1),
    }


def _further(lab: Laboratory, outcome: Outcome, scope: Scope, crew: Crew) -> dict[str, Any]:
    """Tables of what is done beside the main protocol."""
    seed, name = lab.plan.seed, lab.dataset.name
    tables: dict[str, Any] = {"prequential": [], "prequential_paired": []}
    if scope.prequential:
        followers = {one: lab.makers[one] for one in FOLLOWED if one in lab.makers} | {"mf-online": StreamedFactors}
        other = Laboratory(lab.dataset, lab.plan, lab.folds, followers, lab.shelf)
        followed = run_events(other, list(followers), crew=crew, what=f"following users of {name}")
        tables |= prequential(followed, reference=REFERENCE, seed=seed)
    tables["publication"] = publication(lab, seed=seed, crew=crew) if scope.publication else []
    grid = scope.grid and "random" in outcome.marked
    tables["agents_grid"] = agents_grid(lab, outcome, reference=REFERENCE, crew=crew) if grid else []
    tables["replay"] = replay(lab, scope.replayed, backend=scope.backend) if scope.replayed else None
    return tables


def _tuned(outcome: Outcome, name: str, heavy: bool) -> dict[str, Any]:
    chosen = outcome.tuned[name]
    return {
        "tried": chosen[0].tried,
        "chosen": [one.setting for one in chosen],
        "heavy": heavy,
        "seconds": round(outcome.seconds[name], 1),
    }
