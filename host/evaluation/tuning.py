"""What is chosen on users of the population: settings of a method, and from which score on a film is liked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..thresholds import fit_lines
from .baselines import Setting
from .method import Method
from .metrics import pooled_auc
from .protocol import Case

__all__ = ["Line", "Tuned", "calibrate", "choose"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FEWEST = 16
"""Settings, where there are as many, that are tried on all inner folds."""


@dataclass(frozen=True)
class Line:
    """How probable a like is, given a score and how many ratings were learned.

    Parameters
    ----------
    middle, unit
        Score that is neither for nor against, and score units of a star.
    intercepts, slopes
        ``(depth + 1,)``: of the logit over ``(score - middle) / unit``; more ratings than ``depth`` count as ``depth``.
    """

    middle: float
    unit: float
    intercepts: tuple[float, ...]
    slopes: tuple[float, ...]

    def logits(self, scores: Ints, kept: int) -> Floats:
        """Logits of a like."""
        at = min(kept, len(self.slopes) - 1)
        logits = self.intercepts[at] + self.slopes[at] * (scores.astype(np.float64) - self.middle) / self.unit
        return logits

    def threshold(self, kept: int) -> int:
        """Score from which on a film is liked, a whole number as on a device."""
        at = min(kept, len(self.slopes) - 1)
        return round(self.middle - self.unit * self.intercepts[at] / self.slopes[at])


@dataclass(frozen=True)
class Tuned:
    """What was chosen for a method in a fold: a setting out of so many ``tried``, and lines by order of ratings."""

    setting: Setting
    tried: int
    lines: Mapping[str, Line]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Values for JSON."""
        lines = {order: vars(line) for order, line in self.lines.items()}
        return {"setting": dict(self.setting), "tried": self.tried, "lines": lines, "seconds": self.seconds}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Tuned":
        """Inverse of :meth:`as_json`; KeyError or TypeError if it is none."""
        lines = {
            order: Line(line["middle"], line["unit"], tuple(line["intercepts"]), tuple(line["slopes"]))
            for order, line in value["lines"].items()
        }
        return cls(value["setting"], value["tried"], lines, value["seconds"])


def choose(made: Sequence[Method], known: Sequence[Sequence[Case]], depth: int) -> Setting:
    """The setting with the best pooled AUC, mean over inner folds and numbers of ratings.

    Pooled AUC needs no threshold and asks, other than a user's own, whether users compare with each other, as
    they have to if they share a threshold. After each inner fold the better half goes on to the next, but
    sixteen at least (successive halving: Jamieson & Talwalkar 2016).

    Parameters
    ----------
    made
        The method for each inner population.
    known
        Users that the inner population does not have.
    depth
        Most ratings that have a threshold of their own.
    """
    settings = made[0].settings
    if len(settings) == 1:
        return settings[0]
    quality = np.zeros(len(settings))
    tried = np.arange(len(settings))
    for method, people in zip(made, known, strict=True):
        kept, likes, _ = _observations(people, depth)
        at = [kept == k for k in np.unique(kept)]
        for place in tried.tolist():
            scores = _scores(method, people, settings[place])
            quality[place] += np.mean([pooled_auc(scores[here], likes[here]) for here in at])
        better = np.argsort(-quality[tried], kind="stable")[: max(len(tried) // 2, _FEWEST)]
        tried = np.sort(tried[better])
    return settings[int(tried[quality[tried].argmax()])]


def calibrate(made: Sequence[Method], known: Sequence[Sequence[Case]], setting: Setting, depth: int) -> Line:
    """Line of a method, from all inner folds together; the arguments are those of :func:`choose`."""
    scores = np.concatenate([_scores(method, people, setting) for method, people in zip(made, known, strict=True)])
    observed = [_observations(people, depth) for people in known]
    kept, likes, weights = (np.concatenate(column) for column in zip(*observed, strict=True))
    middle, unit = made[0].middle, made[0].unit
    intercepts, slopes = fit_lines(depth, middle, unit, kept, scores, likes, weights)
    return Line(middle, unit, tuple(intercepts.tolist()), tuple(slopes.tolist()))


def _scores(method: Method, people: Sequence[Case], setting: Setting) -> Ints:
    return np.concatenate([rows.ravel() for rows in method.scores(people, setting)])


def _observations(known: Sequence[Case], depth: int) -> tuple[Ints, npt.NDArray[np.bool_], Floats]:
    """Ratings kept, likes, and weights that make users equal, in the order of the scores."""
    kept, answers, weights = [], [], []
    for case in known:
        n = len(case.tested)
        for _, k in case.stages():
            kept.append(np.full(n, min(k, depth)))
            answers.append(case.likes)
            weights.append(np.full(n, 1 / n))
    return np.concatenate(kept), np.concatenate(answers), np.concatenate(weights)
