"""Catalogue and CatalogueScan against lists of films and marks."""

import random

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In
from ramrec.hdl.catalogue import Catalogue, CatalogueScan, film_latency, read_latency
from ramrec.hdl.geometry import TINY
from ramrec.sim.pysim import Bench, strobe

from .bench import GEOMETRIES, fill_catalogue, mark_films, plain, random_film

BLANK = {"code": 0, "prior": 0}
STRIPED = {name: geometry for name, geometry in GEOMETRIES.items() if not geometry.compact}
SCANNED = STRIPED | {"twenty lanes": TINY.with_(lanes=20, catalogue_depth=61)}


class Scanned(wiring.Component):
    """A catalogue behind a scan."""

    def __init__(self, geometry):
        self.catalogue, self.scan = Catalogue(geometry), CatalogueScan(geometry)
        super().__init__({"start": In(1), "loaded": In(16), "room": In(1)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.catalogue, m.submodules.scan = self.catalogue, self.scan
        m.d.comb += [
            self.catalogue.row.eq(self.scan.row),
            self.catalogue.ask.eq(self.scan.ask),
            self.scan.ready.eq(self.catalogue.ready),
            self.scan.films.eq(self.catalogue.films),
            self.scan.marks.eq(self.catalogue.marks),
            self.scan.start.eq(self.start),
            self.scan.loaded.eq(self.loaded),
            self.scan.room.eq(self.room),
        ]
        return m


@pytest.mark.parametrize("name", SCANNED)
def test_films_and_marks(name):
    """A read in every clock, answered `film_latency` and `read_latency` later, beside random writes and marks.

    Whole rows are filled with marks, too. What is read while being written may be anything.
    """
    geometry = SCANNED[name]
    rng = random.Random(6)
    bench = Bench(dut := Catalogue(geometry))
    depth, lanes = geometry.catalogue_depth, geometry.lanes
    films = [BLANK] * (geometry.rows * lanes)
    marks = [0] * (geometry.rows * lanes)
    seen = {"marked": 0, "unmarked": 0, "written while read": 0}

    def place_of(item):
        return {"row": item // lanes, "lane": item % lanes}

    async def testbench(ctx):
        answers = []
        for _ in range(500):
            row, filled = rng.randrange(geometry.rows), rng.randrange(geometry.rows)
            item, target = rng.randrange(depth), rng.randrange(depth)
            film, mark = random_film(rng, geometry), int(rng.random() < 0.7)
            writing, marking, filling = (rng.random() < p for p in (0.5, 0.7, 0.05))
            ctx.set(dut.row, row)
            ctx.set(dut.write.en, writing)
            ctx.set(dut.write.place, place_of(item))
            ctx.set(dut.write.film, film)
            ctx.set(dut.mark.en, marking)
            ctx.set(dut.mark.place, place_of(target))
            ctx.set(dut.mark.marked, mark)
            ctx.set(dut.fill.en, filling)
            ctx.set(dut.fill.row, filled)
            ctx.set(dut.fill.marked, mark)
            inside = slice(row * lanes, (row + 1) * lanes)
            known_films = {lane: film for lane, film in enumerate(films[inside])}
            known_marks = sum(mark << lane for lane, mark in enumerate(marks[inside]))
            seen["marked"] += known_marks != 0
            seen["unmarked"] += known_marks == 0
            if writing and item // lanes == row:
                seen["written while read"] += 1
                del known_films[item % lanes]
            if row == (filled if filling else target // lanes) and (filling or marking):
                known_marks = None
            answers.append((known_films, known_marks))
            if writing:
                films[item] = film
            if filling:
                marks[filled * lanes : (filled + 1) * lanes] = [mark] * lanes
            elif marking:
                marks[target] = mark
            await ctx.tick()
            got = plain(ctx.get(dut.films))
            for lane in range(lanes):
                latency = film_latency(geometry, lane)
                known_films, _ = answers[-latency] if len(answers) >= latency else ({}, None)
                assert got[lane] == known_films.get(lane, got[lane])
            if len(answers) >= read_latency(geometry):
                _, known_marks = answers[-read_latency(geometry)]
                assert known_marks in (None, ctx.get(dut.marks))

    bench.run(testbench)
    assert min(seen.values()) > 10


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


@pytest.mark.parametrize("wait", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("name", SCANNED)
def test_scan(name, wait):
    """Scan after scan of empty, partly filled and full catalogues; a row `read_latency` after each clock with room,
    and each film when its lane gives it.
    """
    geometry = SCANNED[name]
    rng = random.Random(8)
    depth, lanes = geometry.catalogue_depth, geometry.lanes
    films = [random_film(rng, geometry) for _ in range(depth)]
    padded = films + [BLANK] * (geometry.rows * lanes - depth)
    marks = set(rng.sample(range(depth), depth // 3))
    bench = Bench(dut := Scanned(geometry))
    wanted = {0, 1, lanes - 1, lanes, lanes + 1, depth // 2, depth - 1, depth}

    async def testbench(ctx):
        await fill_catalogue(ctx, dut.catalogue, films)
        await mark_films(ctx, dut.catalogue, geometry, marks)
        for loaded in sorted(films for films in wanted if 0 <= films <= depth):
            ctx.set(dut.loaded, loaded)
            await strobe(ctx, dut.start)
            expected = expected_rows(geometry, padded, marks, loaded)
            got, asked, passed = [], [], []
            clock = idle = 0
            while idle < 5:
                ctx.set(dut.room, rng.random() >= wait)
                if ctx.get(dut.scan.issued):
                    assert ctx.get(dut.room)
                    asked.append(clock)
                row = plain(ctx.get(dut.scan.o))
                passed.append(row["films"])
                if ctx.get(dut.scan.valid):
                    assert clock - read_latency(geometry) in asked
                    films_then = [passed[geometry.hop_of(lane) - geometry.hops - 1][lane] for lane in range(lanes)]
                    got.append(row | {"films": films_then})
                idle = idle + 1 if len(got) == len(expected) else 0
                await ctx.tick()
                clock += 1
                assert clock < 500
            assert got == expected
            assert len(asked) == len(expected)
            assert wait or asked == list(range(len(expected))), "one row per clock, at once"

    bench.run(testbench)
