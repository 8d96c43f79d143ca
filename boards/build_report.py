"""What a build came to: nextpnr's report in JSON becomes ours."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .build_plan import Plan
from .build_tools import BuildError

__all__ = ["RESOURCES", "make_report", "missed", "needs", "too_large"]

RESOURCES = {
    "lut": ("LUTs", ("TRELLIS_COMB", "ICESTORM_LC")),
    "ff": ("flip-flops", ("TRELLIS_FF", "ICESTORM_LC")),
    "bram": ("block RAMs", ("DP16KD", "ICESTORM_RAM")),
    "spram": ("large RAMs", ("ICESTORM_SPRAM",)),
    "lut_ram": ("LUT RAMs", ("TRELLIS_RAMW",)),
    "dsp": ("multipliers", ("MULT18X18D", "ICESTORM_DSP")),
}
"""Key of a resource -> what a person calls it, and its cells in nextpnr's reports, ECP5 and iCE40."""


def make_report(plan: Plan, found: Mapping[str, Any], *, flip_flops: int | None = None) -> dict[str, Any]:
    """Describe a routed design in values for JSON.

    Parameters
    ----------
    found
        What nextpnr's ``--report`` wrote.
    flip_flops
        Their number, where a cell holds a LUT and a flip-flop and nextpnr counts only cells.

    Returns
    -------
    dict
        ``board, geometry, build_id``; ``timing_met, fmax_mhz, clock_mhz`` of the tightest clock;
        used and available of each of `RESOURCES`, as ``lut`` and ``lut_available``; ``critical_path``
        with ``from``, ``to`` and ``ns``.

    Raises
    ------
    BuildError
        If nothing is clocked.
    """
    if not found["fmax"]:
        raise BuildError(f"nextpnr reports no clock for {plan.board}")
    clock, figures = min(found["fmax"].items(), key=lambda item: item[1]["achieved"] / item[1]["constraint"])
    used = {key: needs(found["utilization"], key) for key in RESOURCES}
    if flip_flops is not None:
        used["ff"] = flip_flops, used["ff"][1]
    report: dict[str, Any] = {
        "board": plan.board,
        "geometry": asdict(plan.geometry),
        "build_id": f"{plan.build_id:08x}",
        "timing_met": figures["achieved"] >= figures["constraint"],
        "fmax_mhz": round(figures["achieved"], 2),
        "clock_mhz": round(figures["constraint"], 2),
    }
    for key, (amount, available) in used.items():
        report |= {key: amount, f"{key}_available": available}
    return report | {"critical_path": _critical_path(found["critical_paths"], clock)}


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
    return (
        f"{report['board']} misses timing: {report['fmax_mhz']} of {report['clock_mhz']} MHz; the critical path takes "
        f"{path['ns']} ns from {path['from']} to {path['to']}; {tried}"
    )


def _critical_path(paths: list[Mapping[str, Any]], clock: str) -> dict[str, Any]:
    """The longest path between two edges of that clock, by the cells at its ends."""
    inside = [path["path"] for path in paths if path["from"].endswith(f" {clock}") and path["to"].endswith(f" {clock}")]
    steps = max(inside, key=_delay)
    return {"from": steps[0]["from"]["cell"], "to": steps[-1]["to"]["cell"], "ns": round(_delay(steps), 2)}


def _delay(steps: list[Mapping[str, Any]]) -> float:
    return sum(step["delay"] for step in steps)
