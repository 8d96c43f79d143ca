"""A data set of ratings, checked and in one canonical form whatever files it came from."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from . import console
from .errors import UsageError
from .fetch import Progress, fetch, known, source_of
from .formats import Files, opened
from .readers import collect, read_films, read_links, read_tags, scan_ratings
from .registry import licence_of
from .titles import article_first, find_film, year_of

__all__ = ["Dataset", "find_film", "load"]

_STARS = (0.5, 5.0)
_SLICE = 1 << 20
_BYTES_PER_SECOND = 50e6
"""Of a ratings file, read, checked and hashed on two cores."""


@dataclass(frozen=True)
class Dataset:
    """Ratings of films by users.

    Members
    -------
    name
        Registered name, or the name of the folder or file it was read from.
    licence
        What its users may do, in one line.
    source
        Where it came from.
    digest
        SHA-256 over the content of ratings and films, in hexadecimal.
    ratings
        ``user`` (String), ``film`` (UInt32, row of ``films``), ``rating`` (Float32, 0.5 to 5 stars), ``time``
        (Int64, seconds since 1970); sorted by time, user, film. No user rates a film twice.
    films
        ``film_id`` (String, the set's own), ``title`` (String, ``"The Matrix (1999)"``), ``year`` (Int32 or
        null), ``genres`` (List[String]), ``tags`` (List[String], lower case, distinct, sorted); in the
        set's order.
    guests
        Users from other data sets, there to learn from.
    links
        Which film a film is elsewhere: ``film`` (UInt32, row of ``films``), ``link`` (String, ``"imdb:114709"`` or
        ``"tmdb:862"``); None where the set does not say.
    """

    name: str
    licence: str
    source: str
    digest: str
    ratings: pl.DataFrame
    films: pl.DataFrame
    guests: frozenset[str] = frozenset()
    links: pl.DataFrame | None = None


def load(path_or_name: str | Path, *, progress: Progress = console.progress) -> Dataset:
    """Load a data set, after fetching it if it has to be.

    Parameters
    ----------
    path_or_name
        A folder, file or zip archive in any MovieLens format, or else a registered name such as
        ``"ml-100k"``. A path that exists goes before a name.
    progress
        Shows what takes long, see `console.progress`.

    Raises
    ------
    UsageError
        Neither a path nor a name; not a MovieLens format; or wrong content, with file and line.
    RamrecError
        The named set cannot be fetched.
    """
    asked = str(path_or_name)
    path = Path(asked).expanduser() if asked.startswith("~") else Path(asked)
    found = asked != "" and path.exists()
    names = [entry.name for entry in known()]
    if not found and asked not in names:
        raise UsageError(f'"{asked}" is neither a path nor a known data set; known: {", ".join(names)}')
    folder = path if found else fetch(asked, progress=progress)
    try:
        with opened(folder) as files, progress(f"reading {folder.name}", seconds=_reading(files)):
            films = _films(files)
            ratings = _ratings(files, films["film_id"])
            links = _links(files, films["film_id"])
            digest = _digest(ratings, films)
    except OSError as error:
        raise UsageError(f"{asked}: cannot be read ({error.strerror or error})") from None
    name = _name(folder, names)
    return Dataset(name, licence_of(name), source_of(folder) or str(path), digest, ratings, films, links=links)


def _reading(files: Files) -> float:
    """Seconds that reading usually takes."""
    return files.ratings.stat().st_size / _BYTES_PER_SECOND


def _name(folder: Path, registered: Iterable[str]) -> str:
    """Name a set by its path; by the folder around it where only that has a registered name."""
    absolute = folder.resolve()
    own, around = absolute.name if absolute.is_dir() else absolute.stem, absolute.parent.name
    return around if around in registered and own not in registered else own


def _films(files: Files) -> pl.DataFrame:
    """Check the films and bring them into canonical form."""
    raw = read_films(files)
    file = files.films.name
    if raw.is_empty():
        raise UsageError(f"{file}: no films; expected at least one")
    for column, what in (("film_id", "id"), ("title", "title")):
        bad = raw.filter(pl.col(column).is_null() | (pl.col(column) == ""))
        if not bad.is_empty():
            raise UsageError(f"{file}, line {bad['line'][0]}: no {what} of a film; complete the line")
    twice = raw.filter(~pl.col("film_id").is_first_distinct())
    if not twice.is_empty():
        line, film_id = twice.select("line", "film_id").row(0)
        raise UsageError(f'{file}, line {line}: film id "{film_id}" comes twice; keep one of the lines')
    title = article_first(pl.col("title"))
    films = raw.select("film_id", title, year_of(title).alias("year"), "genres")
    tag = pl.col("tag").str.strip_chars().str.to_lowercase()
    tags = read_tags(files).select(pl.col("film_id").str.strip_chars(), tag).filter(pl.col("tag") != "")
    grouped = tags.group_by("film_id").agg(pl.col("tag").unique().sort().alias("tags"))
    joined = films.join(grouped, on="film_id", how="left", maintain_order="left")
    return joined.with_columns(pl.col("tags").fill_null(pl.lit([], pl.List(pl.String))))


def _links(files: Files, film_ids: pl.Series) -> pl.DataFrame | None:
    """Bring the links into canonical form; those of films that the set does not have are left out."""
    if files.links is None:
        return None
    rows = film_ids.to_frame("film_id").with_row_index("film")
    links = read_links(files).with_columns(pl.col("film_id").str.strip_chars()).join(rows, on="film_id")
    return links.select("film", "link").unique().sort("film", "link")


def _ratings(files: Files, film_ids: pl.Series) -> pl.DataFrame:
    """Check the ratings and bring them into canonical form."""
    typed = scan_ratings(files).with_columns(
        film=pl.col("film_id").cast(pl.Enum(film_ids), strict=False).to_physical().cast(pl.UInt32),
        stars=pl.col("rating").cast(pl.Float32, strict=False),
        seconds=pl.col("time").cast(pl.Float64, strict=False).cast(pl.Int64, strict=False),
    )
    columns = ["user", "film", "stars", "seconds"]
    ratings = collect(typed.select(columns), files).rename({"stars": "rating", "seconds": "time"})
    if ratings.is_empty():
        raise UsageError(f"{files.ratings.name}: no ratings; expected at least one")
    valid = ratings["rating"].is_between(*_STARS).all()
    if not valid or any(ratings.null_count().row(0)) or (ratings["user"] == "").any():
        raise _explain(collect(typed.filter(_wrong()), files).sort("line"), files)
    users = ratings["user"].unique().sort()
    coded = ratings.with_columns(pl.col("user").cast(pl.Enum(users)))
    pair = pl.col("user").to_physical().cast(pl.UInt64) * 2**32 + pl.col("film")
    if coded.select(pair.n_unique()).item() < coded.height:
        raise _explain_pair(typed, files)
    ordered = coded.with_columns(pl.col("user").to_physical().alias("code")).sort("time", "code", "film")
    return ordered.select(pl.col("user").cast(pl.String), "film", "rating", "time")


def _wrong() -> pl.Expr:
    """Test for the lines of a ratings file that `_explain` has words for."""
    missing = pl.any_horizontal(pl.col("user", "film_id", "film", "rating", "stars", "time", "seconds").is_null())
    return missing | (pl.col("user") == "") | ~pl.col("stars").is_between(*_STARS)


def _explain(bad: pl.DataFrame, files: Files) -> UsageError:
    """Say what is wrong with the first of the bad lines."""
    row = bad.row(0, named=True)
    where = f"{files.ratings.name}, line {row['line']}"
    for column in ("user", "film_id", "rating", "time"):
        if not row[column]:
            return UsageError(f"{where}: no {column.replace('_', ' ')}; expected user, film, rating and time")
    low, high = _STARS
    if row["stars"] is None or row["stars"] != row["stars"]:
        return UsageError(f'{where}: expected a rating as a number, found "{row["rating"]}"')
    if not low <= row["stars"] <= high:
        return UsageError(f"{where}: expected a rating of {low} to {high:g} stars, found {row['rating']}")
    if row["seconds"] is None:
        return UsageError(f'{where}: expected a time in seconds since 1970, found "{row["time"]}"')
    return UsageError(f'{where}: film id "{row["film_id"]}" is not in {files.films.name}; add the film there')


def _explain_pair(typed: pl.LazyFrame, files: Files) -> UsageError:
    """Name the first rating whose user has rated that film on an earlier line."""
    lines = collect(typed.select("line", "user", "film_id", "film"), files).sort("line")
    pair = pl.struct("user", "film")
    line, user, film_id, film = lines.filter(~pair.is_first_distinct()).row(0)
    first = lines.filter((pl.col("user") == user) & (pl.col("film") == film))["line"][0]
    return UsageError(
        f'{files.ratings.name}, line {line}: user "{user}" has rated film "{film_id}" on line {first};'
        " keep one of the two"
    )


def _digest(ratings: pl.DataFrame, films: pl.DataFrame) -> str:
    """Hash both tables: the same content gives the same digest on every platform and from every format."""
    digest = hashlib.sha256()
    genres, tags = (pl.col(column).list.join("\x1e") for column in ("genres", "tags"))
    year = pl.col("year").cast(pl.String).fill_null("")
    texts = (
        films.select(pl.concat_str("film_id", "title", year, genres, tags, separator="\x1f")).to_series(),
        ratings["user"],
    )
    for series in texts:
        digest.update(len(series).to_bytes(8, "little"))
        for piece in series.to_frame("text").iter_slices(_SLICE):
            digest.update((piece["text"].str.join("\n")[0] + "\n").encode())
    for column, kind in (("film", "<u4"), ("rating", "<f4"), ("time", "<i8")):
        for piece in ratings.select(column).iter_slices(_SLICE):
            digest.update(piece[column].to_numpy().astype(kind).tobytes())
    return digest.hexdigest()
