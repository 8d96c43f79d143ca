"""The golden model: the meaning of one agent, in integers. The gateware equals it bit for bit.

A code is a row of ``geometry.code_bytes`` bytes, bit ``i`` of the code being bit ``i % 8`` of byte ``i // 8``.
Codes of several films are a ``(films, code_bytes)`` uint8 array, scores and priors are int64 arrays.

The learned part of a score has two views that always agree:

- *memory view*: ``sum over kept ratings j of alpha[j] * (match(c, code[j]) + bias_gain)``, where ``match``
  counts the RAM neurons that both codes address alike;
- *table view*: ``bias_gain * bias + sum over neurons m of tables[m, address[m](c)]``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ..hdl.geometry import Geometry

__all__ = [
    "Agent",
    "Entry",
    "Learned",
    "addresses",
    "learn",
    "learn_by_tables",
    "match",
    "top_k",
    "zero_tables",
]

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint8]


def addresses(geometry: Geometry, codes: Codes) -> Ints:
    """Cell that each RAM neuron addresses: ``(films, code_bytes)`` -> ``(films, neurons)``."""
    bits = np.unpackbits(np.asarray(codes, np.uint8), axis=1, bitorder="little").astype(np.int64)
    tuples = bits.reshape(len(bits), geometry.neurons, geometry.tuple_bits)
    return tuples @ (1 << np.arange(geometry.tuple_bits))


def match(a: Ints, b: Ints) -> Ints:
    """RAM neurons that answer alike: addresses ``(x, neurons)`` and ``(y, neurons)`` -> ``(x, y)``."""
    return (a[:, None, :] == b[None, :, :]).sum(axis=2)


@dataclass(frozen=True)
class Learned:
    """What an agent knows beside its ratings. ``alpha`` ``(kept,)``, ``tables`` ``(neurons, cells)``."""

    alpha: Ints
    bias: int
    tables: Ints


def _step(geometry: Geometry, residual: int, alpha: int) -> int:
    """Change of one entry's strength: a rounded Gauss-Seidel step that keeps alpha within its bits."""
    delta = (residual + (1 << (geometry.shift - 1))) >> geometry.shift
    return min(max(alpha + delta, -geometry.alpha_max), geometry.alpha_max) - alpha


def _lambdas(geometry: Geometry, kept: int) -> list[int]:
    return [geometry.ridge + geometry.drift * (kept - 1 - j) for j in range(kept)]


def learn(geometry: Geometry, codes: Codes, e: Sequence[int]) -> Learned:
    """Learn the ordered list of kept ratings, in the memory view.

    ``e`` are the ratings' surprises ``target - prior``, oldest first. The result is a pure function of the
    list, so leaving a rating out is the same as never having learned it.
    """
    where = addresses(geometry, codes)
    kept = len(e)
    alpha = np.zeros(kept, np.int64)
    if geometry.rule == "sweep":
        kernel = match(where, where) + geometry.bias_gain
        predicted = np.zeros(kept, np.int64)
        lambdas = _lambdas(geometry, kept)
        for _ in range(geometry.sweeps):
            before = alpha.copy()
            for j in range(kept):
                residual = e[j] - int(predicted[j]) - lambdas[j] * int(alpha[j])
                delta = _step(geometry, residual, int(alpha[j]))
                alpha[j] += delta
                predicted += delta * kernel[j]
            if np.array_equal(alpha, before):
                break  # a fixed point: further sweeps change nothing
    elif geometry.rule == "counting":
        alpha[:] = [_step(geometry, value, 0) for value in e]
    tables = zero_tables(geometry)
    for j in range(kept):
        tables[np.arange(geometry.neurons), where[j]] += alpha[j]
    return Learned(alpha, int(alpha.sum()), tables)


def learn_by_tables(geometry: Geometry, codes: Codes, e: Sequence[int]) -> Learned:
    """The same as :func:`learn` for the rule ``sweep``, in the table view, step by step as the gateware does it."""
    where = addresses(geometry, codes)
    neurons = np.arange(geometry.neurons)
    alpha = np.zeros(len(e), np.int64)
    bias = 0
    tables = zero_tables(geometry)
    lambdas = _lambdas(geometry, len(e))
    for _ in range(geometry.sweeps):
        for j, surprise in enumerate(e):
            predicted = geometry.bias_gain * bias + int(tables[neurons, where[j]].sum())
            delta = _step(geometry, surprise - predicted - lambdas[j] * int(alpha[j]), int(alpha[j]))
            alpha[j] += delta
            bias += delta
            tables[neurons, where[j]] += delta
    return Learned(alpha, bias, tables)


def zero_tables(geometry: Geometry) -> Ints:
    """Tables of an agent that knows nothing, ``(neurons, cells)``."""
    return np.zeros((geometry.neurons, geometry.cells), np.int64)


def top_k(scores: Ints, allowed: npt.NDArray[np.bool_], k: int) -> list[int]:
    """Items of the ``k`` best allowed scores, best first; the lower item number wins a tie."""
    items = np.flatnonzero(allowed)
    order = np.lexsort((items, -scores[items]))[:k]
    return items[order].tolist()


@dataclass(frozen=True)
class Entry:
    """One kept rating: the film's number, its code and ``e = target - prior`` in score units."""

    item: int
    code: bytes
    e: int


