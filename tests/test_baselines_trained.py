"""Baselines that a library trains: they find planted tastes, and users have no influence on each other."""

from dataclasses import replace

import numpy as np
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host.dataset import Dataset, load
from ramrec.host.evaluation import optional
from ramrec.host.evaluation.baselines import Population
from ramrec.host.evaluation.baselines_agents import PublishedNearest
from ramrec.host.evaluation.metrics import pooled_auc
from ramrec.host.evaluation.protocol import Case, cases
from ramrec.host.evaluation.published import PUBLISHED_NEURON, published_bits, published_codes
from ramrec.host.film_model import agent_targets

GEOMETRY = Geometry(code_bits=32, ridge=48, shift=6, memory_depth=16, neurons_per_clock=16)
FILMS = 30


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    """Users of two tastes, who like the films of one of two genres; the films are rated at random."""
    folder = tmp_path_factory.mktemp("data") / "tastes"
    folder.mkdir()
    rng = np.random.default_rng(5)
    films = [f"{film},Film {film} ({1980 + film}),{('Drama', 'Horror')[film % 2]}" for film in range(FILMS)]
    ratings = [
        f"u{user:02},{film},{rng.choice([4, 5]) if film % 2 == user % 2 else rng.choice([1, 2, 3])},{time}"
        for user in range(60)
        for time, film in enumerate(rng.choice(FILMS, 20, replace=False))
    ]
    (folder / "movies.csv").write_text("\n".join(["movieId,title,genres", *films, ""]))
    (folder / "ratings.csv").write_text("\n".join(["userId,movieId,rating,timestamp", *ratings, ""]))
    return load(folder)


@pytest.fixture(scope="module")
def population(dataset) -> Population:
    return Population.learn(dataset, [f"u{user:02}" for user in range(50)], GEOMETRY, 1)


@pytest.fixture(scope="module")
def people(dataset) -> list[Case]:
    return cases(dataset, [f"u{user:02}" for user in range(50, 60)], order="random", seed=1)


def quality(scores, people) -> float:
    """AUC with all ratings learned, all users together."""
    return pooled_auc(np.concatenate([rows[-1] for rows in scores]), np.concatenate([case.likes for case in people]))


def method(name: str, population: Population):
    makers = optional.optional_methods()
    if name not in makers:
        pytest.skip(optional.left_out()[name])
    return makers[name](population)


NAMES = ("gbm", "stack", "river", "mlp", "mlp-codes")


@pytest.mark.parametrize("name", NAMES)
def test_tastes_are_found(name, population, people):
    made = method(name, population)
    last = made.settings[-1]
    scores = made.scores(people, last)
    assert [rows.shape for rows in scores] == [(len(list(c.stages())), len(c.tested)) for c in people]
    assert quality(scores, people) > 0.85


@pytest.mark.parametrize("name", (*NAMES, "mlp-published"))
def test_users_do_not_influence_each_other(name, population, people):
    made = method(name, population)
    setting = made.settings[0]
    some = made.scores(people[:3], setting)
    made.scores(people[5:], setting)
    for before, after in zip(some, made.scores(people[:3] + people[7:], setting), strict=False):
        assert np.abs(before - after).max() <= 1  # a batch of another size may be summed in another order


@pytest.mark.parametrize("name", (*NAMES, "mlp-published"))
def test_the_same_again(name, population, people):
    first, again = (method(name, population) for _ in range(2))
    setting = first.settings[-1]
    for one, other in zip(first.scores(people, setting), again.scores(people, setting), strict=True):
        assert (one == other).all()


@pytest.mark.parametrize("name", ["gbm", "stack"])
def test_combinations_need_a_population_that_knows_its_users(name, population, people):
    stranger = replace(population, dataset=None, notes={})
    made = method(name, stranger)
    with pytest.raises(ValueError, match="data set"):
        made.scores(people, made.settings[0])


