"""Where the command line writes: results to stdout, everything said along the way to stderr."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from threading import Lock
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from .errors import RamrecError

__all__ = ["Bar", "emit_json", "out", "progress", "reporting_errors", "say", "say_error", "when_told"]

out = Console()
"""Tables and text that are the result of a command (stdout)."""

_err = Console(stderr=True)


def emit_json(obj: Any) -> None:
    """Print one JSON value on one line of stdout.

    Non-ASCII text is escaped, so that no terminal encoding can refuse it.

    Raises
    ------
    ValueError
        NaN or an infinity in ``obj``: JSON has no such number.
    TypeError
        Something that JSON cannot hold.
    """
    sys.stdout.write(json.dumps(obj, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Write one line for a person to stderr, as it is: no markup, no wrapping."""
    _err.print(text, markup=False, highlight=False, soft_wrap=True)


def say_error(error: RamrecError, *, as_json: bool = False) -> None:
    """Write ``error`` as one line: ``error: ...`` on stderr, or ``{"error": ...}`` on stdout."""
    line = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())
    if as_json:
        emit_json({"error": line})
    else:
        _err.print(Text.assemble(("error: ", "bold red"), line), soft_wrap=True, highlight=False)


@contextmanager
def reporting_errors(*, as_json: bool = False) -> Iterator[None]:
    """Run the body of a command; a `RamrecError` becomes one line and the error's exit code.

    Raises
    ------
    SystemExit
        With ``exit_code`` of the error that the body raised.
    """
    try:
        yield
    except RamrecError as error:
        with suppress(OSError):  # the place where errors are written may be what failed
            say_error(error, as_json=as_json)
        raise SystemExit(error.exit_code) from None


class _Amount(ProgressColumn):
    """Done, total and rate: ``1,200/9,742 films  310/s``, or in megabytes for the unit ``B``."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        scale, digits, unit = (1e6, 1, "MB") if self._unit == "B" else (1.0, 0, self._unit)
        done = f"{task.completed / scale:,.{digits}f}"
        total = "" if task.total is None else f"/{task.total / scale:,.{digits}f}"
        speed = task.finished_speed or task.speed
        rate = "" if speed is None else f"  {speed / scale:,.{digits}f}{' MB' if self._unit == 'B' else ''}/s"
        return Text(f"{done}{total} {unit}{rate}", style="progress.data.speed")


class Bar:
    """One running progress bar, see `progress`."""

    def __init__(self, shown: Progress | None, task: TaskID | None) -> None:
        self._shown = shown
        self._task = task

    def advance(self, amount: float = 1) -> None:
        """Count ``amount`` more units as done."""
        if self._shown is not None and self._task is not None:
            self._shown.advance(self._task, amount)

    def expect(self, total: float | None) -> None:
        """Set the number of units in all, once it is known; None while it is not."""
        if self._shown is not None and self._task is not None:
            self._shown.update(self._task, total=total)


class _Timed(Progress):
    """Bars that move by the clock: a unit each second, but never quite to the end."""

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            if task.total is not None and task.elapsed is not None:
                self.update(task.id, completed=min(task.elapsed, 0.99 * task.total))
        yield from super().get_renderables()


_showing = Lock()
"""Held while there is a bar: two of them would write over each other."""


@contextmanager
def progress(
    description: str, total: float | None = None, *, unit: str = "", seconds: float | None = None
) -> Iterator[Bar]:
    """Show a bar with amount, rate, elapsed time and time left on stderr while the body runs.

    Nothing is written where stderr is not a terminal, or shows another bar, or the body usually takes less than
    a second. The bar disappears at the end.

    Parameters
    ----------
    description
        What is being done: ``"downloading ml-100k"``.
    total
        Units in all, None where not known (yet).
    unit
        Name of the unit; ``"B"`` counts bytes and shows megabytes.
    seconds
        How long it usually takes, for what has no units that could be counted.
    """
    brief = seconds is not None and seconds < 1
    if brief or not sys.stderr.isatty() or not _showing.acquire(blocking=False):
        yield Bar(None, None)
        return
    amount = [] if seconds else [_Amount(unit)]
    times = [TimeElapsedColumn(), TimeRemainingColumn()]
    columns = [TextColumn("{task.description}", markup=False), BarColumn(), *amount, *times]
    kind = _Timed if seconds else Progress
    try:
        with kind(*columns, console=_err, transient=True) as shown:
            yield Bar(shown, shown.add_task(description, total=seconds or total))
    finally:
        _showing.release()


@contextmanager
def when_told(*, seconds: float) -> Iterator[Callable[[str], None]]:
    """Give a function that starts a bar with the text it is told; the bar runs until the body ends.

    For work of usually ``seconds`` that may turn out to be done already.
    """
    with ExitStack() as bars:

        def start(text: str) -> None:
            bars.enter_context(progress(text, seconds=seconds))

        yield start
