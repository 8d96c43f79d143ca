# amaranth: UnusedElaboratable=no
"""AdderTree: exact sums in order, at the stated latency, under any flow."""

import random

import pytest
from amaranth import signed, unsigned
from ramrec.hdl.adder_tree import AdderTree

from .bench import FLOWS, run_stream

SHAPES = [
    (signed(5), 8, 1),
    (signed(5), 7, 2),
    (unsigned(1), 16, 2),
    (unsigned(3), 3, 1),
    (signed(2), 5, 4),
    (unsigned(4), 2, 1),
    (signed(6), 1, 1),
]


def rows_of(rng, shape, count, length):
    """Rows of terms: all at one extreme, alternating extremes, and random ones."""
    low, high = (-(1 << (shape.width - 1)), (1 << (shape.width - 1)) - 1) if shape.signed else (0, 2**shape.width - 1)
    rows = [[low] * count, [high] * count, [(low, high)[j % 2] for j in range(count)], [0] * count]
    return rows + [[rng.randint(low, high) for _ in range(count)] for _ in range(length)]


def payloads_of(rows):
    return [{"terms": row, "tag": index % 256} for index, row in enumerate(rows)]


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize(("shape", "count", "levels"), SHAPES)
def test_sums(shape, count, levels, idle, wait):
    rows = rows_of(random.Random(count), shape, count, 40)
    tree = AdderTree(shape, count, 8, levels_per_stage=levels)
    sums, _, _ = run_stream(tree, payloads_of(rows), len(rows), idle=idle, wait=wait)
    assert sums == [{"sum": sum(row), "tag": index} for index, row in enumerate(rows)]


@pytest.mark.parametrize(("shape", "count", "levels"), SHAPES)
def test_latency_and_throughput(shape, count, levels):
    """One sum per clock, each ``latency`` clocks after its terms."""
    rows = rows_of(random.Random(count), shape, count, 8)
    tree = AdderTree(shape, count, 8, levels_per_stage=levels)
    assert tree.latency == max(1, -(-(count - 1).bit_length() // levels))
    _, sent, received = run_stream(tree, payloads_of(rows), len(rows))
    assert sent == list(range(sent[0], sent[0] + len(rows)))
    assert received == [clock + tree.latency for clock in sent]


@pytest.mark.parametrize(
    ("count", "levels", "message"), [(0, 1, "count .* not 0"), (2, 0, "levels_per_stage .* not 0")]
)
def test_refuses_what_is_no_tree(count, levels, message):
    with pytest.raises(ValueError, match=message):
        AdderTree(unsigned(1), count, 1, levels_per_stage=levels)
