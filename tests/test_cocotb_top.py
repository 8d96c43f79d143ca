"""The whole chip in a simulator, down to the bits of its serial line."""

from dataclasses import asdict
from pathlib import Path

from ramrec.hdl.geometry import TINY
from ramrec.hdl.top import Top
from ramrec.sim.runner import run_cocotb

DIVISOR = 8


def test_top(tmp_path):
    module = Path(__file__).with_name("cocotb_top.py")
    run_cocotb(lambda: Top(TINY, DIVISOR), module, tmp_path, parameters={"geometry": asdict(TINY), "divisor": DIVISOR})
