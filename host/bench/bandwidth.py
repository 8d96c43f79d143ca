"""The physical limit: what block RAM can deliver per clock, and how much of it a design asks for."""

from collections.abc import Mapping
from typing import Any

from ...hdl.geometry import Geometry

__all__ = ["available_bits", "used_bits"]

_PORTS = {"ECP5": (36, 0), "iCE40": (16, 16)}
"""Bits that a block RAM and a large RAM of a family read per clock: Lattice FPGA-TN-02204, FPGA-TN-02022."""


def used_bits(geometry: Geometry) -> int:
    """Bits of codes and priors that a ranking reads per clock: a film per lane."""
    return geometry.lanes * (geometry.code_bits + 8)


def available_bits(fpga: str, report: Mapping[str, Any]) -> int:
    """Bits that all block RAMs of an FPGA could read per clock; ValueError for an unknown family.

    Parameters
    ----------
    fpga
        What :class:`~ramrec.boards.registry.Board` calls it.
    report
        A kept report, for ``bram_available`` and ``spram_available``.
    """
    for family, (block, large) in _PORTS.items():
        if family in fpga:
            return int(report["bram_available"] * block + report["spram_available"] * large)
    raise ValueError(f"the FPGA must be of {' or '.join(_PORTS)}, not {fpga!r}")
