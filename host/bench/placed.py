"""The clock that a device would have: what place and route reached, from the report kept in the source tree."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ...boards.kept import kept
from ...boards.registry import BOARDS
from ...hdl.geometry import Geometry
from ...hdl.protocol import build_id
from .bandwidth import available_bits

__all__ = ["Placed", "placed"]


@dataclass(frozen=True)
class Placed:
    """What is known of a geometry's clock.

    Parameters
    ----------
    clock_mhz
        The clock that the routed design was asked for and meets, or else what it reached; None without a report.
    clock_source
        Where that number is from, in a sentence.
    available_bits
        Bits that the FPGA's block RAMs read per clock; None without a report.
    fpga
        The FPGA, as people call it.
    report
        The kept report.
    """

    clock_mhz: float | None
    clock_source: str
    available_bits: int | None = None
    fpga: str = ""
    report: Mapping[str, Any] | None = None

    def us(self, clocks: float | None) -> float | None:
        """Microseconds that so many clocks take; None where no clock is known."""
        return None if clocks is None or self.clock_mhz is None else round(clocks / self.clock_mhz, 3)


def placed(geometry: Geometry, reports: Mapping[str, Mapping[str, Any]] | None = None) -> Placed:
    """Find the report of a board with this geometry.

    Parameters
    ----------
    reports
        In place of those kept in the source tree.
    """
    boards = [name for name, board in BOARDS.items() if board.geometry == geometry]
    reports = kept() if reports is None else reports
    name = next((name for name in boards if name in reports), None)
    if name is None:
        which = f"of {' and '.join(boards)}" if boards else "because no board has this geometry"
        return Placed(None, f"no report of place and route {which}")
    report = reports[name]
    if report["geometry"] != asdict(geometry):
        return Placed(None, f"the report of place and route of {name} is of another geometry: build it anew")
    met = report["timing_met"]
    clock = report["clock_mhz"] if met else report["fmax_mhz"]
    tools = ", ".join(f"{tool} {version}" for tool, version in report["tools"].items())
    source = (
        f"place and route of {name} ({tools}; seed {report['seed']}), kept in boards/reports/{name}.json: asked for "
        f"{report['clock_mhz']} MHz, reached {report['fmax_mhz']} MHz, timing {'met' if met else 'missed'}; no hardware"
    )
    if report["build_id"] != f"{build_id():08x}":
        source += f"; from sources {report['build_id']}, older than those simulated"
    fpga = BOARDS[name].fpga
    return Placed(clock, source, available_bits(fpga, report), fpga, report)
