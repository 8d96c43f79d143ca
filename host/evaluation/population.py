"""Several data sets as one population to learn from."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import csr_array

from ..dataset import Dataset
from ..errors import UsageError
from ..film_matching import match_films

__all__ = ["Joined", "known_users", "merge_population"]

_SAME_SHARE = 0.75
_SAME_RATINGS = 8
_BLOCK = 1 << 12


@dataclass(frozen=True)
class Joined:
    """What a further data set gave.

    Parameters
    ----------
    name
        Of the data set.
    films
        How many of its films the main data set has.
    ratings, users
        What was added: ratings of those films, and the users who gave them, ``"name:user"``.
    known
        Users left out because they are in an earlier data set already.
    """

    name: str
    films: int
    ratings: int
    users: tuple[str, ...]
    known: tuple[str, ...]


def merge_population(main: Dataset, others: Sequence[Dataset]) -> tuple[Dataset, list[Joined]]:
    """Add the users of other data sets to those of the main one; its films and its own users stay as they are.

    Films are matched by :func:`~..film_matching.match_films`; ratings of films that the main data set does not
    have are left out, and its films get the tags that others have for them. A user is taken for known, and left
    out, if three quarters of the ratings of the smaller of two lists, and no fewer than a handful, are for the
    same films with the same stars: strangers agree on less.

    Parameters
    ----------
    main
        The data set whose films are to be encoded and whose users are to be tested.
    others
        Sets to learn from. Their users are named ``"set:user"``.

    Returns
    -------
    dataset
        Named ``"main+other"``; the others' users are its guests.
    joined
        What each of the others gave.

    Raises
    ------
    UsageError
        If a data set comes twice, or shares no film with the main one.
    """
    names = [main.name, *(other.name for other in others)]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the data set {name} comes twice in one population; name each once")
    ratings, films, joined, content = main.ratings, main.films, [], [main.digest]
    for other in others:
        pairs = match_films(main.films, other.films, main.links, other.links)
        if pairs.is_empty():
            raise UsageError(f"{other.name} has no film that {main.name} has; learn from {main.name} alone")
        content += [other.digest, repr(pairs.rows())]
        own = _translated(other, pairs)
        known = known_users(ratings, own, main.films.height)
        added = own.filter(~pl.col("user").is_in(known))
        users = tuple(added["user"].unique().sort())
        joined.append(Joined(other.name, pairs["film"].n_unique(), added.height, users, tuple(known)))
        ratings = pl.concat([ratings, added])
        films = _with_tags(films, other.films, pairs)
    merged = replace(
        main,
        name="+".join(names),
        licence="; ".join(dict.fromkeys([main.licence, *(other.licence for other in others)])),
        source="; ".join([main.source, *(other.source for other in others)]),
        digest=hashlib.sha256("\n".join(content).encode()).hexdigest(),
        ratings=ratings.sort("time", "user", "film"),
        films=films,
        guests=main.guests.union(*(one.users for one in joined)),
    )
    return merged, joined


def _translated(other: Dataset, pairs: pl.DataFrame) -> pl.DataFrame:
    """Ratings of the matched films, by rows of the main data set; a user's latest where two films are one."""
    rows = other.ratings.join(pairs.rename({"film": "row", "other": "film"}), on="film")
    named = rows.select(user=pl.format("{}:{}", pl.lit(other.name), "user"), film="row", rating="rating", time="time")
    return named.unique(["user", "film"], keep="last", maintain_order=True)


def _with_tags(films: pl.DataFrame, others: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    tags = others.select("tags").with_row_index("other").join(pairs, on="other").explode("tags")
    own = films.select("tags").with_row_index("film").explode("tags")
    both = pl.concat([own.select("film", "tags"), tags.select("film", "tags")]).filter(pl.col("tags").is_not_null())
    grouped = both.group_by("film").agg(pl.col("tags").unique().sort())
    joined = films.drop("tags").with_row_index("film").join(grouped, on="film", how="left", maintain_order="left")
    return joined.drop("film").with_columns(pl.col("tags").fill_null(pl.lit([], pl.List(pl.String))))


def known_users(ratings: pl.DataFrame, added: pl.DataFrame, films: int) -> list[str]:
    """Users of the added ratings who have nearly the ratings of some user that is there already."""
    _, there, counts = _rows(ratings, films)
    names, new, new_counts = _rows(added, films)
    columns = csr_array(there.T)
    known = []
    for first in range(0, len(names), _BLOCK):
        alike = (new[first : first + _BLOCK] @ columns).tocoo()
        row, column = alike.coords
        smaller = np.minimum(new_counts[first + row], counts[column])
        same = alike.data >= np.maximum(_SAME_SHARE * smaller, _SAME_RATINGS)
        known += [names[first + at] for at in np.unique(row[same])]
    return known


def _rows(ratings: pl.DataFrame, films: int) -> tuple[list[str], csr_array, npt.NDArray[np.int64]]:
    """Users, a one ``(users, films * 11)`` for each rating with these stars, and how many ratings each has."""
    ordered = ratings.sort("user")
    at = ordered["user"].rle_id().to_numpy()
    names = ordered["user"].unique(maintain_order=True).to_list()
    steps = np.rint(ordered["rating"].to_numpy() * 2).astype(np.int64)
    column = ordered["film"].to_numpy().astype(np.int64) * 11 + steps
    cells = csr_array((np.ones(len(at), np.int32), (at, column)), shape=(len(names), films * 11))
    return names, cells, np.bincount(at, minlength=len(names))
