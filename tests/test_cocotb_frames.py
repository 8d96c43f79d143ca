"""Frames in a simulator, with pauses and back-pressure on both sides."""

from pathlib import Path

from ramrec.hdl.frames import FrameReceiver, FrameSender
from ramrec.sim.runner import run_cocotb

HERE = Path(__file__).parent


def test_frame_receiver(tmp_path):
    run_cocotb(FrameReceiver, HERE / "cocotb_frame_receiver.py", tmp_path)


def test_frame_sender(tmp_path):
    run_cocotb(FrameSender, HERE / "cocotb_frame_sender.py", tmp_path)
