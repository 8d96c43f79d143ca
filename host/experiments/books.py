"""A second domain: books."""

from functools import partial

from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.baselines_factors import FactorFoldIn
from ..evaluation.baselines_items import ItemKnn
from ..evaluation.baselines_simple import LikeRate, Majority, Prior, PriorAndBias
from ..evaluation.methods import agent_geometries
from ..evaluation.picture import Plot
from .book_crossing import load_books
from .laboratory import Laboratory
from .outcome import Outcome
from .tables import accuracies, series, signed

__all__ = ["run"]

_KS = (0, 1, 2, 5, 10, 20)
_K = 10


def run(lab: Laboratory) -> Outcome:
    """Accuracy on ratings of books, with the constants that were chosen on films."""
    books = load_books()
    library = Laboratory(books, lab.geometry, folds=lab.folds, most=lab.most, seed=lab.seed)
    agents = agent_geometries(lab.geometry)
    judged = {
        "sweep": library.judge(partial(AgentMethod, geometry=agents["sweep"])),
        "counting": library.judge(partial(AgentMethod, geometry=agents["counting"])),
        "mf": library.judge(FactorFoldIn),
        "item-knn": library.judge(ItemKnn),
        "prior+bias": library.judge(PriorAndBias),
        "prior": library.judge(Prior),
        "like-rate": library.judge(LikeRate),
        "majority": library.judge(Majority),
    }
    rows = accuracies(judged, _KS)
    sweep = judged["sweep"]
    return Outcome(
        name="books",
        title="Does it work for books?",
        sentence=f"At {_K} ratings an agent predicts {sweep.accuracy(_K)['accuracy']:.1f} % of liked books right, "
        f"{signed(sweep.less(judged['majority'], _K))} against the majority's answer, "
        f"{signed(sweep.less(judged['prior+bias'], _K))} against prior and bias and "
        f"{signed(sweep.less(judged['mf'], _K))} against matrix factorisation.",
        rows=rows,
        plot=Plot(
            "ratings learned",
            "right answers, %",
            series([row | {"k": str(row["k"])} for row in rows], "method", "k"),
        ),
        about=f"Book-Crossing (Ziegler et al. 2005), explicit ratings 1 to 10 as half stars, a like is 8 or more; "
        f"{books.ratings['user'].n_unique():,} users, {books.films.height:,} books, {books.ratings.height:,} ratings "
        "after leaving out rare books and users. A book's features are its year, author and publisher. Nothing was "
        "tuned for books but thresholds and, for all methods alike, settings.",
    )
