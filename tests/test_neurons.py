"""RamNeurons against a dictionary of cells: reads and writes."""

import random

import pytest
from ramrec.hdl.neurons import RamNeurons
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, plain


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_cells(name, seed):
    """In every clock a read, and a write or none; what is read while being written may be anything."""
    geometry = GEOMETRIES[name]
    rng = random.Random(seed)
    bench = Bench(dut := RamNeurons(geometry))
    width, bits, cell = geometry.neurons_per_clock, geometry.tuple_bits, geometry.cell_bits
    model = {}
    seen = {"written": 0, "clash": 0}

    def addresses(group, tuples):
        return [(group, q, (tuples >> (q * bits)) % (1 << bits)) for q in range(width)]

    async def testbench(ctx):
        hot = [rng.randrange(1 << (width * bits)) for _ in range(3)]
        for _ in range(400):
            writing = rng.random() < 0.5
            where = [(rng.randrange(geometry.groups), rng.choice(hot)) for _ in range(2)]
            values = [
                rng.choice((-(1 << (cell - 1)), (1 << (cell - 1)) - 1, rng.randrange(1 << (cell - 1))))
                for _ in range(width)
            ]
            for port, (group, tuples) in zip((dut.read, dut.write), where, strict=True):
                ctx.set(port.group, group)
                ctx.set(port.tuples, tuples)
            ctx.set(dut.write.en, writing)
            ctx.set(dut.write.cells, values)
            written = dict(zip(addresses(*where[1]), values, strict=True)) if writing else {}
            expected = [None if at in written else model.get(at, 0) for at in addresses(*where[0])]
            seen["clash"] += None in expected
            seen["written"] += any(expected)
            model.update(written)
            await ctx.tick()
            cells = plain(ctx.get(dut.read.cells))
            assert all(due in (None, cell) for due, cell in zip(expected, cells, strict=False))

    bench.run(testbench)
    assert min(seen.values()) > 2
