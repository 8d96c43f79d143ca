"""Commands about one user: rate, forget, recommend, explain; and the list of users."""

from contextlib import closing
from dataclasses import asdict
from typing import Annotated

import typer

from . import console
from .cli_options import (
    AsJson,
    Backend,
    CatalogueFile,
    Data,
    ForgetOutdated,
    OwnGeometry,
    Project,
    open_journal,
    open_recommender,
)
from .cli_table import bar, show_lines, show_table

__all__ = ["explain", "forget", "rate", "recommend", "users"]

UserName = Annotated[str, typer.Argument(metavar="USER", help="Any name.", show_default=False)]
FilmName = Annotated[
    str, typer.Argument(metavar="FILM", help="A title, or # and the data set's id.", show_default=False)
]


def rate(
    user: UserName,
    film: FilmName,
    stars: Annotated[float, typer.Argument(metavar="STARS", help="0.5 to 5, in half steps.", show_default=False)],
    backend: Backend = None,
    data: Data = "ml-100k",
    project: Project = None,
    geometry: OwnGeometry = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """Rate a film. The user's agent learns it at once.

    \b
    Examples:
      ramrec rate ada "Alien (1979)" 5
      ramrec rate ada alien 4.5 --project film-club.ramrec
    """
    with open_recommender(backend, data, project, geometry, catalogue) as recommender:
        agent = recommender.user(user)
        title = agent.rate(film, stars)
        kept = len(agent.ratings())
    if as_json:
        console.emit_json({"user": user, "film": title, "stars": stars, "ratings": kept})
    else:
        show_lines([f"{user} gives {stars:g} stars to {title} ({_ratings(kept)})"])


def forget(
    user: UserName,
    film: FilmName,
    backend: Backend = None,
    data: Data = "ml-100k",
    project: Project = None,
    geometry: OwnGeometry = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """Forget a rating: project file and device are then as if it had never been given.

    \b
    Example:
      ramrec forget ada "Alien (1979)"
    """
    with open_recommender(backend, data, project, geometry, catalogue) as recommender:
        agent = recommender.user(user)
        title = agent.forget(film)
        kept = len(agent.ratings())
        digest = agent.digest()
    if as_json:
        console.emit_json({"user": user, "film": title, "ratings": kept, "digest": f"{digest:08x}"})
    else:
        show_lines([f"{user} has never rated {title} ({_ratings(kept)}, state {digest:08x})"])


def recommend(
    user: UserName,
    count: Annotated[int, typer.Option("-k", "--count", metavar="K", help="How many films.")] = 10,
    genre: Annotated[str | None, typer.Option(metavar="GENRE", help="Only films of this genre.")] = None,
    backend: Backend = None,
    data: Data = "ml-100k",
    project: Project = None,
    geometry: OwnGeometry = None,
    catalogue: CatalogueFile = None,
    forget_outdated: ForgetOutdated = False,
    as_json: AsJson = False,
) -> None:
    """Rank the films that a user has not rated, best first, with predicted stars.

    \b
    Examples:
      ramrec recommend ada
      ramrec recommend ada --genre comedy
      ramrec recommend ada --forget-outdated
      ramrec recommend ada -k 50 --json
    """
    with open_recommender(backend, data, project, geometry, catalogue, forget_outdated=forget_outdated) as recommender:
        agent = recommender.user(user)
        films = agent.recommend(count, genre=genre)
        kept = len(agent.ratings())
    if as_json:
        ranked = [{"film": title, "stars": stars} for title, stars in films]
        console.emit_json({"user": user, "ratings": kept, "films": ranked})
        return
    rows = [(f"{place}", f"{stars:.2f}", title) for place, (title, stars) in enumerate(films, 1)]
    show_table(["", "stars", "film"], rows, numbers=["", "stars"])


def explain(
    user: UserName,
    film: FilmName,
    backend: Backend = None,
    data: Data = "ml-100k",
    project: Project = None,
    geometry: OwnGeometry = None,
    catalogue: CatalogueFile = None,
    forget_outdated: ForgetOutdated = False,
    as_json: AsJson = False,
) -> None:
    """Say why a user should like a film, or not: which ratings speak for it, and how loudly.

    \b
    Example:
      ramrec explain ada "Blade Runner (1982)"
    """
    with open_recommender(backend, data, project, geometry, catalogue, forget_outdated=forget_outdated) as recommender:
        said = recommender.user(user).explain(film)
    if as_json:
        console.emit_json({"user": user, **asdict(said)})
        return
    show_lines([said.verdict])
    parts = [("everybody's ratings", said.prior, "")]
    parts += [
        (f"your {one.stars:g} stars for {one.title}", one.part, f"{one.match} of {said.neurons}")
        for one in said.contributions
    ]
    largest = max(abs(part) for _, part, _ in parts)
    rows = [(f"{part:+.3f}", bar(part, largest), what, alike) for what, part, alike in parts]
    rows.append((f"{said.sum:+.3f}", "", f"in all; liked from {said.needed:+.3f} on", ""))
    show_table(["part", "", "said by", "neurons alike"], rows, numbers=["part"])


def users(
    data: Data = "ml-100k",
    project: Project = None,
    catalogue: CatalogueFile = None,
    as_json: AsJson = False,
) -> None:
    """List the users of a project and how many films each has rated.

    \b
    Examples:
      ramrec users
      ramrec users --project film-club.ramrec --json
    """
    with closing(open_journal(data, project, catalogue)) as journal:
        counts = {name: len(journal.kept(name)) for name in journal.users()}
    if as_json:
        console.emit_json({"users": [{"user": name, "ratings": count} for name, count in counts.items()]})
    elif counts:
        show_table(["user", "ratings"], [(name, str(count)) for name, count in counts.items()], numbers=["ratings"])
    else:
        console.say('nobody has rated yet; begin with: ramrec rate ada "Alien (1979)" 5')


def _ratings(count: int) -> str:
    return "1 rating" if count == 1 else f"{count} ratings"
