"""Geometry: what it accepts, refuses, derives and packs."""

import math
from dataclasses import FrozenInstanceError, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl.geometry import PRESETS, RULES, TINY, Geometry

MACHINE = {"users", "catalogue_depth", "top_k", "lanes", "comparators", "neurons_per_clock", "table_bits", "compact"}

REFUSED = [
    ({"compact": 2}, "2"),
    ({"compact": 1, "lanes": 2, "code_bits": 64}, "2"),
    ({"compact": 1, "lanes": 1, "code_bits": 48, "comparators": 1}, "48"),
    ({"compact": 1, "lanes": 1, "code_bits": 64, "rule": "nearest"}, "'nearest'"),
    ({"code_bits": 8}, "8"),
    ({"code_bits": 24}, "24"),
    ({"code_bits": 272}, "272"),
    ({"code_bits": 0}, "0"),
    ({"tuple_bits": 3}, "3"),
    ({"tuple_bits": 8}, "8"),
    ({"rule": "guess"}, "'guess'"),
    ({"sweeps": 0}, "0"),
    ({"sweeps": 256}, "256"),
    ({"ridge": -1}, "-1"),
    ({"ridge": 65536, "rule": "counting"}, "65536"),
    ({"drift": -1}, "-1"),
    ({"drift": 1024, "rule": "counting"}, "1024"),
    ({"bias_gain": -1}, "-1"),
    ({"bias_gain": 256, "rule": "counting"}, "256"),
    ({"shift": 0}, "0"),
    ({"shift": 16}, "16"),
    ({"alpha_bits": 1}, "1"),
    ({"alpha_bits": 13}, "13"),
    ({"prior_shift": -1}, "-1"),
    ({"prior_shift": 8}, "8"),
    ({"memory_depth": 0}, "0"),
    ({"memory_depth": 1026}, "1026"),
    ({"users": 0}, "0"),
    ({"users": 4097}, "4097"),
    ({"catalogue_depth": 0}, "0"),
    ({"catalogue_depth": 65536}, "65536"),
    ({"top_k": 0}, "0"),
    ({"top_k": 42}, "42"),
    ({"lanes": 0}, "0"),
    ({"lanes": 49}, "49"),
    ({"comparators": 0}, "0"),
    ({"comparators": 3}, "3"),
    ({"comparators": 4}, "4"),
    ({"neurons_per_clock": 0}, "0"),
    ({"neurons_per_clock": 3}, "3"),
    ({"neurons_per_clock": 1}, "1"),
    ({"table_bits": 0}, "0"),
    ({"table_bits": 3}, "3"),
    ({"table_bits": 16}, "16"),
    ({"table_bits": 1}, "1"),
    ({"table_bits": 8, "neurons_per_clock": 2}, "2"),
    ({"rule": "nearest", "lanes": 2}, "2"),
    ({"ridge": 22}, "4"),
    ({"drift": 4}, "4"),
    ({"shift": 3}, "3"),
]


@pytest.mark.parametrize(("changes", "offender"), REFUSED, ids=[str(changes) for changes, _ in REFUSED])
def test_refuses_values_out_of_range(changes, offender):
    """The message names the field, and ends in the value."""
    with pytest.raises(ValueError) as refusal:
        TINY.with_(**changes)
    message = str(refusal.value)
    assert message.endswith(f", not {offender}")
    assert message.startswith((*changes, "shift"))


@pytest.mark.parametrize("field", [field.name for field in fields(Geometry)])
@pytest.mark.parametrize("value", [None, 2.0, True, b"sweep"])
def test_refuses_other_types(field, value):
    with pytest.raises(TypeError) as refusal:
        TINY.with_(**{field: value})
    assert str(refusal.value).startswith(f"{field} must be of type ")
    assert str(refusal.value).endswith(f", not {value!r}")


def test_is_frozen_and_takes_keywords_only():
    with pytest.raises(FrozenInstanceError):
        TINY.users = 5
    with pytest.raises(TypeError):
        Geometry(128)
    with pytest.raises(TypeError):
        TINY.with_(cores=2)


def test_step_limit_is_exact():
    """The largest lambda that still converges is accepted, the next one refused."""
    assert (2 << TINY.shift) - 1 == 2 + 8 + 21
    assert TINY.with_(ridge=21).ridge == 21
    with pytest.raises(ValueError, match="convergent"):
        TINY.with_(ridge=22)
    assert TINY.with_(ridge=22, rule="counting").ridge == 22


def powers(limit):
    return st.sampled_from([1 << bit for bit in range(limit.bit_length()) if 1 << bit <= limit])


