"""The catalogue of a data set, fitted once and kept."""

import hashlib
import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from ..hdl.geometry import Geometry
from . import console
from .catalogue import Catalogue
from .dataset import Dataset, load
from .encoder import METHOD, fit
from .errors import RamrecError
from .folders import cache_folder

__all__ = ["fitted"]

_SEED = 1


def fitted(
    data: str | Path | Dataset,
    geometry: Geometry,
    *,
    population: Collection[str] | None = None,
    seed: int = _SEED,
) -> Catalogue:
    """The catalogue of all films of a data set, learned from its users.

    The first call for a data set, ``geometry.agent``, population and seed fits it, which takes seconds to
    minutes; later ones read a file.

    Parameters
    ----------
    data
        The data set, or its name or path as :func:`~.dataset.load` takes it.
    geometry
        The agents that it is for.
    population
        Users to learn from; None for all.
    seed
        As :func:`~.encoder.fit` takes it.

    Raises
    ------
    RamrecError
        If the data set can not be loaded, or the file not be written.
    """
    dataset = data if isinstance(data, Dataset) else load(data)
    users = None if population is None else sorted(population)
    path = cache_folder("catalogues") / f"{dataset.name}-{_key(dataset, geometry, users, seed)}.npz"
    # A missing, damaged or older file is no reason to stop: it is made again.
    with suppress(RamrecError):
        return Catalogue.load(path)
    with console.progress(f"learning from {dataset.name}", unit="steps") as bar:
        done = 0

        def advance(now: int, total: int) -> None:
            nonlocal done
            bar.expect(total)
            bar.advance(now - done)
            done = now

        catalogue = fit(dataset, geometry=geometry, population=users, seed=seed, progress=advance)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RamrecError(f"can not make the folder {path.parent}: {error.strerror}; set RAMREC_CACHE") from None
    catalogue.save(path)
    return catalogue


def _key(dataset: Dataset, geometry: Geometry, users: list[str] | None, seed: int) -> str:
    """Names all that decides what a catalogue holds."""
    parts = [METHOD, dataset.digest, geometry.agent, users, seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
