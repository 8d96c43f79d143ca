"""The encoder on a small world of two planted tastes."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from ramrec.hdl.geometry import Geometry
from ramrec.host.dataset import Dataset
from ramrec.host.encoder import fit, fit_uncalibrated
from ramrec.host.errors import RamrecError
from ramrec.host.film_model import PRESENCE, PRIOR_UNITS
from ramrec.host.thresholds import fit_thresholds
from ramrec.sim.golden import Agent

GEOMETRY = Geometry(code_bits=64, ridge=80, shift=7, memory_depth=16, neurons_per_clock=32)
USERS, FILMS, GENRES = 120, 60, ("War", "Comedy")


def world(*, films: pl.DataFrame | None = None, ratings: pl.DataFrame | None = None) -> Dataset:
    """Half of the users love war and hate comedies, the other half the reverse; ratings of half of the films.

    The last two films have no ratings.
    """
    rng = np.random.default_rng(5)
    if films is None:
        films = pl.DataFrame(
            {
                "film_id": [f"f{i}" for i in range(FILMS)],
                "title": [f"Film {i} (2000)" for i in range(FILMS)],
                "year": pl.Series([2000] * FILMS, dtype=pl.Int32),
                "genres": [[GENRES[i % 2]] for i in range(FILMS)],
                "tags": pl.Series([["quiet"] if i % 5 == 0 else [] for i in range(FILMS)], dtype=pl.List(pl.String)),
            }
        )
    if ratings is None:
        rows = []
        for user in range(USERS):
            for film in rng.choice(FILMS - 2, size=FILMS // 2, replace=False).tolist():
                liked = (user + film) % 2 == 0
                stars = (4.5 if liked else 2.5) + rng.choice([-1, -0.5, 0, 0.5])
                rows.append((f"u{user}", film, stars, len(rows)))
        schema = {"user": pl.String, "film": pl.UInt32, "rating": pl.Float32, "time": pl.Int64}
        ratings = pl.DataFrame(rows, schema=schema, orient="row")
    return Dataset("world", "none", "made up", "0" * 64, ratings, films)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return world()


@pytest.fixture(scope="module")
def population() -> list[str]:
    return [f"u{user}" for user in range(USERS - 20)]


@pytest.fixture(scope="module")
def catalogue(dataset, population):
    return fit(dataset, geometry=GEOMETRY, population=population)


def test_the_same_seed_gives_the_same_catalogue(dataset, population, catalogue):
    shuffled = replace(dataset, ratings=dataset.ratings.sample(fraction=1.0, shuffle=True, seed=1))
    again = fit(shuffled, geometry=GEOMETRY, population=set(population))
    assert again.digest == catalogue.digest
    other = fit(dataset, geometry=GEOMETRY, population=population, seed=2)
    assert not np.array_equal(other.codes, catalogue.codes)


def test_users_outside_the_population_have_no_influence(dataset, population, catalogue):
    outside = ~pl.col("user").is_in(population)
    changed = dataset.ratings.with_columns(
        pl.when(outside).then(pl.lit(0.5)).otherwise(pl.col("rating")).cast(pl.Float32).alias("rating")
    )
    assert fit(replace(dataset, ratings=changed), geometry=GEOMETRY, population=population).digest == catalogue.digest


def test_progress_is_monotone_and_complete(dataset):
    said: list[tuple[int, int]] = []
    fit(dataset, geometry=GEOMETRY, progress=lambda done, total: said.append((done, total)))
    total = said[0][1]
    assert said == [(done, total) for done in range(1, total + 1)]


def accuracy(catalogue, dataset, users, kept):
    """Share of right likes after ``kept`` ratings of each user, on the user's other ratings."""
    right = []
    for user in users:
        ratings = dataset.ratings.filter(pl.col("user") == user)
        films, stars = ratings["film"].to_list(), ratings["rating"].to_list()
        agent = Agent(catalogue.geometry)
        for film, value in list(zip(films, stars, strict=True))[:kept]:
            agent.rate(film, catalogue.codes[film].tobytes(), int(catalogue.priors[film]), catalogue.target(value))
        scores = agent.scores(catalogue.codes[films[kept:]], catalogue.priors[films[kept:]]).tolist()
        answers = [catalogue.likes(score, len(agent.entries)) for score in scores]
        right += [answer == (value >= 4) for answer, value in zip(answers, stars[kept:], strict=True)]
    return np.mean(right)


def test_a_learned_agent_beats_the_prior_on_users_never_seen(dataset, population, catalogue):
    unseen = [f"u{user}" for user in range(USERS) if f"u{user}" not in population]
    prior, learned = (accuracy(catalogue, dataset, unseen, kept) for kept in (0, 10))
    assert learned > prior + 0.15
    assert learned > 0.8  # an eighth of the ratings fall on the wrong side of 4 stars by chance


@pytest.mark.parametrize("rule", ["counting", "nearest", "wisard"])
def test_every_rule_gets_thresholds(dataset, rule):
    shift = 9 if rule == "counting" else GEOMETRY.shift
    catalogue = fit(dataset, geometry=GEOMETRY.with_(rule=rule, shift=shift))
    assert catalogue.thresholds.shape == (GEOMETRY.memory_depth + 1,)
    assert accuracy(catalogue, dataset, ["u3", "u8"], 10) > 0.6


