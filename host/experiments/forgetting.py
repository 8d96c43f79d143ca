"""Does an agent forget without a trace?"""

import numpy as np
import numpy.typing as npt

from ...sim.golden import Agent, Entry, top_k
from ..catalogue import Catalogue
from ..evaluation.metrics import bootstrap_weights, interval
from ..evaluation.picture import Plot
from .laboratory import Ground, Laboratory
from .outcome import Outcome, Row, Target
from .planted import FALSE, GENRE, Planted, of_genre, plant
from .tables import series

__all__ = ["run"]

_TOPS = (10, 20)
_STATES = ("before", "with the false ratings", "after forgetting")


def run(lab: Laboratory) -> Outcome:
    """Share of a genre among recommendations before, with and after false ratings; and whether states are equal."""
    genre = of_genre(lab)
    shares, equal = [], []
    for ground in lab.grounds:
        for number, planted in enumerate(plant(lab, ground)):
            share, same = _follow(lab, ground, planted, genre, np.random.default_rng([lab.seed, 42, number]))
            shares.append(share)
            equal.append(same)
    figures = np.array(shares)
    rows = [
        {"best": f"best {top}", "state": state} | _mean(figures[:, place, at], lab.seed)
        for at, top in reversed(list(enumerate(_TOPS)))
        for place, state in enumerate(_STATES)
    ]
    before, false, after = (row["share"] for row in rows if row["best"] == "best 20")
    alike = 100 * float(np.mean(equal))
    return Outcome(
        name="forgetting",
        title="Does an agent forget without a trace?",
        sentence=f"After {FALSE} false likes {false:.1f} % of the 20 best films are {GENRE}, before {before:.1f} %. "
        f"After forgetting them it is {after:.1f} % again, and the state is equal to the one before to the last bit "
        f"for {sum(equal)} of {len(equal)} users.",
        rows=[*rows, {"users": len(equal), "bit_equal": sum(equal), "bit_equal_percent": round(alike, 2)}],
        plot=Plot(
            f"share of {GENRE} among the best films, %",
            "",
            series(rows, "best", "state", "share"),
            kind="bars",
        ),
        about=f"Golden agents rate {FALSE} {GENRE} films that the user never rated with five stars, and forget them "
        "again in random order, one by one. Films that an agent keeps are not recommended to it.",
        targets=[
            Target("forgetting: users whose state is bit-equal", "100 %", round(alike, 2), None, None, all(equal))
        ],
    )


def _follow(
    lab: Laboratory, ground: Ground, planted: Planted, genre: npt.NDArray[np.bool_], rng: np.random.Generator
) -> tuple[list[list[float]], bool]:
    catalogue = ground.population.catalogue
    entries = [
        Entry(int(film), catalogue.codes[film].tobytes(), int(e))
        for film, e in zip(planted.films, planted.e, strict=True)
    ]
    agent = Agent(lab.geometry, entries[: planted.true])
    before = agent.words()
    shares = [_shares(agent, catalogue, genre)]
    agent.replace(entries)
    shares.append(_shares(agent, catalogue, genre))
    for film in rng.permutation(planted.films[planted.true :]).tolist():
        agent.forget(film)
    shares.append(_shares(agent, catalogue, genre))
    return shares, agent.words() == before


def _shares(agent: Agent, catalogue: Catalogue, genre: npt.NDArray[np.bool_]) -> list[float]:
    """Percentage of the genre among the best films, for each length of the list."""
    allowed = np.ones(len(catalogue), bool)
    allowed[[entry.item for entry in agent.entries]] = False
    best = top_k(agent.scores(catalogue.codes, catalogue.priors.astype(np.int64)), allowed, max(_TOPS))
    return [100 * float(genre[best[:top]].mean()) for top in _TOPS]


def _mean(values: npt.NDArray[np.float64], seed: int) -> Row:
    point, low, high = interval(bootstrap_weights(len(values), seed), values, np.ones(len(values)))
    return {"share": round(point, 2), "low": round(low, 2), "high": round(high, 2)}
