"""Times a function on this machine: median, least and most of many runs, on one core."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

__all__ = ["Timing", "one_core", "timed"]

_WARM_UP = 0.2
"""Part of the time that is spent before anything counts."""

_LEAST_RUNS = 5
_MOST_RUNS = 20_000


@dataclass(frozen=True)
class Timing:
    """Microseconds of one run: median, least and most of ``runs``."""

    us: float
    us_min: float
    us_max: float
    runs: int

    def as_json(self, name: str) -> dict[str, float | int]:
        """With ``name`` in the place of ``us``; times to a nanosecond."""
        times = {name: self.us, f"{name}_min": self.us_min, f"{name}_max": self.us_max}
        return {key: round(value, 3) for key, value in times.items()} | {"runs": self.runs}


def timed(function: Callable[[], object], *, seconds: float) -> Timing:
    """Call a function for about so many seconds; the first fifth warms up caches and compilers."""
    function()
    start = time.perf_counter()
    while time.perf_counter() - start < _WARM_UP * seconds:
        function()
    runs: list[int] = []
    end = time.perf_counter() + (1 - _WARM_UP) * seconds
    while len(runs) < _LEAST_RUNS or (time.perf_counter() < end and len(runs) < _MOST_RUNS):
        before = time.perf_counter_ns()
        function()
        runs.append(time.perf_counter_ns() - before)
    us = np.array(runs) / 1e3
    return Timing(float(np.median(us)), float(us.min()), float(us.max()), len(runs))


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core, and every numeric library in one thread, while the body runs."""
    with ExitStack() as stack:
        if hasattr(os, "sched_setaffinity"):  # Linux
            allowed = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {max(allowed)})
            stack.callback(os.sched_setaffinity, 0, allowed)
        from threadpoolctl import threadpool_limits

        stack.enter_context(threadpool_limits(1))
        yield
