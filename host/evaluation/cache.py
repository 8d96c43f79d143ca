"""What has been computed, kept by all that decides it: an interrupted evaluation goes on where it stopped."""

import hashlib
import io
import json
import os
import pickle
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ..errors import RamrecError
from ..folders import cache_folder

__all__ = ["Shelf", "key_of"]

Arrays = dict[str, npt.NDArray[Any]]

_DAY = 86_400


def key_of(*parts: object) -> str:
    """Name of what these values for JSON decide."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:20]


class Shelf:
    """Files of one data set. A file is there whole or not at all; a damaged one counts as missing.

    Parameters
    ----------
    name
        Of the data set.
    """

    def __init__(self, name: str) -> None:
        self._folder = cache_folder("evaluations") / name

    def arrays(self, key: str) -> Arrays | None:
        """Arrays by name, None if there are none."""
        with suppress(OSError, ValueError, EOFError, KeyError, BadZipFile):
            with np.load(io.BytesIO((self._folder / f"{key}.npz").read_bytes()), allow_pickle=False) as kept:
                return {name: kept[name] for name in kept.files}
        return None

    def keep_arrays(self, key: str, arrays: Mapping[str, Any]) -> None:
        """Keep arrays."""
        data = io.BytesIO()
        np.savez_compressed(data, **arrays)
        self._write(f"{key}.npz", data.getvalue())

    def values(self, key: str) -> dict[str, Any] | None:
        """An object of values for JSON, None if there is none."""
        with suppress(OSError, ValueError):
            value = json.loads((self._folder / f"{key}.json").read_text())
            return value if isinstance(value, dict) else None
        return None

    def keep_values(self, key: str, value: dict[str, Any]) -> None:
        """Keep an object of values for JSON."""
        self._write(f"{key}.json", json.dumps(value, allow_nan=False).encode())

    def learned(self, key: str) -> Any:
        """What :meth:`keep_learned` got, None if there is nothing."""
        # Whatever a damaged pickle raises, it can be made again.
        with suppress(Exception):
            return pickle.loads((self._folder / f"{key}.pickle").read_bytes())
        return None

    def keep_learned(self, key: str, learned: object) -> None:
        """Keep an object of this program."""
        self._write(f"{key}.pickle", pickle.dumps(learned))

    def drop_learned(self) -> None:
        """Forget the objects that nobody has used for a day."""
        for path in self._folder.glob("*.pickle"):
            with suppress(OSError):
                if time.time() - path.stat().st_atime > _DAY:
                    path.unlink()

    def _write(self, name: str, data: bytes) -> None:
        part = self._folder / f"{name}.{os.getpid()}.part"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(data)
                part.replace(self._folder / name)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise RamrecError(
                f"can not write {self._folder / name}: {error.strerror or error}; set RAMREC_CACHE"
            ) from None
