"""The experiments: their tools are right, their answers follow from their figures, and nothing runs twice."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host import cli, cli_experiment
from ramrec.host.dataset import Dataset, load
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.evaluation.picture import Plot
from ramrec.host.experiments import (
    ablation,
    cold_start,
    drift,
    forgetting,
    memory,
    new_films,
    runner,
    thumbs,
    unlearning,
    widths,
)
from ramrec.host.experiments.book_crossing import translate
from ramrec.host.experiments.delta_rule import one_pass, step
from ramrec.host.experiments.laboratory import Judged, Laboratory
from ramrec.host.experiments.planted import FALSE, plant
from ramrec.host.outdated import newest_to_keep
from threadpoolctl import threadpool_limits

FILMS, USERS, RATED = 170, 60, 125
GEOMETRY = Geometry()


def world(seed: int = 5) -> Dataset:
    """Users who like either the even films or the odd ones; a third of all films is Horror."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(USERS):
        for at, film in enumerate(rng.choice(FILMS, RATED, replace=False).tolist()):
            stars = (4.5 if (user + film) % 2 == 0 else 2.5) + rng.choice([-0.5, 0, 0.5])
            rows.append((f"u{user:02}", film, stars, at))
    schema = {"user": pl.String, "film": pl.UInt32, "rating": pl.Float32, "time": pl.Int64}
    films = pl.DataFrame(
        {
            "film_id": [f"f{film}" for film in range(FILMS)],
            "title": [f"Film {film} (2000)" for film in range(FILMS)],
            "year": pl.Series([2000] * FILMS, dtype=pl.Int32),
            "genres": [
                ["War", "Comedy"][film % 2 :][:1] + (["Horror"] if film % 3 == 0 else []) for film in range(FILMS)
            ],
            "tags": pl.Series([[]] * FILMS, dtype=pl.List(pl.String)),
        }
    )
    ratings = pl.DataFrame(rows, schema=schema, orient="row").sort("time", "user", "film")
    return Dataset("world", "none", "made up", f"{seed:064}", ratings, films)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def dataset():
    return world()


@pytest.fixture(scope="module")
def lab(dataset):
    laboratory = Laboratory(dataset, GEOMETRY, folds=2, most=8)
    assert len(laboratory.grounds) == 2
    return laboratory


@pytest.fixture(scope="module")
def small(dataset):
    return Laboratory(dataset, GEOMETRY, folds=1, most=6)


# Tools


def test_nobody_is_in_two_parts_of_a_ground(lab):
    for ground in lab.grounds:
        parts = [set(ground.population.users), set(ground.tuners), set(ground.tested)]
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_marks_by_hand():
    hits = np.array([[2.0, 3], [1, np.nan], [4, 4]]).repeat(4, axis=1)  # stages 0, 1, 2, 5 and 10, 20, 50, all
    judged = Judged(hits, np.array([4.0, 2, 4]), 1)
    assert judged.accuracy(0) == pytest.approx(judged.accuracy(5))
    assert (judged.accuracy(0)["accuracy"], judged.accuracy(0)["users"]) == (70, 3)
    assert (judged.accuracy("all")["accuracy"], judged.accuracy("all")["users"]) == (87.5, 2)
    worse = replace(judged, hits=hits - 1)
    assert judged.less(worse, 0)["diff"] == 30
    assert worse.less(judged, "all")["diff"] == -25
    assert judged.less(judged, 0) == {"diff": 0, "low": 0, "high": 0}
    assert judged.reach(50).tolist() == [True, False, True]
    assert judged.among(judged.reach(50)).accuracy(0)["accuracy"] == 75


