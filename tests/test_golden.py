"""What the golden model promises, on whatever ratings hypothesis finds."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl.geometry import TINY
from ramrec.sim.golden import Agent, Entry, addresses, learn, learn_by_tables, match, top_k, zero_tables

from .bench import GEOMETRIES, LEARNING, agent_entries, code_array

SWEEPS = {name: geometry for name, geometry in LEARNING.items() if geometry.rule == "sweep"}
SUMS = LEARNING
RULED = LEARNING | {
    "nearest": TINY.with_(rule="nearest", lanes=1),
    "wisard": TINY.with_(rule="wisard"),
}
EXACT = settings(deadline=None, derandomize=True, max_examples=40)


def codes(geometry):
    """Codes, often equal or nearly so."""
    size = geometry.code_bytes
    few = st.sampled_from([bytes(size), b"\xff" * size, b"\x0f" * size, b"\x01" + bytes(size - 1)])
    return few | st.binary(min_size=size, max_size=size)


def surprises(geometry):
    top = geometry.surprise_max
    step = 1 << geometry.shift
    return st.integers(-8 * step, 8 * step) | st.sampled_from([-top, top - 1, -step // 2, step // 2, 0])


def entries_of(geometry, *, min_size=0, max_size=None, items=None):
    """Lists of kept ratings of different items."""
    entry = st.builds(Entry, items or st.integers(0, 0xFFFF), codes(geometry), surprises(geometry))
    most = geometry.memory_depth if max_size is None else max_size
    return st.lists(entry, min_size=min_size, max_size=most, unique_by=lambda entry: entry.item)


def by_name(geometries):
    """Parametrise with geometries by name."""
    return pytest.mark.parametrize("geometry", geometries.values(), ids=list(geometries))


def state(agent):
    return agent.words(), agent.learned.alpha.tolist(), agent.learned.bias, agent.learned.tables.tolist()


@by_name(SWEEPS)
@EXACT
@given(data=st.data())
def test_both_views_learn_the_same(geometry, data):
    entries = data.draw(entries_of(geometry))
    array, e = code_array(geometry, [entry.code for entry in entries]), [entry.e for entry in entries]
    one, other = learn(geometry, array, e), learn_by_tables(geometry, array, e)
    assert one.alpha.tolist() == other.alpha.tolist()
    assert one.bias == other.bias == one.alpha.sum()
    assert np.array_equal(one.tables, other.tables)


@by_name(RULED)
@EXACT
@given(data=st.data())
def test_state_is_a_function_of_the_kept_list(geometry, data):
    """However it came about: by rating, re-rating, forgetting, eviction."""
    agent = Agent(geometry)
    items = st.integers(0, geometry.memory_depth)
    steps = data.draw(st.lists(st.tuples(items, codes(geometry), surprises(geometry), st.booleans()), max_size=14))
    for item, code, e, forget in steps:
        if forget:
            agent.forget(item)
        else:
            agent.rate(item, code, 0, e)
    assert state(agent) == state(Agent(geometry, agent.entries))


@by_name(RULED)
@EXACT
@given(data=st.data())
def test_forgetting_is_never_having_learned(geometry, data):
    """One rating anywhere in the history, among others before and after it."""
    history = data.draw(entries_of(geometry, min_size=1))
    place = data.draw(st.integers(0, len(history) - 1))
    agent, never = Agent(geometry), Agent(geometry)
    for index, entry in enumerate(history):
        agent.rate(entry.item, entry.code, 0, entry.e)
        if index != place:
            never.rate(entry.item, entry.code, 0, entry.e)
    assert agent.forget(history[place].item)
    assert state(agent) == state(never)
    assert not agent.forget(history[place].item)
    assert state(agent) == state(never)


@by_name(RULED)
@EXACT
@given(data=st.data())
def test_explanation_adds_up_to_the_score(geometry, data):
    """The table view's score is the prior and the sum of the memory view's contributions."""
    agent = Agent(geometry, data.draw(entries_of(geometry)))
    films = data.draw(st.lists(st.tuples(codes(geometry), st.integers(-128, 127)), min_size=1, max_size=4))
    scores = agent.scores(code_array(geometry, [code for code, _ in films]), [prior for _, prior in films])
    for (code, prior), score in zip(films, scores.tolist(), strict=True):
        nearest, said = agent.explain(code)
        assert [item for item, *_ in said] == [entry.item for entry in agent.entries]
        matches = [count for _, count, _ in said]
        assert nearest == max(range(len(said)), key=lambda slot: (matches[slot], slot), default=0)
        if geometry.rule != "wisard":  # whose contributions are what a score would lack
            assert score == (prior << geometry.prior_shift) + sum(part for *_, part in said)
        assert abs(score) <= geometry.score_max


@by_name(RULED)
@EXACT
@given(data=st.data())
def test_nothing_leaves_its_range(geometry, data):
    learned = Agent(geometry, data.draw(entries_of(geometry))).learned
    assert np.abs(learned.alpha).max(initial=0) <= geometry.alpha_max
    assert abs(learned.bias) <= geometry.cell_max
    assert np.abs(learned.tables).max() <= geometry.cell_max
    assert geometry.cell_max < 1 << (geometry.cell_bits - 1)
    assert geometry.score_max < 1 << (geometry.score_bits - 1)


@pytest.mark.parametrize("sign", [-1, 1])
@by_name(GEOMETRIES)
def test_cells_reach_their_limit_and_no_further(geometry, sign):
    """A full memory of one code and one sign, as loud as can be and with nothing that holds it back."""
    geometry = geometry.with_(ridge=0, drift=0, bias_gain=0)
    e = sign * (geometry.surprise_max - 1)
    agent = Agent(geometry, [Entry(j, bytes(geometry.code_bytes), e) for j in range(geometry.memory_depth)])
    assert agent.learned.alpha.tolist() == [sign * geometry.alpha_max] * geometry.memory_depth
    assert agent.learned.bias == sign * geometry.cell_max
    assert agent.learned.tables[:, 0].tolist() == [sign * geometry.cell_max] * geometry.neurons
    film = np.zeros((1, geometry.code_bytes), np.uint8)
    assert abs(agent.scores(film, [127 if sign > 0 else -128])[0]) <= geometry.score_max


@by_name(GEOMETRIES)
def test_memory_is_full(geometry):
    """The oldest rating goes, unless the new one takes the place of an earlier one of its film."""
    depth = geometry.memory_depth
    rng = random.Random(1)
    history = [Entry(10 + j, rng.randbytes(geometry.code_bytes), j - 3) for j in range(depth + 2)]
    agent = Agent(geometry)
    for entry in history:
        agent.rate(entry.item, entry.code, 0, entry.e)
    assert agent.entries == history[-depth:]
    again = history[-1]
    agent.rate(again.item, again.code, 0, 7)
    assert agent.entries == [*history[-depth:-1], Entry(again.item, again.code, 7)]
    oldest = agent.entries[0]
    agent.rate(oldest.item, oldest.code, 1, 7)
    assert agent.entries[-1] == Entry(oldest.item, oldest.code, 7 - (1 << geometry.prior_shift))
    assert len(agent.entries) == depth
    with pytest.raises(ValueError, match=f"not {depth + 1}$"):
        agent.replace(history[: depth + 1])


def test_drift_weakens_the_old():
    """With drift the older of two equal ratings speaks less, and both views still agree."""
    steady, drifting = TINY.with_(ridge=2, shift=5), TINY.with_(ridge=2, shift=5, drift=6)
    codes_ = code_array(TINY, [b"\x00\x00", b"\xff\xff", b"\x00\xff", b"\xff\x00"])
    e = [150] * 4
    even, fading = learn(steady, codes_, e), learn(drifting, codes_, e)
    assert even.alpha.tolist() != fading.alpha.tolist()
    assert fading.alpha[0] < fading.alpha[-1]
    by_tables = learn_by_tables(drifting, codes_, e)
    assert fading.alpha.tolist() == by_tables.alpha.tolist()


def test_sweeps_end_early_without_a_difference():
    """Learning that has converged is a fixed point."""
    entries = agent_entries(random.Random(2), TINY, 6)
    array, e = code_array(TINY, [entry.code for entry in entries]), [entry.e for entry in entries]
    settled = learn(TINY.with_(sweeps=200), array, e)
    assert settled.alpha.tolist() == learn(TINY.with_(sweeps=255), array, e).alpha.tolist()
    assert settled.alpha.tolist() == learn_by_tables(TINY.with_(sweeps=201), array, e).alpha.tolist()


def test_counting_commutes():
    """The counting rule knows no order: its tables are a plain sum over the ratings."""
    geometry = TINY.with_(rule="counting")
    entries = agent_entries(random.Random(3), geometry, 6)
    forward, backward = Agent(geometry, entries), Agent(geometry, entries[::-1])
    assert np.array_equal(forward.learned.tables, backward.learned.tables)
    alone = [Agent(geometry, [entry]).learned for entry in entries]
    assert np.array_equal(forward.learned.tables, sum(learned.tables for learned in alone))
    assert forward.learned.bias == sum(learned.bias for learned in alone)


def wiring(geometry):
    """Code bits of each neuron, least significant address bit first."""
    n = geometry.tuple_bits
    return [range(m * n, (m + 1) * n) for m in range(geometry.neurons)]


@by_name(GEOMETRIES)
def test_addresses_follow_the_wiring(geometry):
    """Flipping one bit of a code moves one neuron, by the bit's weight."""
    rng = random.Random(4)
    code = int.from_bytes(rng.randbytes(geometry.code_bytes), "little")
    (base,) = addresses(geometry, code_array(geometry, [code.to_bytes(geometry.code_bytes, "little")]))
    for neuron, wires in enumerate(wiring(geometry)):
        assert base[neuron] == sum((code >> bit & 1) << position for position, bit in enumerate(wires))
        flipped = code ^ 1 << wires[-1]
        (moved,) = addresses(geometry, code_array(geometry, [flipped.to_bytes(geometry.code_bytes, "little")]))
        assert np.flatnonzero(moved != base).tolist() == [neuron]
        assert moved[neuron] == base[neuron] ^ 1 << len(wires) - 1