@st.composite
def geometries(draw):
    tuple_bits = draw(st.sampled_from([1, 2, 4]))
    code_bits = 16 * draw(st.integers(1, 16))
    neurons = code_bits // tuple_bits
    table_bits = draw(st.sampled_from([bits for bits in (1, 2, 4, 8) if bits >= tuple_bits]))
    fused = table_bits // tuple_bits
    comparators = draw(powers(16))
    rule = draw(st.sampled_from(RULES))
    return Geometry(
        code_bits=code_bits,
        tuple_bits=tuple_bits,
        rule=rule,
        sweeps=draw(st.integers(1, 255)),
        ridge=draw(st.integers(0, 500)),
        drift=draw(st.integers(0, 3)),
        bias_gain=draw(st.integers(0, 255)),
        shift=draw(st.integers(13, 15)),
        alpha_bits=draw(st.integers(2, 12)),
        prior_shift=draw(st.integers(0, 7)),
        memory_depth=comparators * draw(st.integers(1, 1024 // comparators)),
        users=draw(st.integers(1, 4096)),
        catalogue_depth=draw(st.integers(1, 65535)),
        top_k=draw(st.integers(1, 41)),
        lanes=1 if rule == "nearest" else draw(st.integers(1, 48)),
        comparators=comparators,
        neurons_per_clock=draw(st.sampled_from([n for n in range(fused, neurons + 1, fused) if neurons % n == 0])),
        table_bits=table_bits,
    )


@settings(deadline=None, derandomize=True)
@given(geometry=geometries())
def test_packed_and_back(geometry):
    packed = geometry.pack()
    assert len(packed) == 2 * len(fields(Geometry))
    assert Geometry.unpack(packed) == geometry


def test_unpack_refuses_what_is_no_geometry():
    packed = TINY.pack()
    for data in (b"", packed[:-1], packed + b"\0"):
        with pytest.raises(ValueError, match=f"not {len(data)}$"):
            Geometry.unpack(data)
    place = 2 * [field.name for field in fields(Geometry)].index("rule")
    with pytest.raises(ValueError, match=f"not {len(RULES)}$"):
        Geometry.unpack(packed[:place] + bytes([len(RULES), 0]) + packed[place + 2 :])
    with pytest.raises(ValueError, match="code_bits"):
        Geometry.unpack(bytes([17, 0]) + packed[2:])


@settings(deadline=None, derandomize=True)
@given(geometry=geometries())
def test_derived_numbers(geometry):
    """Widths hold what they are for and waste no bit; counts multiply out."""
    for largest, width in (
        (geometry.cell_max, geometry.cell_bits),
        (geometry.fused * geometry.cell_max, geometry.table_cell_bits),
        (geometry.score_max, geometry.score_bits),
    ):
        assert 1 << (width - 2) <= largest < 1 << (width - 1)
    assert geometry.alpha_max == 2 ** (geometry.alpha_bits - 1) - 1
    assert geometry.cell_max == geometry.memory_depth * geometry.alpha_max
    assert geometry.cells == 2**geometry.tuple_bits
    assert geometry.neurons * geometry.tuple_bits == geometry.code_bits == 8 * geometry.code_bytes
    assert geometry.groups * geometry.neurons_per_clock == geometry.neurons == geometry.tables * geometry.fused
    assert geometry.table_cells == 2**geometry.table_bits == geometry.cells**geometry.fused
    assert geometry.neurons_per_clock % geometry.fused == 0
    assert geometry.rows == math.ceil(geometry.catalogue_depth / geometry.lanes)
    assert geometry.memory_rows * geometry.comparators == geometry.memory_depth
    assert 2**geometry.kept_bits > geometry.memory_depth and 2**geometry.match_bits > geometry.neurons
    residual = geometry.surprise_max + geometry.score_max + geometry.lambda_max * geometry.alpha_max
    assert residual + (1 << geometry.shift) < 1 << (geometry.residual_bits - 1)
    assert geometry.target_max + (128 << geometry.prior_shift) <= geometry.surprise_max


def test_agent_fields():
    """What an agent computes is decided by all fields but those of the machine."""
    assert set(TINY.agent) == {field.name for field in fields(Geometry)} - MACHINE
    other = TINY.with_(users=1, catalogue_depth=9, top_k=1, lanes=1, comparators=1, neurons_per_clock=8, table_bits=8)
    assert other.agent == TINY.agent
    assert TINY.with_(sweeps=4).agent != TINY.agent


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    """Every preset is valid again when packed, and a digest's words hold its cells."""
    geometry = PRESETS[name]
    assert Geometry.unpack(geometry.pack()) == geometry
    assert geometry.rule == "sweep"
    assert geometry.cell_bits <= 16
