"""What a device costs in clocks, from simulation: the time on a board is that over its clock."""

from statistics import median_low

from ..hdl.geometry import Geometry
from .bench.simulated import commands
from .bench.workload import synthetic

__all__ = ["measure_cycles"]

_PEOPLE = 8
_SEED = 1


def measure_cycles(geometry: Geometry) -> dict[str, int]:
    """Clocks of the compiled gateware with as many random films and ratings as it holds: the middle of eight users.

    Returns
    -------
    dict
        ``cycles_rank``, of finding the ``top_k`` best films, and ``cycles_learn``, of learning all kept ratings anew.

    Raises
    ------
    RamrecError
        If the gateware can not be compiled here.
    """
    workload = synthetic(
        geometry,
        films=geometry.catalogue_depth,
        people=min(_PEOPLE, geometry.users),
        ratings=geometry.memory_depth,
        seed=_SEED,
    )
    found = commands(geometry, workload, geometry.top_k)
    return {"cycles_rank": median_low(found["rank"]), "cycles_learn": median_low(found["learn"])}