@by_name({"1": TINY.with_(tuple_bits=1, neurons_per_clock=16), "2": TINY, "4": TINY.with_(tuple_bits=4)})
@EXACT
@given(data=st.data())
def test_match_counts_equal_tuples(geometry, data):
    """For tuples of one bit the match is the code's length less the Hamming distance."""
    a, b = (data.draw(codes(geometry)) for _ in range(2))
    (count,) = match(*(addresses(geometry, code_array(geometry, [code])) for code in (a, b)))[0]
    differing = int.from_bytes(a, "little") ^ int.from_bytes(b, "little")
    alike = sum(all(not differing >> bit & 1 for bit in wires) for wires in wiring(geometry))
    assert count == alike
    if geometry.tuple_bits == 1:
        assert count == geometry.code_bits - differing.bit_count()


@EXACT
@given(
    scores=st.lists(st.integers(-3, 3), max_size=12),
    k=st.integers(1, 15),
    banned=st.sets(st.integers(0, 11)),
)
def test_top_k(scores, k, banned):
    """Best first, ties by item number, and never more than there are."""
    allowed = np.array([item not in banned for item in range(len(scores))], np.bool_)
    expected = sorted((item for item in range(len(scores)) if allowed[item]), key=lambda item: (-scores[item], item))
    assert top_k(np.array(scores, np.int64), allowed, k) == expected[:k]


