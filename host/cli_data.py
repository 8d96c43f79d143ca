"""``ramrec data``: list, fetch and describe data sets."""

from typing import Annotated, Any

import polars as pl
import typer

from . import console, fetch
from .cli_options import AsJson
from .cli_table import show_table
from .dataset import Dataset, load
from .registry import licence_of

__all__ = ["data_app", "summary"]

data_app = typer.Typer(
    name="data", no_args_is_help=True, help="List, fetch and describe data sets.", rich_markup_mode=None
)


@data_app.command("list")
def list_sets(as_json: AsJson = False) -> None:
    """List the data sets that can be fetched by name, and those that already were.

    Example: ramrec data list
    """
    folders = [fetch.cached(entry.name) for entry in fetch.known()]
    if as_json:
        sets = [
            {
                "name": entry.name,
                "ratings": entry.ratings,
                "megabytes": entry.megabytes,
                "url": entry.url,
                "licence": entry.licence,
                "cached": None if folder is None else str(folder),
            }
            for entry, folder in zip(fetch.known(), folders, strict=True)
        ]
        console.emit_json({"cache": str(fetch.cache_folder()), "sets": sets})
        return
    rows = [
        (entry.name, f"{entry.ratings:,}", f"{entry.megabytes:,} MB", "yes" if folder else "-")
        for entry, folder in zip(fetch.known(), folders, strict=True)
    ]
    show_table(["name", "ratings", "download", "fetched"], rows, numbers=["ratings", "download"])


@data_app.command("fetch")
def fetch_set(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name from `ramrec data list`.")],
    as_json: AsJson = False,
) -> None:
    """Download a data set into the cache, and print its folder.

    Example: ramrec data fetch ml-100k
    """
    before = fetch.cached(name)
    folder = fetch.fetch(name)
    licence, source = licence_of(name), fetch.source_of(folder)
    if as_json:
        downloaded = before is None
        console.emit_json(
            {"name": name, "path": str(folder), "downloaded": downloaded, "source": source, "licence": licence}
        )
        return
    console.say(f"{name} {'was fetched before' if before else 'fetched'} from {source}")
    console.say(licence)
    typer.echo(folder)


@data_app.command("info")
def info(
    data: Annotated[
        str, typer.Argument(metavar="PATH_OR_NAME", help="A folder, file, zip archive or name.")
    ] = "ml-100k",
    as_json: AsJson = False,
) -> None:
    """Describe a data set: counts, ratings, years, density, licence, digest.

    Examples: ramrec data info; ramrec data info ml-1m; ramrec data info ~/Downloads/ml-latest.zip
    """
    described = summary(load(data))
    if as_json:
        console.emit_json(described)
    else:
        _show(described)


def summary(dataset: Dataset) -> dict[str, Any]:
    """Describe a data set in values that JSON can hold.

    Returns
    -------
    dict
        ``name, licence, source, digest``; counts ``users, films, ratings, tags``; ``density``, the share of
        user and film pairs that are rated; ``mean_rating`` in stars; ``histogram``, count by stars; ``years``
        and ``rated``, first and last year of films and of ratings, null where unknown.
    """
    ratings, films = dataset.ratings, dataset.films
    users = ratings["user"].n_unique()
    counts = ratings.group_by("rating").len().sort("rating")
    dates = ratings.select(pl.from_epoch("time").dt.year().alias("year"))["year"]
    return {
        "name": dataset.name,
        "licence": dataset.licence,
        "source": dataset.source,
        "digest": dataset.digest,
        "users": users,
        "films": films.height,
        "ratings": ratings.height,
        "tags": int(films["tags"].list.len().sum()),
        "density": ratings.height / (users * films.height),
        "mean_rating": float(ratings["rating"].cast(pl.Float64).to_numpy().mean()),
        "histogram": {f"{stars:g}": count for stars, count in counts.iter_rows()},
        "years": [films["year"].min(), films["year"].max()],
        "rated": [dates.min(), dates.max()],
    }


def _show(described: dict[str, Any]) -> None:
    """Print a summary as lines of text, with a bar for each number of stars."""
    facts = {key: f"{described[key]:,}" for key in ("users", "films", "ratings", "tags")}
    facts["density"] = f"{described['density']:.2%}"
    facts["mean rating"] = f"{described['mean_rating']:.2f} stars"
    for key, name in (("years", "films from"), ("rated", "rated in")):
        first, last = described[key]
        facts[name] = "unknown" if first is None else f"{first} to {last}"
    texts = {key: described[key] for key in ("name", "source", "licence", "digest")}
    histogram: dict[str, int] = described["histogram"]
    most = max(histogram.values())
    bars = {f"{stars:>3} stars": f"{count:>12,} {'#' * round(40 * count / most)}" for stars, count in histogram.items()}
    for label, value in (texts | facts | bars).items():
        typer.echo(f"{label:12} {value}")
