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
    inside = {"from": "posedge clk", "to": "posedge clk", "path": [step("counter", 1.25), step("adder", 30.5)]}
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


if achieved == "broken":
    print("Info: all is well\nERROR: no such cell: FOO")
    sys.exit(3)
if tool == "yosys":
    Path("top.json").write_text('{"type": "SB_DFF", "type": "SB_DFFESR", "type": "SB_LUT4"}')
elif tool.startswith("nextpnr"):
    print("Info: Device utilisation:")
    print(f"Info: \t        TRELLIS_COMB: {used:>7}/  24288   {int(used) * 100 // 24288}%")
    print("Info: \t              DP16KD:      42/     56    75%\n")
    print("Info: Placed 0 cells based on constraints.", flush=True)
    if int(used) > 24288:
        time.sleep(60)
    print("Info: Setting up routing queue.")
    Path(after("--report")).write_text(json.dumps(report(float(achieved) * int(after("--seed")))))
else:
    Path("top.bit").write_bytes(b"bitstream")
