"""The self-test's pattern: pseudo-random bytes, as arithmetic that holds for integers and for signals alike."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

__all__ = ["INVERT", "PATTERN_BITS", "advance", "bounded_item", "first_state", "pattern"]

PATTERN_BITS = 17
"""Bits of the generator's state. Its period, 2^17 - 1, is a prime, so records of no size repeat within it sooner."""

INVERT = 0x8000
"""Added to a seed: every byte is inverted, so that two runs write a 0 and a 1 into every bit."""


def first_state(seed: Any) -> Any:
    """State that a seed, 16 bits, starts from; never 0."""
    return (1 << (PATTERN_BITS - 1)) | (seed & (INVERT - 1))


def advance(state: Any) -> Any:
    """State after eight steps of the linear feedback register x^17 + x^14 + 1 (taps: Alfke, Xilinx XAPP 052, 1996)."""
    return ((state << 8) | (((state >> 9) ^ (state >> 6)) & 0xFF)) & ((1 << PATTERN_BITS) - 1)


def pattern(seed: int, length: int) -> bytes:
    """The first ``length`` bytes of a seed's pattern: the low byte of each state, inverted if the seed says so."""
    inversion = 0xFF if seed & INVERT else 0
    return bytes(state & 0xFF ^ inversion for state in islice(_states(seed), length))


def _states(seed: int) -> Iterator[int]:
    state = first_state(seed)
    while True:
        yield state
        state = advance(state)


def bounded_item(bits: Any, depth: int) -> Any:
    """An item number below ``depth`` made of 16 bits, by no more than a few gates.

    The largest power of two within ``depth`` says how many low bits are taken as they are. The bit above them is
    taken if the bits from the remainder's highest one up are zero, so at least half of the remaining numbers occur.
    """
    top = depth.bit_length() - 1
    rest = depth - (1 << top)
    low = bits & ((1 << top) - 1)
    if rest == 0:
        return low
    from_bit = rest.bit_length() - 1
    in_range = (low >> from_bit) == 0
    return low | ((((bits >> top) & 1) & in_range) << top)
