"""The native backend answers as the golden device does, bit for bit."""

import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl.geometry import ECP5_85F, TINY, UP5K, Geometry
from ramrec.host.cli_verify import verify
from ramrec.host.errors import UsageError
from ramrec.host.native import NativeAgent, Ranker
from ramrec.host.transport import open_transport
from ramrec.sim.golden import Agent, Entry, Learned, top_k
from ramrec.sim.golden_device import GoldenDevice

GEOMETRIES = {
    "TINY": TINY,
    "UP5K": UP5K,
    "ECP5_85F": ECP5_85F,
    "one-bit tuples, drift": TINY.with_(tuple_bits=1, neurons_per_clock=16, drift=1),
    "four-bit tuples": TINY.with_(code_bits=48, tuple_bits=4, neurons_per_clock=12, memory_depth=9, comparators=1),
    "widest": ECP5_85F.with_(code_bits=256, neurons_per_clock=128, shift=9, alpha_bits=12, prior_shift=7),
    "counting": TINY.with_(rule="counting"),
    "nearest": TINY.with_(rule="nearest", lanes=1),
    "wisard": TINY.with_(rule="wisard"),
}
SURPRISES = st.one_of(st.integers(-(1 << 15), (1 << 15) - 1), st.integers(-64, 64), st.sampled_from([-(1 << 15), 0]))


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
def test_answers_like_the_golden_device(geometry: Geometry) -> None:
    report = verify("native", geometry, sessions=4, seed=5)
    assert report.failure is None
    assert report.commands > 100


def entries(geometry: Geometry) -> st.SearchStrategy[list[Entry]]:
    # Few different codes: alike and opposite ones meet in the same cells.
    code = st.one_of(
        st.binary(min_size=geometry.code_bytes, max_size=geometry.code_bytes),
        st.sampled_from([bytes(geometry.code_bytes), b"\xff" * geometry.code_bytes]),
    )
    entry = st.builds(Entry, st.integers(0, 9), code, SURPRISES)
    return st.lists(entry, max_size=geometry.memory_depth)


@pytest.mark.parametrize("name", ["TINY", "one-bit tuples, drift", "four-bit tuples", "widest"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_learns_like_the_golden_model(name: str, data: st.DataObject) -> None:
    geometry = GEOMETRIES[name]
    kept = data.draw(entries(geometry))
    golden, native = Agent(geometry, kept), NativeAgent(geometry, kept)
    assert native.words() == golden.words()
    assert native.learned.alpha.tolist() == golden.learned.alpha.tolist()


def test_a_memory_keeps_no_more_than_it_holds() -> None:
    agent = NativeAgent(TINY)
    with pytest.raises(ValueError, match=f"keeps {TINY.memory_depth} ratings"):
        agent.replace([Entry(0, bytes(TINY.code_bytes), 1)] * (TINY.memory_depth + 1))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    films=st.integers(0, 90),
    k=st.integers(1, TINY.top_k),
    left=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    loud=st.sampled_from([1, 3, TINY.cell_max]),
)
def test_ranks_like_the_golden_model(seed: int, films: int, k: int, left: float, loud: int) -> None:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (films, TINY.code_bytes), np.uint8)
    priors = rng.integers(-128, 128, films) if loud > 1 else np.zeros(films, np.int64)
    tables = rng.integers(-loud, loud + 1, (TINY.neurons, TINY.cells))
    allowed = rng.random(films) < left
    agent = Agent(TINY)
    agent.learned = Learned(np.zeros(0, np.int64), int(rng.integers(-loud, loud + 1)), tables)
    scores = agent.scores(codes, priors)
    expected = top_k(scores, allowed, k)
    items, best = Ranker(TINY).rank(agent.learned, codes, priors, allowed, k)
    assert items.tolist() == expected
    assert best.tolist() == scores[expected].tolist()


def test_without_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("native", "native_kernels"):
        monkeypatch.delitem(sys.modules, f"ramrec.host.{module}")
        monkeypatch.delattr(f"ramrec.host.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(UsageError, match=r"pip install 'ramrec\[native\]', or choose golden$"):
        open_transport("native", TINY)
    monkeypatch.setattr("ramrec.host.transport.find_spec", lambda name: None)
    assert type(open_transport("auto", TINY)._device) is GoldenDevice  # type: ignore[attr-defined]


def test_auto_is_native_where_numba_is() -> None:
    assert find_spec("numba") is not None
    assert type(open_transport("auto", TINY)._device).__name__ == "NativeDevice"  # type: ignore[attr-defined]
