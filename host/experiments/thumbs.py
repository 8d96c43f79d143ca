"""Are thumbs up and down enough?"""

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from ..dataset import Dataset
from ..evaluation.baselines import Population, liked
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.picture import Plot
from ..evaluation.protocol import Case
from .laboratory import Laboratory
from .outcome import Outcome
from .tables import accuracies, series, signed

__all__ = ["run"]

_KS = (0, 1, 2, 5, 10, 20, 50)
_K = 20
_UP, _DOWN = 4.5, 2.5
"""Stars that a thumb stands for: about the means of likes and of dislikes in MovieLens."""


def run(lab: Laboratory) -> Outcome:
    """Accuracy when population and users say no more than whether they like a film."""
    make = partial(AgentMethod, geometry=lab.geometry)
    stars = lab.judge(make)
    thumbs = lab.judge(make, grounds=lab.learned(dataset=_binary(lab.dataset)), view=_shown)
    mixed = lab.judge(make, view=_shown)
    judged = {"stars": stars, "thumbs, population of stars": mixed, "thumbs everywhere": thumbs}
    rows = accuracies(judged, _KS, name="ratings")
    return Outcome(
        name="thumbs",
        title="Are thumbs up and down enough?",
        sentence=f"At {_K} ratings thumbs instead of stars change the accuracy by {signed(thumbs.less(stars, _K))}; if "
        f"only the user gives thumbs and the population stars, by {signed(mixed.less(stars, _K))}.",
        rows=rows,
        plot=Plot(
            "ratings learned",
            "right answers, %",
            series([row | {"k": str(row["k"])} for row in rows], "ratings", "k"),
        ),
        about=f"A thumb up stands for {_UP:g} stars, one down for {_DOWN:g}. The same users and the same questions.",
    )


def _binary(dataset: Dataset) -> Dataset:
    thumbs = pl.when(pl.col("rating") >= 4).then(_UP).otherwise(_DOWN).cast(pl.Float32)
    return replace(dataset, ratings=dataset.ratings.with_columns(thumbs.alias("rating")))


def _shown(_: Population, case: Case) -> Case:
    return replace(case, steps=np.where(liked(case.steps), int(2 * _UP), int(2 * _DOWN)))
