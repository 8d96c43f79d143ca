"""Several data sets as one population: films matched, known users left out, the main set's films kept."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from ramrec.host.dataset import Dataset
from ramrec.host.errors import UsageError
from ramrec.host.evaluation.population import merge_population
from ramrec.host.film_matching import match_films

RATINGS = {"user": pl.String, "film": pl.UInt32, "rating": pl.Float32, "time": pl.Int64}


def films(*titles: str, tags: Sequence[Sequence[str]] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "film_id": [str(100 + row) for row in range(len(titles))],
            "title": titles,
            "year": pl.Series([int(t[-5:-1]) if t.endswith(")") else None for t in titles], dtype=pl.Int32),
            "genres": pl.Series([[]] * len(titles), dtype=pl.List(pl.String)),
            "tags": pl.Series(tags or [[]] * len(titles), dtype=pl.List(pl.String)),
        }
    )


def dataset(name: str, table: pl.DataFrame, rows: Sequence[tuple[str, int, float]]) -> Dataset:
    ratings = pl.DataFrame([(*row, at) for at, row in enumerate(rows)], schema=RATINGS, orient="row")
    return Dataset(name, f"terms of {name}", f"files of {name}", f"digest of {name}", ratings, table)


def strangers(count: int, table: pl.DataFrame, seed: int) -> list[tuple[str, int, float]]:
    rng = np.random.default_rng(seed)
    return [
        (f"u{user}", film, float(rng.integers(1, 6)))
        for user in range(count)
        for film in rng.choice(table.height, 20, replace=False).tolist()
    ]


def pairs(left: pl.DataFrame, right: pl.DataFrame) -> set[tuple[int, int]]:
    return set(match_films(left, right).iter_rows())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Alien (1979)", "ALIEN (1979)"),
        ("Seven (Se7en) (1995)", "Seven (a.k.a. Se7en) (1995)"),
        ("Das Boot (1981)", "Das Boot (The Boat) (1981)"),
        ("The Howling (1981)", "The Howling (1980)"),
        ("Star Wars (1977)", "Star Wars: Episode IV - A New Hope (1977)"),
        ("The Wrong Trousers (1993)", "Wallace & Gromit: The Wrong Trousers (1993)"),
    ],
)
def test_one_film_under_two_titles(one, other):
    assert pairs(films("Brazil (1985)", one), films(other, "Brazil (1985)")) == {(1, 0), (0, 1)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hamlet (1990)", "Hamlet (1996)"),
        ("Alien (1979)", "Aliens (1979)"),
        ("Wonderland (1997)", "Wonderland (1999)"),
        ("Untitled", "Untitled"),
    ],
)
def test_two_films_are_not_taken_for_one(one, other):
    assert pairs(films(one), films(other)) == set()


def test_a_longer_title_that_fits_two_films_fits_none():
    assert pairs(films("Star Wars (1977)"), films("Star Wars: Part One (1977)", "Star Wars: Part Two (1977)")) == set()


def test_the_same_year_goes_before_a_neighbouring_one():
    assert pairs(films("Emma (1996)"), films("Emma (1997)", "Emma (1996)")) == {(0, 1)}


def links(*rows: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"film": pl.UInt32, "link": pl.String}, orient="row")


def test_links_go_before_titles_where_both_sets_have_them():
    left, right = films("Emma (1996)", "Alien (1979)"), films("Emma (1996)", "Emma: A Film (1972)", "Alien (1979)")
    there = links((0, "imdb:7"), (0, "tmdb:5"), (1, "tmdb:9"))
    elsewhere = links((0, "imdb:8"), (1, "imdb:7"), (1, "tmdb:9"))
    assert set(match_films(left, right, there, elsewhere).iter_rows()) == {(0, 1), (1, 2)}
    assert set(match_films(left, right, there, None).iter_rows()) == {(0, 0), (1, 2)}


MAIN = films(*(f"Film number {n} ({1960 + n})" for n in range(40)))
OTHER = films(*(f"Film number {n} ({1960 + n})" for n in reversed(range(10, 50))))


def test_users_are_added_with_their_ratings_of_films_that_the_main_set_has():
    main, other = dataset("a", MAIN, strangers(5, MAIN, 1)), dataset("b", OTHER, strangers(4, OTHER, 2))
    merged, (joined,) = merge_population(main, [other])
    assert merged.name == "a+b"
    assert merged.films.equals(MAIN)
    assert joined.users == ("b:u0", "b:u1", "b:u2", "b:u3")
    assert merged.guests == set(joined.users)
    assert joined.films == 30
    own = ~pl.col("user").str.starts_with("b:")
    assert merged.ratings.filter(own).equals(main.ratings)
    titles, others = MAIN["title"], OTHER["title"]
    expected = {(f"b:{u}", others[f], r) for u, f, r, _ in other.ratings.iter_rows() if others[f] in set(titles)}
    added = merged.ratings.filter(~own)
    assert {(u, titles[f], r) for u, f, r, _ in added.iter_rows()} == expected
    assert joined.ratings == added.height == len(expected)
    assert merged.ratings.schema == main.ratings.schema
    assert merged.digest != main.digest
    assert "terms of a" in merged.licence
    assert "terms of b" in merged.licence


def test_a_user_who_is_there_already_is_left_out():
    rows = strangers(5, MAIN, 1)
    back = {title: row for row, title in enumerate(OTHER["title"])}
    same = [("twin", back[MAIN["title"][f]], r) for u, f, r in rows if u == "u3" and MAIN["title"][f] in back]
    assert len(same) >= 8
    changed = [*same[:-1], ("twin", same[-1][1], 6 - same[-1][2])]
    merged, (joined,) = merge_population(
        dataset("a", MAIN, rows), [dataset("b", OTHER, [*strangers(4, OTHER, 2), *changed])]
    )
    assert joined.known == ("b:twin",)
    assert "b:twin" not in merged.ratings["user"].to_list()


def test_a_user_of_two_further_sets_is_added_once():
    rows = strangers(4, MAIN, 2)
    others = [dataset(name, MAIN, rows) for name in "bc"]
    _, (first, second) = merge_population(dataset("a", MAIN, strangers(5, MAIN, 1)), others)
    assert len(first.users) == 4
    assert second.users == ()
    assert len(second.known) == 4


def test_two_films_that_are_one_in_the_main_set_are_rated_once():
    other = films("Brazil (1985)", "Brazil (1986)", "Alien (1979)")
    rows = [("x", 0, 2.0), ("x", 1, 4.0), ("x", 2, 3.0)]
    main = dataset("a", films("Brazil (1985)", "Alien (1979)"), [("u", 0, 1.0), ("u", 1, 5.0)])
    merged, _ = merge_population(main, [dataset("b", other, rows)])
    assert merged.ratings.filter(pl.col("user") == "b:x").select("film", "rating").rows() == [(0, 2.0), (1, 3.0)]


def test_films_get_the_tags_of_both_sets():
    main = dataset("a", films("Brazil (1985)", "Alien (1979)", tags=[["dream"], []]), [("u", 0, 1.0)])
    other = dataset("b", films("Alien (1979)", "Brazil (1985)", tags=[["space"], ["dream", "ducts"]]), [("v", 0, 1.0)])
    merged, _ = merge_population(main, [other])
    assert merged.films["tags"].to_list() == [["dream", "ducts"], ["space"]]


def test_sets_that_can_not_be_merged():
    main = dataset("a", MAIN, strangers(2, MAIN, 1))
    with pytest.raises(UsageError, match="twice"):
        merge_population(main, [main])
    nothing = dataset("b", films("Nothing like it (2020)"), [("u", 0, 1.0)])
    with pytest.raises(UsageError, match="no film"):
        merge_population(main, [nothing])