def test_a_change_of_taste_is_found_where_it_is():
    rng = np.random.default_rng(2)
    codes = np.where(np.arange(80)[:, None] % 2, 255, 0) ^ rng.integers(0, 8, (80, GEOMETRY.code_bytes))
    codes, priors = codes.astype(np.uint8), np.zeros(80, np.int8)
    films = rng.permutation(80)[:60]
    said = np.where(films % 2, 900, -900) + rng.integers(-100, 100, 60)
    turned = np.r_[said[:-16], -said[-16:]]
    loose = said + rng.integers(-900, 900, 60)
    assert newest_to_keep(GEOMETRY, codes, priors, [(films, said), (films, turned)]) == [60, 16]
    assert newest_to_keep(GEOMETRY, codes, priors, [(films[:25], turned[-25:]), (films, loose)]) == [25, 60]
    assert newest_to_keep(GEOMETRY, codes, priors, []) == []


def test_the_delta_rule_by_hand():
    assert [step(value, 3) for value in (11, 12, -12, -13)] == [1, 2, -1, -2]
    kernel, e = np.array([[4, 2], [2, 4]]), np.array([80, 40])
    assert one_pass(kernel, e, np.array([True, True]), 3).tolist() == [10, 3]  # 80/8, then (40 - 2*10)/8 rounded
    assert one_pass(kernel, e, np.array([False, True]), 3).tolist() == [0, 5]


def test_false_ratings_are_of_films_the_user_does_not_know(lab):
    ground = lab.grounds[0]
    known = {case.user: {*case.films, *case.tested} for case in lab.people(ground.tested)}
    for films, planted in zip(known.values(), plant(lab, ground), strict=True):
        false = planted.films[planted.true :]
        assert len(planted.films) <= GEOMETRY.memory_depth
        assert 0 < len(false) <= FALSE
        assert not films & set(false.tolist())
        assert (false % 3 == 0).all()


# Experiments


def check(outcome):
    """What holds for each of them."""
    value = json.loads(json.dumps(outcome.as_json(), allow_nan=False))
    assert value["name"] in runner.NAMES
    assert value["title"].endswith("?")
    assert value["rows"]
    assert "nan" not in value["sentence"]
    plot = Plot.from_json(value["plot"])
    assert plot == outcome.plot or plot.series
    for series in plot.series:
        assert len(series.x) == len(series.y)
        assert len(series.low) == len(series.high)
        assert len(series.low) in (0, len(series.y))
    return value


def test_forgetting_leaves_no_trace(lab):
    outcome = forgetting.run(lab)
    check(outcome)
    assert outcome.rows[-1] == {"users": 16, "bit_equal": 16, "bit_equal_percent": 100}
    assert [target.met for target in outcome.targets] == [True]
    shares = {(row["best"], row["state"]): row["share"] for row in outcome.rows[:-1]}
    assert shares["best 20", "before"] == shares["best 20", "after forgetting"]
    assert "16 of 16 users" in outcome.sentence


def test_a_trace_would_be_seen(lab, monkeypatch):
    monkeypatch.setattr(forgetting.Agent, "forget", lambda *_: True)
    outcome = forgetting.run(lab)
    assert outcome.rows[-1]["bit_equal"] == 0
    assert [target.met for target in outcome.targets] == [False]


def test_only_the_list_unlearns_all(lab):
    left = {row["method"]: row["left"] for row in check(unlearning.run(lab))["rows"]}
    assert left["sweep: forget"] == 0
    assert left["delta rule: do nothing"] == 100
    assert left["delta rule: take back what was added"] > 1
    assert left["delta rule: step in reverse"] > 1


def test_a_turned_taste_comes_back(lab):
    outcome = drift.run(lab)
    rows = {(row["turned"], row["agent"]): row for row in check(outcome)["rows"]}
    plain, cut = (rows["taste", name] for name in ("sweep", "sweep, host forgets what is outdated"))
    assert plain["before"] > 90
    assert plain["after_0"] < 30
    assert cut["recovered_20"] > plain["recovered_20"] + 20
    (target,) = outcome.targets
    assert target.met == (target.measured >= 60)


def test_without_its_parts_an_agent_is_weaker(lab):
    rows = {(row["variant"], row["k"]): row["accuracy"] for row in check(ablation.run(lab))["rows"]}
    assert rows["learned codes, prior: sweep", 20] > rows["random codes, prior: sweep", 20] + 5
    assert rows["learned codes, prior: sweep", 20] > rows["prior", 20] + 5


