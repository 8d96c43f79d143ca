"""A whole device in a simulator, against the golden device."""

from dataclasses import asdict
from pathlib import Path

from ramrec.hdl.device import Device
from ramrec.hdl.geometry import TINY
from ramrec.sim.runner import run_cocotb


def test_device(tmp_path):
    module = Path(__file__).with_name("cocotb_device.py")
    run_cocotb(lambda: Device(TINY), module, tmp_path, parameters={"geometry": asdict(TINY)})
