"""The golden model's inner loops, compiled by Numba: learning, lookup tables, and the scan of the catalogue.

The neurons of one byte of a code are merged into one table of 256 sums, so that a film costs one lookup per byte:
the form in which processors look product codes up (ADC, Jegou et al. 2011).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["BYTE_CELLS", "byte_tables", "cell_tables", "ranking", "strengths"]

BYTE_CELLS = 256
"""Sums per byte of a code."""

_LOWEST = -(1 << 31)
_U = np.uint64
_EVEN, _EVERY_FOURTH = _U(0x5555555555555555), _U(0x1111111111111111)
_PAIRS, _NIBBLES, _ONES = _U(0x3333333333333333), _U(0x0F0F0F0F0F0F0F0F), _U(0x0101010101010101)

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Codes = npt.NDArray[np.uint8]
Merged = npt.NDArray[np.int32]


@njit(cache=True)
def _popcount(x: Any) -> Any:
    """Bits set in a 64-bit word; LLVM makes one instruction of it."""
    x = x - ((x >> _U(1)) & _EVEN)
    x = (x & _PAIRS) + ((x >> _U(2)) & _PAIRS)
    x = (x + (x >> _U(4))) & _NIBBLES
    return (x * _ONES) >> _U(56)


@njit(cache=True)
def _match_kernel(words: Words, tuple_bits: int, neurons: int, bias_gain: int) -> npt.NDArray[np.int32]:
    """``match + bias_gain`` of all pairs of codes."""
    count, width = words.shape
    kernel = np.empty((count, count), np.int32)
    for i in range(count):
        for j in range(count):
            differing = _U(0)
            for part in range(width):
                x = words[i, part] ^ words[j, part]
                if tuple_bits == 4:
                    x |= x >> _U(2)
                    x |= x >> _U(1)
                    x &= _EVERY_FOURTH
                elif tuple_bits == 2:
                    x = (x | (x >> _U(1))) & _EVEN
                differing += _popcount(x)
            kernel[i, j] = bias_gain + neurons - np.int32(differing)
    return kernel


@njit(cache=True)
def strengths(
    words: Words,
    e: Ints,
    tuple_bits: int,
    neurons: int,
    bias_gain: int,
    ridge: int,
    drift: int,
    shift: int,
    alpha_max: int,
    sweeps: int,
) -> Ints:
    """Strengths ``(kept,)`` of the kept ratings by the rule ``sweep``, as :func:`ramrec.sim.golden.learn`.

    Parameters
    ----------
    words
        ``(kept, words)``: their codes, oldest first, in 64-bit words, with zeros behind the last bit.
    e
        ``(kept,)``: their surprises.
    tuple_bits, neurons, bias_gain, ridge, drift, shift, alpha_max, sweeps
        Of the geometry.
    """
    kept = len(e)
    kernel = _match_kernel(words, tuple_bits, neurons, bias_gain)
    alpha, predicted = np.zeros(kept, np.int64), np.zeros(kept, np.int32)
    half = np.int64(1) << (shift - 1)
    for _ in range(sweeps):
        changed = False
        for j in range(kept):
            residual = e[j] - predicted[j] - (ridge + drift * (kept - 1 - j)) * alpha[j]
            wanted = min(max(alpha[j] + ((residual + half) >> shift), -alpha_max), alpha_max)
            delta = np.int32(wanted - alpha[j])
            if delta != 0:
                changed = True
                alpha[j] = wanted
                for i in range(kept):
                    predicted[i] += delta * kernel[j, i]
        if not changed:
            break
    return alpha


@njit(cache=True)
def cell_tables(words: Words, alpha: Ints, tuple_bits: int, neurons: int) -> Ints:
    """Tables ``(neurons, cells)`` in which each strength is added to the cells that its code addresses."""
    tables = np.zeros((neurons, 1 << tuple_bits), np.int64)
    mask = _U((1 << tuple_bits) - 1)
    per_word = 64 // tuple_bits
    for j in range(len(alpha)):
        for neuron in range(neurons):
            shift = _U(neuron % per_word * tuple_bits)
            tables[neuron, (words[j, neuron // per_word] >> shift) & mask] += alpha[j]
    return tables


@njit(cache=True)
def byte_tables(tables: Ints, merged: Merged) -> None:
    """Merge the tables ``(neurons, cells)`` of each byte of a code into 256 sums.

    ``merged`` has 256 entries per byte of a code.
    """
    neurons, cells = tables.shape
    per_byte = 2 if cells == 16 else 4 if cells == 4 else 8
    for byte in range(neurons // per_byte):
        start, size = byte * BYTE_CELLS, 1
        merged[start] = 0
        for neuron in range(byte * per_byte, (byte + 1) * per_byte):
            for cell in range(cells - 1, -1, -1):
                for i in range(size):
                    merged[start + cell * size + i] = merged[start + i] + tables[neuron, cell]
            size *= cells


@cache
def ranking(code_bytes: int) -> Callable[..., int]:
    """The scan of a catalogue whose codes have so many bytes; a constant, so that LLVM unrolls the lookups.

    Returns
    -------
    function
        ``rank(codes, priors, prior_shift, bias, merged, allowed, k, items, best)`` finds the ``k`` best films, best
        first; the lower item number wins a tie. It returns how many it found. Its parameters are:

        - ``codes`` ``(films, code_bytes)`` uint8, ``priors`` ``(films,)`` int64, ``allowed`` ``(films,)`` bool:
          the catalogue, and which films may be ranked;
        - ``prior_shift``, ``bias``: a prior counts ``2 ** prior_shift``, and every score has ``bias`` in addition;
        - ``merged``: from :func:`byte_tables`;
        - ``items``, ``best`` ``(k,)`` int64: filled with item numbers and scores.
    """

    @njit(cache=True)
    def rank(
        codes: Codes,
        priors: Ints,
        prior_shift: int,
        bias: int,
        merged: Merged,
        allowed: npt.NDArray[np.bool_],
        k: int,
        items: Ints,
        best: Ints,
    ) -> int:
        found, threshold = 0, np.int32(_LOWEST)
        for film in range(_U(len(priors))):
            total = np.int32((priors[film] << prior_shift) + bias)
            for byte in range(_U(code_bytes)):
                total += merged[byte * _U(BYTE_CELLS) + codes[film, byte]]
            if total > threshold and allowed[film]:
                place = min(found, k - 1)
                while place > 0 and best[place - 1] < total:
                    best[place], items[place] = best[place - 1], items[place - 1]
                    place -= 1
                best[place], items[place] = total, film
                found = min(found + 1, k)
                if found == k:
                    threshold = best[k - 1]
        return found

    return rank
