"""RamNeurons against a dictionary of cells: reads, writes, holds and clashes."""

import random

import pytest
from ramrec.hdl.neurons import RamNeurons
from ramrec.sim.pysim import Bench

from .bench import GEOMETRIES, plain


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_cells(name, seed):
    """In every clock a read or a pause, and a write or none; the addresses are few, so that they clash."""
    geometry = GEOMETRIES[name]
    rng = random.Random(seed)
    bench = Bench(dut := RamNeurons(geometry))
    width, bits, cell = geometry.neurons_per_clock, geometry.tuple_bits, geometry.cell_bits
    model = {}
    clashes = 0

    def addresses(group, tuples):
        return [(group, q, (tuples >> (q * bits)) % (1 << bits)) for q in range(width)]

    async def testbench(ctx):
        nonlocal clashes
        expected = None
        hot = [rng.randrange(1 << (width * bits)) for _ in range(3)]
        for _ in range(400):
            reading, writing = rng.random() < 0.7, rng.random() < 0.5
            where = [(rng.randrange(geometry.groups), rng.choice(hot)) for _ in range(2)]
            values = [
                rng.choice((-(1 << (cell - 1)), (1 << (cell - 1)) - 1, rng.randrange(1 << (cell - 1))))
                for _ in range(width)
            ]
            for port, (group, tuples) in zip((dut.read, dut.write), where, strict=True):
                ctx.set(port.group, group)
                ctx.set(port.tuples, tuples)
            ctx.set(dut.read.en, reading)
            ctx.set(dut.write.valid, writing)
            ctx.set(dut.write.cells, values)
            if reading:
                expected = [model.get(address, 0) for address in addresses(*where[0])]
            if writing:
                clashes += reading and where[0] == where[1]
                model.update(zip(addresses(*where[1]), values, strict=True))
            await ctx.tick()
            if expected is not None:
                assert plain(ctx.get(dut.read.cells)) == expected

    bench.run(testbench)
    assert clashes > 2
