"""Stands in for Yosys, nextpnr and a packer: what each writes, in no time.

Called as ``fake_tools.py TOOL ACHIEVED UTILIZATION ...``; nextpnr meets 25 MHz when its seed times ACHIEVED does.
"""

import json
import sys
import time
from pathlib import Path

tool, achieved, used, *arguments = sys.argv[1:]
with Path("../../calls").open("a") as calls:
    calls.write(tool + "\n")


def after(option: str) -> str:
    return arguments[arguments.index(option) + 1]


def step(cell: str, delay: float) -> dict[str, object]:
    return {"delay": delay, "from": {"cell": cell, "port": "Q"}, "to": {"cell": f"{cell}_end", "port": "D"}}


def report(megahertz: float) -> dict[str, object]:
    inside = {
        "from": "posedge clk",
        "to": "posedge clk",
        "path": [step("device.learner.counter", 1.25), step("device.lane_1.adder", 30.5)],
    }
    other = {"from": "<async>", "to": "posedge clk", "path": [step("pin", 90.0)]}
    return {
        "critical_paths": [other, inside],
        "fmax": {"clk": {"achieved": megahertz, "constraint": 25.0}},
        "utilization": {
            "TRELLIS_COMB": {"used": int(used), "available": 24288},
            "TRELLIS_FF": {"used": 4000, "available": 24288},
            "DP16KD": {"used": 42, "available": 56},
        },
    }


def placed() -> dict[str, object]:
    cells = {
        "device.learner.sum_LUT4_Z": ("TRELLIS_COMB", "X2/Y1/SLICEA.K0"),
        "device.learner.sum_FF": ("TRELLIS_FF", "X2/Y1/SLICEA.FF0"),
        "device.lane_0.neuron": ("DP16KD", "X3/Y2/EBR0"),
        "device.lane_1.neuron": ("DP16KD", "X4/Y2/EBR0"),
    }
    made = {
        name: {"type": kind, "attributes": {"NEXTPNR_BEL": bel}, "parameters": {}, "connections": {}}
        for name, (kind, bel) in cells.items()
    }
    return {"modules": {"top": {"attributes": {"top": "1"}, "cells": made, "netnames": {}}}}


if achieved == "broken":
    print("Info: all is well\nERROR: no such cell: FOO")
    sys.exit(3)
if tool == "yosys":
    Path("neuron.dot" if "neuron.ys" in arguments else "top.json").write_text("digraph { cell [shape=record] }")
elif tool.startswith("nextpnr"):
    print("Info: Device utilisation:")
    print(f"Info: \t        TRELLIS_COMB: {used:>7}/  24288   {int(used) * 100 // 24288}%")
    print("Info: \t              DP16KD:      42/     56    75%\n")
    print("Info: Placed 0 cells based on constraints.", flush=True)
    if int(used) > 24288:
        time.sleep(60)
    print("Info: Running router2...\nInfo: Setting up routing queue.")
    Path(after("--write")).write_text(json.dumps(placed()))
    Path(after("--report")).write_text(json.dumps(report(float(achieved) * int(after("--seed")))))
else:
    Path("top.bit").write_bytes(b"bitstream")
