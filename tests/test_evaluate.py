"""The evaluation: its integers are the golden model's, its folds do not leak, its figures are right."""

import json
import multiprocessing
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host import cli, cli_evaluate
from ramrec.host.dataset import Dataset
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.evaluation.baselines import Population
from ramrec.host.evaluation.baselines_agents import AgentMethod
from ramrec.host.evaluation.batched import score_many
from ramrec.host.evaluation.cache import Shelf
from ramrec.host.evaluation.evaluate import Scope, evaluate
from ramrec.host.evaluation.fold import MARKS, Fold, Plan, make_folds
from ramrec.host.evaluation.grid import agent_bits, variants
from ramrec.host.evaluation.laboratory import Laboratory
from ramrec.host.evaluation.leak import require_no_leak
from ramrec.host.evaluation.methods import methods
from ramrec.host.evaluation.metrics import (
    bootstrap_weights,
    figures,
    interval,
    log_loss,
    pooled_auc,
    top_ranked,
    user_auc,
)
from ramrec.host.evaluation.pool import Crew
from ramrec.host.evaluation.prequential import prequential
from ramrec.host.evaluation.protocol import LIKES, STAGES, cases, catalogue_wide, events, folds, inner_folds
from ramrec.host.evaluation.replay import replay
from ramrec.host.evaluation.run import run_cells
from ramrec.host.evaluation.sources import source_digest
from ramrec.host.evaluation.summary import Marked, summarise
from ramrec.host.evaluation.targets import targets
from ramrec.sim.golden import Agent, Entry

GEOMETRY = Geometry(code_bits=32, ridge=48, shift=6, memory_depth=8, neurons_per_clock=16)
RULES = {
    "sweep": GEOMETRY,
    "sweep, one-bit tuples, drift": GEOMETRY.with_(tuple_bits=1, neurons_per_clock=32, drift=2, shift=7, ridge=3),
    "sweep, four-bit tuples, strengths at their limit": GEOMETRY.with_(tuple_bits=4, neurons_per_clock=8, alpha_bits=2),
    "counting": GEOMETRY.with_(rule="counting", bias_gain=0),
    "nearest": GEOMETRY.with_(rule="nearest"),
    "wisard": GEOMETRY.with_(rule="wisard"),
}