def test_a_genre_that_is_known_says_something_of_a_new_film(small):
    rows = {(row["films"], row["agent"]): row["accuracy"] for row in check(new_films.run(small))["rows"]}
    bare, known = "agent, film from its features", "agent, film rated by others"
    assert rows["films at random", bare] > rows["films at random", "majority"] + 10
    assert rows["films at random", known] > 75


@pytest.mark.parametrize("experiment", [cold_start, memory, thumbs, widths])
def test_an_experiment_answers(small, experiment):
    check(experiment.run(small))


# Books

RATINGS = '"User-ID";"ISBN";"Book-Rating"\n' + "".join(
    f'"{user}";"{isbn}";"{rating}"\n' for user in (1, 2) for isbn, rating in (("01x", 9), ("02", user), ("03", 0))
)
BOOKS = (
    '"ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher"\n'
    '"01X";"A \\"quoted\\"; title";"Ann";"1999";"House"\n"02";"Two";"Bob";"0";"House"\n'
    '"03";"Three";"Cy";"2000";"Other"\n'
)


def test_books_are_read_as_films_are(tmp_path):
    (tmp_path / "BX-Book-Ratings.csv").write_text(RATINGS)
    (tmp_path / "BX-Books.csv").write_text(BOOKS)
    books = load(translate(tmp_path, tmp_path / "books", least=2))
    assert books.films["title"].to_list() == ['A "quoted"; title (1999)', "Two"]
    assert books.films["year"].to_list() == [1999, None]
    assert books.films["tags"].to_list() == [["ann", "house"], ["bob", "house"]]
    assert sorted(books.ratings["rating"].to_list()) == [0.5, 1, 4.5, 4.5]


def test_rare_books_go_until_none_is_left(tmp_path):
    (tmp_path / "BX-Book-Ratings.csv").write_text(RATINGS + '"3";"02";"5"\n')
    (tmp_path / "BX-Books.csv").write_text(BOOKS)
    books = load(translate(tmp_path, tmp_path / "books", least=2))
    assert books.ratings["user"].n_unique() == 2


# The command


@pytest.fixture
def experiment(dataset, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("RAMREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cli_experiment, "load", lambda _: dataset)

    def run(*options):
        with pytest.raises(SystemExit) as stop:
            cli.main(["experiment", *options, "--quick", "--json"])
        return stop.value.code, json.loads(capsys.readouterr().out)

    return run


def test_an_experiment_runs_once(experiment, monkeypatch):
    code, first = experiment("cold-start")
    assert code == 0
    assert first["experiments"][0]["command"] == "ramrec experiment cold-start --data world --quick --seed 1"
    monkeypatch.setattr(cold_start, "run", None)
    assert experiment("cold-start") == (0, first)


def test_what_can_not_run_is_said(experiment, monkeypatch):
    def fails(_):
        raise RamrecError("no compiler here")

    for name, module in (("cold-start", cold_start), ("widths", widths)):
        monkeypatch.setattr(module, "run", fails)
        monkeypatch.setattr(runner, "cores", lambda: 1)
        assert experiment(name) == (1, {"error": f"{name}: no compiler here"})
    monkeypatch.setattr(runner, "NAMES", ("cold-start", "widths"))
    code, said = experiment()
    assert (code, said["experiments"]) == (0, [])
    assert said["left_out"] == dict.fromkeys(("cold-start", "widths"), "no compiler here")


def test_wrong_use_is_said(dataset):
    with pytest.raises(UsageError, match=r"an experiment is one of cold-start, .*, not 'warm-start'"):
        runner.run_experiments(dataset, GEOMETRY, ["warm-start"])
    with pytest.raises(UsageError, match="rule sweep"):
        runner.run_experiments(dataset, GEOMETRY.with_(rule="counting"))
    no_horror = replace(dataset, films=dataset.films.with_columns(pl.lit(["Comedy"]).alias("genres")))
    with pytest.raises(UsageError, match="0 films of the genre Horror, 40 are needed"):
        forgetting.run(Laboratory(no_horror, GEOMETRY, folds=1))
