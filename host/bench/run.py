"""The whole bench: this design's clocks and its peers' microseconds, in one run on the same films, user and k."""

import os
import platform
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...hdl.geometry import Geometry
from ...hdl.protocol import build_id
from .. import console
from ..errors import UsageError
from . import simulated
from .placed import placed
from .sections import Row, curves, end_to_end, limit, own, ratio, switching
from .workload import FILMS, Workload, end_to_end_k, from_data, synthetic

__all__ = ["bench"]

_BAUDS = (1_000_000, 3_000_000)
_PEOPLE = 8
_LANES = (1, 4, 8, 16, 32)
_FILMS = (1000, 2000, 5000, 10_000, 20_000, 50_000)
_ENTRIES = (5, 10, 20, 50, 100, 200, 500, 1000)
_MEMORY_FILMS = 2048
"""Films for the curve against the memory: its memory view alone takes half a million clocks for these."""

_REPORTED = (
    "board",
    "build_id",
    "seed",
    "fmax_mhz",
    "clock_mhz",
    "timing_met",
    "lut",
    "bram",
    "critical_path",
    "tools",
)
"""What is told of a kept report."""

_SECONDS, _QUICK_SECONDS = 2.0, 0.4
"""For each peer."""


def bench(
    preset: str,
    geometry: Geometry,
    *,
    data: str | Path | None = None,
    films: int = FILMS,
    k: int | None = None,
    quick: bool = False,
    seed: int = 1,
) -> dict[str, Any]:
    """Measure everything.

    Parameters
    ----------
    preset
        What the geometry is called.
    geometry
        The device. Its rule must be ``sweep``.
    data
        Data set whose films are ranked, and whose users ask; None for ``films`` random films.
    films
        At most as many as the device holds.
    k
        Length of a ranking; ``geometry.top_k`` if None.
    quick
        Leave out the curves for which every point takes a device of its own, and time peers more briefly.
    seed
        Of random films.

    Returns
    -------
    dict
        In values for JSON. ``preset, lanes, clock_mhz, clock_source, cycles_rank, us_rank, cycles_learn, us_learn,
        users_resident, bram_bandwidth_fraction``; ``peers`` with ``name, us_rank, ratio`` each; ``learning``,
        ``switching``, ``link``, ``curves``, ``limit``, ``machine`` and ``placed``. Microseconds of this design are
        simulated clocks over the clock of place and route; they are None without a placed design. A ratio above 1
        says that this design is faster.

    Raises
    ------
    RamrecError
        If the gateware can not be compiled, or data can not be had.
    ImportError
        If a peer is not installed.
    """
    if geometry.rule != "sweep":
        raise UsageError(f"the bench is for the rule sweep, not {geometry.rule}")
    k = geometry.top_k if k is None else k
    if data is None:
        workload = synthetic(geometry, films=films, people=_PEOPLE, ratings=geometry.memory_depth, seed=seed)
    else:
        workload = from_data(data, geometry, people=_PEOPLE)
    steps = _steps(geometry, workload, k, quick)
    found: dict[str, Any] = {}
    with console.progress(f"measuring {preset}", len(steps), unit="measurements") as bar:
        for step, measure in steps.items():
            found[step] = measure()
            bar.advance()
    where = placed(geometry)
    mine = own(geometry, where, found["commands"])
    lanes = [[int(step.removeprefix("lanes ")), clocks] for step, clocks in found.items() if step.startswith("lanes ")]
    points = found | ({"lanes": lanes} if lanes else {})
    end_k = end_to_end_k(geometry)
    return {
        "preset": preset,
        **mine,
        "films": len(workload.codes),
        "data": workload.name,
        "kept": geometry.memory_depth,
        "k": k,
        "quick": quick,
        "peers": [row | {"ratio": ratio(row["us_rank"], mine["us_rank"])} for row in found["peers"]],
        "learning": [row | {"ratio": ratio(row["us_learn"], mine["us_learn"])} for row in found["learning"]],
        "switching": switching(where, found["commands"]),
        "link": [end_to_end(where, found["commands"], baud, end_k) for baud in _BAUDS],
        "curves": curves(geometry, where, points, _BAUDS[0]),
        "limit": limit(geometry, where, mine["cycles_rank"], len(workload.codes)),
        "machine": _machine(),
        "build_id": f"{build_id():08x}",
        "placed": {} if where.report is None else {key: where.report[key] for key in _REPORTED if key in where.report},
    }


def _steps(geometry: Geometry, workload: Workload, k: int, quick: bool) -> dict[str, Callable[[], Any]]:
    """What is measured, each by a function."""
    from .contest import learn_contest, rank_contest

    seconds = _QUICK_SECONDS if quick else _SECONDS
    films = len(workload.codes)
    counts = _up_to(_FILMS, geometry.catalogue_depth)
    turns = sorted({*_powers(geometry.users), geometry.users})
    turns = [1, 2, geometry.users] if quick else turns
    steps: dict[str, Callable[[], Any]] = {
        "commands": partial(simulated.commands, geometry, workload, k),
        "films": partial(simulated.films_curve, geometry, counts, k),
        "users": partial(simulated.users_curve, geometry, [*turns, geometry.users + 1], films, k),
    }
    if not quick:
        for lanes in sorted({*_LANES, geometry.lanes}):
            steps[f"lanes {lanes}"] = partial(simulated.lanes_curve, geometry, lanes, films, k)
        for view in ("table", "memory"):
            steps[view] = partial(simulated.memory_curve, geometry, view, _ENTRIES, _MEMORY_FILMS, k)
        steps["peers_films"] = partial(_peers_films, geometry, counts, k)
    question = partial(rank_contest, geometry, workload, k, seconds)
    return steps | {"peers": question, "learning": partial(learn_contest, geometry, workload, seconds)}


def _peers_films(geometry: Geometry, counts: Sequence[int], k: int) -> list[list[Any]]:
    """Microseconds of the exact peers, by name, for so many films."""
    from .contest import rank_contest

    points: list[list[Any]] = []
    for count in counts:
        workload = synthetic(geometry, films=count, people=1, ratings=geometry.memory_depth, seed=1)
        rows = rank_contest(geometry, workload, k, _QUICK_SECONDS)
        points.append([count, {row["name"]: row["us_rank"] for row in rows if row["exact"]}])
    return points


def _up_to(counts: Sequence[int], most: int) -> list[int]:
    """Those counts that are below ``most``, and itself."""
    return [*(count for count in counts if count < most), most]


def _powers(most: int) -> list[int]:
    return [1 << power for power in range(most.bit_length())]


def _machine() -> Row:
    """What the peers ran on."""
    libraries = ("numpy", "numba", "faiss-cpu", "scikit-learn")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "threads_used": 1,
        "python": platform.python_version(),
        **{name: version(name) for name in libraries},
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
