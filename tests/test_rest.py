"""Rest: what goes in comes out, in order, whatever the flow."""

import random

import pytest
from ramrec.hdl.rest import Rest

from .bench import FLOWS, run_stream


@pytest.mark.parametrize(("idle", "wait"), FLOWS)
def test_payloads(idle, wait):
    """An item every other clock, each 1 clock later, if both sides are ready."""
    rng = random.Random(1)
    payloads = [rng.randrange(1 << 8) for _ in range(50)]
    got, sent, received = run_stream(Rest(8), payloads, len(payloads), idle=idle, wait=wait)
    assert got == payloads
    assert all(later > earlier for earlier, later in zip(sent, received, strict=True))
    if idle == wait == 0:
        assert sent == list(range(sent[0], sent[0] + 2 * len(payloads), 2))
        assert received == [clock + 1 for clock in sent]
