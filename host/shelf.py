"""A catalogue as one device sees it: which film has which item number, and which films are resident."""

import numpy as np

from ..hdl.geometry import Geometry
from ..hdl.protocol import digest
from .catalogue import Catalogue, words
from .driver import Film, Kept
from .journal import Rating

__all__ = ["Shelf"]


class Shelf:
    """Item numbers of a catalogue's films on a device.

    A film's item number is its row in the catalogue, unless the device holds fewer films than the catalogue
    has: then films are numbered by popularity, so that the most popular ones are resident. The others can be
    rated, scored and explained, but are not ranked.

    Parameters
    ----------
    catalogue
        The films.
    geometry
        The device. RamrecError if the catalogue was made for other agents.
    """

    def __init__(self, catalogue: Catalogue, geometry: Geometry) -> None:
        catalogue.require(geometry)
        self._catalogue = catalogue
        self._prior_shift = geometry.prior_shift
        self.resident = min(len(catalogue), geometry.catalogue_depth)
        if self.resident < len(catalogue):
            rows = np.argsort(-catalogue.popularity.astype(np.int64), kind="stable")
        else:
            rows = np.arange(len(catalogue))
        self._rows: list[int] = rows.tolist()
        self._items = {row: item for item, row in enumerate(self._rows)}
        self.codes = catalogue.codes[rows[: self.resident]]
        self.priors = catalogue.priors[rows[: self.resident]]

    def item(self, row: int) -> int:
        """Item number of the film in a row of the catalogue."""
        return self._items[row]

    def row(self, item: int) -> int:
        """Inverse of :meth:`item`."""
        return self._rows[item]

    def film(self, item: int) -> Film:
        """What is sent of a film that is not resident."""
        row = self._rows[item]
        return Film(item, self._catalogue.codes[row].tobytes(), int(self._catalogue.priors[row]))

    def prior(self, item: int) -> int:
        """A film's prior in score units."""
        return int(self._catalogue.priors[self._rows[item]]) << self._prior_shift

    def kept(self, rating: Rating) -> Kept:
        """What an agent keeps of a rating."""
        film = self.film(self.item(self._catalogue.item(rating.film)))
        return Kept(film.item, self._catalogue.target(rating.stars) - self.prior(film.item), film.code)

    def digest(self) -> int:
        """What the device's DIGEST of its catalogue must be."""
        return digest(words(self.codes, self.priors))
