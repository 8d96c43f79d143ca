"""Where the area goes: cells belong to the module whose path their name begins with."""

from typing import Any

import pytest
from ramrec.boards.build_area import Area, modules_of

RTLIL = r"""
attribute \top 1
module \top
module \top.device
module \top.device.learner
module \top.device.scorer
module \top.device.scorer.lane_0
module \top.device.scorer.lane_12
module \top.queue
module \top.device.queue
"""
MODULES = modules_of(RTLIL)


def cell(kind: str, at: str = "X1/Y1/SLICEA.K0", nets: tuple[int, ...] = (), **parameters: str) -> dict[str, Any]:
    return {
        "type": kind,
        "attributes": {"NEXTPNR_BEL": at},
        "parameters": parameters,
        "connections": {"A": list(nets)},
    }


def placed(cells: dict[str, dict[str, Any]], nets: dict[str, list[int]] | None = None) -> dict[str, Any]:
    names = {name: {"bits": bits} for name, bits in (nets or {}).items()}
    top = {"attributes": {"top": "0001"}, "cells": cells, "netnames": names}
    return {"modules": {"$cell": {"attributes": {}}, "top": top}}


def used(area: Area, key: str) -> dict[str, int]:
    return {part["component"]: part[key] for part in area.parts if part[key]}


def test_modules_are_below_the_top() -> None:
    assert MODULES[:3] == ["device", "device.learner", "device.scorer"]
    assert modules_of("") == []


def test_lanes_count_as_one_and_the_longest_path_wins() -> None:
    names = ["device.scorer.lane_0.neuron_3.0.1$DPRAM", "device.scorer.lane_12.sum_LUT4_Z", "device.scorer.valid_LUT4"]
    area = Area(placed({name: cell("TRELLIS_COMB") for name in names}), MODULES)
    assert used(area, "lut") == {"lane": 2, "scorer": 1}
    assert area.component_of("device.scorer.lane_12.whatever") == "lane"
    assert area.component_of("pin_LUT4") == "other"


def test_equal_ends_of_paths_are_told_apart() -> None:
    area = Area(placed({"queue.a": cell("TRELLIS_COMB"), "device.queue.b": cell("TRELLIS_COMB")}), MODULES)
    assert {part["component"] for part in area.parts} == {"queue", "device.queue"}


def test_small_parts_count_with_the_one_around_them() -> None:
    cells = {f"device.x{number}": cell("TRELLIS_COMB") for number in range(98)}
    cells |= {"device.learner.x": cell("TRELLIS_COMB"), "queue.x": cell("TRELLIS_COMB")}
    area = Area(placed(cells), MODULES)
    assert used(area, "lut") == {"device": 99, "other": 1}
    assert area.component_of("device.learner.y") == "device"
    # One block RAM of two is not small.
    cells |= {"device.learner.ram": cell("DP16KD"), "device.ram": cell("DP16KD")}
    assert used(Area(placed(cells), MODULES), "bram") == {"device": 1, "learner": 1}


def test_nameless_cells_belong_where_their_nets_do() -> None:
    cells = {
        "$end_of_chain": cell("TRELLIS_COMB", nets=(7, 8)),
        "$next_to_it": cell("TRELLIS_COMB", nets=(8,)),
        "$nowhere": cell("TRELLIS_COMB", nets=(9,)),
    }
    area = Area(placed(cells, {"device.learner.carry": [7]}), MODULES)
    assert used(area, "lut") == {"learner": 2, "other": 1}


@pytest.mark.parametrize(("enabled", "flip_flops"), [("1", 1), ("0", 0), ("00000000000000000000000000000001", 1)])
def test_an_ice40_cell_has_a_lut_and_may_have_a_flip_flop(enabled: str, flip_flops: int) -> None:
    (part,) = Area(placed({"queue.a": cell("ICESTORM_LC", DFF_ENABLE=enabled)}), MODULES).parts
    assert (part["lut"], part["ff"]) == (1, flip_flops)


def test_all_that_is_used_is_counted_once() -> None:
    kinds = ("TRELLIS_COMB", "TRELLIS_FF", "DP16KD", "TRELLIS_RAMW", "MULT18X18D", "ICESTORM_SPRAM", "TRELLIS_IO")
    (part,) = Area(placed({f"queue.{kind}": cell(kind) for kind in kinds}), MODULES).parts
    assert part == {"component": "queue", "lut": 1, "ff": 1, "bram": 1, "spram": 1, "lut_ram": 1, "dsp": 1}


def test_floorplan_shows_what_most_of_a_tile_is() -> None:
    cells = {
        "queue.a": cell("TRELLIS_COMB", "X2/Y0/SLICEA.K0"),
        "device.a": cell("TRELLIS_COMB", "X0/Y1/SLICEA.K0"),
        "device.b": cell("TRELLIS_FF", "X0/Y1/SLICEA.FF0"),
        "queue.b": cell("TRELLIS_COMB", "X0/Y1/SLICEA.K1"),
    }
    area = Area(placed(cells), MODULES)
    queue, device = ([part["component"] for part in area.parts].index(name) for name in ("queue", "device"))
    assert area.floorplan == [[-1, -1, queue], [device, -1, -1]]
    assert Area(placed({}), MODULES).floorplan == []
