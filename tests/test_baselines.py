"""Baselines against planted patterns and slow, plain computations of the same."""

from dataclasses import replace

import numpy as np
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host.evaluation.baselines import Population, fingerprint
from ramrec.host.evaluation.baselines_autoencoder import ConstrainedAutoencoder
from ramrec.host.evaluation.baselines_factors import FactorFoldIn, FeatureFoldIn, newton, posterior_mean
from ramrec.host.evaluation.baselines_items import Ease, ItemKnn, centred
from ramrec.host.evaluation.baselines_simple import LikeRate, Majority, Prior, PriorAndBias
from ramrec.host.evaluation.baselines_users import UserKnn
from ramrec.host.evaluation.protocol import Case
from ramrec.host.logistic import logistic_regression
from scipy.sparse import csr_array

FILMS, PAIRS = 12, 6


class _Catalogue:
    """As much of a catalogue as baselines read: priors of zero, targets one star from dislike to like."""

    geometry = Geometry()
    priors = np.zeros(FILMS, np.int8)
    meanings = np.repeat([-512, 512], [7, 3]).astype(np.int16)


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


@pytest.mark.parametrize("method", [Ease, ItemKnn, UserKnn, ConstrainedAutoencoder])
def test_pairs_are_found(population, method):
    for setting in method.settings:
        (scores,) = method(population).scores([TASTE], setting)
        liked, not_liked, liked_too, _, unknown = scores[-1]
        assert min(liked, liked_too) > unknown
        if setting.get("rows") != "likes":
            assert not_liked < unknown


@pytest.mark.parametrize("rows", ["surprises", "likes"])
def test_ease_is_the_inverse_of_its_publication(population, rows):
    x = centred(population, 4.0).toarray() if rows == "surprises" else (population.steps.toarray() >= 8).astype(float)
    p = np.linalg.inv(x.T @ x + 100 * np.eye(FILMS))
    b = -p / np.diag(p)
    found = Ease(population).layer(rows, 100.0, 4.0).weights(TASTE.films, TASTE.tested)
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


def test_self_weights_are_limited(population):
    """One column at a time: ridge regression, with the film's own weight held at the limit if it were above."""
    setting = {"dropout": 0.3, "ridge": 20.0, "limit": 0.1}
    everything = np.arange(FILMS)
    found = ConstrainedAutoencoder(population).layer(setting).weights(everything, everything)
    x = centred(population, 4.0).toarray()
    gram = x.T @ x
    ridges = np.diag(20 + 0.3 / 0.7 * np.diag(gram))
    for film in range(FILMS):
        weights = np.linalg.solve(gram + ridges, gram[:, film])
        assert weights[film] > 0.1
        others = np.delete(np.arange(FILMS), film)
        held = gram[others, film] * (1 - 0.1)
        expected = np.linalg.solve((gram + ridges)[np.ix_(others, others)], held)
        assert np.allclose(found[others, film], expected, atol=1e-6)


def test_without_dropout_and_self_weights_it_is_ease(population):
    same = ConstrainedAutoencoder(population).layer({"dropout": 0, "ridge": 100, "limit": 0})
    ease = Ease(population).layer("surprises", 100.0, 4.0)
    assert np.allclose(same.weights(TASTE.films, TASTE.tested), ease.weights(TASTE.films, TASTE.tested), atol=1e-6)


@pytest.mark.parametrize("asked", [TASTE.tested, np.arange(FILMS), np.arange(FILMS)[::-1]])
def test_folding_rows_in_is_their_product_with_the_weights(population, asked):
    layer = Ease(population).layer("surprises", 100.0, 4.0)
    said = [(np.array([], np.int64), np.array([])), (TASTE.films, np.array([1.0, -2, 0, 3]))]
    nothing, given = layer.fold_in(said, asked)
    assert not nothing.any()
    assert np.allclose(given, said[1][1] @ layer.weights(TASTE.films, asked))


