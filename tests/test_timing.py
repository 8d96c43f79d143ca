"""The timing picture in the docs is what the gateware does."""

from pathlib import Path

from ramrec.sim.timing import draw, record


def test_picture_is_current():
    picture = Path(__file__).parent.parent / "docs" / "timing.svg"
    assert picture.read_text() == draw(record()), "run: python -m ramrec.sim.timing docs/timing.svg"
