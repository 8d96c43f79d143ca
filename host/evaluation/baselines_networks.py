"""Baselines with a neural network per user, trained on that user's ratings alone."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ..catalogue import Catalogue
from .baselines import UNIT, Baseline, Population, Setting, fingerprint, grid
from .networks import Job, Training, predict_many
from .protocol import STAGES, Case
from .published import published_bits

__all__ = ["CodesMlp", "PublishedMlp", "UserMlp"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_RATE = 0.01


class UserMlp(Baseline):
    """A network per user on what is known of a film: genres, decade, tags, number of ratings and their mean.

    That is what the publication shows its networks, in full resolution. The network starts from the population's
    rate of likes, its weights decay, and when to stop is tuned; more or less decay made no difference.
    """

    heavy = True
    ranks = False
    middle = 0.0
    settings = grid(decay=(1,), steps=(10, 25, 50, 100))

    def __init__(self, population: Population) -> None:
        super().__init__(population)
        self._said: tuple[int, dict[tuple[float, int], list[list[Floats]]]] = (0, {})

    def stages(self, case: Case, setting: Setting) -> Iterable[Floats]:
        return self._predictions([case], setting)[0]

    def scores(self, cases: Sequence[Case], setting: Setting) -> list[Ints]:
        return [np.rint(np.stack(rows) * UNIT).astype(np.int64) for rows in self._predictions(cases, setting)]

    def _predictions(self, cases: Sequence[Case], setting: Setting) -> list[list[Floats]]:
        """Half a logit of a like, per user and stage. All stops of a training are kept until the users change."""
        decay, steps = float(setting["decay"]), int(setting["steps"])
        if self._said[0] != (asked := fingerprint(cases)):
            self._said = asked, {}
        if (decay, steps) not in self._said[1]:
            self._said[1].update(self._train(cases, decay))
        return self._said[1][decay, steps]

    def _train(self, cases: Sequence[Case], decay: float) -> dict[tuple[float, int], list[list[Floats]]]:
        stops = tuple(int(each["steps"]) for each in self.settings if each["decay"] == decay)
        training = replace(self.training, decay=decay, stops=stops)
        said = iter(predict_many([self._job(case, stage) for case in cases for stage in _reached(case)], training))
        scores = [[self.score(next(said)) for _ in _reached(case)] for case in cases]
        return {(decay, stop): [[rows[at] for rows in user] for user in scores] for at, stop in enumerate(stops)}

    def _job(self, case: Case, stage: int | None) -> Job:
        films, steps = case.support(stage)
        wanted = np.repeat(steps[:, None] >= case.bar, self.outputs, axis=1).astype(np.float32)
        return self._inputs[films], wanted, self._inputs[case.tested]

    outputs = 1

    def score(self, logits: npt.NDArray[np.float32]) -> Floats:
        """Scores ``(stops, tests)`` from outputs ``(stops, tests, outputs)``."""
        return logits[:, :, 0].astype(np.float64) / 2

    @property
    def training(self) -> Training:
        rate = float(self.population.likes.mean())
        return Training(_RATE, 0, (1,), float(np.log(rate / (1 - rate))), self.population.seed)

    @cached_property
    def _inputs(self) -> npt.NDArray[np.float32]:
        return self.inputs().astype(np.float32)

    def inputs(self) -> Floats:
        """What the network sees of each film, ``(films, size)``."""
        features: Floats = self.population.features.toarray()
        used = features[:, 1:][:, features[:, 1:].std(axis=0) > 0]
        return np.hstack([used, self.population.priors[:, None]])


class CodesMlp(UserMlp):
    """The same network on our encoder's codes and priors."""

    settings = grid(decay=(10,), steps=(10, 25, 50))

    def inputs(self) -> Floats:
        catalogue: Catalogue = self.population.catalogue
        bits = np.unpackbits(catalogue.codes, axis=1, bitorder="little")[:, : catalogue.geometry.code_bits]
        return np.hstack([2.0 * bits - 1, self.population.priors[:, None]])


class PublishedMlp(UserMlp):
    """A network per user as the publication trains it: 26 bits per film, ten outputs, 25 steps at rate 0.001."""

    settings = grid(decay=(0,), steps=(25,))
    outputs = 10

    @property
    def training(self) -> Training:
        return Training(0.001, 0, (25,), None, self.population.seed)

    def inputs(self) -> Floats:
        return published_bits(self.population).astype(np.float64)

    def score(self, logits: npt.NDArray[np.float32]) -> Floats:
        return logits.mean(axis=2).astype(np.float64) / 2


def _reached(case: Case) -> list[int | None]:
    return [stage for stage in STAGES if case.reaches(stage)]
