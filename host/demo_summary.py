"""What a demo comes to, in numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .demo import STAGES, Demo, Played

__all__ = ["Cycles", "Summary", "summarise"]


@dataclass(frozen=True)
class Cycles:
    """Clock cycles of one command, over all times that it was executed."""

    least: int
    mean: int
    most: int

    @classmethod
    def of(cls, clocks: Sequence[int]) -> "Cycles | None":
        """None if the device has no clocks."""
        return cls(min(clocks), round(sum(clocks) / len(clocks)), max(clocks)) if clocks else None


@dataclass(frozen=True)
class Summary:
    """A demo in numbers. Accuracies are shares of right predictions of a like, of all ratings held back.

    Members
    -------
    users, ratings, held_back
        Who played, what they rated, and what was predicted.
    films
        Films resident on the device.
    commands, mismatches
        Requests compared with the golden device, and how many of its replies were others.
    forget_bit_equal
        Whether every device that forgot equals an agent that never had the rating.
    cycles
        Of the commands ``learn`` (RATE), ``rank`` and ``forget``, and of ``relearn``, the part of RATE in which
        the sweeps run.
    accuracy_prior, accuracy_after, accuracy_agent
        Of the prior, of the agent after some ratings, and of the agent after all.
    clocks_per_second
        Of the device while it worked, 0 without clocks.
    seconds
        Wall time.
    """

    backend: str
    users: int
    ratings: int
    held_back: int
    films: int
    commands: int
    mismatches: int
    forget_bit_equal: bool
    cycles: dict[str, Cycles | None]
    accuracy_prior: float
    accuracy_after: dict[int, float]
    accuracy_agent: float
    clocks_per_second: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether device and model were equal throughout."""
        return self.mismatches == 0 and self.forget_bit_equal

    def as_json(self) -> dict[str, Any]:
        """All of it in values that JSON can hold; ``cycles_learn``, ``_rank``, ``_forget`` are means."""
        plain = {name: value for name, value in vars(self).items() if name not in ("cycles", "accuracy_after")}
        means = {f"cycles_{name}": None if taken is None else taken.mean for name, taken in self.cycles.items()}
        after = {f"accuracy_after_{kept}": value for kept, value in self.accuracy_after.items()}
        return plain | means | after


def summarise(demo: Demo, stories: Sequence[Played], *, backend: str, seconds: float) -> Summary:
    """Add up what was played."""
    verdicts = [verdict for played in stories for verdict in played.verdicts]

    def accuracy(right: Sequence[bool]) -> float:
        return round(sum(right) / len(right), 4)

    at_stage = [accuracy([one.agent[at] == one.liked for one in verdicts]) for at in range(len(STAGES) + 1)]
    clocks, shadow = demo.clocks, demo.shadow
    return Summary(
        backend=backend,
        users=len(stories),
        ratings=sum(played.ratings for played in stories),
        held_back=len(verdicts),
        films=demo.resident,
        commands=shadow.commands,
        mismatches=len(shadow.mismatches),
        forget_bit_equal=all(played.forgotten.bit_equal for played in stories),
        cycles={name: Cycles.of(taken) for name, taken in vars(clocks).items()},
        accuracy_prior=accuracy([one.prior == one.liked for one in verdicts]),
        accuracy_after=dict(zip(STAGES, at_stage, strict=False)),
        accuracy_agent=at_stage[-1],
        clocks_per_second=round(demo.total_clocks / shadow.seconds) if shadow.seconds else 0,
        seconds=round(seconds, 1),
    )