@dataclass
class Agent:
    """One user: an ordered list of at most ``memory_depth`` kept ratings, and what follows from it."""

    geometry: Geometry
    entries: list[Entry] = field(default_factory=list)
    learned: Learned = field(init=False)

    def __post_init__(self) -> None:
        self.replace(self.entries)

    @property
    def codes(self) -> Codes:
        data = b"".join(entry.code for entry in self.entries)
        return np.frombuffer(data, np.uint8).reshape(-1, self.geometry.code_bytes)

    def replace(self, entries: Sequence[Entry]) -> None:
        """Keep exactly these ratings, oldest first, and learn them."""
        if len(entries) > self.geometry.memory_depth:
            raise ValueError(f"a memory keeps {self.geometry.memory_depth} ratings, not {len(entries)}")
        self.entries = list(entries)
        self.learned = learn(self.geometry, self.codes, [entry.e for entry in self.entries])

    def rate(self, item: int, code: bytes, prior: int, target: int) -> None:
        """Keep a rating. An earlier one of the same film goes; otherwise, if the memory is full, the oldest."""
        kept = self.entries[:]
        position = self.find(item)
        if position is not None:
            del kept[position]
        elif len(kept) == self.geometry.memory_depth:
            del kept[0]
        e = target - (prior << self.geometry.prior_shift)
        self.replace([*kept, Entry(item, bytes(code), e)])

    def forget(self, item: int) -> bool:
        """Drop the rating of a film; False if there is none."""
        position = self.find(item)
        if position is None:
            return False
        self.replace(self.entries[:position] + self.entries[position + 1 :])
        return True

    def find(self, item: int) -> int | None:
        """Slot of the oldest rating of a film."""
        return next((slot for slot, entry in enumerate(self.entries) if entry.item == item), None)

    def scores(self, codes: Codes, priors: Sequence[int] | Ints) -> Ints:
        """Scores of films, ``(films,)``: prior plus what was learned."""
        return (np.asarray(priors, np.int64) << self.geometry.prior_shift) + self._learned_part(codes)

    def _learned_part(self, codes: Codes) -> Ints:
        geometry, where = self.geometry, addresses(self.geometry, codes)
        if geometry.rule == "nearest":
            e = np.array([entry.e for entry in self.entries] or [0], np.int64)
            return e[self._nearest(where)]
        if geometry.rule == "wisard":
            return wisard(geometry, where, addresses(geometry, self.codes), [entry.e for entry in self.entries])
        cells = self.learned.tables[np.arange(geometry.neurons), where]
        return geometry.bias_gain * self.learned.bias + cells.sum(axis=1)

    def _nearest(self, where: Ints) -> Ints:
        """Slot of the latest of the entries with the highest match; 0 for an empty memory."""
        kept = len(self.entries)
        if not kept:
            return np.zeros(len(where), np.int64)
        matches = match(where, addresses(self.geometry, self.codes))
        return kept - 1 - np.argmax(matches[:, ::-1], axis=1)

    def explain(self, code: bytes) -> tuple[int, list[tuple[int, int, int]]]:
        """Memory view of one film: slot of the nearest entry, and (item, match, contribution) per entry.

        The contributions add up to the learned part of the film's score. ``wisard`` is no sum: there a
        contribution is what leaving the entry out would take away.
        """
        geometry, codes = self.geometry, np.frombuffer(code, np.uint8)[None, :]
        where = addresses(geometry, codes)
        nearest = int(self._nearest(where)[0])
        matches = match(where, addresses(geometry, self.codes))[0].tolist() if self.entries else []
        if geometry.rule == "nearest":
            said = [entry.e if slot == nearest else 0 for slot, entry in enumerate(self.entries)]
        elif geometry.rule == "wisard":
            whole = int(self._learned_part(codes)[0])
            others = [self.entries[:j] + self.entries[j + 1 :] for j in range(len(self.entries))]
            said = [whole - int(Agent(geometry, rest)._learned_part(codes)[0]) for rest in others]
        else:
            said = [int(a) * (m + geometry.bias_gain) for a, m in zip(self.learned.alpha, matches, strict=True)]
        items = [entry.item for entry in self.entries]
        return nearest, list(zip(items, matches, said, strict=True))

    def words(self) -> bytes:
        """The state as 16-bit words, what DIGEST covers: kept, (item, e, alpha, code) each, bias, tables."""
        parts = [np.array([len(self.entries)], "<i2").tobytes()]
        for entry, alpha in zip(self.entries, self.learned.alpha, strict=True):
            parts.append(entry.item.to_bytes(2, "little"))
            parts.append(np.array([entry.e, alpha], "<i2").tobytes() + entry.code)
        parts.append(np.array([self.learned.bias], "<i2").tobytes() + self.learned.tables.astype("<i2").tobytes())
        return b"".join(parts)


def wisard(geometry: Geometry, where: Ints, kept: Ints, e: Sequence[int]) -> Ints:
    """Two discriminators with bleaching: learned part of the scores of films at addresses ``where``.

    One discriminator counts the kept ratings with ``e > 0`` per cell, the other the rest. The bleaching
    threshold rises until their numbers of firing neurons differ; each neuron of the difference then counts
    as one unit of a prior byte. Aleksander et al. 1984; bleaching: Grieco et al. 2010.
    """
    counts = np.zeros((2, geometry.neurons, geometry.cells), np.int64)
    neurons = np.arange(geometry.neurons)
    for row, value in zip(kept, e, strict=True):
        counts[int(value > 0), neurons, row] += 1
    answers = counts[:, neurons, where]
    learned = np.zeros(len(where), np.int64)
    for threshold in range(int(counts.max(initial=0))):
        against, in_favour = (answers > threshold).sum(axis=2)
        learned = np.where(learned == 0, in_favour - against, learned)
    return learned << geometry.prior_shift
