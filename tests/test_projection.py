"""Clocks of the dearest case, from simulation."""

from pathlib import Path

import pytest
from ramrec.hdl.geometry import TINY
from ramrec.host.projection import measure_cycles
from ramrec.sim.compiled import NoCompiler, require_tools


@pytest.fixture(scope="module", autouse=True)
def compiler() -> None:
    try:
        require_tools()
    except NoCompiler as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("ramrec.host.bench.kept_clocks.cache_folder", lambda what: tmp_path / what)


def test_cycles_are_those_of_the_gateware() -> None:
    cycles = measure_cycles(TINY)
    # At least one clock per row of the catalogue, and one per entry and sweep.
    assert TINY.rows <= cycles["cycles_rank"] < 100 * TINY.rows
    assert TINY.memory_depth <= cycles["cycles_learn"] < 100 * TINY.memory_depth * TINY.sweeps
