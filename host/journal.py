"""The journal of ratings: one SQLite file, the truth of which every device holds a copy."""

import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .errors import RamrecError, UsageError

__all__ = ["Journal", "JournalError", "Rating", "check_name"]

_FORMAT = 1
_APPLICATION_ID = 0x52414D52  # "RAMR"
_SCHEMA = """
    CREATE TABLE made_for (data TEXT NOT NULL) STRICT;
    CREATE TABLE ratings (
        number INTEGER NOT NULL PRIMARY KEY,
        user TEXT NOT NULL,
        film TEXT NOT NULL,
        stars REAL NOT NULL,
        time REAL NOT NULL
    ) STRICT;
    CREATE INDEX ratings_of ON ratings (user, film);
"""


class JournalError(RamrecError):
    """The project file can not be used."""


class Rating(NamedTuple):
    """One rating: the film's id in its data set, 0.5 to 5 stars, seconds since 1970."""

    film: str
    stars: float
    time: float


def check_name(user: str) -> None:
    """UsageError unless ``user`` can be the name of one: some text on one line."""
    if not user.strip():
        raise UsageError("a user needs a name")
    # Control characters would break the lines of a table; surrogates, bytes that are no UTF-8, can not be stored.
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in user):
        raise UsageError(f"a user's name is text on one line, not {user!a}")


class Journal:
    """Ratings of all users of a project, in the order in which they were given.

    What a method wrote is on disk when it returns, also if the machine loses power afterwards. A film that is
    rated again keeps its earlier ratings as history, but only the latest counts. A forgotten film leaves no
    byte in the file. One program at a time has the file open.

    Parameters
    ----------
    path
        The project file, made if it is not there; None keeps the ratings in memory only.
    data
        Name of the data set whose film ids the ratings use. A catalogue that is fitted again, or for another
        geometry, does not matter: ratings are stars, and are learned anew.

    Raises
    ------
    JournalError
        If the file is no project, is damaged, is in use by another program, can not be read or written, or
        is about another data set.
    """

    def __init__(self, path: Path | None, *, data: str) -> None:
        self._path = path
        with self._reporting():
            self._database = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=1.0,
                isolation_level=None,
                check_same_thread=False,
            )
        try:
            with self._reporting():
                self._prepare(data)
        except BaseException:
            self._database.close()
            raise

    def _prepare(self, data: str) -> None:
        execute = self._database.execute
        # Exclusive locking keeps others out from the first access on. Truncating the rollback journal and
        # overwriting deleted content leave no byte of a forgotten rating in either file.
        for pragma in (
            "locking_mode = EXCLUSIVE",
            "journal_mode = TRUNCATE",
            "synchronous = EXTRA",
            "secure_delete = ON",
        ):
            execute(f"PRAGMA {pragma}")
        execute("BEGIN EXCLUSIVE")
        application, version = (execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
        if application == 0 and not execute("SELECT 1 FROM sqlite_schema").fetchone():
            for statement in _SCHEMA.split(";"):
                execute(statement)
            execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            execute(f"PRAGMA user_version = {_FORMAT}")
            execute("INSERT INTO made_for VALUES (?)", (data,))
        elif application != _APPLICATION_ID:
            raise JournalError(f"{self._path} is a database, but no ramrec project; choose another file")
        elif version != _FORMAT:
            raise JournalError(f"{self._path} has project format {version}, not {_FORMAT}; use the version it is of")
        else:
            found = execute("SELECT data FROM made_for").fetchone()[0]
            if found != data:
                raise JournalError(
                    f"{self._path} holds ratings of films of {found}, not of {data}; choose another project file"
                )
        execute("COMMIT")

    def rate(self, user: str, film: str, stars: float) -> None:
        """Add a rating, the user's latest. UsageError if ``stars`` is not in 0.5..5 or ``user`` is no name."""
        check_name(user)
        if not 0.5 <= stars <= 5:
            raise UsageError(f"a rating is 0.5 to 5 stars, not {stars}")
        self._write(
            "INSERT INTO ratings (user, film, stars, time) VALUES (?, ?, ?, ?)",
            user,
            film,
            stars,
            time.time(),
        )

    def forget(self, user: str, film: str) -> bool:
        """Erase all that a user ever said about a film; False if that is nothing."""
        return self._write("DELETE FROM ratings WHERE user = ? AND film = ?", user, film) > 0

    def kept(self, user: str) -> list[Rating]:
        """The latest rating of each film that a user rated, in the order in which they were given."""
        # SQLite takes the other columns of a group from the row with its maximum.
        return self._ratings("max(number)", "GROUP BY film", user)

    def history(self, user: str) -> list[Rating]:
        """Every rating a user gave and did not forget, in order."""
        return self._ratings("number", "", user)

    def users(self) -> list[str]:
        """The users who have ratings, by name."""
        with self._reporting():
            return [name for (name,) in self._database.execute("SELECT DISTINCT user FROM ratings ORDER BY user")]

    def films(self) -> set[str]:
        """The films that anybody has rated."""
        with self._reporting():
            return {film for (film,) in self._database.execute("SELECT DISTINCT film FROM ratings")}

    def close(self) -> None:
        """Give the file back. Closing twice is harmless."""
        self._database.close()

    def _write(self, statement: str, *values: str | float) -> int:
        with self._reporting():
            return self._database.execute(statement, values).rowcount

    def _ratings(self, number: str, group: str, user: str) -> list[Rating]:
        query = f"SELECT film, stars, time, {number} FROM ratings WHERE user = ? {group} ORDER BY 4"
        with self._reporting():
            return [Rating(*row[:3]) for row in self._database.execute(query, (user,))]

    @contextmanager
    def _reporting(self) -> Iterator[None]:
        """Turn what SQLite raises into one line."""
        try:
            yield
        except sqlite3.Error as error:
            advice = _ADVICE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "check the file and its folder")
            raise JournalError(f"can not use the project {self._path}: {error}; {advice}") from error


_ADVICE = {
    sqlite3.SQLITE_BUSY: "another ramrec has it open, close that one first",
    sqlite3.SQLITE_NOTADB: "it is no ramrec project, choose another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged, restore it from a copy",
    sqlite3.SQLITE_CANTOPEN: "its folder must exist and be writable",
    sqlite3.SQLITE_READONLY: "it must be writable",
    sqlite3.SQLITE_FULL: "the disk is full",
}
