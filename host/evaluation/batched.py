"""Many agents at once: the golden model's integers, a batch of users per NumPy operation."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ...hdl.geometry import Geometry
from ...sim.golden import addresses

__all__ = ["Job", "learn_many", "score_many"]

Floats = npt.NDArray[np.floating]
Ints = npt.NDArray[np.int64]
Job = tuple[Ints, Ints, Ints]
"""One agent: films it keeps, oldest first; their ``e = target - prior``; films to score."""

_KERNEL_CELLS = 1 << 22
"""Kernel entries held at once; bounds the memory of a batch."""

_MOST_JOBS = 1 << 9
"""Agents of a batch, all of whose scores for a whole catalogue are held at once."""

_EXACT = 1 << 24
"""Whole numbers up to this are exact in single precision."""


def score_many(
    geometry: Geometry, codes: npt.NDArray[np.uint8], priors: npt.NDArray[np.int8], jobs: Sequence[Job]
) -> list[Ints]:
    """Scores that agents give, ``(films,)`` per job, equal to :meth:`ramrec.sim.golden.Agent.scores`.

    Parameters
    ----------
    geometry
        Of the agents; any rule.
    codes, priors
        Of all films, which jobs name by row.
    jobs
        At most ``geometry.memory_depth`` kept films each.

    Raises
    ------
    ValueError
        If a job keeps too many films.
    """
    longest = max((len(kept) for kept, _, _ in jobs), default=0)
    if longest > geometry.memory_depth:
        raise ValueError(f"a memory keeps {geometry.memory_depth} ratings, not {longest}")
    cells = _cells(geometry, codes)
    units = priors.astype(np.int64) << geometry.prior_shift
    learned = _BY_RULE[geometry.rule]
    scores: list[Ints] = [units] * len(jobs)
    for batch in _batches(jobs):
        some = [jobs[at] for at in batch]
        for at, (_, _, films), said in zip(batch, some, learned(geometry, cells, some), strict=True):
            scores[at] = units[films] + said
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
    """Cells that each film addresses, as ones ``(films, neurons * cells)``: products of rows are exact."""
    where = addresses(geometry, codes)
    exact = np.float32 if geometry.score_max < _EXACT else np.float64
    cells = np.zeros((len(codes), geometry.neurons, geometry.cells), exact)
    np.put_along_axis(cells, where[:, :, None], 1, axis=2)
    return cells.reshape(len(codes), -1)


def _batches(jobs: Sequence[Job]) -> Iterator[Sequence[int]]:
    """Places of jobs that are done together: such as keep about as many films, since all are padded to the most."""
    order = sorted(range(len(jobs)), key=lambda at: -len(jobs[at][0]))
    first = 0
    while first < len(order):
        longest = max(len(jobs[order[first]][0]), 1)
        size = min(max(_KERNEL_CELLS // longest**2, 1), _MOST_JOBS)
        yield order[first : first + size]
        first += size


def _padded(jobs: Sequence[Job]) -> tuple[Ints, Ints]:
    """Surprises ``(jobs, width)`` and numbers of kept films ``(jobs,)``."""
    kept = np.array([len(films) for films, _, _ in jobs], np.int64)
    e = np.zeros((len(jobs), int(kept.max(initial=0))), np.int64)
    for row, (_, surprises, _) in zip(e, jobs, strict=True):
        row[: len(surprises)] = surprises
    return e, kept


def _sweep(geometry: Geometry, cells: Floats, jobs: Sequence[Job]) -> Iterator[Ints]:
    e, kept = _padded(jobs)
    kernels = np.zeros((*e.shape, e.shape[1]), np.int64)
    for kernel, (films, _, _) in zip(kernels, jobs, strict=True):
        n = len(films)
        kernel[:n, :n] = np.rint(cells[films] @ cells[films].T) + geometry.bias_gain
    return _table_view(geometry, cells, jobs, learn_many(geometry, kernels, e, kept))


def _counting(geometry: Geometry, cells: Floats, jobs: Sequence[Job]) -> Iterator[Ints]:
    e, _ = _padded(jobs)
    step = (e + (1 << (geometry.shift - 1))) >> geometry.shift
    return _table_view(geometry, cells, jobs, np.clip(step, -geometry.alpha_max, geometry.alpha_max))


def _table_view(geometry: Geometry, cells: Floats, jobs: Sequence[Job], strengths: Ints) -> Iterator[Ints]:
    """Learned part of the scores: what the addressed cells of the agents' tables add up to."""
    tables = np.zeros((len(jobs), cells.shape[1]), cells.dtype)
    for table, (kept, _, _), alpha in zip(tables, jobs, strengths, strict=True):
        table[:] = alpha[: len(kept)].astype(cells.dtype) @ cells[kept]
    biases = geometry.bias_gain * strengths.sum(axis=1)
    return (bias + sums for bias, sums in zip(biases, _sums(cells, tables, jobs), strict=True))


def _sums(cells: Floats, tables: Floats, jobs: Sequence[Job]) -> Iterator[Ints]:
    """Sums of the cells that each job's films address in its table."""
    films = jobs[0][2]
    if all(other is films for _, _, other in jobs):
        together = np.rint(tables @ cells[films].T).astype(np.int64)
        return iter(together)
    return (np.rint(cells[films] @ table).astype(np.int64) for table, (_, _, films) in zip(tables, jobs, strict=True))


def _nearest(geometry: Geometry, cells: Floats, jobs: Sequence[Job]) -> Iterator[Ints]:
    for kept, e, films in jobs:
        if len(kept):
            matches = cells[films] @ cells[kept].T
            yield e[len(kept) - 1 - np.argmax(matches[:, ::-1], axis=1)]
        else:
            yield np.zeros(len(films), np.int64)


def _wisard(geometry: Geometry, cells: Floats, jobs: Sequence[Job]) -> Iterator[Ints]:
    """:func:`ramrec.sim.golden.wisard`; a film is done with at the first threshold that decides."""
    for kept, e, films in jobs:
        counts = np.stack([cells[kept[e <= 0]].sum(axis=0), cells[kept[e > 0]].sum(axis=0)])
        learned = np.zeros(len(films), np.int64)
        for threshold in range(int(counts.max(initial=0))):
            open_ = np.flatnonzero(learned == 0)
            if not len(open_):
                break
            against, in_favour = (counts > threshold).astype(cells.dtype) @ cells[films[open_]].T
            learned[open_] = np.rint(in_favour - against)
        yield learned << geometry.prior_shift


_BY_RULE: dict[str, Callable[[Geometry, Floats, Sequence[Job]], Iterator[Ints]]] = {
    "sweep": _sweep,
    "counting": _counting,
    "nearest": _nearest,
    "wisard": _wisard,
}
