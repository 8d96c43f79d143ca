"""Does an agent get slower the more it has learned? In clock cycles, from simulated gateware."""

import numpy as np

from ..driver import Driver, Kept
from ..evaluation.picture import Plot, Series
from ..transport import open_transport
from .laboratory import Laboratory
from .outcome import Outcome, Row

__all__ = ["run"]

_ENTRIES = (5, 10, 20, 50, 100, 200, 500, 1000)
_DEPTH = 1024
_FILMS = 1280
_VIEWS = {"table view (sweep)": "sweep", "memory view (nearest)": "nearest"}


def run(lab: Laboratory) -> Outcome:
    """Clocks of ranking in both views, and of learning, against ratings in memory."""
    rows = [row for name, rule in _VIEWS.items() for row in _measure(lab, name, rule)]
    table, memory = ([row for row in rows if row["view"] == name] for name in _VIEWS)
    return Outcome(
        name="latency",
        title="Does an agent get slower the more it has learned?",
        sentence=f"Ranking {_FILMS} films takes {table[0]['rank']:,} clocks by tables with {_ENTRIES[0]} ratings and "
        f"{table[-1]['rank']:,} with {_ENTRIES[-1]:,}; by comparing with every stored pattern {memory[0]['rank']:,} "
        f"and {memory[-1]['rank']:,}. What grows in the table view is learning: from {table[0]['learn']:,} to "
        f"{table[-1]['learn']:,} clocks.",
        rows=rows,
        plot=Plot(
            "ratings in memory",
            f"clocks to rank {_FILMS} films",
            [Series(name, _ENTRIES, [row["rank"] for row in rows if row["view"] == name]) for name in _VIEWS]
            + [Series("learning (sweep)", _ENTRIES, [row["learn"] for row in table])],
            log_x=True,
            log_y=True,
        ),
        about=f"Counted by the device itself, in gateware compiled by Verilator: one lane, one comparator, a memory of "
        f"{_DEPTH:,} ratings, {_FILMS} films, codes of {lab.geometry.code_bits} bits. Both views are in the same "
        "gateware; the rule `nearest` ranks through the memory view, `sweep` through the tables. No hardware was "
        "involved.",
    )


def _measure(lab: Laboratory, view: str, rule: str) -> list[Row]:
    geometry = lab.geometry.with_(
        rule=rule, drift=0, memory_depth=_DEPTH, users=1, catalogue_depth=_FILMS, lanes=1, comparators=1
    )
    rng = np.random.default_rng([lab.seed, 45])
    codes = lab.grounds[0].population.catalogue.codes
    films = codes[rng.integers(0, len(codes), _FILMS)]
    transport = open_transport("virtual", geometry)
    try:
        driver = Driver(transport, geometry)
        driver.hello()
        driver.load(0, films, rng.integers(-60, 60, _FILMS).astype(np.int8))
        rows: list[Row] = []
        for entries in _ENTRIES:
            said = rng.integers(-1500, 1500, entries).tolist()
            driver.restore(0, [Kept(film, e) for film, e in enumerate(said)])
            learn = driver.stats().learn_clocks
            driver.rank(0, geometry.top_k)
            rank = driver.stats().command_clocks
            rows.append({"view": view, "entries": entries, "rank": rank, "learn": learn})
        return rows
    finally:
        transport.close()
