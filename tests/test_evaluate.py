"""The evaluation: its integers are the golden model's, its folds do not leak, its figures are right."""

import builtins
import json
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
from ramrec.host.evaluation.evaluate import evaluate
from ramrec.host.evaluation.fold import Plan, run_fold
from ramrec.host.evaluation.metrics import bootstrap_weights, interval, pooled_auc, user_auc
from ramrec.host.evaluation.plot import require_plot
from ramrec.host.evaluation.protocol import STAGES, cases, folds, inner_folds
from ramrec.host.evaluation.report import report
from ramrec.host.evaluation.summary import summarise
from ramrec.sim.golden import Agent, Entry

GEOMETRY = Geometry(code_bits=32, ridge=48, shift=6, memory_depth=8, neurons_per_clock=16)
RULES = {
    "sweep": GEOMETRY,
    "sweep, one-bit tuples, drift": GEOMETRY.with_(tuple_bits=1, neurons_per_clock=32, drift=2, shift=7, ridge=3),
    "sweep, four-bit tuples, strengths at their limit": GEOMETRY.with_(tuple_bits=4, neurons_per_clock=8, alpha_bits=2),
    "counting": GEOMETRY.with_(rule="counting", bias_gain=0),
    "nearest": GEOMETRY.with_(rule="nearest"),
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


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan(GEOMETRY, "random", 1, 1)


def first_fold(dataset, plan, *, leak=False):
    """Outcome of the first fold; with a leak, the tested users are among those that are learned from."""
    held, *rest = folds(dataset, 1)
    others = [user for part in ([held, *rest] if leak else rest) for user in part]
    return run_fold(dataset, held, sorted(others), plan, lambda: None)


@pytest.fixture(scope="module")
def outcome(dataset, plan):
    return first_fold(dataset, plan)


def mirrored(dataset):
    """The data set with the opposite ratings by the users of the first fold."""
    held = pl.col("user").is_in(folds(dataset, 1)[0])
    rating = pl.when(held).then(5.5 - pl.col("rating")).otherwise(pl.col("rating")).cast(pl.Float32)
    return replace(dataset, ratings=dataset.ratings.with_columns(rating.alias("rating")))


def learned(outcome):
    return {name: (method["setting"], method["thresholds"]) for name, method in outcome["methods"].items()}


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


def test_batches_refuse_what_they_can_not_do():
    codes, priors = np.zeros((9, 4), np.uint8), np.zeros(9, np.int8)
    job = (np.arange(9), np.zeros(9, np.int64), np.arange(1))
    with pytest.raises(ValueError, match="keeps 8 ratings, not 9"):
        score_many(GEOMETRY, codes, priors, [job])
    with pytest.raises(ValueError, match="not wisard"):
        score_many(GEOMETRY.with_(rule="wisard"), codes, priors, [job])
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


def test_held_out_users_decide_nothing(dataset, plan, outcome):
    again = first_fold(mirrored(dataset), plan)
    assert learned(again) == learned(outcome)
    assert again["methods"]["prior"]["hits"] != outcome["methods"]["prior"]["hits"]


def test_a_leak_would_be_seen(dataset, plan):
    assert learned(first_fold(mirrored(dataset), plan, leak=True)) != learned(first_fold(dataset, plan, leak=True))


def test_tastes_are_found(plan):
    tables = summarise([first_fold(world(200), plan)], "random", 1)
    accuracy = {row["method"]: row["accuracy"] for row in tables["results"] if row["k"] == 5}
    assert min(accuracy[name] for name in ("mf", "item-knn", "ease", "logistic")) > 75
    assert accuracy["sweep"] > accuracy["prior"] + 5


def test_shuffled_ratings_give_chance(plan):
    dataset = world(120)
    shuffled = dataset.ratings["rating"].sample(fraction=1, shuffle=True, seed=2)
    noise = replace(dataset, ratings=dataset.ratings.with_columns(shuffled))
    for row in summarise([first_fold(noise, plan)], "random", 1)["results"]:
        assert row["auc_low"] - 5 < 50 < row["auc_high"] + 5


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


def test_summary_by_hand():
    def marks(hits):
        return {"hits": hits, "auc": [[None if hit is None else hit / 4 for hit in row] for row in hits]}

    reach = [[3, 3] + [None] * 5 + [4], [1, 2, 2] + [None] * 4 + [2]]
    base = [[2, 2] + [None] * 5 + [2], [2, 2, 2] + [None] * 4 + [2]]
    outcome = {
        "users": ["a", "b"],
        "tests": [4, 4],
        "support": [1, 2],
        "methods": {"sweep": marks(reach), "prior": marks(base)},
    }
    tables = summarise([outcome], "random", 1)
    rows = {(row["method"], row["k"]): row for row in tables["results"]}
    assert rows["sweep", 0]["accuracy"] == 50
    assert rows["sweep", "all"]["accuracy"] == 75
    assert (rows["sweep", 2]["accuracy"], rows["sweep", 2]["users"]) == (50, 1)
    assert ("sweep", 5) not in rows
    paired = {row["k"]: row for row in tables["paired"]}
    assert paired["all"]["diff"] == 25
    assert (paired[0]["diff"], paired[0]["low"], paired[0]["high"]) == (0, -25, 25)
    assert tables["constant_cohort"] == []


# The command


@pytest.fixture
def results(dataset, monkeypatch, tmp_path):
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli_evaluate, "load", lambda _: dataset)

    def run(capsys, *options):
        arguments = ["evaluate", "--geometry", "TINY:memory_depth=8", "--quick", "--json", *options]
        with pytest.raises(SystemExit) as stop:
            cli.main(arguments)
        return stop.value.code, json.loads(capsys.readouterr().out)

    return run


