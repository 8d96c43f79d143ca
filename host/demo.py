"""The main job: people whom the encoder never saw rate, are understood, and forget, on a checked device."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .catalogue import Catalogue
from .demo_split import LEAST_LEARNED, Person
from .driver import Driver
from .explanation import Explanation
from .film_model import LIKED
from .journal import Journal, Rating
from .recommender import Recommender
from .shadow import Shadowed
from .transport import Transport

__all__ = ["STAGES", "TOP", "Clocks", "Demo", "Forgotten", "Look", "Played", "Verdict", "featured"]

STAGES = (5, LEAST_LEARNED)
"""Numbers of ratings after which to look, beside none and all."""

TOP = 10
"""Films to recommend."""

_EXPLAINED = 3
_LONG = 40
"""Ratings that make a person's story worth telling."""


@dataclass(frozen=True)
class Verdict:
    """A rating that was held back, and whether a like was predicted: by the prior alone, and by the agent.

    ``agent`` has one prediction for each of ``STAGES`` and one for all ratings.
    """

    film: str
    stars: float
    prior: bool
    agent: tuple[bool, ...]

    @property
    def liked(self) -> bool:
        return self.stars >= LIKED


@dataclass(frozen=True)
class Forgotten:
    """State digests around one forgotten rating.

    Members
    -------
    film, stars
        The rating.
    before, after
        The device, before and after it forgot.
    never
        The golden agent that was told everything else.
    restored
        The device, another user of which was given everything else by RESTORE; None if that was not tried.
    """

    film: str
    stars: float
    before: int
    after: int
    never: int
    restored: int | None = None

    @property
    def bit_equal(self) -> bool:
        """Whether forgetting left no trace."""
        return self.after == self.never and self.restored in (None, self.never)


@dataclass(frozen=True)
class Look:
    """What an agent recommends after ``kept`` ratings, and why the first of it."""

    kept: int
    top: list[tuple[str, float]]
    why: list[Explanation]


@dataclass(frozen=True)
class Played:
    """One person's story."""

    name: str
    ratings: int
    verdicts: list[Verdict]
    forgotten: Forgotten
    looks: list[Look]


@dataclass
class Clocks:
    """Clock cycles of the device's commands, as it counts them itself; empty on a device without clocks."""

    learn: list[int] = field(default_factory=list)
    relearn: list[int] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    forget: list[int] = field(default_factory=list)


class Demo:
    """A device with a shadow. A context manager that gives the device back.

    Parameters
    ----------
    transport
        The device.
    catalogue
        Films, learned from other users than those who play.

    Raises
    ------
    RamrecError
        If the device does not answer, or is another one than the catalogue's geometry says.
    """

    def __init__(self, transport: Transport, catalogue: Catalogue) -> None:
        geometry = catalogue.geometry
        self.catalogue = catalogue
        self.clocks = Clocks()
        self.total_clocks = 0
        self.shadow = Shadowed(transport, geometry)
        driver = Driver(self.shadow, geometry)
        driver.hello()
        driver.reset()
        self._journal = Journal(None, data=catalogue.name)
        self._recommender = Recommender(self.shadow, self._journal, catalogue, geometry)

    @property
    def resident(self) -> int:
        """Films that the device holds."""
        return self._recommender.resident

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        self._recommender.close()

    def play(self, person: Person, *, story: bool = False, rated: Callable[[], None] | None = None) -> Played:
        """Let a person rate, predict what was held back, and forget one rating.

        Parameters
        ----------
        person
            Who plays.
        story
            Whether to look at the recommendations at every stage, and to try RESTORE beside FORGET.
        rated
            Called after every rating.
        """
        user = self._recommender.user(person.name)
        user.digest()  # gives the user a slot, so that the first rating is a RATE too
        looks = [self._look(person, 0)] if story else []
        likes: list[list[bool]] = []
        for kept, (row, stars) in enumerate(person.learned, 1):
            user.rate(self._name(row), stars)
            self._note(self.clocks.learn, self.clocks.relearn)
            user.digest()
            if kept in STAGES:
                likes.append(self._likes(person))
                looks += [self._look(person, kept)] if story else []
            if rated is not None:
                rated()
        likes.append(self._likes(person))
        user.recommend(TOP)
        self._note(self.clocks.rank)
        forgotten = self._forget(person, restore=story)
        return Played(person.name, len(person.learned), self._verdicts(person, likes), forgotten, looks)

    def _look(self, person: Person, kept: int) -> Look:
        user = self._recommender.user(person.name)
        top = user.ranked(TOP)
        user.digest()
        explained = top[:_EXPLAINED] if kept == STAGES[-1] else []
        why = [user.explain(self._name(row)) for row, _ in explained]
        return Look(kept, [(self.catalogue.titles[row], stars) for row, stars in top], why)

    def _likes(self, person: Person) -> list[bool]:
        user = self._recommender.user(person.name)
        return [user.predict(self._name(row)).like for row, _ in person.held]

    def _verdicts(self, person: Person, likes: list[list[bool]]) -> list[Verdict]:
        catalogue = self.catalogue
        shift = catalogue.geometry.prior_shift
        return [
            Verdict(
                catalogue.titles[row],
                stars,
                catalogue.likes(int(catalogue.priors[row]) << shift, 0),
                tuple(at_stage[at] for at_stage in likes),
            )
            for at, (row, stars) in enumerate(person.held)
        ]

    def _forget(self, person: Person, *, restore: bool) -> Forgotten:
        """Forget a rating between others, and ask model and device about an agent that never had it."""
        user = self._recommender.user(person.name)
        depth = self.catalogue.geometry.memory_depth
        middle = len(person.learned) - 1 - min(len(person.learned), depth) // 2
        row, stars = person.learned[middle]
        others = person.learned[:middle] + person.learned[middle + 1 :]
        before = user.digest()
        user.forget(self._name(row))
        if len(person.learned) <= depth:  # otherwise the oldest rating comes back, which takes a RESTORE
            self._note(self.clocks.forget)
        after = user.digest()
        restored = None
        if restore:
            stranger = f"{person.name}, who never rated it"
            for other, given in others:
                # Straight into the journal: the device then hears of all of them at once, by RESTORE.
                self._journal.rate(stranger, self.catalogue.film_ids[other], given)
            restored = self._recommender.user(stranger).digest()
        return Forgotten(self.catalogue.titles[row], stars, before, after, self._never(others[-depth:]), restored)

    def _never(self, ratings: Sequence[tuple[int, float]]) -> int:
        """State digest of a golden agent with just these ratings."""
        said = [Rating(self.catalogue.film_ids[row], stars, 0.0) for row, stars in ratings]
        return self._recommender.expected_digest(said)

    def _name(self, row: int) -> str:
        return f"#{self.catalogue.film_ids[row]}"

    def _note(self, command: list[int], relearning: list[int] | None = None) -> None:
        """Ask the device how long its last command took."""
        stats = self._recommender.stats()
        self.total_clocks = stats.clocks
        if stats.clocks:
            command.append(stats.command_clocks)
            if relearning is not None:
                relearning.append(stats.learn_clocks)


def featured(people: Sequence[Person]) -> Person:
    """Whose story to tell: the first with many ratings, or else the one with most."""
    return next((one for one in people if len(one.learned) >= _LONG), max(people, key=lambda one: len(one.learned)))
