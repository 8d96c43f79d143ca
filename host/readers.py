"""The files of a data set as tables of text, with the line each row came from; nothing is checked yet."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from .errors import UsageError
from .formats import Family, Files

__all__ = ["collect", "read_films", "read_links", "read_tags", "scan_ratings"]

_GENRES_OF_U_ITEM = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller"),
    *("War", "Western"),
)

_UNREADABLE = (pl.exceptions.ComputeError, pl.exceptions.SchemaError)
"""What polars raises for a line with too many fields, the second where it is the first line."""

_SITES = {"imdbId": "imdb", "tmdbId": "tmdb"}

_NO_GENRE = ["", "unknown", "(no genres listed)"]


@dataclass(frozen=True)
class _Layout:
    """How a table is written: its separator, and its first line or, where it has none, its width."""

    separator: str
    quoted: bool = False
    typed: bool = False
    width: int = 0

    @property
    def header(self) -> bool:
        return self.width == 0


_CSV = _Layout(",", quoted=True)
_RECBOLE = _Layout("\t", typed=True)
_U_ITEM = _Layout("|", width=5 + len(_GENRES_OF_U_ITEM))

_RATINGS: dict[Family, tuple[_Layout, list[str]]] = {
    "csv": (_CSV, ["userId", "movieId", "rating", "timestamp"]),
    "recbole": (_RECBOLE, ["user_id", "item_id", "rating", "timestamp"]),
    "tab": (_Layout("\t", width=4), ["0", "1", "2", "3"]),
    # "1::1193::5::978300760" split at each single colon: every second field is empty.
    "dat": (_Layout(":", width=7), ["0", "2", "4", "6"]),
}
"""Layout of the ratings, and where it has user, film, rating and time."""


def scan_ratings(files: Files) -> pl.LazyFrame:
    """Read the ratings lazily as ``line`` (UInt32) and ``user, film_id, rating, time`` (String, stripped).

    Raises
    ------
    UsageError
        A column is missing.
    """
    layout, sources = _RATINGS[files.family]
    names = ("user", "film_id", "rating", "time")
    lazy = _scan(files.ratings, files.ratings, layout, sources)
    taken = [pl.col(source).str.strip_chars().alias(name) for name, source in zip(names, sources, strict=True)]
    return lazy.select("line", *taken).filter(~pl.all_horizontal(pl.col(*names).is_null()))


def collect(lazy: pl.LazyFrame, files: Files) -> pl.DataFrame:
    """Run a query over `scan_ratings`.

    Raises
    ------
    UsageError
        A line has too many fields.
    """
    try:
        return lazy.collect(engine="streaming")
    except _UNREADABLE:
        layout, _ = _RATINGS[files.family]
        raise _malformed(files.ratings, files.ratings.read_text("utf-8", "replace"), layout) from None


def read_films(files: Files) -> pl.DataFrame:
    """Read the films as ``line`` (UInt32), ``film_id, title`` (String), ``genres`` (List[String]).

    The title carries the year, ``"Matrix, The (1999)"``, also where the file keeps it apart.

    Raises
    ------
    UsageError
        A column is missing, or a line has too many fields.
    """
    path = files.films
    match files.family:
        case "csv":
            table = _table(path, _CSV, ["movieId", "title", "genres"])
            films = table.select("line", pl.col("movieId").alias("film_id"), "title", _split("genres", "|"))
        case "dat":
            films = _fields(path, r"^([^:]*)::(.*)::(.*)$", ["film_id", "title", "genres"])
            films = films.with_columns(_split("genres", "|"))
        case "tab":
            table = _table(path, _U_ITEM, [])
            flags = [
                pl.when(pl.col(str(5 + index)) == "1").then(pl.lit(name))
                for index, name in enumerate(_GENRES_OF_U_ITEM)
            ]
            genres = pl.concat_list(flags).list.drop_nulls().alias("genres")
            films = table.select("line", pl.col("0").alias("film_id"), pl.col("1").alias("title"), genres)
        case "recbole":
            films = _recbole_films(_table(path, _RECBOLE, ["item_id", "movie_title"]))
    kept = pl.col("genres").list.eval(pl.element().filter(~pl.element().is_in(_NO_GENRE)))
    return films.with_columns(pl.col("film_id", "title").str.strip_chars(), kept)


def read_tags(files: Files) -> pl.DataFrame:
    """Read the tags as ``film_id, tag`` (String); no rows where the set has no tags.

    Raises
    ------
    UsageError
        A column is missing, or a line has too many fields.
    """
    if files.tags is None:
        return pl.DataFrame(schema={"film_id": pl.String, "tag": pl.String})
    if files.family == "dat":
        names = ["user", "film_id", "tag", "time"]
        return _fields(files.tags, r"^([^:]*)::([^:]*)::(.*)::([^:]*)$", names).select("film_id", "tag")
    table = _table(files.tags, _CSV, ["movieId", "tag"])
    return table.select(pl.col("movieId").alias("film_id"), "tag")


def read_links(files: Files) -> pl.DataFrame:
    """Read the links as ``film_id, link`` (String), such as ``"imdb:114709"``; no rows where the set has none.

    Raises
    ------
    UsageError
        A column is missing, or a line has too many fields.
    """
    if files.links is None:
        return pl.DataFrame(schema={"film_id": pl.String, "link": pl.String})
    table = _table(files.links, _CSV, ["movieId"])
    columns = [name for name in _SITES if name in table.columns]
    links = table.unpivot(columns, index="movieId", variable_name="site", value_name="number")
    number = pl.col("number").str.strip_chars().str.strip_chars_start("0")
    link = pl.format("{}:{}", pl.col("site").replace_strict(_SITES), number)
    return links.filter(number.str.contains(r"^\d+$")).select(pl.col("movieId").alias("film_id"), link.alias("link"))


def _recbole_films(table: pl.DataFrame) -> pl.DataFrame:
    """Put the year back into the title; the columns of year and genres may be absent."""
    year = pl.col("release_year") if "release_year" in table.columns else pl.lit(None, pl.String)
    genre = next((name for name in ("class", "genre", "genres") if name in table.columns), None)
    title = pl.col("movie_title").str.strip_chars()
    dated = pl.when(year.str.contains(r"^\d{4}$")).then(pl.format("{} ({})", title, year)).otherwise(title)
    genres = _split(genre, " ") if genre else pl.lit([], pl.List(pl.String))
    return table.select("line", pl.col("item_id").alias("film_id"), dated.alias("title"), genres.alias("genres"))


def _split(column: str, separator: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.split(separator)


def _text(path: Path) -> str:
    """Read a small file as UTF-8 or, as the older sets are, as Latin-1."""
    data = path.read_bytes()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _scan(source: Path | bytes, path: Path, layout: _Layout, required: list[str]) -> pl.LazyFrame:
    """Read ``source``, the content of ``path``, as String columns plus ``line``, the line of the file."""
    written = _header(path, layout)
    names = [name.partition(":")[0].strip() if layout.typed else name.strip() for name in written]
    missing = [name for name in required if name not in names]
    if missing:
        raise UsageError(
            f"{path.name}: no column {' and no column '.join(missing)};"
            f" expected {', '.join(required)}, found {', '.join(names)}"
        )
    if len(set(names)) < len(names):
        raise UsageError(f"{path.name}: a column name comes twice; found {', '.join(names)}")
    lazy = pl.scan_csv(
        source,
        separator=layout.separator,
        quote_char='"' if layout.quoted else None,
        has_header=layout.header,
        schema=dict.fromkeys(written, pl.String),
        encoding="utf8-lossy",
        row_index_name="line",
        row_index_offset=1 + layout.header,
    )
    return lazy.rename(dict(zip(written, names, strict=True)))


def _table(path: Path, layout: _Layout, required: list[str]) -> pl.DataFrame:
    """Read a whole file as String columns plus ``line``; blank lines are left out."""
    text = _text(path)
    try:
        table = _scan(text.encode(), path, layout, required).collect()
    except _UNREADABLE:
        raise _malformed(path, text, layout) from None
    return table.filter(~pl.all_horizontal(pl.exclude("line").is_null()))


def _fields(path: Path, pattern: str, names: list[str]) -> pl.DataFrame:
    """Read the lines of a ``::`` file by a pattern with one group for each name."""
    lines = pl.DataFrame({"text": _text(path).split("\n")}).with_row_index("line", offset=1)
    lines = lines.with_columns(pl.col("text").str.strip_chars_end("\r")).filter(pl.col("text") != "")
    groups = pl.col("text").str.extract_groups(pattern).struct.rename_fields(names)
    return lines.select("line", groups.alias("groups")).unnest("groups")


def _header(path: Path, layout: _Layout) -> list[str]:
    """Name the columns of a file as its first line does, or by their position."""
    if layout.width:
        return [str(index) for index in range(layout.width)]
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        return [name.strip('"') for name in file.readline().rstrip("\r\n").split(layout.separator)]


def _malformed(path: Path, text: str, layout: _Layout) -> UsageError:
    """Name the first line with too many fields."""
    width = len(_header(path, layout))
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
    reader = csv.reader(text.splitlines(), delimiter=layout.separator, quoting=quoting)
    for fields in reader:
        if len(fields) > width:
            found = f'expected {width} fields between "{layout.separator}", found {len(fields)}'
            return UsageError(f"{path.name}, line {reader.line_num}: {found}; correct the line")
    return UsageError(
        f"{path.name}: cannot be read as a table; expected one record on each line, and every quote closed"
    )
