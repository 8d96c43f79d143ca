"""Which files of a path are a MovieLens data set: found by their first lines, not by their names."""

import re
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import UsageError

__all__ = ["Family", "Files", "Role", "classify", "opened", "unpack"]

Family = Literal["csv", "dat", "tab", "recbole"]
"""CSV with a header, ``::`` between the fields, ``u.data`` and ``u.item``, RecBole atomic files."""

Role = Literal["ratings", "films", "tags", "links"]

_HEAD = 4096
"""Bytes of a file that decide what it is."""

_EXPECTED = "ratings.csv + movies.csv, ratings.dat + movies.dat, u.data + u.item, or RecBole .inter + .item"

_USUAL_NAMES = {
    "ratings.csv",
    "movies.csv",
    "tags.csv",
    "links.csv",
    "ratings.dat",
    "movies.dat",
    "tags.dat",
    "u.data",
} | {"u.item"}


@dataclass(frozen=True)
class Files:
    """The files of one data set.

    Members
    -------
    family
        How the files are written.
    ratings, films
        The two files every data set has.
    tags
        Free-text tags of users, None where the set has none.
    links
        Which film it is on IMDb and TMDB, None where the set does not say.
    """

    family: Family
    ratings: Path
    films: Path
    tags: Path | None
    links: Path | None