def world(users: int = 40, films: int = 30, *, seed: int = 3) -> Dataset:
    """Users of two tastes; each rates 6 to 20 films."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        for film in rng.choice(films, size=int(rng.integers(6, 21)), replace=False).tolist():
            stars = (4.5 if (user + film) % 2 == 0 else 2.5) + rng.choice([-1, -0.5, 0, 0.5])
            rows.append((f"u{user:02}", film, stars, int(rng.integers(1 << 20))))
    schema = {"user": pl.String, "film": pl.UInt32, "rating": pl.Float32, "time": pl.Int64}
    table = pl.DataFrame(
        {
            "film_id": [f"f{film}" for film in range(films)],
            "title": [f"Film {film} (2000)" for film in range(films)],
            "year": pl.Series([2000] * films, dtype=pl.Int32),
            "genres": [["War", "Comedy"][film % 2 :][:1] for film in range(films)],
            "tags": pl.Series([[]] * films, dtype=pl.List(pl.String)),
        }
    )
    ratings = pl.DataFrame(rows, schema=schema, orient="row").sort("time", "user", "film")
    return Dataset("world", "none", "made up", "0" * 64, ratings, table)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world()


SOME = ("prior", "prior+bias", "item-knn", "ease", "mf", "logistic")


def laboratory(dataset, tmp_path, *, fold=None, only=SOME, like="4", inner=1):
    """The first fold on a data set, with some methods; or a fold given."""
    makers = {name: make for name, make in methods(GEOMETRY).items() if name in ("sweep", *only)}
    folds_ = make_folds(dataset, 1, run=1) if fold is None else [fold]
    shelf = Shelf("world")
    shelf._folder = tmp_path
    return Laboratory(dataset, Plan(GEOMETRY, 1, inner, like), folds_, makers, shelf)


def outcome_of(lab, *, orders=("random",), seeds=(1,)):
    return run_cells(lab, orders, seeds, crew=Crew(), what="testing")


def tables_of(outcome):
    return outcome.tables(reference="sweep", seed=1)


def accuracies(outcome, k):
    return {row["method"]: row["accuracy"] for row in tables_of(outcome)["results"] if row["k"] == k}


def learned(outcome):
    return {name: (parts[0].setting, parts[0].lines) for name, parts in outcome.tuned.items()}


def mirrored(dataset):
    """The data set with the opposite ratings by the users of the first fold."""
    held = pl.col("user").is_in(folds(dataset, 1)[0])
    rating = pl.when(held).then(5.5 - pl.col("rating")).otherwise(pl.col("rating")).cast(pl.Float32)
    changed = dataset.ratings.with_columns(rating.alias("rating"))
    return replace(dataset, ratings=changed, digest="1" * 64)


# The integers


@pytest.mark.parametrize("name", RULES)
def test_batched_scores_are_the_golden_ones(name):
    geometry = RULES[name]
    rng = np.random.default_rng(11)
    codes = rng.integers(0, 256, (25, geometry.code_bytes), dtype=np.uint8)
    codes[5] = codes[6]
    priors = rng.integers(-128, 128, 25).astype(np.int8)
    jobs = []
    for kept in [*range(geometry.memory_depth + 1), 0, 5, geometry.memory_depth] * 6:
        scale = rng.choice([200, 2000, geometry.surprise_max])
        films, tested = np.split(rng.permutation(25), [kept])
        jobs.append((films, rng.integers(-scale, scale, kept), tested[: int(rng.integers(1, 10))]))
    for (films, e, tested), said in zip(jobs, score_many(geometry, codes, priors, jobs), strict=True):
        entries = [Entry(int(film), codes[film].tobytes(), int(value)) for film, value in zip(films, e, strict=True)]
        assert said.tolist() == Agent(geometry, entries).scores(codes[tested], priors[tested]).tolist()


def test_sums_beyond_single_precision_are_exact():
    geometry = GEOMETRY.with_(alpha_bits=12, memory_depth=1024, rule="counting", shift=1)
    rng = np.random.default_rng(2)
    codes = np.zeros((1024, 4), np.uint8)
    codes[0] = 85
    e = rng.integers(20_000, geometry.surprise_max, 1023)
    (said,) = score_many(geometry, codes, np.zeros(1024, np.int8), [(np.arange(1, 1024), e, np.arange(2))])
    entries = [Entry(film, codes[film].tobytes(), int(value)) for film, value in enumerate(e, start=1)]
    assert said.tolist() == Agent(geometry, entries).scores(codes[:2], [0, 0]).tolist()
    assert said[1] > 1 << 24


def test_an_evaluated_agent_is_one_that_was_given_the_ratings(dataset):
    users = dataset.ratings["user"].unique().sort().to_list()
    population = Population.learn(dataset, users[:30], GEOMETRY, 1)
    catalogue, tested = population.catalogue, cases(dataset, users[30:], order="random", seed=1)
    assert max(len(case.films) for case in tested) > GEOMETRY.memory_depth
    for case, rows in zip(tested, AgentMethod(population, GEOMETRY).scores(tested, {}), strict=True):
        for (place, _), said in zip(case.stages(), rows, strict=True):
            agent = Agent(GEOMETRY)
            for film, step in zip(*case.support(STAGES[place]), strict=True):
                prior, target = int(catalogue.priors[film]), int(catalogue.targets[step - 1])
                agent.rate(int(film), catalogue.codes[film].tobytes(), prior, target)
            assert said.tolist() == agent.scores(catalogue.codes[case.tested], catalogue.priors[case.tested]).tolist()


def test_a_whole_catalogue_at_once_is_the_same():
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 256, (40, 4), dtype=np.uint8)
    priors = rng.integers(-128, 128, 40).astype(np.int8)
    everything, some = np.arange(40), np.array([3, 17, 39])
    kept = [rng.permutation(40)[:n] for n in (0, 3, 8)]
    for geometry in RULES.values():
        told = [(films, rng.integers(-900, 900, len(films))) for films in kept]
        whole = score_many(geometry, codes, priors, [(*one, everything) for one in told])
        part = score_many(geometry, codes, priors, [(*one, some) for one in told])
        assert [scores[some].tolist() for scores in whole] == [scores.tolist() for scores in part]


def test_batches_refuse_what_they_can_not_do():
    codes, priors = np.zeros((9, 4), np.uint8), np.zeros(9, np.int8)
    job = (np.arange(9), np.zeros(9, np.int64), np.arange(1))
    with pytest.raises(ValueError, match="keeps 8 ratings, not 9"):
        score_many(GEOMETRY, codes, priors, [job])
    assert score_many(GEOMETRY, codes, priors, []) == []


# The protocol


def test_the_same_ratings_are_tested_at_every_stage(dataset):
    for order in ("random", "time"):
        for case in cases(dataset, dataset.ratings["user"].unique(), order=order, seed=1):
            mine = dataset.ratings.filter(pl.col("user") == case.user).sort("time")
            assert sorted([*case.films, *case.tested]) == sorted(mine["film"])
            assert len(case.tested) == min(20, mine.height // 2)
            last, _ = case.support(2)
            assert last.tolist() == case.films[-2:].tolist()
            assert len(case.support(0)[0]) == 0
            if order == "time":
                assert [*case.films, *case.tested] == mine["film"].to_list()


def test_each_user_is_in_one_fold_and_each_tuner_among_the_others(dataset):
    parts = folds(dataset, 1)
    assert sorted(user for part in parts for user in part) == sorted(dataset.ratings["user"].unique())
    for learners, tuners in inner_folds(parts[0], 1):
        assert sorted(learners + tuners) == sorted(parts[0])
        assert len(tuners) in (1, 2)
    assert sorted(user for _, tuners in inner_folds(parts[0], 1) for user in tuners) == sorted(parts[0])


def test_likes_are_what_was_asked_for(dataset):
    users = dataset.ratings["user"].unique().to_list()[:5]
    by_rule = {like: cases(dataset, users, order="time", seed=1, like=like) for like in LIKES}
    for four, lower, own in zip(*by_rule.values(), strict=True):
        assert (four.likes == (four.answers >= 8)).all()
        assert (lower.likes == (four.answers >= 7)).all()
        mean = np.concatenate([four.steps, four.answers]).mean()
        assert (own.likes == (four.answers >= mean)).all()


def test_events_come_in_the_order_of_time(dataset):
    users = dataset.ratings["user"].unique().sort().to_list()[:6]
    found = events(dataset, users)
    rated = dataset.ratings.filter(pl.col("user").is_in(users))
    assert [case.user for case in found] == rated["user"].to_list()
    assert [int(case.tested[0]) for case in found] == rated["film"].to_list()
    seen = {}
    for case in found:
        assert case.films.tolist() == seen.setdefault(case.user, [])
        assert list(case.stages()) == [(len(STAGES) - 1, len(case.films))]
        seen[case.user].append(int(case.tested[0]))


def test_methods_see_no_answers_of_a_wide_case(dataset):
    (case,) = cases(dataset, ["u00"], order="random", seed=1)
    (wide,) = catalogue_wide([case], 30)
    assert wide.tested.tolist() == list(range(30))
    assert not wide.answers.any()


# Leaks


def test_held_out_users_decide_nothing(dataset, tmp_path):
    before = outcome_of(laboratory(dataset, tmp_path / "a"))
    after = outcome_of(laboratory(mirrored(dataset), tmp_path / "b"))
    assert learned(after) == learned(before)
    assert accuracies(after, "all") != accuracies(before, "all")


def test_a_fold_with_tested_users_among_the_learners_is_refused(dataset):
    held, *rest = folds(dataset, 1)
    others = tuple(user for part in rest for user in part)
    with pytest.raises(RamrecError, match="a leak: 1 users are tested and learned from, u"):
        Fold(tuple(held), others, (held[0],))


def test_tested_ratings_under_another_name_are_found(dataset):
    held = make_folds(dataset, 1, run=1)[0].held
    copied = dataset.ratings.filter(pl.col("user").is_in(held)).with_columns(
        pl.format("other:{}", "user").alias("user")
    )
    planted = replace(dataset, ratings=pl.concat([dataset.ratings, copied]).sort("time", "user", "film"))
    added = copied["user"].unique().sort().to_list()
    leaking = make_folds(planted, 1, run=1, extra=added)
    assert leaking[0].held == held
    with pytest.raises(RamrecError, match="have the ratings of tested ones, other:u"):
        require_no_leak(planted, leaking)
    require_no_leak(dataset, make_folds(dataset, 1, run=1))


def test_a_leak_pays_and_so_would_be_seen(tmp_path):
    """On ratings without any pattern, only the tested ratings themselves can be learned."""
    noise = shuffled(world(60))
    held, *rest = folds(noise, 1)
    others = tuple(sorted(user for part in rest for user in part))
    named = noise.ratings.filter(pl.col("user").is_in(held)).with_columns(pl.format("x{}", "user").alias("user"))
    planted = replace(noise, ratings=pl.concat([noise.ratings, *(_renamed(named, n) for n in range(9))]))
    copies = tuple(user for user in planted.ratings["user"].unique().sort() if user.startswith("x"))
    auc = {}
    for name, extra in (("honest", ()), ("leaking", copies)):
        outcome = outcome_of(laboratory(planted, tmp_path / name, fold=Fold(tuple(held), others, extra), only=()))
        auc[name] = tables_of(outcome)["results"][-1]["auc"]
    assert auc["leaking"] > 70 > auc["honest"]


def _renamed(ratings, number):
    return ratings.with_columns(pl.format("{}-{}", "user", pl.lit(number)).alias("user"))


def shuffled(dataset):
    return replace(
        dataset,
        ratings=dataset.ratings.with_columns(dataset.ratings["rating"].sample(fraction=1, shuffle=True, seed=2)),
        digest="2" * 64,
    )


def test_tastes_are_found(tmp_path):
    accuracy = accuracies(outcome_of(laboratory(world(200), tmp_path)), 5)
    assert min(accuracy[name] for name in ("mf", "item-knn", "ease", "logistic")) > 75
    assert accuracy["sweep"] > accuracy["prior"] + 5


def test_shuffled_ratings_give_chance(tmp_path):
    for row in tables_of(outcome_of(laboratory(shuffled(world(120)), tmp_path)))["results"]:
        assert row["auc_low"] - 5 < 50 < row["auc_high"] + 5
        assert row["balanced_low"] - 5 < 50 < row["balanced_high"] + 5


# The figures


def test_auc_by_hand():
    scores, likes = np.array([3, 1, 2, 2]), np.array([True, False, True, False])
    assert user_auc(scores, likes) == pooled_auc(scores, likes) == (1 + 1 + 1 + 0.5) / 4
    assert user_auc(scores, np.ones(4, bool)) is None
    assert pooled_auc(scores, np.zeros(4, bool)) == 0.5


def test_interval_by_hand():
    weights = np.array([[1.0, 1, 1], [3, 0, 0], [0, 3, 0], [0, 0, 3]])
    point, low, high = interval(weights, np.array([1.0, 2, 0]), np.array([2.0, 2, 0]))
    assert point == 0.75  # users of size zero do not count, nor do resamples that drew no other
    assert (low, high) == tuple(np.percentile([0.75, 0.5, 1.0], [2.5, 97.5]))
    drawn = bootstrap_weights(7, 1)
    assert (drawn.sum(axis=1) == 7).all()
    assert (drawn == bootstrap_weights(7, 1)).all()


def test_a_mean_of_two_ratios_by_hand():
    weights = np.array([[1.0, 1]])
    values, sizes = np.array([[1.0, 1], [0, 3]]), np.array([[2.0, 2], [1, 3]])
    assert interval(weights, values, sizes)[0] == (0.5 + 0.75) / 2
    assert figures(("a", "b", "c"), weights, values, np.array([[1.0, 1], [0, 0]])) == dict.fromkeys("abc")


def test_rankings_by_hand():
    scores = np.array([5, 9, 9, 1, 7, *[0] * 20])
    # Film 1 is not ranked; the ranking is 2, 4, 0, 3, 5, 6, ...: ties by number.
    ndcg, recall = top_ranked(scores, np.array([4, 3]), np.array([1]))
    assert ndcg == pytest.approx((1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3)))
    assert recall == 1
    assert top_ranked(scores, np.array([24]), np.array([1])) == (0, 0)
    assert top_ranked(scores, np.array([5, 10]), np.array([1]))[1] == 1
    assert top_ranked(scores, np.array([], int), np.array([1])) is None


def test_log_loss_by_hand():
    loss = log_loss(np.array([0.0, np.log(3), np.log(3), 1e9]), np.array([True, True, False, False]))
    assert loss == pytest.approx([np.log(2), -np.log(0.75), -np.log(0.25), 30])


def test_summary_by_hand():
    def marked(*seeds):
        marks = np.full((len(seeds), len(MARKS), 2, len(STAGES)), np.nan)
        marks[:, 0] = np.array([[[np.nan if hit is None else hit for hit in row] for row in hits] for hits in seeds])
        marks[:, 1], marks[:, 2], marks[:, 3] = marks[:, 0] / 2, marks[:, 0] / 4, marks[:, 0] / 8
        return Marked(marks, np.full((len(seeds), 2), 2.0))

    reach = [[3, 3] + [None] * 5 + [4], [1, 2, 2] + [None] * 4 + [2]]
    worse = [[1, 3] + [None] * 5 + [4], [1, 2, 2] + [None] * 4 + [2]]
    base = [[2, 2] + [None] * 5 + [2], [2, 2, 2] + [None] * 4 + [2]]
    methods = {"sweep": marked(reach, worse), "prior": marked(base)}
    tables = summarise("random", methods, np.full(2, 4.0), np.array([1.0, 2]), reference="sweep", seed=1)
    rows = {(row["method"], row["k"]): row for row in tables["results"]}
    assert rows["sweep", 0]["accuracy"] == rows["sweep", 0]["macro"] == 100 * (3 + 1 + 1 + 1) / 16
    assert rows["sweep", "all"]["accuracy"] == rows["sweep", "all"]["balanced"] == 75
    assert rows["sweep", "all"]["auc"] == 75
    assert rows["sweep", "all"]["log_loss"] == (4 + 2) / 8 / 8
    assert rows["sweep", "all"]["ndcg"] is None
    assert (rows["sweep", 2]["accuracy"], rows["sweep", 2]["users"], rows["sweep", 2]["seeds"]) == (50, 1, 2)
    assert ("sweep", 5) not in rows
    paired = {row["k"]: row for row in tables["paired"]}
    assert (paired["all"]["diff"], paired["all"]["auc_diff"], paired["all"]["seeds"]) == (25, 25, 1)
    assert (paired[0]["diff"], paired[0]["low"], paired[0]["high"]) == (0, -25, 25)
    assert tables["constant_cohort"] == tables["cohort_steps"] == []
    many = summarise("random", methods, np.full(2, 4.0), np.array([50.0, 51]), reference="sweep", seed=1)
    steps = {(row["method"], row["k"]): row for row in many["cohort_steps"]}
    assert (steps["prior", 1]["after"], steps["prior", 1]["diff"]) == (0, 0)
    assert steps["sweep", 1]["diff"] == 100 * (10 - 6) / 16


def test_prequential_by_hand():
    events_ = {
        "users": np.array([0, 1, 0, 1, 0]),
        "kept": np.array([0, 0, 1, 1, 2]),
        "scores": np.array([5, 1, 3, 2, 4]),
        "likes": np.array([1, 0, 0, 1, 1]),
        "hits": np.array([1, 0, 1, 1, 0]),
        "loss": np.array([0.5, 1, 0.5, 0.5, 1]),
    }
    tables = prequential({"sweep": [events_], "prior": [events_ | {"hits": np.zeros(5)}]}, reference="sweep", seed=1)
    rows = {(row["method"], row["after"]): row for row in tables["prequential"]}
    whole = rows["sweep", "any"]
    assert (whole["accuracy"], whole["macro"], whole["predictions"], whole["users"]) == (60, 58.333, 5, 2)
    assert (whole["auc"], whole["log_loss"]) == (100, 0.7)
    assert whole["balanced"] == round(100 * (2 / 3 + 1 / 2) / 2, 3)
    assert (rows["sweep", "0"]["accuracy"], rows["sweep", "1-4"]["predictions"]) == (50, 3)
    assert ("sweep", "5-9") not in rows
    assert {row["after"]: row["diff"] for row in tables["prequential_paired"]}["any"] == 60


def test_targets_say_what_was_measured():
    row = {"a": "sweep", "order": "random", "low": -0.1, "high": 2.0}
    paired = [row | {"b": "prior+bias", "k": 5, "diff": 1.0}, row | {"b": "ease", "k": 5, "diff": 0.2}]
    found = {(one["name"], one["k"]): one for one in targets({"paired": paired})}
    assert found["sweep less prior+bias", 5]["met"] is False  # the interval holds zero
    assert found["sweep less ease", 5]["met"] is True
    assert found["sweep less ease", 20] | {"met": None, "measured": None} == found["sweep less ease", 20]


# Agents of other sizes


def test_other_sizes_keep_a_star_a_star():
    named = variants(Geometry())
    assert {"W64 n2", "W128 n1", "W256 n4", "M256", "cells of 12 bits"} <= named.keys()
    assert "W128 n2" not in named  # it is the one they are compared with
    small = named["W64 n2"]
    assert (small.code_bits, small.neurons, small.prior_shift, small.ridge) == (64, 32, 3, 56)
    assert agent_bits(Geometry()) == 64 * (16 + 16 + 5 + 128) + (64 * 4 + 1) * 11


# The cells


def test_a_run_goes_on_where_it_stopped_and_adds_a_method_alone(dataset, tmp_path, monkeypatch):
    filled = []
    fill_ = Laboratory.fill
    monkeypatch.setattr(Laboratory, "fill", lambda lab, *task: (filled.append(task[1]), fill_(lab, *task)))

    def stopped(lab, fold, name, cells):
        if name == "mf":
            raise KeyboardInterrupt
        fill_(lab, fold, name, cells)

    with monkeypatch.context() as patch:
        patch.setattr(Laboratory, "fill", stopped)
        with pytest.raises(KeyboardInterrupt):
            outcome_of(laboratory(dataset, tmp_path, only=("prior", "mf")))
    assert not list(tmp_path.glob("*.part"))
    first = outcome_of(laboratory(dataset, tmp_path, only=("prior", "mf")))
    assert filled == ["mf"]
    more = outcome_of(laboratory(dataset, tmp_path, only=("prior", "mf", "ease")))
    assert filled == ["mf", "ease"]
    assert accuracies(more, "all").items() >= accuracies(first, "all").items()
    fresh = outcome_of(laboratory(dataset, tmp_path / "new", only=("prior", "mf", "ease")))
    assert tables_of(fresh) == tables_of(more)


def test_damaged_files_are_made_again(dataset, tmp_path):
    first = tables_of(outcome_of(laboratory(dataset, tmp_path, only=("prior",))))
    for path in tmp_path.iterdir():
        path.write_bytes(path.read_bytes()[:20])
    assert tables_of(outcome_of(laboratory(dataset, tmp_path, only=("prior",)))) == first


def test_processes_give_the_same(dataset, tmp_path):
    alone = outcome_of(laboratory(dataset, tmp_path / "a", only=("prior+bias",)))
    with Crew(2) as crew:
        lab = laboratory(dataset, tmp_path / "b", only=("prior+bias",))
        together = run_cells(lab, ["random"], [1], crew=crew, what="testing")
    assert tables_of(together) == tables_of(alone)


def test_an_error_in_a_process_comes_back():
    done = []
    others = set(multiprocessing.active_children())
    with pytest.raises(AttributeError, match="dance"):
        with Crew(2) as crew:
            crew.work("any object", [[("upper",), ("lower",)], [], [("dance",), ("upper",)]], done=done.append)
    assert {("upper",), ("lower",)} <= set(done)
    assert not set(multiprocessing.active_children()) - others


def test_sources_decide_the_names(tmp_path):
    ease, agents = (source_digest(f"ramrec.host.evaluation.{name}") for name in ("baselines_items", "baselines_agents"))
    assert ease != agents
    assert source_digest("ramrec.host.evaluation.baselines_items") == ease


def test_heavy_methods_get_one_random_order(dataset, tmp_path):
    class Heavy:
        heavy = True

    lab = laboratory(dataset, tmp_path, only=("prior",))
    lab.makers = {"prior": lab.makers["prior"], "slow": Heavy}
    seeds = {(cell.method, cell.order): 0 for cell in lab.cells(("random", "time"), (1, 2, 3))}
    for cell in lab.cells(("random", "time"), (1, 2, 3)):
        seeds[cell.method, cell.order] += 1
    assert seeds == {("prior", "random"): 3, ("prior", "time"): 1, ("slow", "random"): 1, ("slow", "time"): 1}


def test_replayed_predictions_are_equal(dataset, tmp_path):
    lab = laboratory(dataset, tmp_path)
    said = replay(lab, 50, backend="golden")
    assert (said["mismatches"], said["backend"]) == (0, "golden")
    assert (said["predictions"], said["users"]) == (50, 8)


def test_a_replay_sees_a_difference(dataset, tmp_path, monkeypatch):
    real = AgentMethod.scores
    monkeypatch.setattr(AgentMethod, "scores", lambda *given: [rows + 1 for rows in real(*given)])
    said = replay(laboratory(dataset, tmp_path), 30, backend="golden")
    assert said["mismatches"] == said["predictions"]


# The command


@pytest.fixture
def results(dataset, monkeypatch, tmp_path):
    other = replace(world(seed=4), name="other", digest="3" * 64)
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli_evaluate, "load", lambda name: other if name == "other" else dataset)

    def run(capsys, *options):
        arguments = ["evaluate", "--geometry", _TINY, "--methods", "prior+bias,ease", "--jobs", "1", "--json", *options]
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        return stop.value.code, json.loads(capsys.readouterr().out)

    return run


_TINY = "TINY:memory_depth=8"


def test_json_and_cache(results, capsys, tmp_path):
    code, first = results(capsys, "--quick")
    assert code == 0
    rows = first["results"]
    assert {"method", "order", "k", "accuracy", "auc", "accuracy_low", "accuracy_high", "users"} <= set(rows[0])
    assert {"a", "b", "order", "k", "diff", "low", "high"} <= set(first["paired"][0])
    assert {row["order"] for row in rows} == {"random", "time"}
    assert {row["method"] for row in first["prequential"]} == {"sweep", "prior+bias", "mf-online"}
    assert first["publication"] == []  # some methods only, and the publication's protocol has its own
    assert all(0 <= row["ndcg"] <= 100 and 0 <= row["recall"] <= 100 for row in rows)
    expected = f"ramrec evaluate --data world --quick --methods prior+bias,ease --geometry {_TINY}"
    assert first["command"] == expected
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache" / "evaluations").rglob("*.*")}
    assert results(capsys, "--quick")[1] == first
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_the_publications_protocol_comes_with_it(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path))
    scope = Scope(folds=1, inner=1, orders=["random"], seeds=1, only=["prior"], prequential=False)
    said = evaluate(dataset, GEOMETRY, scope=scope, jobs=1)
    assert {row["ratings"] for row in said["publication"]} == {5, 10}


def test_files_are_written(results, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("jinja2")
    made = tmp_path / "made"
    code, said = results(capsys, "--quick", "--out", str(made), "--html", str(tmp_path / "page.html"))
    assert code == 0
    assert json.loads((made / "results.json").read_text()) == said
    assert (tmp_path / "page.html").read_text() == (made / "results.html").read_text()
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--report", str(made / "results.json")])
    assert capsys.readouterr().out == (made / "results.md").read_text()
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--report", str(made / "results.md"), "--json"])
    assert "can not be read as results" in capsys.readouterr().out


def test_several_seeds_and_a_replay(results, capsys):
    _, said = results(
        capsys, "--folds", "1", "--seeds", "2", "--replay", "40", "--backend", "golden", "--order", "random"
    )
    assert said["seeds"] == [1, 2]
    assert {row["seeds"] for row in said["results"]} == {2}
    assert said["replay"]["mismatches"] == 0


def test_a_further_data_set_is_learned_from(results, capsys):
    _, said = results(capsys, "--quick", "--population", "other", "--order", "random", "--grid")
    assert said["population"]["sets"][0] | {"ratings": 0} == {"name": "other", "users": 40, "ratings": 0}
    assert {row["method"] for row in said["population"]["paired"]} == {"sweep"}
    assert {"order", "k", "users", "diff", "low", "high", "auc_diff", "auc_low"} <= said["population"]["paired"][
        0
    ].keys()
    assert said["users"] == 8  # none of them from the other set
    grid = {row["name"]: row for row in said["agents_grid"]}
    assert grid["M32"]["changes"] == {"memory_depth": 32}
    assert {"bits", "k", "accuracy", "accuracy_low", "auc", "diff", "low", "high"} <= grid["M32"].keys()


def test_wrong_options_are_said(results, capsys):
    for options, message in (
        (("--order", "size"), "random, time, not 'size'"),
        (("--like", "7"), "4, 3.5, mean, not '7'"),
        (("--methods", "magic"), "not 'magic'"),
        (("--quick", "--folds", "3"), "leave out --quick"),
    ):
        code, said = results(capsys, *options)
        assert code == 2
        assert message in said["error"]


def test_wrong_use_is_said(dataset):
    with pytest.raises(UsageError, match="rule sweep"):
        evaluate(dataset, GEOMETRY.with_(rule="counting"))
    with pytest.raises(UsageError, match="1 to 5, not 6"):
        Scope(folds=6)
    with pytest.raises(RamrecError, match="needs 20 users or more, world has 4"):
        evaluate(world(4), GEOMETRY)


def test_stages_are_those_of_the_protocol():
    assert STAGES == (0, 1, 2, 5, 10, 20, 50, None)