def test_top_k_corners():
    assert top_k(np.array([5]), np.array([True]), 4) == [0]
    assert top_k(np.array([5]), np.array([False]), 4) == []
    assert top_k(np.array([1, 1, 1]), np.array([True] * 3), 2) == [0, 1]


def wisard_agent(*signs):
    geometry = TINY.with_(rule="wisard")
    kinds = {1: b"\x00\x00", -1: b"\xff\xff"}
    return Agent(geometry, [Entry(j, kinds[sign], sign) for j, sign in enumerate(signs)])


def test_wisard():
    """Films like the liked ones score above those like the disliked ones, by all neurons; no tables."""
    agent = wisard_agent(1, 1, -1)
    liked, disliked = agent.scores(code_array(agent.geometry, [b"\x00\x00", b"\xff\xff"]), [0, 0])
    unit = 1 << agent.geometry.prior_shift
    assert (liked, disliked) == (agent.geometry.neurons * unit, -agent.geometry.neurons * unit)
    assert np.array_equal(agent.learned.tables, zero_tables(agent.geometry))
    assert wisard_agent().scores(code_array(agent.geometry, [b"\x00\x00"]), [3]) == [3 * unit]


def test_wisard_bleaches():
    """Both discriminators fire for one code: the one that saw it more often wins."""
    geometry = TINY.with_(rule="wisard")
    code = b"\x55\x33"
    film = code_array(geometry, [code])
    for likes, dislikes, sign in ((3, 1, 1), (1, 3, -1), (2, 2, 0)):
        signs = [1] * likes + [-1] * dislikes
        agent = Agent(geometry, [Entry(j, code, sign) for j, sign in enumerate(signs)])
        assert agent.scores(film, [0]) == [sign * geometry.neurons << geometry.prior_shift]


def test_nearest_takes_the_latest_of_equals():
    geometry = TINY.with_(rule="nearest", lanes=1)
    agent = Agent(geometry, [Entry(1, b"\x00\x00", 5), Entry(2, b"\xff\xff", -5), Entry(3, b"\x00\x00", 9)])
    film = code_array(geometry, [b"\x01\x00"])
    assert agent.scores(film, [2]) == [(2 << geometry.prior_shift) + 9]
    assert Agent(geometry).scores(film, [2]) == [2 << geometry.prior_shift]
