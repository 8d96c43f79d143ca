"""Phase-locked loops: which dividers make a frequency from an oscillator's.

Ranges are those of Lattice's data sheets for ECP5 (FPGA-DS-02012) and iCE40 (FPGA-TN-02052).
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Ecp5Pll", "Ice40Pll", "ecp5_pll", "ice40_pll"]


@dataclass(frozen=True)
class Ecp5Pll:
    """Dividers of an ``EHXPLLL`` whose feedback comes from its first output; frequencies in MHz."""

    oscillator_mhz: float
    divide: int  #: 1 to 128, of the oscillator
    multiply: int  #: 1 to 128, of the feedback
    post: int  #: 1 to 128, from the loop's own frequency to the output's

    @property
    def compared_mhz(self) -> float:
        return self.oscillator_mhz / self.divide

    @property
    def output_mhz(self) -> float:
        return self.compared_mhz * self.multiply

    @property
    def loop_mhz(self) -> float:
        return self.output_mhz * self.post


@dataclass(frozen=True)
class Ice40Pll:
    """Dividers of an ``SB_PLL40`` with its simple feedback; frequencies in MHz."""

    oscillator_mhz: float
    divr: int  #: 0 to 15, of the oscillator, less one
    divf: int  #: 0 to 127, of the feedback, less one
    divq: int  #: 1 to 6, from the loop's own frequency to the output's, as a power of two

    @property
    def compared_mhz(self) -> float:
        return self.oscillator_mhz / (self.divr + 1)

    @property
    def loop_mhz(self) -> float:
        return self.compared_mhz * (self.divf + 1)

    @property
    def output_mhz(self) -> float:
        return self.loop_mhz / 2**self.divq

    @property
    def filter_range(self) -> int:
        """Setting of the loop's filter for the frequency at which the phases are compared."""
        return 1 + sum(self.compared_mhz >= limit for limit in (17, 26, 44, 66, 101))


def ecp5_pll(oscillator_mhz: float, wanted_mhz: float) -> Ecp5Pll:
    """Dividers for the frequency nearest to the wanted one, then the loop nearest to the middle of its range.

    Raises
    ------
    ValueError
        If the oscillator or the frequency is beyond what the PLL can do.
    """
    _require("an ECP5 PLL's input", oscillator_mhz, 8, 400)
    _require("an ECP5 PLL's output", wanted_mhz, 6.25, 400)
    return min(
        _ecp5_plls(oscillator_mhz, wanted_mhz),
        key=lambda pll: (_error(pll, wanted_mhz), abs(pll.loop_mhz - 600), pll.divide, pll.post),
    )


def ice40_pll(oscillator_mhz: float, wanted_mhz: float) -> Ice40Pll:
    """Dividers for the frequency nearest to the wanted one, then the highest frequency of comparison.

    Raises
    ------
    ValueError
        If the oscillator or the frequency is beyond what the PLL can do.
    """
    _require("an iCE40 PLL's input", oscillator_mhz, 10, 133)
    _require("an iCE40 PLL's output", wanted_mhz, 16, 275)
    return min(
        _ice40_plls(oscillator_mhz),
        key=lambda pll: (_error(pll, wanted_mhz), pll.divr, pll.divq),
    )


def _ecp5_plls(oscillator_mhz: float, wanted_mhz: float) -> Iterator[Ecp5Pll]:
    for divide in range(1, 129):
        if not 3.125 <= oscillator_mhz / divide <= 400:
            continue
        for multiply in {round(wanted_mhz * divide / oscillator_mhz) + step for step in (-1, 0, 1)} & {*range(1, 129)}:
            output = oscillator_mhz / divide * multiply
            for post in range(1, 129):
                if 400 <= output * post <= 800:
                    yield Ecp5Pll(oscillator_mhz, divide, multiply, post)


def _ice40_plls(oscillator_mhz: float) -> Iterator[Ice40Pll]:
    for divr in range(16):
        if not 10 <= oscillator_mhz / (divr + 1) <= 133:
            continue
        for divf in range(128):
            if 533 <= oscillator_mhz / (divr + 1) * (divf + 1) <= 1066:
                yield from (Ice40Pll(oscillator_mhz, divr, divf, divq) for divq in range(1, 7))


def _error(pll: Ecp5Pll | Ice40Pll, wanted_mhz: float) -> float:
    return round(abs(pll.output_mhz - wanted_mhz), 6)


def _require(what: str, mhz: float, lowest: float, highest: float) -> None:
    if not lowest <= mhz <= highest:
        raise ValueError(f"{what} is {lowest:g} to {highest:g} MHz, not {mhz:g}")
