"""The boards: name -> platform, clock, lights and geometry; and boards of a user's own."""

import runpy
from pathlib import Path

from ..hdl.geometry import ECP5_25F, ECP5_85F, UP5K
from .board import Board

__all__ = ["BOARDS", "BoardFileError", "board_from_file"]

BOARDS = {
    board.name: board
    for board in (
        Board(
            name="icebreaker",
            fpga="Lattice iCE40 UP5K",
            platform="amaranth_boards.icebreaker:ICEBreakerPlatform",
            geometry=UP5K,
            clock_mhz=24,
            pll_in_pad=True,
            leds=(1, 1, 0),  # green, green, red
            loader=("-b", "ice40_generic"),
            other_loader="iceprog",
            flash_only=True,
        ),
        Board(
            name="ice40-hx8k",
            fpga="Lattice iCE40 HX8K",
            platform="amaranth_boards.ice40_hx8k_b_evn:ICE40HX8KBEVNPlatform",
            geometry=UP5K.with_(compact=0, code_bits=32, ridge=96, catalogue_depth=768, users=4, top_k=10),
            clock_mhz=48,
            loader=("-b", "ice40_generic"),
            other_loader="iceprog",
            flash_only=True,
        ),
        Board(
            name="ulx3s-12f",
            fpga="Lattice ECP5 12F",
            platform="amaranth_boards.ulx3s:ULX3S_12F_Platform",
            geometry=ECP5_25F,
            clock_mhz=100,
            loader=("-b", "ulx3s"),
            other_loader="fujprog",
        ),
        Board(
            name="ulx3s-25f",
            fpga="Lattice ECP5 25F",
            platform="amaranth_boards.ulx3s:ULX3S_25F_Platform",
            geometry=ECP5_25F,
            clock_mhz=100,
            loader=("-b", "ulx3s"),
            other_loader="fujprog",
        ),
        Board(
            name="ulx3s-45f",
            fpga="Lattice ECP5 45F",
            platform="amaranth_boards.ulx3s:ULX3S_45F_Platform",
            geometry=ECP5_25F.with_(catalogue_depth=8192, users=128),
            clock_mhz=90,
            loader=("-b", "ulx3s"),
            other_loader="fujprog",
        ),
        Board(
            name="ulx3s-85f",
            fpga="Lattice ECP5 85F",
            platform="amaranth_boards.ulx3s:ULX3S_85F_Platform",
            geometry=ECP5_85F.with_(lanes=10),  # built in half the time of twenty
            clock_mhz=80,
            loader=("-b", "ulx3s"),
            other_loader="fujprog",
        ),
        Board(
            name="ecp5-evn",
            fpga="Lattice ECP5 5G 85F",
            platform="amaranth_boards.ecp5_5g_evn:ECP55GEVNPlatform",
            geometry=ECP5_85F,
            clock_mhz=90,
            loader=("-b", "ecp5_evn"),
        ),
        Board(
            name="colorlight-i5",
            fpga="Lattice ECP5 25F",
            platform="ramrec.boards.colorlight_i5:ColorlightI5Platform",
            geometry=ECP5_25F,
            clock_mhz=100,
            leds=(0, 0, 0),
            loader=("-b", "colorlight-i5"),
        ),
        Board(
            name="colorlight-5a-75b",
            fpga="Lattice ECP5 25F",
            platform="amaranth_boards.colorlight_5a75b_r7_0:Colorlight_5A75B_R70Platform",
            geometry=ECP5_25F,
            clock_mhz=90,
            leds=(None, None, None),  # its only one shares the pin with the line to the host
            loader=("-b", "colorlight"),
        ),
    )
}


class BoardFileError(ValueError):
    """A file does not define a board; the message says why in one line."""


def board_from_file(path: Path) -> Board:
    """The ``BOARD`` that a Python file defines; it may not have the name of one of ours.

    Raises
    ------
    BoardFileError
        If the file can not be run, or defines none.
    """
    try:
        found = runpy.run_path(str(path)).get("BOARD")
    except (Exception, SystemExit) as error:  # whatever a user's file may raise
        raise BoardFileError(f"can not run {path}: {type(error).__name__}: {error}") from error
    if not isinstance(found, Board):
        raise BoardFileError(f"{path} must set BOARD to a ramrec.boards.board.Board, not {type(found).__name__}")
    if found.name in BOARDS:
        raise BoardFileError(f"{path} names its board {found.name!r}, as one of ours: choose another name")
    return found