def test_neighbours_by_hand(population):
    setting = {"shrink": 10, "power": 2, "damping": 0.4, "gain": 1.5}
    (scores,) = UserKnn(population).scores([TASTE], setting)
    theirs = centred(population, 4.0).toarray()
    mine = np.array([0.5, -0.5, 0.5, -0.5])
    weighted, size = 0.0, 0.4
    for row in theirs:
        said = row[TASTE.films]
        cosine = said @ mine / np.sqrt((said @ said) * (mine @ mine)) * 4 / 14
        weighted += np.sign(cosine) * cosine**2 * row[1]
        size += cosine**2
    assert scores[-1, 0] == pytest.approx(1024 * 1.5 * weighted / size, abs=1)


class _Fitted:
    factors = np.random.default_rng(1).standard_normal((FILMS, 3))
    means = np.zeros(FILMS)


def gaussian_process(vectors: np.ndarray) -> np.ndarray:
    """A Gaussian process whose covariance is that of the films' vectors."""
    said = np.array([0.5, -0.5, 0.5, -0.5])
    inside = vectors[TASTE.films] @ vectors[TASTE.films].T + 0.2 + 0.8 * np.eye(4)
    across = vectors[TASTE.tested] @ vectors[TASTE.films].T + 0.2
    return across @ np.linalg.solve(inside, said)


def test_fold_in_is_the_posterior_mean(population, monkeypatch):
    monkeypatch.setattr(Population, "plain_factorisation", _Fitted)
    (scores,) = FactorFoldIn(population).scores([TASTE], {"target": "like", "noise": 0.8, "offset": 0.2})
    assert np.allclose(scores[-1] / 1024, gaussian_process(_Fitted.factors), atol=1e-3)


@pytest.mark.parametrize("taste", [0, 0.1])
def test_features_are_tastes_too(population, monkeypatch, taste):
    features = (np.random.default_rng(2).random((FILMS, 4)) < 0.5).astype(float)
    featured = replace(population, features=csr_array(features))
    monkeypatch.setattr(Population, "factorisation", _Fitted)
    setting = {"target": "like", "noise": 0.8, "offset": 0.2, "taste": taste}
    (scores,) = FeatureFoldIn(featured).scores([TASTE], setting)
    both = np.hstack([_Fitted.factors, np.sqrt(taste) * (features - features.mean(axis=0))])
    assert np.allclose(scores[-1] / 1024, gaussian_process(both), atol=1e-3)


@pytest.mark.parametrize("ratings", [0, 3, 8, 40])
def test_the_posterior_is_the_same_by_either_matrix(ratings):
    rng = np.random.default_rng(3)
    x, said, spread = rng.standard_normal((ratings, 8)), rng.standard_normal(ratings), rng.uniform(0.1, 2, 8)
    expected = np.linalg.inv(x.T @ x / 0.7 + np.diag(1 / spread)) @ x.T @ said / 0.7
    assert np.allclose(posterior_mean(x, said, spread, 0.7), expected)


def test_fingerprints_tell_users_apart():
    other = case([0, 2, 4, 6], [9, 5, 9, 9], [1, 3, 5, 7, 8])
    assert fingerprint([TASTE]) == fingerprint([replace(TASTE)]) != fingerprint([other])
    assert fingerprint([TASTE, other]) != fingerprint([other, TASTE])


def test_newton_finds_what_the_bounded_method_finds():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((60, 4))
    hit = x[:, 0] + 0.5 * rng.standard_normal(60) > 0
    ridge, centre = np.full(4, 0.5), np.array([0.0, 1, 0, 0])
    expected = logistic_regression(x, hit, np.ones(60), ridge, centre)
    for start in (centre, np.array([0.3, 0.5, -0.2, 0.1])):
        assert np.allclose(newton(x, hit, ridge, centre, start), expected, atol=1e-4)
        assert (newton(x[:0], hit[:0], ridge, centre, start) == start).all()
