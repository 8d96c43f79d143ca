"""Catalogue and CatalogueScan against lists of films and marks."""

import random

import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from ramrec.hdl.catalogue import Catalogue, CatalogueScan
from ramrec.hdl.layouts import film_row_layout
from ramrec.sim.pysim import Bench, strobe

from .bench import FLOWS, GEOMETRIES, collect, plain, random_code


def random_film(rng, geometry):
    code = int.from_bytes(random_code(rng, geometry), "little")
    return {"code": code, "prior": rng.choice((-128, 127, rng.randrange(-128, 128)))}


class Ranked(wiring.Component):
    """A catalogue behind a scan."""

    def __init__(self, geometry):
        self.catalogue, self.scan = Catalogue(geometry), CatalogueScan(geometry)
        super().__init__({"o": Out(stream.Signature(film_row_layout(geometry))), "start": In(1), "loaded": In(16)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.catalogue, m.submodules.scan = self.catalogue, self.scan
        connect(m, self.scan.read, self.catalogue.read)
        connect(m, self.scan.o, flipped(self.o))
        m.d.comb += [self.scan.start.eq(self.start), self.scan.loaded.eq(self.loaded)]
        return m


@pytest.mark.parametrize("name", GEOMETRIES)
def test_films_and_marks(name):
    """Random writes, marks and wipes beside random reads; marks beyond the catalogue do nothing."""
    geometry = GEOMETRIES[name]
    rng = random.Random(6)
    bench = Bench(dut := Catalogue(geometry))
    depth, lanes = geometry.catalogue_depth, geometry.lanes
    blank = {"code": 0, "prior": 0}
    films = [blank] * (geometry.rows * lanes)
    marks = [0] * (geometry.rows * lanes)

    async def testbench(ctx):
        read = None
        marked = 0
        for _ in range(500):
            reading, writing, marking, wiping = (rng.random() < p for p in (0.8, 0.5, 0.7, 0.05))
            row, wiped = rng.randrange(geometry.rows), rng.randrange(geometry.rows)
            item, target = rng.randrange(depth), rng.choice((depth, 0xFFFF, *([rng.randrange(depth)] * 6)))
            film, mark = random_film(rng, geometry), int(rng.random() < 0.7)
            ctx.set(dut.read.en, reading)
            ctx.set(dut.read.row, row)
            ctx.set(dut.write.en, writing)
            ctx.set(dut.write.item, item)
            ctx.set(dut.write.film, film)
            ctx.set(dut.mark.en, marking and not wiping)
            ctx.set(dut.mark.item, target)
            ctx.set(dut.mark.marked, mark)
            ctx.set(dut.wipe.en, wiping)
            ctx.set(dut.wipe.row, wiped)
            if reading:
                place = slice(row * lanes, (row + 1) * lanes)
                read = films[place], sum(mark << lane for lane, mark in enumerate(marks[place]))
                marked += read[1] != 0
            if writing:
                films[item] = film
            if wiping:
                marks[wiped * lanes : (wiped + 1) * lanes] = [0] * lanes
            elif marking and target < depth:
                marks[target] = mark
            await ctx.tick()
            if read is not None:
                assert (plain(ctx.get(dut.read.films)), ctx.get(dut.read.marks)) == read
        assert marked > 20

    bench.run(testbench)


def expected_rows(geometry, films, marks, loaded):
    """What a scan gives: all loaded rows, at least one."""
    lanes = geometry.lanes
    rows = max(1, -(-loaded // lanes))
    return [
        {
            "films": films[row * lanes : (row + 1) * lanes],
            "mask": sum(
                1 << lane for lane in range(lanes) if row * lanes + lane < loaded and row * lanes + lane not in marks
            ),
            "last": int(row == rows - 1),
        }
        for row in range(rows)
    ]


async def fill(ctx, catalogue, films, marks):
    for item, film in enumerate(films):
        ctx.set(catalogue.write.en, 1)
        ctx.set(catalogue.write.item, item)
        ctx.set(catalogue.write.film, film)
        ctx.set(catalogue.mark.en, 1)
        ctx.set(catalogue.mark.item, item)
        ctx.set(catalogue.mark.marked, int(item in marks))
        await ctx.tick()
    ctx.set(catalogue.write.en, 0)
    ctx.set(catalogue.mark.en, 0)


@pytest.mark.parametrize("wait", sorted({wait for _, wait in FLOWS}))
@pytest.mark.parametrize("name", GEOMETRIES)
def test_scan(name, wait):
    """Scan after scan, of empty, partly filled and full catalogues."""
    geometry = GEOMETRIES[name]
    rng = random.Random(8)
    depth = geometry.catalogue_depth
    films = [random_film(rng, geometry) for _ in range(depth)]
    blank = {"code": 0, "prior": 0}
    padded = films + [blank] * (geometry.rows * geometry.lanes - depth)
    marks = set(rng.sample(range(depth), depth // 3))
    bench = Bench(dut := Ranked(geometry))

    async def testbench(ctx):
        await fill(ctx, dut.catalogue, films, marks)
        for loaded in sorted({0, 1, min(2, depth), depth // 2, depth - 1, depth}):
            ctx.set(dut.loaded, loaded)
            await strobe(ctx, dut.start)
            start = ctx.get(bench.clock) - 1
            expected = expected_rows(geometry, padded, marks, loaded)
            rows = await collect(bench, ctx, dut.o, len(expected), wait=wait, seed=loaded)
            assert [row for row, _ in rows] == expected
            if wait == 0:
                assert [clock for _, clock in rows] == list(range(start + 2, start + 2 + len(expected)))
            ctx.set(dut.o.ready, 1)
            for _ in range(5):
                _, _, valid = await ctx.tick().sample(dut.o.valid)
                assert not valid, "a scan went on after its last row"

    bench.run(testbench)
