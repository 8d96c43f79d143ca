"""One user: rates, forgets, asks."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import polars as pl

from ..hdl.protocol import Explanation as Parts
from .catalogue import Catalogue
from .driver import Driver
from .errors import UsageError
from .explanation import Contribution, Explanation
from .film_model import PRIOR_UNITS
from .journal import Journal, Rating, check_name
from .shelf import Shelf
from .slots import Slots
from .titles import find_film

__all__ = ["Prediction", "Session", "User"]

T = TypeVar("T")


class Prediction(NamedTuple):
    """What is expected of a user and a film: 0.5 to 5 stars, and whether the user will like it."""

    score: float
    like: bool


@dataclass(frozen=True)
class Session:
    """What all users of an open recommender share.

    ``films`` has the columns ``film_id`` and ``title``. ``holds`` says which of a user's ratings, the newest of them,
    an agent is told.
    """

    catalogue: Catalogue
    films: pl.DataFrame
    shelf: Shelf
    journal: Journal
    driver: Driver
    slots: Slots
    holds: Callable[[list[Rating]], list[Rating]] = field(default=list)


class User:
    """One user of a recommender. Films are named by title, or by ``#`` and their id in the data set.

    Predicted stars are the rating whose target equals the film's score, 0.5 to 5 with two decimals.

    Every method may raise UsageError (no such film, several such films, argument out of range) and
    RamrecError (device or journal fail). What was rated is in the journal before the device hears of it, so
    nothing is lost when the device fails.
    """

    def __init__(self, session: Session, name: str) -> None:
        check_name(name)
        self.name = name
        self._session = session

    def rate(self, title: str, stars: float) -> str:
        """Rate a film with 0.5 to 5 stars, in half steps. An earlier rating of it no longer counts.

        Returns the film's full title.
        """
        catalogue, row = self._session.catalogue, self._row(title)
        catalogue.target(stars)
        self._session.journal.rate(self.name, catalogue.film_ids[row], round(stars * 2) / 2)
        self._on_device(lambda slot: None)
        return catalogue.titles[row]

    def forget(self, title: str) -> str:
        """Forget a film: journal and device are then as if the user had never rated it.

        Returns the film's full title.
        """
        catalogue, row = self._session.catalogue, self._row(title)
        if not self._session.journal.forget(self.name, catalogue.film_ids[row]):
            raise UsageError(f"{self.name} has not rated {catalogue.titles[row]}")
        self._on_device(lambda slot: None)
        return catalogue.titles[row]

    def ratings(self) -> list[tuple[str, float]]:
        """Title and stars of the rated films, the latest rating last."""
        catalogue = self._session.catalogue
        ratings = self._session.journal.kept(self.name)
        return [(catalogue.titles[catalogue.item(rating.film)], rating.stars) for rating in ratings]

    def recommend(
        self, k: int = 10, *, genre: str | None = None, among: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """The best ``k`` films that the user has not rated, best first: title and predicted stars.

        Fewer if the device holds fewer. Only films that are resident on the device are ranked.

        Parameters
        ----------
        k
            How many.
        genre
            Rank only films of this genre, upper and lower case being the same.
        among
            Rank only these films.
        """
        return [(self._session.catalogue.titles[row], stars) for row, stars in self.ranked(k, genre=genre, among=among)]

    def ranked(
        self, k: int, *, genre: str | None = None, among: Sequence[str] | None = None
    ) -> list[tuple[int, float]]:
        """As :meth:`recommend`, with rows of the catalogue in place of titles, of which two may be equal."""
        if k < 1:
            raise UsageError(f"the number of films must be at least 1, not {k}")
        rows = self._candidates(genre, among)
        found = self._on_device(lambda slot: self._rank(slot, k, rows))
        return [(row, self._stars(score)) for row, score in found]

    def predict(self, title: str) -> Prediction:
        """What the user will think of a film."""
        session = self._session
        row = self._row(title)

        def score(slot: int) -> int:
            item = session.shelf.item(row)
            if item is None:
                return session.driver.score_inline(slot, [session.shelf.film(row)])[0]
            return session.driver.score(slot, [item])[0]

        value = self._on_device(score)
        return Prediction(self._stars(value), session.catalogue.likes(value, len(self._told())))

    def explain(self, title: str) -> Explanation:
        """Why the user should, or should not, like a film."""
        session = self._session
        row = self._row(title)

        def parts(slot: int) -> Parts:
            item = session.shelf.item(row)
            if item is None:
                return session.driver.explain_inline(slot, session.shelf.film(row))
            return session.driver.explain(slot, item)

        entries = self._on_device(parts).entries
        catalogue, prior = session.catalogue, session.shelf.prior(row)
        score = prior + sum(part for *_, part in entries)
        stars = {rating.film: rating.stars for rating in session.journal.kept(self.name)}
        rows = [session.shelf.row(rated) for rated, *_ in entries]
        said = [
            Contribution(catalogue.titles[at], stars[catalogue.film_ids[at]], match, self._part(part))
            for at, (_, match, part) in zip(rows, entries, strict=True)
        ]
        return Explanation(
            title=catalogue.titles[row],
            prior=self._part(prior),
            contributions=tuple(sorted(said, key=lambda one: -abs(one.part))),
            sum=self._part(score),
            needed=self._part(int(catalogue.thresholds[len(entries)])),
            like=catalogue.likes(score, len(entries)),
            stars=self._stars(score),
            neurons=catalogue.geometry.neurons,
        )

    def digest(self) -> int:
        """CRC-32 of the user's state on the device."""
        return self._on_device(self._session.driver.digest)

    def _row(self, title: str) -> int:
        return find_film(self._session.films, title)

    def _candidates(self, genre: str | None, among: Sequence[str] | None) -> list[int] | None:
        """Rows of the films that a ranking is about; None for all."""
        chosen = [set(self._session.catalogue.rows_of_genre(genre))] if genre is not None else []
        if among is not None:
            chosen.append({self._row(title) for title in among})
        return sorted(set.intersection(*chosen)) if chosen else None

    def _on_device(self, action: Callable[[int], T]) -> T:
        return self._session.slots.run(self.name, self._told(), action)

    def _told(self) -> list[Rating]:
        """The ratings that the agent is told, oldest first."""
        return self._session.holds(self._session.journal.kept(self.name))

    def _rank(self, slot: int, k: int, candidates: Collection[int] | None) -> list[tuple[int, int]]:
        """Rows and scores of the best films, page by page; what the agent does not keep counts as rated too."""
        session = self._session
        geometry, driver, shelf = session.driver.geometry, session.driver, session.shelf
        rated, kept = session.journal.kept(self.name), self._told()[-geometry.memory_depth :]
        evicted = [shelf.row_of(rating) for rating in rated[: len(rated) - len(kept)]]
        only = None if candidates is None else shelf.items(candidates)
        ranked: list[tuple[int, int]] = []
        while len(ranked) < k and only != []:
            if only is not None:
                driver.only(slot, only)
            driver.skip(slot, [*shelf.items(evicted), *(item for item, _ in ranked)])
            page = driver.rank(slot, min(k - len(ranked), geometry.top_k))
            ranked += page
            if not page:
                break
        return [(shelf.row(item), score) for item, score in ranked]

    def _part(self, score: int) -> float:
        """A score in the unit of targets."""
        return score / (PRIOR_UNITS << self._session.catalogue.geometry.prior_shift)

    def _stars(self, score: int) -> float:
        """The rating whose target is a score, between the half steps by proportion."""
        return round(self._session.catalogue.stars(score), 2)
