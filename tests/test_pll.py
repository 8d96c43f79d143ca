"""Phase-locked loops: the dividers are those that the vendors' rules allow, and the best of them."""

import itertools

import pytest
from ramrec.boards.pll import ecp5_pll, ice40_pll

# Output, loop in MHz as ecppll and icepll of Project Trellis and IceStorm choose them.
ECPPLL = {(25, 80): (80, 560), (12, 80): (80, 560), (12, 100): (100, 600), (25, 62.5): (62.5, 625), (12, 83): (84, 588)}
ICEPLL = {(12, 24): (0, 63, 5, 1), (12, 30): (0, 79, 5, 1), (12, 40): (0, 52, 4, 1), (25, 33): (0, 41, 5, 2)}


@pytest.mark.parametrize(("oscillator", "wanted"), ECPPLL)
def test_ecp5_as_ecppll(oscillator: float, wanted: float) -> None:
    pll = ecp5_pll(oscillator, wanted)
    assert (pll.output_mhz, pll.loop_mhz) == ECPPLL[oscillator, wanted]


@pytest.mark.parametrize(("oscillator", "wanted"), ICEPLL)
def test_ice40_as_icepll(oscillator: float, wanted: float) -> None:
    pll = ice40_pll(oscillator, wanted)
    assert (pll.divr, pll.divf, pll.divq, pll.filter_range) == ICEPLL[oscillator, wanted]


@pytest.mark.parametrize("oscillator", [12, 25, 100])
@pytest.mark.parametrize("wanted", [6.25, 10, 33.3, 80, 101.7, 133, 250, 399])
def test_ecp5_keeps_within_its_ranges(oscillator: float, wanted: float) -> None:
    pll = ecp5_pll(oscillator, wanted)
    assert 3.125 <= pll.compared_mhz <= 400
    assert 400 <= pll.loop_mhz <= 800
    assert all(1 <= divider <= 128 for divider in (pll.divide, pll.multiply, pll.post))
    dividers = itertools.product(range(1, int(oscillator / 3.125) + 1), range(1, 129))
    reachable = [oscillator / divide * multiply for divide, multiply in dividers]
    loops = [mhz for mhz in reachable if any(400 <= mhz * post <= 800 for post in range(1, 129))]
    assert abs(pll.output_mhz - wanted) == pytest.approx(min(abs(mhz - wanted) for mhz in loops))


@pytest.mark.parametrize("oscillator", [12, 48, 100])
@pytest.mark.parametrize("wanted", [16, 23, 48, 110, 275])
def test_ice40_keeps_within_its_ranges(oscillator: float, wanted: float) -> None:
    pll = ice40_pll(oscillator, wanted)
    assert 10 <= pll.compared_mhz <= 133
    assert 533 <= pll.loop_mhz <= 1066
    assert (0 <= pll.divr < 16, 0 <= pll.divf < 128, 1 <= pll.divq <= 6) == (True, True, True)
    assert pll.output_mhz == pytest.approx(wanted, rel=0.03)


def test_what_a_pll_can_not_do() -> None:
    with pytest.raises(ValueError, match=r"^an ECP5 PLL's input is 8 to 400 MHz, not 4$"):
        ecp5_pll(4, 80)
    with pytest.raises(ValueError, match=r"^an iCE40 PLL's output is 16 to 275 MHz, not 12$"):
        ice40_pll(12, 12)
    with pytest.raises(ValueError, match="not nan"):
        ice40_pll(12, float("nan"))
