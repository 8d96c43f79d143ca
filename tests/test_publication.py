"""The publication's protocol: its draws, its stars, and what comes of them on planted tastes."""

from itertools import product

import numpy as np
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host.dataset import load
from ramrec.host.evaluation import publication as module
from ramrec.host.evaluation.cache import Shelf
from ramrec.host.evaluation.fold import Fold, Plan, make_folds
from ramrec.host.evaluation.laboratory import Laboratory
from ramrec.host.evaluation.publication import drawn, publication
from ramrec.host.evaluation.publication_predictors import _best_step, thermometer
from ramrec.host.evaluation.star_bands import NEAR, STEPS, Bands, fit_bands

GEOMETRY = Geometry(code_bits=32, ridge=48, shift=6, memory_depth=16, neurons_per_clock=16)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Users of two tastes: five or four stars for films of one genre, one or two for the others."""
    folder = tmp_path_factory.mktemp("data") / "stars"
    folder.mkdir()
    rng = np.random.default_rng(5)
    films = [f"{film},Film {film} ({1980 + film}),{('Drama', 'Horror')[film % 2]}" for film in range(40)]
    ratings = [
        f"u{user:02},{film},{rng.choice([4, 5]) if film % 2 == user % 2 else rng.choice([1, 2])},{time}"
        for user in range(30)
        for time, film in enumerate(rng.choice(40, 28 if user % 3 else 8, replace=False))
    ]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films, ""]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
    return load(folder)


@pytest.fixture(scope="module")
def laboratory(dataset, tmp_path_factory) -> Laboratory:
    shelf = Shelf("stars")
    shelf._folder = tmp_path_factory.mktemp("shelf")
    return Laboratory(dataset, Plan(GEOMETRY, 1, 2), make_folds(dataset, 1, run=2), {}, shelf)


def right(bands: Bands, scores, answers) -> int:
    return int((np.abs(bands.say(scores) - answers) <= NEAR).sum())


@pytest.mark.parametrize("seed", range(30))
def test_no_bands_are_better(seed):
    rng = np.random.default_rng(seed)
    scores, answers = rng.integers(0, 4, 9), rng.integers(1, STEPS + 1, 9)
    bands = fit_bands(scores, answers)
    assert (np.diff(bands.edges) > 0).all()
    assert (np.diff(bands.steps) > 0).all()
    rising = (said for said in product(range(1, STEPS + 1), repeat=4) if list(said) == sorted(said))
    best = max(int((np.abs(np.array(said)[scores] - answers) <= NEAR).sum()) for said in rising)
    assert right(bands, scores, answers) == best


def test_bands_by_hand():
    bands = fit_bands(np.array([0, 10, 20, 30]), np.array([1, 1, 10, 10]))
    assert bands.edges.tolist() == [15]
    assert bands.say(np.array([-5, 14, 16, 99])).tolist() == [bands.steps[0]] * 2 + [bands.steps[1]] * 2
    assert right(bands, np.array([0, 10, 20, 30]), np.array([1, 1, 10, 10])) == 4


def test_without_scores_there_is_one_answer():
    assert fit_bands(np.zeros(5, np.int64), np.array([8, 8, 8, 2, 1])).say(np.array([-3, 3])).tolist() == [6, 6]


def test_draws(dataset):
    people = drawn(dataset, ["u01", "u02", "u03"], 25, 1)
    assert [case.user for case in people] == ["u01"] * 4 + ["u02"] * 4  # u03 has eight ratings
    for case in people:
        assert (len(case.films), len(case.tested)) == (20, 5)
        assert len({*case.films.tolist(), *case.tested.tolist()}) == 25
        assert [kept for _, kept in case.stages()] == [20]
    assert len({tuple(case.films.tolist()) for case in people}) == 8
    again = drawn(dataset, ["u02"], 25, 1)
    assert all((a.films == b.films).all() for a, b in zip(again, people[4:], strict=True))
    assert (drawn(dataset, ["u02"], 25, 2)[0].films != again[0].films).any()


def test_thermometers():
    assert thermometer(np.array([1, 8])).tolist() == [[1] + [0] * 9, [1] * 8 + [0] * 2]


def test_the_best_step_covers_most():
    logits = np.array([[9.0] * 6 + [-9.0] * 4, [9.0] + [0.1] * 5 + [-0.1] * 4])
    steps = _best_step(logits)
    reached = 1 / (1 + np.exp(-logits))
    share = -np.diff(np.hstack([np.ones((2, 1)), reached, np.zeros((2, 1))]), axis=1)[:, 1:]
    for row, step in zip(share, steps.tolist(), strict=True):
        covered = [row[max(s - 1 - NEAR, 0) : s + NEAR].sum() for s in range(1, STEPS + 1)]
        assert covered[step - 1] == pytest.approx(max(covered))


def test_protocol(laboratory, dataset):
    rows = {(row["method"], row["ratings"]): row for row in publication(laboratory, seed=1)}
    tested = [user for fold in laboratory.folds for user in fold.held]
    many = [user for user in tested if int(user[1:]) % 3]
    assert {ratings for _, ratings in rows} == {5, 10, 25}
    assert rows["sweep", 5]["users"] == len(tested)
    assert rows["sweep", 25]["users"] == len(many)
    assert rows["sweep", 25]["predictions"] == len(many) * 4 * 5
    answers = {user: [case.answers for case in drawn(dataset, [user], 25, 1)] for user in many}
    constant = np.mean([(np.concatenate(said) >= 6).mean() for said in answers.values()])
    assert rows["constant", 25]["correct"] == pytest.approx(100 * constant, abs=0.01)
    assert rows["constant", 25]["diff"] == 0
    for method in ("sweep", "mf", "nearest"):
        row = rows[method, 25]
        assert row["correct"] > 90
        assert row["diff"] == pytest.approx(row["correct"] - rows["constant", 25]["correct"], abs=0.01)
        assert row["low"] <= row["correct"] <= row["high"]
        assert row["diff_low"] <= row["diff"] <= row["diff_high"]


def test_a_second_run_reads_what_the_first_has_kept(laboratory, monkeypatch):
    first = publication(laboratory, seed=1)
    monkeypatch.setattr(module, "predictors", None)
    assert publication(laboratory, seed=1) == first


def test_nobody_with_enough_ratings(dataset, tmp_path):
    """A fold whose people have eight ratings each has rows for five of them alone."""
    users = sorted(dataset.ratings["user"].unique())
    few = [user for user in users if int(user[1:]) % 3 == 0]
    shelf = Shelf("stars")
    shelf._folder = tmp_path
    fold = Fold(tuple(few), tuple(user for user in users if user not in few))
    rows = publication(Laboratory(dataset, Plan(GEOMETRY, 1, 1), [fold], {}, shelf), seed=1)
    assert {row["ratings"] for row in rows} == {5}
