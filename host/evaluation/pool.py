"""Work on all cores: one thread in each process, and no process left behind."""

import multiprocessing
import os
import pickle
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from itertools import chain
from multiprocessing.process import BaseProcess
from typing import Any

from threadpoolctl import threadpool_limits

from ..errors import RamrecError

__all__ = ["Crew", "Task", "cores"]

Task = tuple[Any, ...]
"""Name of a method of the worker, and its arguments."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Crew:
    """Processes that do tasks. A context manager; with one job everything happens in this process.

    The processes start with the first work and last until the end, so that they import what they need once.
    Whatever ends the context early, an error of a task or Ctrl-C, ends them too.

    Parameters
    ----------
    jobs
        Most processes.
    """

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._others: set[BaseProcess] = set()

    def __enter__(self) -> "Crew":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            for process in set(multiprocessing.active_children()) - self._others:
                process.terminate()
            self._pool.shutdown(cancel_futures=True)  # its own thread waits for them
            self._pool = None

    def work(self, worker: object, stages: Sequence[Sequence[Task]], *, done: Callable[[Task], None]) -> None:
        """Do all tasks of one stage, then of the next, on copies of a worker.

        Parameters
        ----------
        worker
            Its methods are called, with the arguments of the tasks; picklable, and so are they. What a method returns
            is lost: it keeps its results somewhere.
        stages
            What to do; a stage's tasks are started in their order.
        done
            Called with each task that is done.
        """
        if self._jobs == 1:
            with threadpool_limits(1):
                for task in chain.from_iterable(stages):
                    getattr(worker, task[0])(*task[1:])
                    done(task)
            return
        packed = pickle.dumps(worker)
        for tasks in filter(None, stages):
            pool = self._started()
            try:
                for future in as_completed([pool.submit(_do, packed, task) for task in tasks]):
                    done(future.result())
            except BrokenProcessPool:
                raise RamrecError("a process of the evaluation was ended from outside; too little memory?") from None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._others = set(multiprocessing.active_children())
            self._pool = ProcessPoolExecutor(self._jobs, multiprocessing.get_context("spawn"), _start)
        return self._pool


_worker: tuple[bytes, object] = b"", None
"""The last worker of this process, and what it was unpacked from."""


def _start() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits for this one
    signal.signal(signal.SIGTERM, _leave)
    os.environ["OMP_NUM_THREADS"] = "1"
    threadpool_limits(1)


def _leave(*_: object) -> None:
    raise SystemExit(1)


def _do(packed: bytes, task: Task) -> Task:
    global _worker
    if packed != _worker[0]:
        _worker = packed, pickle.loads(packed)
        threadpool_limits(1)  # of libraries that have been imported by this
    getattr(_worker[1], task[0])(*task[1:])
    return task
