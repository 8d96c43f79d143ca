"""Where this program keeps files that nobody named."""

import os
from pathlib import Path

import platformdirs

__all__ = ["cache_folder", "data_folder"]


def cache_folder(kind: str) -> Path:
    """For what can be made or fetched again: ``kind`` below ``$RAMREC_CACHE`` or the platform's cache folder."""
    return Path(os.environ.get("RAMREC_CACHE") or platformdirs.user_cache_dir("ramrec")) / kind


def data_folder() -> Path:
    """For what can not: ratings. This platform's folder for a program's data."""
    return Path(platformdirs.user_data_dir("ramrec"))
