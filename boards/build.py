"""Bitstreams: from a board's name to a file, its report, and the seeds tried until timing is met."""

import os
import shutil
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import platformdirs

from .build_plan import Plan, digest
from .build_stages import Show, place_and_route
from .build_tools import Tools

__all__ = ["build", "cache_folder", "deliver"]


def cache_folder() -> Path:
    """Where builds are kept: ``$RAMREC_CACHE/builds``, or this platform's folder for caches."""
    return Path(os.environ.get("RAMREC_CACHE") or platformdirs.user_cache_dir("ramrec")) / "builds"


def build(
    plan: Plan, tools: Tools, *, seed: int = 1, seeds: int = 1, cache: Path | None = None, show: Show = nullcontext
) -> tuple[dict[str, Any], Path]:
    """Report and bitstream of a plan.

    Parameters
    ----------
    seed
        Of placement and routing.
    seeds
        Further seeds are tried until one meets timing, so many in all.
    cache
        Folder for what is built; :func:`cache_folder` by default. Finished stages are not run again.
    show
        Shows a person the stage that runs.

    Returns
    -------
    dict, Path
        As :func:`.build_report.make_report` says, and ``seconds`` per stage, ``tools`` with their versions
        and ``seed``: those of the first seed that meets timing, else of the fastest.

    Raises
    ------
    BuildError
        If the design does not fit its device, or a tool refuses it.
    """
    folder = (cache or cache_folder()) / digest(plan, tools.versions)
    built = []
    for number in range(seed, seed + seeds):
        built.append(place_and_route(plan, tools, folder, number, show))
        if built[-1][0]["timing_met"]:
            return built[-1]
    return max(built, key=lambda one: one[0]["fmax_mhz"])


def deliver(report: dict[str, Any], bitstream: Path, out: Path) -> Path:
    """Copy a bitstream into a folder that exists, whole or not at all; one that misses timing says so in its name."""
    mark = "" if report["timing_met"] else ".missed-timing"
    target = out / f"{report['board']}{mark}{bitstream.suffix}"
    with tempfile.TemporaryDirectory(dir=out, prefix="unfinished-") as folder:
        shutil.copyfile(bitstream, Path(folder) / target.name).replace(target)
    return target
