"""The streams between the components in a second simulator: monitors, models, an in-order checker."""

from dataclasses import asdict
from pathlib import Path

import pytest
from amaranth import signed
from ramrec.hdl.adder_tree import AdderTree
from ramrec.hdl.catalogue import CatalogueScan
from ramrec.hdl.comparator import PopcountComparator
from ramrec.hdl.geometry import TINY
from ramrec.hdl.lanes import RankingLanes
from ramrec.hdl.nearest import NearestScorer
from ramrec.hdl.records import RecordReader, RecordWriter
from ramrec.sim.runner import run_cocotb

from .test_topk import Sorted

HERE = Path(__file__).parent
THREE_LANES = TINY.with_(lanes=3)
NEAREST = TINY.with_(rule="nearest", lanes=1)

BENCHES = {
    "adder_tree": (
        lambda: AdderTree(signed(5), 7, 8),
        {"width": 5, "count": 7, "tag_bits": 8, "sum_bits": 8},
    ),
    "lanes": (lambda: RankingLanes(THREE_LANES), {"geometry": asdict(THREE_LANES)}),
    "comparator": (lambda: PopcountComparator(TINY), {"geometry": asdict(TINY)}),
    "topk": (lambda: Sorted(TINY), {"geometry": asdict(TINY)}),
    "catalogue_scan": (lambda: CatalogueScan(THREE_LANES), {"geometry": asdict(THREE_LANES)}),
    "nearest": (lambda: NearestScorer(NEAREST), {"geometry": asdict(NEAREST)}),
    "record_reader": (lambda: RecordReader(7), {"max_bytes": 7}),
    "record_writer": (lambda: RecordWriter(7), {"max_bytes": 7}),
}


@pytest.mark.parametrize("name", BENCHES)
def test_component(name, tmp_path):
    make, parameters = BENCHES[name]
    run_cocotb(make, HERE / f"cocotb_{name}.py", tmp_path, parameters=parameters)
