"""Bitstreams: from a board's name to a file, its report, and the seeds tried until timing is met."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import platformdirs

from .build_page import page
from .build_plan import Plan, digest
from .build_stages import Built, Show, place_and_route, synthesise
from .build_tools import Tools, end_tools

__all__ = ["build", "cache_folder", "deliver"]


def cache_folder() -> Path:
    """Where builds are kept: ``$RAMREC_CACHE/builds``, or this platform's folder for caches."""
    return Path(os.environ.get("RAMREC_CACHE") or platformdirs.user_cache_dir("ramrec")) / "builds"


def build(
    plan: Plan,
    tools: Tools,
    *,
    seed: int = 1,
    seeds: int = 1,
    jobs: int = 1,
    cache: Path | None = None,
    show: Show = nullcontext,
) -> Built:
    """A plan built.

    Parameters
    ----------
    seed
        Of placement and routing.
    seeds
        Further seeds are tried until one meets timing, so many in all.
    jobs
        Seeds tried at the same time. What comes out does not depend on which of them is faster.
    cache
        Folder for what is built; :func:`cache_folder` by default. Finished stages are not run again.
    show
        Shows a person the stage that runs.

    Returns
    -------
    Built
        Its report is as :func:`.build_report.make_report` says, and has ``components``, the resources that each
        uses, ``seconds`` per stage, ``tools`` with their versions and ``seed``: those of the first seed that meets
        timing among those tried together, else of the fastest.

    Raises
    ------
    BuildError
        If the design does not fit its device, or a tool refuses it.
    """
    folder = (cache or cache_folder()) / digest(plan, tools.versions)
    synthesise(plan, tools, folder, show)
    built: list[Built] = []
    numbers = range(seed, seed + seeds)
    for first in range(0, seeds, jobs):
        together = numbers[first : first + jobs]
        name = "{} of seed {}" if len(together) > 1 else "{}"
        built += _together(
            [partial(place_and_route, plan, tools, folder, number, _renamed(show, name, number)) for number in together]
        )
        for one in built[first:]:
            if one.report["timing_met"]:
                return one
    return max(built, key=lambda one: one.report["fmax_mhz"])


def _renamed(show: Show, name: str, seed: int) -> Show:
    def shown(stage: str) -> AbstractContextManager[object]:
        return show(name.format(stage, seed))

    return shown


def _together(tasks: Sequence[Callable[[], Built]]) -> list[Built]:
    """What the tasks return, in order; the first that fails, or Ctrl-C, ends the tools of the others."""
    if len(tasks) == 1:
        return [tasks[0]()]
    with ThreadPoolExecutor(len(tasks)) as pool:
        running = [pool.submit(task) for task in tasks]
        try:
            return [one.result() for one in running]
        except BaseException:
            end_tools()
            raise


def deliver(built: Built, out: Path) -> dict[str, Any]:
    """Copy a bitstream into a folder that exists, with its report in JSON and as a page; each whole or not at all.

    One that misses timing says so in its name.

    Returns
    -------
    dict
        The report, with the paths ``bitstream`` and ``page``.
    """
    mark = "" if built.report["timing_met"] else ".missed-timing"
    target = out / f"{built.report['board']}{mark}{built.bitstream.suffix}"
    report = built.report | {"bitstream": str(target), "page": str(target.with_suffix(".html"))}
    with tempfile.TemporaryDirectory(dir=out, prefix="unfinished-") as folder:
        work = Path(folder)
        shutil.copyfile(built.bitstream, work / target.name)
        (work / "page").write_text(page(built))
        (work / "report").write_text(json.dumps(report, indent=1) + "\n")
        (work / "page").replace(target.with_suffix(".html"))
        (work / "report").replace(target.with_suffix(".json"))
        (work / target.name).replace(target)
    return report
