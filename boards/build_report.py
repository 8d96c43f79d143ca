"""What a build came to: nextpnr's report in JSON becomes ours."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from .build_area import RESOURCES
from .build_plan import Plan
from .build_tools import BuildError

__all__ = ["make_report", "missed", "needs", "too_large"]

_CLOCK_TOLERANCE = 0.01
"""Between the clock that a plan wants and the one that place and route derived from the PLL: picoseconds, rounded."""


def make_report(plan: Plan, found: Mapping[str, Any], component_of: Callable[[str], str]) -> dict[str, Any]:
    """Describe a routed design in values for JSON.

    Parameters
    ----------
    found
        What nextpnr's ``--report`` wrote.
    component_of
        Name of the component that a cell of that name comes from.

    Returns
    -------
    dict
        ``board, geometry, build_id``; ``timing_met, fmax_mhz, clock_mhz`` of the tightest clock, and ``clocks``
        with both figures of each; used and available of each of `RESOURCES`, as ``lut`` and ``lut_available``;
        ``critical_path`` with the cells ``from`` and ``to``, ``ns``, and ``through``, the components on its way
        with the time spent in and on the way to each.

    Raises
    ------
    BuildError
        If nothing is clocked, or no clock is the plan's.
    """
    if not found["fmax"]:
        raise BuildError(f"nextpnr reports no clock for {plan.board}")
    clocks = found["fmax"]
    if not any(abs(one["constraint"] / plan.clock_mhz - 1) < _CLOCK_TOLERANCE for one in clocks.values()):
        demanded = ", ".join(f"{one['constraint']:g}" for one in clocks.values())
        raise BuildError(f"nextpnr was asked for {demanded} MHz on {plan.board}, not for {plan.clock_mhz:g}")
    clock, figures = min(clocks.items(), key=lambda item: item[1]["achieved"] / item[1]["constraint"])
    report: dict[str, Any] = {
        "board": plan.board,
        "geometry": asdict(plan.geometry),
        "build_id": f"{plan.build_id:08x}",
        "timing_met": figures["achieved"] >= figures["constraint"],
        "fmax_mhz": round(figures["achieved"], 2),
        "clock_mhz": round(figures["constraint"], 2),
        "clocks": {
            name: {"fmax_mhz": round(one["achieved"], 2), "clock_mhz": round(one["constraint"], 2)}
            for name, one in clocks.items()
        },
    }
    for key in RESOURCES:
        amount, available = needs(found["utilization"], key)
        report |= {key: amount, f"{key}_available": available}
    return report | {"critical_path": _critical_path(found["critical_paths"], clock, component_of)}


def needs(utilization: Mapping[str, Mapping[str, int]], key: str) -> tuple[int, int]:
    """Used and available of a resource; none of either where the device has no such cells."""
    cells = [utilization[cell] for cell in RESOURCES[key][1] if cell in utilization]
    return sum(cell["used"] for cell in cells), sum(cell["available"] for cell in cells)


def too_large(board: str, utilization: Mapping[str, Mapping[str, int]]) -> str | None:
    """Why a design does not fit its device, None if it does."""
    names = {cell: name for name, cells in reversed(RESOURCES.values()) for cell in cells}
    over = [
        f"{count['used']:,} of {count['available']:,} {names.get(cell, cell)}"
        for cell, count in utilization.items()
        if count["used"] > count["available"]
    ]
    if not over:
        return None
    return f"the design does not fit {board}: it needs {' and '.join(over)}; ask for a smaller --geometry"


def missed(report: Mapping[str, Any], seeds: int) -> str:
    """Why a build that misses its timing does."""
    path = report["critical_path"]
    tried = "another --seed, or --seeds 8, may do" if seeds == 1 else f"none of {seeds} seeds did better"
    way = ", ".join(dict.fromkeys(step["component"] for step in path["through"]))
    return (
        f"{report['board']} misses timing: {report['fmax_mhz']} of {report['clock_mhz']} MHz; the critical path takes "
        f"{path['ns']} ns from {path['from']} to {path['to']}, through {way}; {tried}"
    )


def _critical_path(paths: list[Mapping[str, Any]], clock: str, component_of: Callable[[str], str]) -> dict[str, Any]:
    """The longest path between two edges of that clock, by the cells at its ends and the components between."""
    inside = [path["path"] for path in paths if path["from"].endswith(f" {clock}") and path["to"].endswith(f" {clock}")]
    steps = max(inside, key=_delay)
    through = [
        {"component": component, "ns": round(_delay(list(group)), 2)}
        for component, group in groupby(steps, key=lambda step: component_of(step["to"]["cell"]))
    ]
    ends = {"from": steps[0]["from"]["cell"], "to": steps[-1]["to"]["cell"]}
    return ends | {"ns": round(_delay(steps), 2), "through": through}


def _delay(steps: list[Mapping[str, Any]]) -> float:
    return sum(step["delay"] for step in steps)
