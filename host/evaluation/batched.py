"""Many agents at once: the golden model's integers, a batch of users per NumPy operation."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ...sim.golden import addresses

__all__ = ["Job", "learn_many", "score_many"]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Job = tuple[Ints, Ints, Ints]
"""One agent: films it keeps, oldest first; their ``e = target - prior``; films to score."""

_KERNEL_CELLS = 1 << 22
"""Kernel entries held at once; bounds the memory of a batch."""


def score_many(
    geometry: Geometry, codes: npt.NDArray[np.uint8], priors: npt.NDArray[np.int8], jobs: Sequence[Job]
) -> list[Ints]:
    """Scores that agents give, ``(films,)`` per job, equal to :meth:`ramrec.sim.golden.Agent.scores`.

    Parameters
    ----------
    geometry
        Any with the rule ``sweep``, ``counting`` or ``nearest``.
    codes, priors
        Of all films, which jobs name by row.
    jobs
        At most ``geometry.memory_depth`` kept films each.

    Raises
    ------
    ValueError
        If the rule is another, or a job keeps too many films.
    """
    if geometry.rule not in ("sweep", "counting", "nearest"):
        raise ValueError(f"the rule must be sweep, counting or nearest, not {geometry.rule}")
    longest = max((len(kept) for kept, _, _ in jobs), default=0)
    if longest > geometry.memory_depth:
        raise ValueError(f"a memory keeps {geometry.memory_depth} ratings, not {longest}")
    cells = _cells(geometry, codes)
    units = priors.astype(np.int64) << geometry.prior_shift
    scores = []
    for batch in _batches(jobs, max(longest, 1)):
        strengths = _strengths(geometry, cells, batch)
        for (kept, e, films), alpha in zip(batch, strengths, strict=True):
            matches = _matches(cells[films], cells[kept])
            scores.append(units[films] + _learned(geometry, matches, e, alpha[: len(kept)]))
    return scores


def learn_many(geometry: Geometry, kernels: Ints, e: Ints, kept: Ints) -> Ints:
    """Strengths of the entries of many agents by the rule ``sweep``: :func:`ramrec.sim.golden.learn` in a batch.

    Parameters
    ----------
    kernels
        ``(agents, width, width)``: RAM neurons that two entries address alike, plus ``bias_gain``.
    e
        ``(agents, width)``: surprises, oldest first.
    kept
        ``(agents,)``: entries an agent has; what lies behind them in a row is padding.

    Returns
    -------
    alpha
        ``(agents, width)``, zero in the padding.
    """
    width, half, most = e.shape[1], 1 << (geometry.shift - 1), geometry.alpha_max
    place = np.arange(width)
    lambdas = geometry.ridge + geometry.drift * (kept[:, None] - 1 - place)
    alpha, predicted = np.zeros_like(e), np.zeros_like(e)
    for _ in range(geometry.sweeps):
        before = alpha.copy()
        for j in range(width):
            residual = e[:, j] - predicted[:, j] - lambdas[:, j] * alpha[:, j]
            wanted = np.clip(alpha[:, j] + ((residual + half) >> geometry.shift), -most, most)
            delta = np.where(j < kept, wanted - alpha[:, j], 0)
            alpha[:, j] += delta
            predicted += delta[:, None] * kernels[:, j]
        if np.array_equal(alpha, before):
            break
    return alpha


def _cells(geometry: Geometry, codes: npt.NDArray[np.uint8]) -> Floats:
    """Cells that each film addresses, as ones: a product of two rows counts their matching neurons, exactly."""
    where = addresses(geometry, codes)
    cells = np.zeros((len(codes), geometry.neurons, geometry.cells), np.float32)
    np.put_along_axis(cells, where[:, :, None], 1, axis=2)
    return cells.reshape(len(codes), -1)


def _matches(a: Floats, b: Floats) -> Ints:
    return np.rint(a @ b.T).astype(np.int64)


def _batches(jobs: Sequence[Job], width: int) -> Iterator[Sequence[Job]]:
    size = max(_KERNEL_CELLS // width**2, 1)
    return (jobs[first : first + size] for first in range(0, len(jobs), size))


def _strengths(geometry: Geometry, cells: Floats, jobs: Sequence[Job]) -> Ints:
    """Strengths ``(jobs, width)``; all zero for the rule ``nearest``, which needs none."""
    kept = np.array([len(films) for films, _, _ in jobs], np.int64)
    e = np.zeros((len(jobs), int(kept.max(initial=0))), np.int64)
    for row, (_, surprises, _) in zip(e, jobs, strict=True):
        row[: len(surprises)] = surprises
    if geometry.rule == "nearest":
        return np.zeros_like(e)
    if geometry.rule == "counting":
        step = (e + (1 << (geometry.shift - 1))) >> geometry.shift
        return np.clip(step, -geometry.alpha_max, geometry.alpha_max)
    kernels = np.zeros((*e.shape, e.shape[1]), np.int64)
    for kernel, (films, _, _) in zip(kernels, jobs, strict=True):
        n = len(films)
        kernel[:n, :n] = _matches(cells[films], cells[films]) + geometry.bias_gain
    return learn_many(geometry, kernels, e, kept)


def _learned(geometry: Geometry, matches: Ints, e: Ints, alpha: Ints) -> Ints:
    """Learned part of the scores, in the memory view."""
    kept = len(e)
    if not kept:
        return np.zeros(len(matches), np.int64)
    if geometry.rule == "nearest":
        return e[kept - 1 - np.argmax(matches[:, ::-1], axis=1)]
    learned: Ints = (matches + geometry.bias_gain) @ alpha
    return learned
