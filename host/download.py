"""Downloads over HTTP: checked, atomic, with a progress bar, and with short words for what goes wrong."""

import re
from pathlib import Path

import pooch

from .console import Bar
from .errors import RamrecError

__all__ = ["CONNECT_SECONDS", "READ_SECONDS", "download", "published_md5", "reason"]

CONNECT_SECONDS = 5
READ_SECONDS = 30


def download(url: str, path: Path, *, md5: str | None, bar: Bar | None = None) -> None:
    """Download ``url`` to ``path``, which appears only when all of it is there.

    Parameters
    ----------
    url
        Where the file is, ``http`` or ``https``.
    path
        Where it goes, in a folder that exists.
    md5
        Checksum in hexadecimal, None where there is none to check against.
    bar
        Told the size once it is known, then each chunk.

    Raises
    ------
    OSError
        No connection, or one that broke off; an HTTP status that is no success.
    ValueError
        The checksum is wrong.
    """
    pooch.get_logger().setLevel("WARNING")
    pooch.retrieve(
        url,
        known_hash=f"md5:{md5}" if md5 else None,
        fname=path.name,
        path=path.parent,
        downloader=pooch.HTTPDownloader(
            progressbar=_PoochBar(bar) if bar else False,
            chunk_size=1 << 16,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        ),
    )


def published_md5(url: str, note: Path) -> str | None:
    """Fetch, by way of the file ``note``, the checksum that lies next to an archive.

    Returns
    -------
    str or None
        In hexadecimal; None where the publisher has put none there.

    Raises
    ------
    OSError
        As for `download`.
    RamrecError
        The publisher's file holds something else.
    """
    try:
        download(f"{url}.md5", note, md5=None)
    except OSError as error:
        if _status(error) == 404:
            return None
        raise
    found = re.search(r"\b[0-9a-fA-F]{32}\b", note.read_text("utf-8", "replace"))
    if found is None:
        raise RamrecError(f"{url}.md5 holds no MD5 checksum")
    return found[0].lower()


def reason(error: Exception) -> str:
    """Say in a few words why a source failed; the libraries' own messages run over several lines."""
    if (status := _status(error)) is not None:
        return f"HTTP status {status}"
    match type(error).__name__:
        case "ConnectTimeout":
            return f"no answer within {CONNECT_SECONDS} s"
        case "ReadTimeout":
            return f"no data for {READ_SECONDS} s"
        case "ConnectionError" | "SSLError" | "ProxyError":
            return "no connection"
        case "ChunkedEncodingError":
            return "the connection broke off"
    text = " ".join(str(error).split())
    return f"checksum mismatch: {text}" if "known hash" in text else text


def _status(error: Exception) -> int | None:
    """HTTP status behind an error of the downloader."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


class _PoochBar:
    """A progress bar as pooch expects it, which counts its chunks whole."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._done = 0

    @property
    def total(self) -> int:
        raise AttributeError("write-only")

    @total.setter
    def total(self, total: int) -> None:
        self._bar.expect(total or None)

    def update(self, amount: int) -> None:
        self._done += amount
        self._bar.advance(amount)

    def reset(self) -> None:
        self.update(-self._done)

    def close(self) -> None:
        pass
