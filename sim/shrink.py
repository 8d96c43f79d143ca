"""Delta debugging: the least part of a sequence that still fails."""

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["shrink"]

T = TypeVar("T")


def shrink(items: Sequence[T], fails: Callable[[Sequence[T]], bool], *, max_trials: int = 1000) -> tuple[T, ...]:
    """Leave out items of a failing sequence while it still fails.

    The result is 1-minimal: without any one of its items it does not fail any more. If ``max_trials`` are
    spent before, it is the shortest one found.

    Parameters
    ----------
    items
        A sequence that fails.
    fails
        Whether a part of it, in the same order, fails.
    max_trials
        Calls of ``fails`` at most.
    """
    kept = tuple(items)
    size = max(len(kept) // 2, 1)
    while kept:
        before = len(kept)
        start = len(kept)
        # From the end, because what made a sequence fail is mostly near its end.
        while start > 0:
            start = max(start - size, 0)
            part = kept[:start] + kept[start + size :]
            if max_trials == 0:
                return kept
            max_trials -= 1
            if fails(part):
                kept = part
        if size == 1 and len(kept) == before:
            break
        size = max(min(size // 2, len(kept) // 2), 1)
    return kept
