"""Which films of two data sets are the same, when each set has ids of its own."""

from collections.abc import Callable

import polars as pl

from .titles import names_of

__all__ = ["match_films"]

_SHORTEST = 8
"""Letters that a title must have to be looked for inside a longer one."""


def match_films(
    films: pl.DataFrame,
    others: pl.DataFrame,
    links: pl.DataFrame | None = None,
    other_links: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Match films by their links to IMDb and TMDB where both sets have them, else by title and year.

    Tried in this order, and the first that fits decides: the same film on IMDb, or else on TMDB; a common name
    (each of several titles of a film counts; case, accents, punctuation and articles do not) and the same year; a
    common name and years that differ by one, as sets differ in which country's release they mean; the same year,
    and a name that begins or ends with the other's, as in ``"Star Wars: Episode IV - A New Hope"``, if only one
    film fits.

    Parameters
    ----------
    films, others
        Columns ``title`` (String) and ``year`` (Int32), as in :class:`~.dataset.Dataset`.
    links, other_links
        Columns ``film`` and ``link``, likewise.

    Returns
    -------
    pl.DataFrame
        ``film``, ``other`` (UInt32): rows of the two, at most one row of ``films`` for each of ``others``.
    """
    left, right = _named(films, "film"), _named(others, "other")
    matched = _linked(links, other_links)
    for tier in (_same_name(0), _same_name(1), _longer_name):
        open_left = left.join(matched, on="film", how="anti")
        open_right = right.join(matched, on="other", how="anti")
        matched = pl.concat([matched, tier(open_left, open_right)])
    return matched.sort("film", "other")


def _linked(links: pl.DataFrame | None, other_links: pl.DataFrame | None) -> pl.DataFrame:
    if links is None or other_links is None:
        return pl.DataFrame(schema={"film": pl.UInt32, "other": pl.UInt32})
    pairs = links.join(other_links.rename({"film": "other"}), on="link").sort("link", "film", "other")
    return pairs.select("film", "other").unique("other", keep="first", maintain_order=True)


def _named(films: pl.DataFrame, row: str) -> pl.DataFrame:
    """One line for each name of each film that has a year: ``row, year, name``."""
    names = films.select("year", name=names_of(pl.col("title"))).with_row_index(row)
    return names.filter(pl.col("year").is_not_null()).explode("name").filter(pl.col("name") != "").unique()


def _same_name(apart: int) -> Callable[[pl.DataFrame, pl.DataFrame], pl.DataFrame]:
    def tier(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
        pairs = left.join(right, on="name", suffix="_other")
        near = pairs.filter((pl.col("year") - pl.col("year_other")).abs() <= apart)
        return near.select("film", "other").sort("film", "other").unique("other", keep="first", maintain_order=True)

    return tier


def _longer_name(left: pl.DataFrame, right: pl.DataFrame) -> pl.DataFrame:
    pairs = left.join(right, on="year", suffix="_other")
    a, b = pl.col("name"), pl.col("name_other")
    long_enough = pl.min_horizontal(a.str.len_chars(), b.str.len_chars()) >= _SHORTEST
    inside = a.str.starts_with(b) | a.str.ends_with(b) | b.str.starts_with(a) | b.str.ends_with(a)
    found = pairs.filter(long_enough & inside).select("film", "other").unique()
    return found.filter(pl.col("film").is_unique() & pl.col("other").is_unique())
