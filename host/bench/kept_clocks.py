"""Clocks that were simulated before: the same gateware and the same commands take the same clocks."""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple
from typing import Any

from ...hdl.geometry import Geometry
from ...hdl.protocol import build_id
from ..errors import RamrecError
from ..folders import cache_folder

__all__ = ["remembered"]

_METHOD = 2
"""Changes with what is measured, so that older files are not taken for it."""


def remembered(what: str, geometry: Geometry, parts: object, simulate: Callable[[], Any]) -> Any:
    """What ``simulate`` returned when it was last called for these; otherwise call it now.

    Parameters
    ----------
    what, geometry
        Which measurement, and the device's geometry.
    parts
        What else decides the result, in values for JSON.
    simulate
        Returns values for JSON.

    Raises
    ------
    RamrecError
        If the result can not be kept.
    """
    key = json.dumps([_METHOD, build_id(), what, astuple(geometry), parts])
    path = cache_folder("bench") / f"{what}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    with suppress(OSError, ValueError):  # missing or damaged: simulated again
        return json.loads(path.read_text())
    result = simulate()
    temporary = path.with_suffix(".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(result))
        temporary.replace(path)
    except OSError as error:
        raise RamrecError(f"can not write {path}: {error.strerror or error}; set RAMREC_CACHE") from None
    return result
