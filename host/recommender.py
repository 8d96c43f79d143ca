"""The recommender as a script sees it: a device, a catalogue and a journal brought together."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl

from ..hdl.geometry import Geometry
from ..hdl.protocol import Stats
from .catalogue import Catalogue
from .driver import Driver
from .explanation import Explanation
from .journal import Journal, Rating
from .own_geometry import geometry_of
from .shelf import Shelf
from .slots import Slots
from .transport import Transport, open_transport, require_backend
from .user import Prediction, Session, User

__all__ = ["Explanation", "Prediction", "Recommender", "User"]


class Recommender:
    """A device, a catalogue and a journal. A context manager; :meth:`open` finds the three by name.

    Parameters
    ----------
    transport
        The device. Owned from now on: :meth:`close` closes it.
    journal
        The ratings, made for this catalogue; owned as well.
    catalogue
        The films.
    geometry
        What the device is.
    forget_outdated
        Whether agents are told only those of a user's ratings that still predict the newer ones, as far as can be
        told; the journal keeps all.

    Raises
    ------
    RamrecError
        If the device does not answer, is another one than expected, or the catalogue is not for it.
    """

    def __init__(
        self,
        transport: Transport,
        journal: Journal,
        catalogue: Catalogue,
        geometry: Geometry,
        *,
        forget_outdated: bool = False,
    ) -> None:
        self.catalogue = catalogue
        self.geometry = geometry
        self._transport = transport
        self._journal = journal
        films = pl.DataFrame({"film_id": catalogue.film_ids, "title": catalogue.titles})
        shelf = Shelf(catalogue, geometry, self._rated)
        driver = Driver(transport, geometry)
        slots = Slots(driver, shelf)
        slots.connect()
        self._session = Session(catalogue, films, shelf, journal, driver, slots)
        if forget_outdated:
            from .outdated import without_outdated

            self._session = replace(self._session, holds=partial(without_outdated, catalogue, geometry))

    @classmethod
    def open(
        cls,
        backend: str = "virtual",
        data: str | Path = "ml-100k",
        *,
        project: Path | None = None,
        geometry: str | Geometry | None = None,
        catalogue: Path | Catalogue | None = None,
        forget_outdated: bool = False,
    ) -> "Recommender":
        """Open all that recommending takes.

        Parameters
        ----------
        backend
            The device, see :func:`~.transport.open_transport`.
        data
            Name or path of the data set whose films and ratings make the catalogue; fetched and learned from
            on first use. Not looked at if ``catalogue`` is given.
        project
            File that keeps the ratings; None keeps them until :meth:`close`.
        geometry
            What the device is: a geometry, or text as :func:`~.geometries.parse_geometry` takes it. None is what a
            board says that it is, and ECP5_85F without a board.
        catalogue
            A catalogue, or its file.
        forget_outdated
            See the class.

        Raises
        ------
        RamrecError
            If one of them can not be had; the message says which, and what to do.
        """
        if not isinstance(geometry, Geometry):
            geometry = geometry_of(backend, geometry)
        require_backend(backend, geometry)
        if catalogue is None:
            from .fitted import fitted

            films = fitted(data, geometry)
        else:
            films = catalogue if isinstance(catalogue, Catalogue) else Catalogue.load(catalogue)
        films.require(geometry)
        with ExitStack() as stack:
            journal = Journal(project, data=films.name)
            stack.callback(journal.close)
            transport = open_transport(backend, geometry)
            stack.callback(transport.close)
            recommender = cls(transport, journal, films, geometry, forget_outdated=forget_outdated)
            stack.pop_all()
        return recommender

    def user(self, name: str) -> User:
        """A user, new or known. UsageError if the name is empty."""
        return User(self._session, name)

    def users(self) -> list[str]:
        """Names of the users who have ratings."""
        return self._journal.users()

    @property
    def resident(self) -> int:
        """Films that the device holds."""
        return self._session.shelf.resident

    def expected_digest(self, ratings: Sequence[Rating]) -> int:
        """State digest of the golden model's agent that is told just these ratings, oldest first."""
        return self._session.slots.expected_digest(ratings)

    def stats(self) -> Stats:
        """The device's counters; its clocks are those of the last request before this one."""
        return self._session.driver.stats()

    def _rated(self) -> set[int]:
        """Rows of the films that anybody has rated."""
        films = self._journal.films()
        return {row for row, film in enumerate(self.catalogue.film_ids) if film in films}

    def close(self) -> None:
        """Give device and project file back. Closing twice is harmless."""
        try:
            self._transport.close()
        finally:
            self._journal.close()

    def __enter__(self) -> "Recommender":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