def test_a_film_nobody_rated_gets_its_code_and_prior_from_its_features(catalogue):
    war = catalogue.codes[FILMS - 2]
    distance = np.bitwise_count(catalogue.codes ^ war).sum(axis=1)
    rated = slice(0, FILMS - 2)
    assert catalogue.popularity[FILMS - 2 :].tolist() == [0, 0]
    assert distance[rated][0::2].mean() < distance[rated][1::2].mean() - 20


def test_an_added_film_is_encoded_like_one_that_nobody_rated(catalogue):
    more = catalogue.add_film("new", "New (2000)", year=2000, genres=["War"])
    assert np.array_equal(more.codes[-1], catalogue.codes[FILMS - 2])
    assert more.priors[-1] == catalogue.priors[FILMS - 2]


def test_unknown_genre_tag_and_year_are_no_error(catalogue):
    more = catalogue.add_film("new", "?", year=1400, genres=["Zarzuela", ""], tags=["ünseen"])
    more = more.add_film("bare", "", year=None)
    assert len(more) == FILMS + 2


def test_films_without_any_feature(dataset):
    nothing = pl.Series([[]] * FILMS, dtype=pl.List(pl.String))
    bare = dataset.films.with_columns(
        pl.lit(None, pl.Int32).alias("year"), nothing.alias("genres"), nothing.alias("tags")
    )
    assert len(fit(replace(dataset, films=bare), geometry=GEOMETRY)) == FILMS


def test_ratings_that_are_all_alike(dataset):
    alike = dataset.ratings.with_columns(pl.lit(4.0, pl.Float32).alias("rating"))
    catalogue = fit(replace(dataset, ratings=alike), geometry=GEOMETRY)
    assert all(catalogue.likes(int(prior) << GEOMETRY.prior_shift, 0) for prior in catalogue.priors)


def test_two_users_are_enough_and_one_is_not(dataset):
    assert len(fit(dataset, geometry=GEOMETRY, population=["u0", "u1"])) == FILMS
    for too_few in (["u0"], ["nobody"], []):
        with pytest.raises(RamrecError, match="at least 2 users"):
            fit(dataset, geometry=GEOMETRY, population=too_few)


@pytest.mark.parametrize("code_bits", [16, 128, 256])
def test_code_widths(dataset, code_bits):
    geometry = Geometry(code_bits=code_bits, ridge=256, shift=9, memory_depth=4, neurons_per_clock=2)
    assert fit(dataset, geometry=geometry, population=["u0", "u1", "u2"]).codes.shape == (FILMS, code_bits // 8)


def test_presence_speaks_for_films_alike_with_the_rule_sweep_alone(dataset, catalogue):
    unit = PRIOR_UNITS << GEOMETRY.prior_shift
    assert (catalogue.targets - catalogue.meanings).tolist() == [PRESENCE * unit] * 10
    nearest = fit(dataset, geometry=GEOMETRY.with_(rule="nearest"))
    assert np.array_equal(nearest.targets, nearest.meanings)


def test_a_score_means_the_stars_it_stands_for(catalogue):
    assert [catalogue.stars(int(score)) for score in catalogue.meanings] == [step / 2 for step in range(1, 11)]


def test_without_thresholds_all_else_is_the_same(dataset, population, catalogue):
    again, fitted = fit_uncalibrated(dataset, geometry=GEOMETRY, population=population)
    assert replace(again, thresholds=catalogue.thresholds).digest == catalogue.digest
    assert set(again.thresholds.tolist()) == {round(catalogue.meanings[6:8].mean())}
    assert np.array_equal(again.model.codes(fitted.factors), catalogue.codes)
    assert np.array_equal(again.model.priors(fitted.means), catalogue.priors)


def test_guests_do_not_move_what_the_sets_own_users_think_of_a_film(dataset, population):
    """Guests love film 0, which the set's own users know well and think little of."""
    guests = [f"guest{n}" for n in range(40)]
    rows = [(guest, film, 5.0 if film == 0 else 3.0, 0) for guest in guests for film in range(0, FILMS - 2, 4)]
    ratings = pl.concat([dataset.ratings, pl.DataFrame(rows, schema=dataset.ratings.schema, orient="row")])
    mixed = replace(dataset, ratings=ratings)
    everybody = [*population, *guests]
    alone = fit(dataset, geometry=GEOMETRY, population=population).priors[0]
    taken_in = fit(mixed, geometry=GEOMETRY, population=everybody).priors[0]
    welcomed = fit(replace(mixed, guests=frozenset(guests)), geometry=GEOMETRY, population=everybody).priors[0]
    assert alone < welcomed < taken_in - 5


def test_thresholds_follow_a_jump_after_the_first_rating():
    """Scores rise by two stars as soon as there is one rating, and say the same about the film as before."""
    rng = np.random.default_rng(2)
    kept = rng.integers(0, 17, 20000)
    truth = rng.normal(size=len(kept))
    liked = truth + rng.normal(size=len(kept)) > 0
    scores = np.rint(64 * (truth + 2 * (kept > 0))).astype(np.int64)
    thresholds = fit_thresholds(16, 0.0, 64.0, kept, scores, liked, np.ones(len(kept)))
    assert abs(thresholds[0]) < 16
    assert np.abs(thresholds[1:] - 128).max() < 16
