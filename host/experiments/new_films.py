"""Films that nobody has rated, a genre that nobody has rated, a film that comes later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from ..dataset import Dataset
from ..evaluation.baselines import Population
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.baselines_simple import Majority, Prior
from ..evaluation.fold import measure
from ..evaluation.picture import Plot
from ..evaluation.protocol import Case, Whole
from ..evaluation.tuning import calibrate
from .laboratory import Ground, Judged, Laboratory, Make
from .outcome import Outcome
from .tables import series, signed

__all__ = ["run"]

Bools = npt.NDArray[np.bool_]

_ONE_IN = 10
_LEAST_RATINGS = 10
_GENRES = ("Horror", "Sci-Fi", "War")
_MOST_TESTED = 20
_ANY = "films at random"
_BARE = "agent, film from its features"
_KNOWN = "agent, film rated by others"


def run(lab: Laboratory) -> Outcome:
    """Accuracy on films whose ratings were taken from the population, and on the same films with them."""
    kinds = _kinds(lab)
    judged: dict[str, dict[str, Judged]] = {}
    alike, bits = 0, 0
    for kind, films in kinds.items():
        grounds = lab.learned(dataset=_without(lab.dataset, films))
        agent = partial(AgentMethod, geometry=lab.geometry)
        judged[kind] = {
            _BARE: _judge(lab, agent, grounds, films),
            _KNOWN: _judge(lab, agent, lab.grounds, films),
            "prior alone, from features": _judge(lab, Prior, grounds, films),
            "majority": _judge(lab, Majority, grounds, films),
        }
        if kind == _ANY:
            alike, bits = _added(grounds[0].population, lab.dataset, films)
    rows = [
        {"films": kind, "agent": name} | marks.accuracy("all")
        for kind, methods in judged.items()
        for name, marks in methods.items()
    ]
    said = judged[_ANY]
    genres = {kind: methods[_BARE].less(methods["majority"], "all") for kind, methods in judged.items() if kind != _ANY}
    worst = min(genres, key=lambda kind: genres[kind]["diff"], default=None)
    about_genre = f" Of genres that nobody has rated the hardest is {worst}: {signed(genres[worst])}." if worst else ""
    return Outcome(
        name="new-films",
        title="What does an agent make of a film that nobody has rated?",
        sentence=f"It predicts {said[_BARE].accuracy('all')['accuracy']:.1f} % of likes right from genres, year and "
        f"tags alone, {signed(said[_BARE].less(said['majority'], 'all'))} against the majority's answer; ratings of "
        f"others are worth {signed(said[_KNOWN].less(said[_BARE], 'all'))} more.{about_genre} A film added to a "
        f"finished catalogue gets {100 * alike / max(bits, 1):.1f} % of the code bits that it would have had "
        "from the start.",
        rows=rows,
        plot=Plot(
            "right answers, %",
            "",
            series(rows, "agent", "films"),
            kind="bars",
        ),
        about=f"All ratings of these films are taken from the population before anything is learned, and none is shown "
        f"to the agent: one in {_ONE_IN} of the films with {_LEAST_RATINGS} ratings or more, or all films of a genre. "
        f"Tested are up to {_MOST_TESTED} ratings of such films per user, after all of the user's other ratings.",
    )


def _kinds(lab: Laboratory) -> dict[str, Bools]:
    """Which films are withheld, by name of the set."""
    films, counts = lab.dataset.films, np.bincount(lab.dataset.ratings["film"], minlength=lab.dataset.films.height)
    often = np.flatnonzero(counts >= _LEAST_RATINGS)
    chosen = np.zeros(films.height, bool)
    chosen[np.random.default_rng([lab.seed, 44]).permutation(often)[: len(often) // _ONE_IN]] = True
    genres = films["genres"].to_list()
    of_genre = {name: np.array([name in has for has in genres]) for name in _GENRES}
    return {_ANY: chosen} | {name: has for name, has in of_genre.items() if counts[has].sum() > counts.sum() / 100}


def _without(dataset: Dataset, films: Bools) -> Dataset:
    return replace(dataset, ratings=dataset.ratings.filter(~pl.col("film").is_in(np.flatnonzero(films))))


def _judge(lab: Laboratory, make: Make, grounds: Sequence[Ground], films: Bools) -> Judged:
    """Test users on withheld films only; thresholds are those for films that are not."""
    hits, tests = [], []
    for ground in grounds:
        method = make(ground.population)
        line = calibrate([method], [lab.people(ground.tuners)], {}, lab.geometry.memory_depth)
        asked = [_asked(case, films) for case in lab.people(ground.tested)]
        people = [case for case in asked if len(case.films) and len(case.tested)]
        hits.append(measure(method, people, {}, line)[0])
        tests += [len(case.tested) for case in people]
    return Judged(np.concatenate(hits), np.array(tests, np.float64), lab.seed)


def _asked(case: Case, films: Bools) -> Case:
    rated, steps = np.r_[case.films, case.tested], np.r_[case.steps, case.answers]
    new = np.flatnonzero(films[rated])[-_MOST_TESTED:]
    old = np.flatnonzero(~films[rated])
    return Whole(case.user, rated[old], steps[old], rated[new], steps[new], case.bar)


def _added(population: Population, dataset: Dataset, films: Bools) -> tuple[int, int]:
    """Code bits alike, of all, when withheld films are added to the catalogue once more."""
    catalogue = population.catalogue
    rows: list[Mapping[str, object]] = [dataset.films.row(int(film), named=True) for film in np.flatnonzero(films)]
    alike = 0
    for film, row in zip(np.flatnonzero(films), rows, strict=True):
        features = {name: row[name] for name in ("year", "genres", "tags")}
        later = catalogue.add_film("added later", "added later", **features)  # type: ignore[arg-type]
        alike += int((np.unpackbits(later.codes[-1]) == np.unpackbits(catalogue.codes[film])).sum())
    return alike, len(rows) * catalogue.geometry.code_bits
