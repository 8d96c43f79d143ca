"""``ramrec demo``: the main job from end to end, told as it goes."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from . import console
from .cli_options import AsJson, Backend, Data, OwnGeometry, Seed, chosen_backend
from .errors import RamrecError

if TYPE_CHECKING:
    from ..hdl.geometry import Geometry
    from .catalogue import Catalogue
    from .demo import Demo, Played
    from .demo_split import Person
    from .demo_summary import Summary

__all__ = ["demo"]


def demo(
    data: Data = "ml-100k",
    backend: Backend = None,
    geometry: OwnGeometry = None,
    users: Annotated[int, typer.Option(min=1, help="How many users play.")] = 40,
    seed: Seed = 1,
    as_json: AsJson = False,
) -> None:
    """Run the main job on real ratings, every reply checked against the golden model.

    Users whom the encoder never saw rate films one by one, on the gateware in simulation. See what is
    recommended and why, what was predicted, and that a forgotten rating leaves no trace.

    \b
    Examples:
      ramrec demo
      ramrec demo --data ~/ml-latest-small
      ramrec demo --backend serial:///dev/ttyUSB1
    """
    from ..boards.kept import geometry_name
    from .own_geometry import geometry_of

    start = time.monotonic()
    backend = chosen_backend(backend)
    device = geometry_of(backend, geometry)
    summary = _run(data, backend, device, users, seed, start, tell=not as_json)
    if as_json:
        console.emit_json(summary.as_json() | {"data": data, "geometry": geometry_name(device), "seed": seed})
    if not summary.passed:
        raise typer.Exit(RamrecError.exit_code)


def _run(data: str, backend: str, device: "Geometry", users: int, seed: int, start: float, *, tell: bool) -> "Summary":
    from ..boards.kept import geometry_name
    from . import demo_report as report
    from .dataset import load
    from .demo import featured
    from .demo_split import split
    from .demo_summary import summarise
    from .fitted import fitted
    from .transport import require_backend

    require_backend(backend, device)
    dataset = load(data)
    population, people = split(dataset, users=users, depth=device.memory_depth, seed=seed)
    if tell:
        report.show_data(dataset)
    began = time.monotonic()
    catalogue = fitted(dataset, device, population=population, seed=seed)
    if tell:
        report.show_encoder(catalogue, len(people), time.monotonic() - began)
    began = time.monotonic()
    with _connected(backend, catalogue) as demo:
        if tell:
            report.show_board(backend, geometry_name(device), demo.resident, time.monotonic() - began)
        try:
            hero = featured(people)
            stories = [_play(demo, [hero], f"user {hero.name}", story=True)[0]]
            others = [person for person in people if person is not hero]
            if tell:
                report.show_story(stories[0])
                report.show_forgetting(stories[0])
                report.show_people(len(others), sum(len(person.learned) for person in others))
            stories += _play(demo, others, f"{len(others)} users", story=False)
        except RamrecError as error:
            if demo.shadow.mismatches:
                first = demo.shadow.mismatches[0]
                raise RamrecError(f"the device differs from the golden model ({first}); {error}") from error
            raise
        summary = summarise(demo, stories, backend=backend, seconds=time.monotonic() - start)
        if tell:
            report.show_summary(summary, demo.shadow.mismatches)
        return summary


def _connected(backend: str, catalogue: "Catalogue") -> "Demo":
    from .demo import Demo
    from .transport import open_transport

    transport = open_transport(backend, catalogue.geometry)
    try:
        return Demo(transport, catalogue)
    except BaseException:
        transport.close()
        raise


def _play(demo: "Demo", people: "list[Person]", who: str, *, story: bool) -> "list[Played]":
    ratings = sum(len(person.learned) for person in people)
    with console.progress(f"{who} rating", ratings, unit="ratings") as bar:
        return [demo.play(person, story=story, rated=bar.advance) for person in people]
