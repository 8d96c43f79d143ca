"""Lets the peers run, one at a time, on one core, and compares what they find."""

from typing import Any

from ...hdl.geometry import Geometry
from .learners import learners
from .question import ask
from .rankers import contestants
from .timing import one_core, timed
from .workload import Workload

__all__ = ["learn_contest", "rank_contest"]


def rank_contest(geometry: Geometry, workload: Workload, k: int, seconds: float) -> list[dict[str, Any]]:
    """Time everybody who ranks, for the workload's first user, and compare the results of all users.

    Returns
    -------
    list
        ``name, what, us_rank, us_rank_min, us_rank_max, runs``; ``exact``: whether the same films are meant to be
        found; ``equal``: whether all lists were the golden model's; ``found``: mean share of its films in them.
    """
    questions = [ask(geometry, workload, rated[: geometry.memory_depth], k) for rated in workload.people]
    rows = []
    with one_core():
        for one, *others in zip(*map(contestants, questions), strict=True):
            lists = [list(contestant.run()) for contestant in (one, *others)]
            shares = [question.share_found(items) for question, items in zip(questions, lists, strict=True)]
            rows.append(
                {
                    "name": one.name,
                    "what": one.what,
                    **timed(one.run, seconds=seconds).as_json("us_rank"),
                    "exact": one.exact,
                    "equal": lists == [question.answer for question in questions],
                    "found": round(sum(shares) / len(shares), 4),
                }
            )
    return rows


def learn_contest(geometry: Geometry, workload: Workload, seconds: float) -> list[dict[str, Any]]:
    """Time everybody who learns the ratings of the workload's first user.

    Returns
    -------
    list
        ``name, what, us_learn, us_learn_min, us_learn_max, runs, ratings_per_second, same``.
    """
    rows = []
    with one_core():
        for one in learners(geometry, workload, workload.people[0][: geometry.memory_depth]):
            timing = timed(one.run, seconds=seconds)
            rows.append(
                {
                    "name": one.name,
                    "what": one.what,
                    **timing.as_json("us_learn"),
                    "ratings_per_second": round(1e6 / timing.us),
                    "same": one.same,
                }
            )
    return rows
