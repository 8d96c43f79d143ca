"""A catalogue as one file: a line with format version and hash, then an NPZ archive of plain arrays and JSON.

The hash covers the archive's bytes and is compared before anything is parsed: a damaged file never reaches
the parser.
"""

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import RamrecError, UsageError

__all__ = ["VERSION", "digest", "read", "write"]

VERSION = 2
"""Format version; other versions are refused."""

Arrays = dict[str, npt.NDArray[Any]]

_MAGIC = b"ramrec catalogue"


def digest(meta: dict[str, Any], arrays: Arrays) -> str:
    """SHA-256 of the content, in hex."""
    sha = hashlib.sha256(_json(meta))
    for name, array in sorted(arrays.items()):
        little = array.astype(array.dtype.newbyteorder("<"))
        sha.update(f"\n{name} {little.dtype.str} {little.shape}\n".encode() + little.tobytes())
    return sha.hexdigest()


def write(path: Path, meta: dict[str, Any], arrays: Arrays) -> None:
    """Write atomically: a reader sees the old file or the new one. RamrecError if that fails."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, json=np.frombuffer(_json(meta), np.uint8), **arrays)
    archive = buffer.getvalue()
    if not path.name:
        raise UsageError("a catalogue needs a file name")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("wb") as file:
                file.write(_head(archive) + archive)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise RamrecError(f"can not write {path}: {error.strerror}") from None


def read(path: Path) -> tuple[dict[str, Any], Arrays]:
    """Inverse of :func:`write`.

    Raises
    ------
    UsageError
        There is no such file.
    RamrecError
        The file is damaged, no catalogue, or of another format version.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(f"there is no catalogue {path}; encode a data set first") from None
    except OSError as error:
        raise RamrecError(f"can not read {path}: {error.strerror}") from None
    head, _, archive = content.partition(b"\n")
    magic, _, version = head.rpartition(b" ")[0].rpartition(b" ")
    if magic != _MAGIC:
        raise RamrecError(f"{path} is damaged or not a catalogue; encode the data again")
    if version != str(VERSION).encode():
        found = version.decode("ascii", "replace")
        raise RamrecError(f"{path} has catalogue format {found}, not {VERSION}; encode the data again")
    if head + b"\n" != _head(archive):
        raise RamrecError(f"{path} is damaged: its content does not match its hash; encode the data again")
    try:
        with np.load(io.BytesIO(archive), allow_pickle=False) as loaded:
            arrays = {name: loaded[name] for name in loaded.files}
        meta: dict[str, Any] = json.loads(arrays.pop("json").tobytes())
    except (zipfile.BadZipFile, OSError, EOFError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise RamrecError(f"{path} is not a valid catalogue ({error}); encode the data again") from None
    return meta, arrays


def _head(archive: bytes) -> bytes:
    return b"%s %d %s\n" % (_MAGIC, VERSION, hashlib.sha256(archive).hexdigest().encode())


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