def test_signals_about_a_user_come_from_others(population, monkeypatch):
    """Populations that the table of signals is made from have none of the people it is about."""
    signals = pytest.importorskip("ramrec.host.evaluation.signals")
    learned, asked = [], []
    learn, cut = Population.learn, signals.cases

    def learning(dataset, users, geometry, seed):
        learned.append(set(users))
        return learn(dataset, users, geometry, seed)

    def cutting(dataset, users, **kwargs):
        asked.append(set(users))
        return cut(dataset, users, **kwargs)

    monkeypatch.setattr(Population, "learn", learning)
    monkeypatch.setattr(signals, "cases", cutting)
    fresh = replace(population, notes={})
    table = fresh.noted(signals.learn_table)
    assert len(table.likes) == len(table.signals) == len(table.weights)
    assert all(not users & others for users, others in zip(learned, asked, strict=True))
    assert set().union(*asked) < set(population.users)
    assert sum(map(len, asked)) == len(set().union(*asked)) > len(population.users) // 3
    assert fresh.noted(signals.learn_table) is table


def test_published_bits(population, dataset):
    bits = published_bits(population)
    assert bits.shape == (FILMS, 26)
    unpacked = np.unpackbits(published_codes(population), axis=1, bitorder="little")
    assert np.array_equal(unpacked[:, :26], bits) and not unpacked[:, 26:].any()
    assert (bits[::2, 0] == 1).all()
    assert (bits[1::2, 9] == 1).all()
    assert (bits[:, :10].sum(axis=1) == 1).all()
    counts = np.bincount(population.steps.indices, minlength=FILMS)
    assert (counts < 100).all()
    assert (bits[:, 16] == 1).all()
    assert bits[:, 17:].sum() == 0
    stars = np.bincount(population.steps.indices, population.steps.data / 2, minlength=FILMS) / counts
    classes = {(0, 0, 0): 0, (0, 0, 1): 1, (0, 1, 0): 2, (0, 1, 1): 3, (1, 1, 1): 4}
    assert [classes[tuple(row)] for row in bits[:, 10:13].tolist()] == np.floor(stars).clip(0, 4).tolist()


def test_the_published_neuron_says_what_was_said_of_the_most_alike(population):
    """The film whose 26 bits differ least, the newest of those equally near."""
    films, every = np.arange(4), np.arange(FILMS)
    one = Case("u", films, np.array([9, 3, 5, 7]), every, np.full(FILMS, 9))
    bits = published_bits(population)
    apart = (bits[:, None] != bits[films]).sum(axis=2)
    newest = [max(films.tolist(), key=lambda at: (-row[at], at)) for row in apart]
    said = agent_targets(population.catalogue.model, PUBLISHED_NEURON)[one.steps - 1]
    (scores,) = PublishedNearest(population).scores([one], {})
    assert scores[-1].tolist() == said[newest].tolist()
    assert len(set(newest)) > 1


def test_networks_learn_what_is_not_linear():
    networks = pytest.importorskip("ramrec.host.evaluation.networks", exc_type=ImportError)
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (80, 2)).astype(np.float32)
    y = (x[:, :1] * x[:, 1:] > 0).astype(np.float32)
    training = networks.Training(rate=0.02, decay=0.0, stops=(1, 200), start=None, seed=1)
    jobs = [(x[:40], y[:40], x[40:]), (x[:3], y[:3], x[:3])]
    (logits, few) = networks.predict_many(jobs, training)
    assert logits.shape == (2, 40, 1)
    assert ((logits[1] > 0) == (y[40:] > 0)).all()
    (alone,) = networks.predict_many(jobs[:1], training)
    assert np.allclose(alone, logits, atol=1e-4)
    assert ((few[1] > 0) == (y[:3] > 0)).all()


def test_a_network_without_ratings_says_what_it_started_with():
    networks = pytest.importorskip("ramrec.host.evaluation.networks", exc_type=ImportError)
    none = np.zeros((0, 2), np.float32), np.zeros((0, 3), np.float32), np.ones((2, 2), np.float32)
    training = networks.Training(rate=0.01, decay=0.0, stops=(50,), start=(1.0, 0.0, -2.0), seed=1)
    (logits,) = networks.predict_many([none], training)
    assert logits[0].tolist() == [[1.0, 0.0, -2.0]] * 2


def test_a_missing_library_leaves_its_methods_out(monkeypatch):
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    assert optional.optional_methods() == {}
    lines = optional.left_out()
    assert set(lines) >= {"stack", "gbm", "river", "mlp"}
    assert lines["mlp"] == "mlp is left out: it needs torch; pip install 'ramrec[networks]'"
