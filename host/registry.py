"""The data sets that can be asked for by name."""

from dataclasses import dataclass

__all__ = ["Entry", "Wheel", "known", "licence_of"]

_GROUPLENS = "https://files.grouplens.org/datasets/movielens"

_TERMS = "GroupLens terms: research use only, no commercial use without permission, cite Harper and Konstan 2015"
_NO_REDISTRIBUTION = f"{_TERMS}; no redistribution without permission"
_REDISTRIBUTION = f"{_TERMS}; redistribution under the same terms"


@dataclass(frozen=True)
class Wheel:
    """A data set inside a Python wheel.

    Members
    -------
    requirement
        Exactly one version, ``"name==1.2.3"``.
    sha256
        Of the wheel, in hexadecimal.
    folder
        Where the files lie in the wheel, without a slash at the end.
    """

    requirement: str
    sha256: str
    folder: str


@dataclass(frozen=True)
class Entry:
    """One data set that can be fetched by its name.

    Members
    -------
    name
        ``"ml-100k"``.
    url
        Zip archive of the publisher.
    md5
        Of the archive, in hexadecimal; None for a set that its publisher updates in place.
    megabytes
        Size of the archive, roughly.
    ratings
        Number of ratings, roughly for a set that is updated.
    licence
        What its users may do, in one line.
    wheel
        A second source, tried first because it is smaller and reachable wherever pip is.
    """

    name: str
    url: str
    md5: str | None
    megabytes: float
    ratings: int
    licence: str
    wheel: Wheel | None = None


def _grouplens(
    name: str,
    md5: str | None,
    megabytes: float,
    ratings: int,
    licence: str = _NO_REDISTRIBUTION,
    wheel: Wheel | None = None,
) -> Entry:
    return Entry(name, f"{_GROUPLENS}/{name}.zip", md5, megabytes, ratings, licence, wheel)


_RECBOLE = Wheel(
    "recbole==1.2.1",
    "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    "recbole/dataset_example/ml-100k",
)

_ENTRIES = (
    _grouplens("ml-100k", "0e33842e24a9c977be4e0107933c0723", 4.9, 100_000, wheel=_RECBOLE),
    _grouplens("ml-latest-small", None, 1.0, 100_836, _REDISTRIBUTION),
    _grouplens("ml-latest", None, 335, 33_832_162, _REDISTRIBUTION),
    _grouplens("ml-1m", "c4d9eecfca2ab87c1945afe126590906", 5.9, 1_000_209),
    _grouplens("ml-10m", "ce571fd55effeba0271552578f2648bd", 65.6, 10_000_054),
    _grouplens("ml-20m", "cd245b17a1ae2cc31bb14903e1204af3", 198.7, 20_000_263),
    _grouplens("ml-25m", "6b51fb2759a8657d3bfcbfc42b592ada", 262.0, 25_000_095),
    _grouplens("ml-32m", "d472be332d4daa821edc399621853b57", 239.0, 32_000_204, _REDISTRIBUTION),
)


def known() -> list[Entry]:
    """List the data sets that `fetch` can get, the small ones first."""
    return list(_ENTRIES)


def licence_of(name: str) -> str:
    """Say what the users of a set may do; for an unregistered name, where to look."""
    licences = {entry.name: entry.licence for entry in _ENTRIES}
    return licences.get(name, "see the README of the data set")
