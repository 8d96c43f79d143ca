"""The best CPU code for the same ranking: this project's own compiled scan, NumPy, and FAISS.

Everything that does not depend on the user is made beforehand; what does, tables and exclusions, is in the time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..native import Ranker
from .question import Question

__all__ = ["Contestant", "contestants"]

_NIBBLE, _BYTE = 4, 8

_SPREAD = 2
"""Tables that a prior's upper half is spread over: FAISS rounds all tables to 255 steps of the widest one."""


@dataclass(frozen=True)
class Contestant:
    """Somebody who ranks films.

    Parameters
    ----------
    name, what
        In the report.
    run
        Ranks, and returns item numbers, the best first.
    exact
        Whether it means to find just the same films.
    """

    name: str
    what: str
    run: Callable[[], Sequence[int]]
    exact: bool = True


def contestants(question: Question) -> list[Contestant]:
    """All of them, made ready for one question. ImportError if FAISS is not installed."""
    return [_compiled(question), _numpy(question), *_fast_scans(question), _hamming(question)]


def _compiled(question: Question) -> Contestant:
    ranker = Ranker(question.geometry)

    def run() -> list[int]:
        items, _ = ranker.rank(question.learned, question.codes, question.priors, question.allowed, question.k)
        return items.tolist()

    what = "the backend `native`: a table of 256 sums per code byte, built for each ranking; top-k in the same loop"
    return Contestant("numba table scan", what, run)


def _numpy(question: Question) -> Contestant:
    geometry, k = question.geometry, question.k
    offsets = np.arange(geometry.code_bytes) << _BYTE
    where = np.ascontiguousarray((question.codes + offsets).T.astype(np.intp))
    base = question.priors << geometry.prior_shift
    least = np.iinfo(np.int64).min

    def run() -> list[int]:
        scores = question.merged(_BYTE).ravel().take(where).sum(axis=0) + base
        scores[~question.allowed] = least
        items = np.flatnonzero(scores >= np.partition(scores, len(scores) - k)[-k])
        best: list[int] = items[np.lexsort((items, -scores[items]))[:k]].tolist()
        return best

    return Contestant("NumPy table scan", "the same tables by take and sum, partition for the top-k", run)


def _fast_scans(question: Question) -> list[Contestant]:
    """FAISS's 4-bit product quantiser with register shuffles: Andre et al. 2015, Douze et al. 2024.

    Its centroids are unit vectors, so that its lookup tables are the query itself: our tables.
    """
    import faiss

    geometry, k = question.geometry, question.k
    parts = np.hstack([_nibbles(question.codes), *_prior_nibbles(question)])
    parts = np.pad(parts, ((0, 0), (0, parts.shape[1] % 2)))
    tables = parts.shape[1]
    index = faiss.IndexPQFastScan(tables << _NIBBLE, tables, _NIBBLE, faiss.METRIC_INNER_PRODUCT)
    units = np.eye(1 << _NIBBLE, dtype=np.float32)
    faiss.copy_array_to_vector(np.tile(units, (tables, 1)).ravel(), index.pq.centroids)
    index.is_trained = True
    for some in np.array_split(parts, max(len(parts) // 1000, 1)):
        index.add(units[some].reshape(len(some), -1))
    query = np.zeros((1, tables << _NIBBLE), np.float32)
    own = geometry.code_bits // _NIBBLE << _NIBBLE
    priors = [np.arange(-128, 128, 16) / _SPREAD] * _SPREAD + [np.arange(16)]
    query[0, own : own + (len(priors) << _NIBBLE)] = np.hstack(priors) * (1 << geometry.prior_shift)
    shortlist = _shortlist(question)
    ranker = Ranker(geometry)

    def search() -> Any:
        query[0, :own] = question.merged(_NIBBLE).ravel()
        found = index.search(query, shortlist)[1][0]
        return found[question.allowed[found]]

    def search_and_rescore() -> list[int]:
        found = np.sort(search())
        codes, priors, allowed = question.codes[found], question.priors[found], question.allowed[found]
        best: list[int] = found[ranker.rank(question.learned, codes, priors, allowed, k)[0]].tolist()
        return best

    size = f"M={tables}, 4 bits ({tables - own // 16} of the tables for the prior)"
    return [
        Contestant(
            "FAISS IndexPQFastScan",
            f"{size}: our tables rounded to 8 bits; shortlist of {shortlist}, scored again exactly",
            search_and_rescore,
        ),
        Contestant(
            "FAISS IndexPQFastScan, rounded",
            f"{size}: without scoring again",
            lambda: search()[:k].tolist(),
            exact=False,
        ),
    ]


def _shortlist(question: Question) -> int:
    """Films to ask an index for that does not know who is left out."""
    return min(question.k + int((~question.allowed).sum()), len(question.codes))


def _nibbles(codes: Any) -> Any:
    """Bytes ``(films, n)`` as half bytes ``(films, 2 * n)``, the lower one first."""
    return np.stack([codes & 15, codes >> _NIBBLE], axis=2).reshape(len(codes), -1)


def _prior_nibbles(question: Question) -> list[Any]:
    low, high = _nibbles((question.priors[:, None] + 128).astype(np.uint8)).T[:, :, None]
    return [high] * _SPREAD + [low]


def _hamming(question: Question) -> Contestant:
    """FAISS's scan by Hamming distance, for the code that the agent likes best."""
    import faiss

    geometry, k = question.geometry, question.k
    index = faiss.IndexBinaryFlat(geometry.code_bits)
    index.add(question.codes)
    shortlist = _shortlist(question)
    cells = np.arange(geometry.cells)
    bits = cells[:, None] >> np.arange(geometry.tuple_bits) & 1

    def run() -> list[int]:
        favourite = bits[question.learned.tables.argmax(axis=1)].ravel()
        found = index.search(np.packbits(favourite, bitorder="little")[None], shortlist)[1][0]
        best: list[int] = found[question.allowed[found]][:k].tolist()
        return best

    what = "nearest codes to the one code with the highest score: another ranking, without strengths or priors"
    return Contestant("FAISS IndexBinaryFlat", what, run, exact=False)
