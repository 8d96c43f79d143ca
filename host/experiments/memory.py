"""What does a bit of memory buy?"""

from functools import partial

from ...hdl.geometry import Geometry
from ..evaluation.baselines_agents import AgentMethod
from ..evaluation.picture import Plot
from .laboratory import Judged, Laboratory
from .outcome import Outcome, Row
from .tables import series, signed

__all__ = ["bits_per_user", "run"]

_DEPTHS = (8, 16, 32, 64, 128)
_CONSTANTS: dict[int, dict[str, int]] = {
    64: {"ridge": 80, "bias_gain": 16, "shift": 7, "prior_shift": 3},
    128: {},
    256: {"ridge": 224, "bias_gain": 32, "shift": 9, "prior_shift": 5},
}
"""What suits codes of another width than 128: for 64 as in the preset UP5K, for 256 everything twice as large."""
_ENTRY = 32
"""Bits of an entry: number of the film, and what the rating said beyond the prior."""
_LONG = 50


def bits_per_user(geometry: Geometry) -> int:
    """Bits that one user's ratings take on a device."""
    return geometry.memory_depth * _ENTRY


def run(lab: Laboratory) -> Outcome:
    """Accuracy with codes and memories of several sizes, with all ratings of users who have many."""
    judged: dict[Geometry, Judged] = {}
    for width, constants in _CONSTANTS.items():
        base = lab.geometry.with_(code_bits=width, neurons_per_clock=width // lab.geometry.tuple_bits, **constants)
        grounds = lab.grounds if base.agent == lab.geometry.agent else lab.learned(geometry=base)
        for depth in _DEPTHS:
            geometry = base.with_(memory_depth=depth)
            marks = lab.judge(partial(AgentMethod, geometry=geometry), grounds=grounds, depth=depth)
            judged[geometry] = marks.among(marks.reach(_LONG))
    rows = [
        {
            "codes": f"codes of {geometry.code_bits} bits",
            "memory_depth": geometry.memory_depth,
            "bits": bits_per_user(geometry),
        }
        | marks.accuracy("all")
        for geometry, marks in judged.items()
    ]
    by_size = {(geometry.code_bits, geometry.memory_depth): marks for geometry, marks in judged.items()}
    half, double = (by_size[128, 64].less(by_size[128, depth], "all") for depth in (32, 128))
    return Outcome(
        name="memory",
        title="What does a bit of memory buy?",
        sentence=f"A user of 64 ratings takes {64 * _ENTRY:,} bits. With codes of 128 bits half as many ratings cost "
        f"{signed(half)}; twice as many would bring {signed(_turned(double))}.",
        rows=rows,
        plot=Plot(
            "bits of memory per user",
            "right answers with all ratings, %",
            series(rows, "codes", "bits"),
            log_x=True,
        ),
        about=f"Users with {_LONG} ratings to learn or more; along a line the memory holds {_DEPTHS[0]} to "
        f"{_DEPTHS[-1]} ratings. Bits are those of the entries; codes and tables are there once, for all users.",
    )


def _turned(row: Row) -> Row:
    return {"diff": -row["diff"], "low": -row["high"], "high": -row["low"]}
