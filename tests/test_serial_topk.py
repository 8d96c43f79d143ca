"""SerialTopK against the golden ranking."""

import random
from itertools import pairwise

import pytest
from ramrec.hdl.serial_topk import SerialTopK

from .bench import COMPACT, FLOWS, meaning, ranking, run_stream
from .test_topk import SCORES

LISTS = {
    "five places": COMPACT,
    "one place": COMPACT.with_(top_k=1),
    "long": COMPACT.with_(top_k=41, catalogue_depth=60),
}


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
@pytest.mark.parametrize("name", LISTS)
def test_lists(name, idle, wait):
    """List after list, of no film, one, fewer than fit, more; equal scores stay in the order of their films."""
    geometry = LISTS[name]
    rng = random.Random(7)
    top = (1 << (geometry.score_bits - 1)) - 1
    sent, due = [], []
    for kind, score in SCORES.items():
        for count in (0, 1, geometry.top_k - 1, geometry.catalogue_depth):
            scores = [score(rng, top, place) for place in range(max(1, count))]
            kept = [int(place < count and rng.random() < 0.9) for place in range(len(scores))]
            sent += [
                {"score": value, "item": item, "keep": keep, "last": int(item == len(scores) - 1)}
                for item, (value, keep) in enumerate(zip(scores, kept, strict=True))
            ]
            due += ranking(geometry, scores, kept)
            assert kind in SCORES
    got, _, _ = run_stream(SerialTopK(geometry), sent, len(due), idle=idle, wait=wait)
    assert [meaning(record) for record in got] == due


def test_clocks():
    """A candidate takes 2 clocks, and one for each film that it beats."""
    geometry = LISTS["five places"]
    scores = [10, 9, 11, 8, 12, 3, 13]
    sent = [
        {"score": score, "item": item, "keep": 1, "last": int(item == len(scores) - 1)}
        for item, score in enumerate(scores)
    ]
    _, clocks, _ = run_stream(SerialTopK(geometry), sent, geometry.top_k)
    moved = [0, 0, 2, 0, 4, 0]
    assert [after - before for before, after in pairwise(clocks)] == [2 + n for n in moved]