def classify(head: bytes) -> tuple[Family, Role] | None:
    """Tell what a file is from its first bytes; None for anything that is not part of a data set."""
    text = head.decode("utf-8-sig", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    if len(head) >= _HEAD and len(lines) > 1:
        del lines[-1]
    if not lines:
        return None
    first = lines[0]
    if re.fullmatch(r"\w+:(token|float)(_seq)?(\t\w+:(token|float)(_seq)?)*", first):
        return _recbole({field.partition(":")[0] for field in first.split("\t")})
    if "::" in first:
        return _double_colon(lines)
    if first.count("|") == 23:
        return "tab", "films"
    if first.count("\t") == 3 and _numeric_share(line.split("\t") for line in lines) >= 0.5:
        return "tab", "ratings"
    return _csv({field.strip().strip('"') for field in first.split(",")})


def _recbole(columns: set[str]) -> tuple[Family, Role] | None:
    if {"user_id", "item_id"} <= columns or {"user_id", "rating"} <= columns:
        return "recbole", "ratings"
    if "movie_title" in columns or ("item_id" in columns and "entity_id" not in columns):
        return "recbole", "films"
    return None


def _double_colon(lines: list[str]) -> tuple[Family, Role] | None:
    rows = [line.split("::") for line in lines]
    width = len(rows[0])
    if width == 4:
        return "dat", "ratings" if _numeric_share(rows) >= 0.5 else "tags"
    return ("dat", "films") if width == 3 else None


def _csv(columns: set[str]) -> tuple[Family, Role] | None:
    if "tag" in columns:
        return ("csv", "tags") if {"userId", "movieId"} & columns else None
    if "movieId" in columns and {"imdbId", "tmdbId"} & columns:
        return "csv", "links"
    if len({"userId", "movieId", "rating", "timestamp"} & columns) >= 2:
        return "csv", "ratings"
    return ("csv", "films") if {"title", "genres"} & columns else None


def _numeric_share(rows: Iterable[list[str]]) -> float:
    """Share of rows whose third field, the rating, is a number."""
    marks = [len(row) > 2 and re.fullmatch(r"\s*[-+]?[\d.]+\s*", row[2]) is not None for row in rows]
    return sum(marks) / len(marks)


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """Find the data set at ``path``; a zip archive is unpacked for as long as the body runs.

    Parameters
    ----------
    path
        A folder, a folder that holds that folder, one of the set's files, or a zip archive of it.

    Raises
    ------
    UsageError
        ``path`` does not exist, holds no complete data set, or holds several.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder; expected a MovieLens folder, file or zip archive")
    if path.is_file() and zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory(prefix="ramrec-", ignore_cleanup_errors=True) as folder:
            try:
                unpack(path, Path(folder))
            except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
                raise UsageError(f"{path}: damaged zip archive ({error}); download it again") from None
            yield _locate(path, Path(folder), None)
    elif path.is_file():
        yield _locate(path, path.parent, path)
    else:
        yield _locate(path, path, None)


def unpack(archive: Path, folder: Path) -> None:
    """Extract from a zip archive what belongs to a data set, and its README.

    Raises
    ------
    zipfile.BadZipFile
        A member is damaged.
    """
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(archive) as opened_archive:
        for member in opened_archive.infolist():
            if member.is_dir():
                continue
            with opened_archive.open(member) as file:
                wanted = classify(file.read(_HEAD)) is not None
            if wanted or Path(member.filename).name.upper().startswith("README"):
                opened_archive.extract(member, folder)


def _locate(asked: Path, folder: Path, given: Path | None) -> Files:
    """Find the one data set in ``folder`` or, if none is there, in one of its subfolders."""
    subfolders = [] if given else sorted(entry for entry in folder.iterdir() if entry.is_dir())
    kinds: dict[Path, tuple[Family, Role]] = {}
    for place in [folder, *subfolders]:
        kinds = _kinds(place)
        families = sorted({family for family, role in kinds.values() if role == "ratings"})
        complete = [family for family in families if (family, "films") in kinds.values()]
        if given:
            complete = [family for family in complete if given in kinds and kinds[given][0] == family]
        if len(complete) > 1:
            raise UsageError(
                f"{asked}: holds several data sets ({', '.join(complete)}); pass one of their files instead"
            )
        if complete:
            family = complete[0]
            roles: tuple[Role, ...] = ("ratings", "films", "tags", "links")
            there = {role: _pick(kinds, family, role, given) for role in roles if (family, role) in kinds.values()}
            return Files(family, there["ratings"], there["films"], there.get("tags"), there.get("links"))
    raise UsageError(f"{asked}: expected {_EXPECTED}, found {_found(folder, given)}; {_advice(folder, given)}")


def _kinds(folder: Path) -> dict[Path, tuple[Family, Role]]:
    kinds = {}
    for path in sorted(entry for entry in folder.iterdir() if entry.is_file()):
        with path.open("rb") as file:
            kind = classify(file.read(_HEAD))
        if kind is not None:
            kinds[path] = kind
    return kinds


def _pick(kinds: Mapping[Path, tuple[Family, Role]], family: Family, role: Role, given: Path | None) -> Path:
    """Choose the file for ``role``: the one given, else one of its stem, else one of the usual name."""
    stem = given.stem if given else None
    ranked = sorted(
        ((path != given, path.stem != stem, path.name not in _USUAL_NAMES), path)
        for path, kind in kinds.items()
        if kind == (family, role)
    )
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        names = ", ".join(path.name for _, path in ranked[:5])
        raise UsageError(f"several files of {role} in one folder ({names}); pass one of them instead")
    return ranked[0][1]


def _found(folder: Path, given: Path | None) -> str:
    """Say in a few words what is there instead of a data set."""
    paths = [given] if given else sorted(folder.iterdir())
    words = []
    for path in paths[:6]:
        if path.is_dir():
            words.append(f"{path.name}/")
            continue
        with path.open("rb") as file:
            head = file.read(_HEAD)
        kind = classify(head)
        words.append(path.name + (" (empty)" if not head else f" ({kind[1]})" if kind else ""))
    if len(paths) > 6:
        words.append(f"{len(paths) - 6} more")
    return ", ".join(words) or "nothing"


def _advice(folder: Path, given: Path | None) -> str:
    if given and classify(given.read_bytes()[:_HEAD]) is not None:
        return f"put the missing file into {folder}"
    return "pass the unzipped folder of a MovieLens download"
