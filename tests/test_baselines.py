"""Baselines against planted patterns and slow, plain computations of the same."""

import numpy as np
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host.evaluation.baselines import Population
from ramrec.host.evaluation.baselines_factors import FactorFoldIn, newton
from ramrec.host.evaluation.baselines_items import Ease, ItemKnn, centred
from ramrec.host.evaluation.baselines_simple import LikeRate, Majority, Prior, PriorAndBias
from ramrec.host.evaluation.protocol import Case
from ramrec.host.logistic import logistic_regression
from scipy.sparse import csr_array

FILMS, PAIRS = 12, 6


class _Catalogue:
    """As much of a catalogue as baselines read: priors of zero, targets one star from dislike to like."""

    geometry = Geometry()
    priors = np.zeros(FILMS, np.int8)
    targets = np.repeat([-512, 512], [7, 3]).astype(np.int16)


@pytest.fixture(scope="module")
def population() -> Population:
    """Films 2i and 2i + 1 are liked by the same people; whether a user likes a pair is a coin toss."""
    rng = np.random.default_rng(4)
    likes = np.repeat(rng.random((80, PAIRS)) < 0.5, 2, axis=1)
    steps = csr_array(np.where(likes, 9, 5))
    return Population(_Catalogue(), steps, csr_array((FILMS, 0)), seed=1)


def case(films, steps, tested) -> Case:
    return Case("u", np.array(films), np.array(steps), np.array(tested), np.full(len(tested), 9))


TASTE = case([0, 2, 4, 6], [9, 5, 9, 5], [1, 3, 5, 7, 8])


@pytest.mark.parametrize("method", [Ease, ItemKnn])
def test_pairs_are_found(population, method):
    for setting in method.settings:
        (scores,) = method(population).scores([TASTE], setting)
        liked, not_liked, liked_too, _, unknown = scores[-1]
        assert min(liked, liked_too) > unknown
        if setting.get("rows") != "likes":
            assert not_liked < unknown


@pytest.mark.parametrize("rows", ["surprises", "likes"])
def test_ease_is_the_inverse_of_its_publication(population, rows):
    x = centred(population, 4.0) if rows == "surprises" else (population.steps.toarray() >= 8).astype(float)
    p = np.linalg.inv(x.T @ x + 100 * np.eye(FILMS))
    b = -p / np.diag(p)
    found = Ease(population).weights(TASTE, rows, 100.0, 4.0)
    assert np.allclose(found, b[np.ix_(TASTE.films, TASTE.tested)], atol=1e-9)


def test_neighbours_are_limited(population):
    setting = {"shrink": 10, "neighbours": 1, "damping": 0.1, "bias": 4}
    (scores,) = ItemKnn(population).scores([TASTE], setting)
    assert scores[-1][0] > 0 > scores[-1][1]


def test_simple_ones_by_hand(population):
    one = case([0, 1, 2], [9, 9, 5], [3])
    (scores,) = PriorAndBias(population).scores([one], {"strength": 1})
    assert scores[:, 0].tolist() == [0, -256, 0, 128]  # stages 0, 1, 2 and all; the newest rating comes first
    (scores,) = Prior(population).scores([one], {})
    assert not scores.any()
    (scores,) = Majority(population).scores([one], {})
    assert not scores.any()
    (scores,) = LikeRate(population).scores([one], {"strength": 4})
    rate = population.likes.mean()
    assert scores[-1, 0] == round(512 * np.log((2 + 4 * rate) / (1 + 4 * (1 - rate))))


def test_fold_in_is_the_posterior_mean(population, monkeypatch):
    factors = np.random.default_rng(1).standard_normal((FILMS, 3))
    monkeypatch.setattr(Population, "factorisation", type("F", (), {"factors": factors, "means": np.zeros(FILMS)}))
    setting = {"target": "like", "noise": 0.8, "offset": 0.2}
    (scores,) = FactorFoldIn(population).scores([TASTE], setting)
    said = np.array([0.5, -0.5, 0.5, -0.5])
    inside = factors[TASTE.films] @ factors[TASTE.films].T + 0.2 + 0.8 * np.eye(4)
    across = factors[TASTE.tested] @ factors[TASTE.films].T + 0.2
    assert np.allclose(scores[-1] / 1024, across @ np.linalg.solve(inside, said), atol=1e-3)


def test_newton_finds_what_the_bounded_method_finds():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 4))
    hit = x[:, 0] + 0.5 * rng.standard_normal(60) > 0
    ridge, start = np.full(4, 0.5), np.array([0.0, 1, 0, 0])
    expected = logistic_regression(x, hit, np.ones(60), ridge, start)
    assert np.allclose(newton(x, hit, ridge, start), expected, atol=1e-4)
    assert (newton(x[:0], hit[:0], ridge, start) == start).all()
