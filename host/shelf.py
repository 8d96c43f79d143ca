"""A catalogue as one device sees it: which films are resident, and which item number each of them has."""

from collections.abc import Callable, Collection, Sequence

import numpy as np

from ..hdl.geometry import Geometry
from ..hdl.protocol import digest
from .catalogue import Catalogue, words
from .driver import Film, Kept
from .errors import RamrecError
from .journal import Rating

__all__ = ["Shelf"]

_NO_ITEM = 0xFFFF
"""Item number that no film of a device has."""


class Shelf:
    """Item numbers of the films that are resident on a device.

    A film's item number is its row in the catalogue, unless the device holds fewer films than the catalogue
    has. Then the films that users have rated are resident, and the most popular others. A film that is rated
    later takes the place of another one, see :meth:`admit`. Films that are not resident can be scored and
    explained, but are not ranked.

    Parameters
    ----------
    catalogue
        The films.
    geometry
        The device.
    rated
        Gives the rows of all films that users have rated up to now.

    Attributes
    ----------
    resident : films that the device holds
    codes, priors : of the resident films, by item number

    Raises
    ------
    RamrecError
        If the catalogue was made for other agents, or the device holds neither all films nor those that one
        agent keeps.
    """

    def __init__(
        self, catalogue: Catalogue, geometry: Geometry, rated: Callable[[], Collection[int]] = frozenset
    ) -> None:
        catalogue.require(geometry)
        self._catalogue = catalogue
        self._prior_shift = geometry.prior_shift
        self._rated = rated
        self.resident = min(len(catalogue), geometry.catalogue_depth)
        if self.resident < min(len(catalogue), geometry.memory_depth):
            raise RamrecError(
                f"the device holds {self.resident} films, but its agents keep ratings of {geometry.memory_depth} out "
                f"of {len(catalogue)} films; choose a geometry with a catalogue_depth of at least "
                f"{geometry.memory_depth}"
            )
        self._rows = self._first_residents() if self.resident < len(catalogue) else list(range(len(catalogue)))
        self._items = {row: item for item, row in enumerate(self._rows)}
        self.codes = catalogue.codes[self._rows]
        self.priors = catalogue.priors[self._rows]

    def _first_residents(self) -> list[int]:
        """Rows of the films that are resident at first, the most popular ones first."""
        by_popularity: list[int] = np.argsort(-self._catalogue.popularity.astype(np.int64), kind="stable").tolist()
        rated = set(self._rated())
        chosen = set(sorted(by_popularity, key=lambda row: row not in rated)[: self.resident])
        return [row for row in by_popularity if row in chosen]

    def admit(self, rows: Sequence[int]) -> list[int]:
        """Make films resident, at most as many as an agent keeps; returns the item numbers of those that were not.

        Each takes the place of the least popular other film, of those that nobody has rated if there is one.
        What was kept of the film that goes is to be taken for a rating of the new one, as a device does.
        """
        missing = [row for row in rows if row not in self._items]
        if not missing:
            return []
        kept, rated, popularity = set(rows), set(self._rated()), self._catalogue.popularity
        others = (item for item, row in enumerate(self._rows) if row not in kept)
        places = sorted(others, key=lambda item: (self._rows[item] in rated, popularity[self._rows[item]], -item))
        admitted = list(zip(places, missing, strict=False))
        for item, row in admitted:
            del self._items[self._rows[item]]
            self._rows[item], self._items[row] = row, item
            self.codes[item], self.priors[item] = self._catalogue.codes[row], self._catalogue.priors[row]
        return [item for item, _ in admitted]

    def item(self, row: int) -> int | None:
        """Item number of the film in a row of the catalogue, if it is resident."""
        return self._items.get(row)

    def items(self, rows: Collection[int]) -> list[int]:
        """Item numbers of those films that are resident."""
        return [self._items[row] for row in rows if row in self._items]

    def row(self, item: int) -> int:
        """Row of a resident film in the catalogue."""
        return self._rows[item]

    def row_of(self, rating: Rating) -> int:
        """Row of the film that was rated; UsageError if the catalogue does not have it."""
        return self._catalogue.item(rating.film)

    def film(self, row: int) -> Film:
        """What is sent of a film that is not resident."""
        return Film(_NO_ITEM, self._catalogue.codes[row].tobytes(), int(self._catalogue.priors[row]))

    def prior(self, row: int) -> int:
        """A film's prior in score units."""
        return int(self._catalogue.priors[row]) << self._prior_shift

    def kept(self, rating: Rating) -> Kept:
        """What an agent keeps of a rating of a resident film."""
        row = self.row_of(rating)
        return Kept(self._items[row], self._catalogue.target(rating.stars) - self.prior(row))

    def digest(self) -> int:
        """What the device's DIGEST of its catalogue must be."""
        return digest(words(self.codes, self.priors))
