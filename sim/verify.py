"""Verifies a device against the golden device with sessions from a seed, and shrinks what fails."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..hdl.geometry import Geometry
from ..hdl.protocol import ALL, Op, record_bytes
from .play import Line, Outcome, play, reset
from .sequences import Session, write_session
from .shrink import shrink
from .steps import Command, Exchange, Step, expect

__all__ = ["Failure", "Report", "replay", "verify"]

_START: tuple[Step, ...] = (
    Command(op=Op.HELLO),
    Command(op=Op.RESET, user=ALL),
    Command(op=Op.HELLO),
    Command(op=Op.STATS),
)

_END: tuple[Step, ...] = (Command(op=Op.STATS),)


@dataclass(frozen=True)
class Failure:
    """A device's wrong answer to the last of ``exchanges``.

    Parameters
    ----------
    session
        Number of the session in which it was found.
    pipelined
        Whether several requests were under way at once.
    repeats
        Whether it happens from a fresh start on. Then ``steps`` are as few as that takes, otherwise they are
        the session's.
    steps
        What was sent after the start, for :func:`replay`.
    exchanges
        All that was sent, the start included, up to the wrong answer, with what was expected.
    received
        What came instead of the last reply: a frame, a part of one, or nothing.
    """

    session: int
    pipelined: bool
    repeats: bool
    steps: tuple[Step, ...]
    exchanges: tuple[Exchange, ...]
    received: bytes


@dataclass(frozen=True)
class Report:
    """What was verified: ``commands`` in ``sessions``, up to the first mismatch.

    ``seconds`` are those of the sessions, without building the device before and shrinking after them;
    ``clocks`` are the device's.
    """

    backend: str
    geometry: Geometry
    seed: int
    sessions: int
    commands: int
    clocks: int
    seconds: float
    failure: Failure | None = None

    @property
    def mismatches(self) -> int:
        """1 after a wrong answer, which ends the verification, else 0."""
        return int(self.failure is not None)


def verify(
    open_line: Callable[[], Line],
    geometry: Geometry,
    *,
    backend: str,
    sessions: int,
    seed: int,
    progress: Callable[[], None] | None = None,
    timeout: float = 5.0,
) -> Report:
    """Compare a device with the golden device until an answer is wrong.

    Every reply is compared byte for byte, but for the clocks in STATS; damaged frames must not be answered.
    The DIGEST of user or catalogue is compared after every command that changed it.

    Parameters
    ----------
    open_line
        Opens the device; after a mismatch it is closed and opened again for every attempt to shrink it.
    geometry
        What the device was made for.
    backend
        Name of the device, for the report.
    sessions
        Number of sessions, each at least 60 steps.
    seed
        Of all sessions.
    progress
        Is called after every session.
    timeout
        Seconds to wait for a reply.
    """
    commands = clocks = done = 0
    failure = None
    before: tuple[Step, ...] = ()
    line = open_line()
    start = time.monotonic()
    try:
        for number in range(sessions):
            session = write_session(geometry, seed, number)
            exchanges, outcome = _run(line, geometry, session, timeout)
            played = exchanges[: len(exchanges) if outcome.wrong is None else outcome.wrong + 1]
            sent = sum(isinstance(exchange.step, Command) for exchange in played)
            commands, clocks, done = commands + sent, clocks + outcome.clocks, done + 1
            if progress:
                progress()
            if outcome.wrong is not None:
                failure = Failure(number, session.pipelined, False, session.steps, played, outcome.received)
                break
            before = session.steps
    finally:
        line.close()
    seconds = time.monotonic() - start
    if failure is not None:
        failure = _shrunk(open_line, geometry, failure, before, timeout)
    return Report(backend, geometry, seed, done, commands, clocks, seconds, failure)


def replay(
    open_line: Callable[[], Line],
    geometry: Geometry,
    steps: Sequence[Step],
    *,
    pipelined: bool,
    session: int = 0,
    timeout: float = 5.0,
) -> Failure | None:
    """Play steps on a fresh device; None if it answers as the golden device does."""
    line = open_line()
    try:
        exchanges, outcome = _run(line, geometry, Session(tuple(steps), pipelined), timeout)
    finally:
        line.close()
    if outcome.wrong is None:
        return None
    played = exchanges[: outcome.wrong + 1]
    return Failure(session, pipelined, True, tuple(steps), played, outcome.received)


def _run(line: Line, geometry: Geometry, session: Session, timeout: float) -> tuple[tuple[Exchange, ...], Outcome]:
    reset(line, timeout)
    exchanges = expect(geometry, [*_START, *session.steps, *_END])
    return tuple(exchanges), play(line, exchanges, pipelined=session.pipelined, timeout=timeout)


def _shrunk(
    open_line: Callable[[], Line],
    geometry: Geometry,
    found: Failure,
    before: tuple[Step, ...],
    timeout: float,
) -> Failure:
    """The same failure with as few steps as show it, or as it was found if it does not happen again."""

    def attempt(steps: Sequence[Step], pipelined: bool) -> Failure | None:
        return replay(open_line, geometry, steps, pipelined=pipelined, session=found.session, timeout=timeout)

    for steps in (found.steps, (*before, *_START, *found.steps)):
        for pipelined in sorted({False, found.pipelined}):
            if attempt(steps, pipelined) is not None:
                fails = partial(_fails, attempt, pipelined)
                least = _with_fewer_records(geometry, shrink(steps, fails), fails)
                again = attempt(least, pipelined)
                if again is not None:
                    return again
    return found


def _fails(attempt: Callable[[Sequence[Step], bool], Failure | None], pipelined: bool, steps: Sequence[Step]) -> bool:
    return attempt(steps, pipelined) is not None


def _with_fewer_records(
    geometry: Geometry, steps: tuple[Step, ...], fails: Callable[[Sequence[Step]], bool]
) -> tuple[Step, ...]:
    """A failing sequence that still fails, its requests with as few records as that takes."""
    for place, step in enumerate(steps):
        if not isinstance(step, Command):
            continue
        size = record_bytes(geometry, step.op)
        if step.count < 2 or len(step.records) != step.count * size:
            continue

        records = [step.records[at : at + size] for at in range(0, len(step.records), size)]
        having = partial(_having, steps, place, step)
        steps = having(shrink(records, partial(_fails_having, fails, having)))
    return steps


def _having(steps: tuple[Step, ...], place: int, command: Command, records: Sequence[bytes]) -> tuple[Step, ...]:
    fewer = replace(command, count=len(records), records=b"".join(records))
    return (*steps[:place], fewer, *steps[place + 1 :])


def _fails_having(
    fails: Callable[[Sequence[Step]], bool],
    having: Callable[[Sequence[bytes]], tuple[Step, ...]],
    records: Sequence[bytes],
) -> bool:
    return fails(having(records))
