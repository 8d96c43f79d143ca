"""Geometries that nobody names: a board's own, told in its HELLO."""

import termios
from collections.abc import Callable, Iterator

import pytest
from ramrec.hdl.geometry import ECP5_85F, TINY, Geometry
from ramrec.host.driver import Mismatch
from ramrec.host.errors import UsageError
from ramrec.host.own_geometry import geometry_of
from ramrec.host.recommender import Recommender
from ramrec.sim.golden_device import GoldenDevice

from .test_doctor import Board
from .test_recommender import catalogue, title

Plug = Callable[[Geometry], str]


@pytest.fixture
def plug() -> Iterator[Plug]:
    """Puts a device behind a pseudo-terminal; gives the backend's name."""
    boards = []

    def plug(geometry: Geometry) -> str:
        boards.append(Board(termios.B1000000, GoldenDevice(geometry)))
        return f"serial://{boards[-1].port}"

    yield plug
    for board in boards:
        board.close()


def test_a_board_says_it(plug: Plug) -> None:
    geometry = TINY.with_(lanes=1, users=2)
    backend = plug(geometry)
    assert geometry_of(backend, None) == geometry
    assert geometry_of(backend, "TINY") == TINY, "what is named holds"
    with Recommender.open(backend, catalogue=catalogue()) as rec:
        assert rec.geometry == geometry
        rec.user("ada").rate(title(0), 5)
        assert rec.user("ada").ratings() == [(title(0), 5)]


def test_without_a_board() -> None:
    assert geometry_of("virtual", None) == ECP5_85F
    assert geometry_of("golden", "tiny:lanes=1") == TINY.with_(lanes=1)
    with pytest.raises(UsageError, match="a geometry is one of"):
        geometry_of("golden", "ICE")


def test_a_board_of_another_protocol(plug: Plug, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ramrec.host.driver.VERSION", 9)
    with pytest.raises(Mismatch, match="protocol version 3, this program speaks 9"):
        geometry_of(plug(TINY), None)