def test_json_report_and_cache(results, capsys, tmp_path):
    code, first = results(capsys)
    assert code == 0
    assert {"method", "order", "k", "accuracy", "auc", "accuracy_low", "accuracy_high", "users"} <= set(
        first["results"][0]
    )
    assert {"a", "b", "order", "k", "diff", "low", "high"} <= set(first["paired"][0])
    assert first["command"] == "ramrec evaluate --data world --quick --geometry TINY:memory_depth=8 --seed 1"
    (kept,) = (tmp_path / "cache" / "evaluations").glob("*.json")
    written = kept.stat().st_mtime_ns
    assert results(capsys)[1] == first
    assert kept.stat().st_mtime_ns == written
    page = report(first)
    assert first["command"] in page
    assert "Not measured yet" in page
    assert all(name in page for name in ("sweep", "item-knn", "ease"))


def test_a_damaged_cell_is_made_again(results, capsys, tmp_path):
    _, first = results(capsys)
    (kept,) = (tmp_path / "cache" / "evaluations").glob("*.json")
    kept.write_text("{")
    assert results(capsys)[1] == first


def test_a_missing_library_is_one_line(results, capsys, monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *rest, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RamrecError, match=r"pip install 'ramrec\[eval\]'"):
        require_plot()
    code, said = results(capsys, "--out", str(tmp_path))
    assert code == 1
    assert "pip install" in said["error"]


def test_files_are_written(results, capsys, tmp_path):
    pytest.importorskip("matplotlib")
    code, said = results(capsys, "--out", str(tmp_path / "made"))
    assert code == 0
    assert json.loads((tmp_path / "made" / "results.json").read_text()) == said
    assert (tmp_path / "made" / "results.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit):
        cli.main(["evaluate", "--report", str(tmp_path / "made" / "results.json")])
    assert capsys.readouterr().out == report(said)


def test_wrong_use_is_said(dataset):
    with pytest.raises(UsageError, match="random, time, not 'size'"):
        evaluate(dataset, GEOMETRY, order="size")
    with pytest.raises(UsageError, match="rule sweep"):
        evaluate(dataset, GEOMETRY.with_(rule="counting"))
    with pytest.raises(UsageError, match="1 to 5, not 6"):
        evaluate(dataset, GEOMETRY, run=6)
    with pytest.raises(RamrecError, match="needs 20 users or more, world has 4"):
        evaluate(world(4), GEOMETRY)
    with pytest.raises(UsageError, match="not the results"):
        report({"data": 1})


def test_stages_are_those_of_the_protocol():
    assert STAGES == (0, 1, 2, 5, 10, 20, 50, None)
