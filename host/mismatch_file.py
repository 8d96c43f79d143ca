"""What is kept of a device's wrong answer: a file to play again, and lines to read."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ..hdl.geometry import Geometry
from ..sim.steps import Step, describe, describe_reply, step_from_json, step_to_json
from ..sim.verify import Failure
from .errors import UsageError

__all__ = ["lines", "read_sequence", "write_sequence"]


def lines(failure: Failure) -> Iterator[str]:
    """One line per step with the answer that is right; after the last one, what came instead."""
    for exchange in failure.exchanges:
        answer = ", ".join(map(describe_reply, exchange.replies)) or "no answer"
        yield f"{describe(exchange.step)}  ->  {answer}"
    yield f"the device answered: {describe_reply(failure.received) if failure.received else 'nothing'}"
    if failure.pipelined:
        yield "requests were sent before the earlier ones were answered"
    if not failure.repeats:
        yield "this did not happen again from a fresh start, so the sequence could not be shortened"


def write_sequence(path: Path, geometry: Geometry, seed: int, failure: Failure) -> None:
    """Write a failing sequence as JSON."""
    content = {
        "geometry": asdict(geometry),
        "seed": seed,
        "session": failure.session,
        "pipelined": failure.pipelined,
        "steps": [step_to_json(step) for step in failure.steps],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def read_sequence(path: Path) -> tuple[Geometry, tuple[Step, ...], bool]:
    """Geometry, steps and ``pipelined`` of a file that :func:`write_sequence` wrote.

    Raises
    ------
    UsageError
        If there is no such file, or it is something else.
    """
    try:
        content = json.loads(path.read_text())
        steps = tuple(step_from_json(step) for step in content["steps"])
        return Geometry(**content["geometry"]), steps, bool(content["pipelined"])
    except OSError as error:
        raise UsageError(f"can not read {path}: {error.strerror}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is not a sequence written by `ramrec verify` ({error})") from None
