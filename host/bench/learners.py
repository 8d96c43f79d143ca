"""Other ways to learn all that one user said, once more, after every rating."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...hdl.geometry import Geometry
from ...sim.golden import Agent, Entry
from .. import native
from .workload import Rated, Workload

__all__ = ["Learner", "learners"]


@dataclass(frozen=True)
class Learner:
    """Somebody who learns one user's ratings from scratch.

    Parameters
    ----------
    name, what
        In the report.
    run
        Learns.
    same
        Whether what it learned is, bit for bit, what the golden model learns; None for another model.
    """

    name: str
    what: str
    run: Callable[[], object]
    same: bool | None


def learners(geometry: Geometry, workload: Workload, rated: Sequence[Rated]) -> list[Learner]:
    """All of them, made ready for one user's ratings. ImportError if scikit-learn is not installed."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression, Ridge

    kept = workload.kept(geometry, rated)
    codes = workload.codes[[one.item for one in kept]]
    entries = [Entry(one.item, code.tobytes(), one.e) for one, code in zip(kept, codes, strict=True)]
    words, surprises = native.words(codes), np.array([one.e for one in kept], np.int64)
    golden, learned = Agent(geometry, entries).learned, native.learn(geometry, words, surprises)
    x = np.unpackbits(codes, axis=1, bitorder="little").astype(np.float64) * 2 - 1
    e = surprises.astype(np.float64)
    middle = np.median(e)

    def logistic() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            LogisticRegression(C=0.1).fit(x, e > middle)

    bits = geometry.code_bits
    return [
        Learner(
            "numba sweep",
            "the agent's own rule compiled, as in the backend `native`: all kept ratings from zero tables",
            lambda: native.learn(geometry, words, surprises),
            bool(np.array_equal(learned.tables, golden.tables) and np.array_equal(learned.alpha, golden.alpha)),
        ),
        Learner("NumPy sweep", "the same in the golden model", lambda: Agent(geometry, entries), True),
        Learner(
            "scikit-learn Ridge",
            f"ridge regression on {bits} code bits, closed form, retrained from scratch",
            lambda: Ridge(alpha=float(geometry.neurons), solver="cholesky").fit(x, e),
            None,
        ),
        Learner(
            "scikit-learn LogisticRegression",
            f"logistic regression on {bits} code bits (above or below the user's middle), retrained from scratch",
            logistic,
            None,
        ),
    ]
