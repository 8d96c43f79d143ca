"""Finished folds, kept by what decides them: an evaluation that was interrupted goes on where it stopped."""

import hashlib
import json
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..dataset import Dataset
from ..errors import RamrecError
from ..folders import cache_folder
from .fold import Plan

__all__ = ["load_fold", "path_of", "save_fold"]

_DECIDE = ("host/*.py", "sim/golden.py", "hdl/geometry.py")
"""Source files that an outcome may depend on. A change to any of them makes every kept outcome invalid."""


def path_of(dataset: Dataset, held: Sequence[str], others: Sequence[str], plan: Plan) -> Path:
    """File of a fold's outcome, named by the data, the users, the plan and this program's source."""
    parts = [dataset.digest, held, others, plan.geometry.agent, plan.order, plan.seed, plan.inner, _source()]
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder("evaluations") / f"{dataset.name}-{key}.json"


def load_fold(path: Path) -> dict[str, Any] | None:
    """A kept outcome; None if there is none, or it can not be read."""
    with suppress(OSError, ValueError):
        outcome = json.loads(path.read_text())
        return outcome if isinstance(outcome, dict) else None
    return None


def save_fold(path: Path, outcome: dict[str, Any]) -> None:
    """Keep an outcome, whole or not at all; RamrecError if it can not be written."""
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(outcome, allow_nan=False))
        part.replace(path)
    except OSError as error:
        raise RamrecError(f"can not write {path}: {error.strerror or error}; set RAMREC_CACHE") from None


def _source() -> str:
    host = Path(__file__).parent
    digest = hashlib.sha256()
    for pattern in _DECIDE:
        for path in sorted(host.parent.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()
