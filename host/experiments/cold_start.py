"""How soon is an agent better than what everybody thinks?"""

from functools import partial

from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.baselines_factors import FactorFoldIn
from ..evaluation.baselines_simple import Majority, Prior, PriorAndBias
from ..evaluation.picture import Plot
from .laboratory import Laboratory
from .outcome import Outcome
from .tables import accuracies, series, signed

__all__ = ["run"]

_KS = (0, 1, 2, 5, 10, 20, 50)


def run(lab: Laboratory) -> Outcome:
    """Accuracy against the number of ratings, from none on."""
    judged = {
        "sweep": lab.judge(partial(AgentMethod, geometry=lab.geometry)),
        "mf": lab.judge(FactorFoldIn),
        "prior+bias": lab.judge(PriorAndBias),
        "prior": lab.judge(Prior),
        "majority": lab.judge(Majority),
    }
    rows = accuracies(judged, _KS)
    gains = [{"k": k} | judged["sweep"].less(judged["prior"], k) for k in _KS]
    sure = [row for row in gains if row["low"] > 0]
    first = (
        f"From {sure[0]['k']} ratings on it is surely better: {signed(sure[0])}."
        if sure
        else "It is not surely better at any number of ratings that was tried."
    )
    start = rows[0]["accuracy"] - judged["majority"].accuracy(0)["accuracy"]
    return Outcome(
        name="cold-start",
        title="How soon is an agent better than what everybody thinks?",
        sentence=f"Without a single rating an agent predicts {rows[0]['accuracy']:.1f} % of likes right, "
        f"{start:+.1f} points against the majority's answer, by its prior alone. {first}",
        rows=rows,
        plot=Plot(
            "ratings learned", "right answers, %", series([row | {"k": str(row["k"])} for row in rows], "method", "k")
        ),
        about="Users who have as many ratings; so points at 20 and 50 stand for fewer users than those before.",
    )
