"""ListEditor on a UserStore, a WorkingMemory and a Catalogue, against lists and sets."""

import random

import pytest
from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect
from ramrec.hdl.catalogue import Catalogue, read_latency
from ramrec.hdl.editor import Edit, ListEditor, lookup_tag_layout
from ramrec.hdl.lookup import FilmLookup
from ramrec.hdl.shared_memory import SharedMemory
from ramrec.hdl.user_store import KeptCounts, UserStore, rating_latency
from ramrec.hdl.working_memory import WorkingMemory, entry_latency
from ramrec.sim.golden import Agent, Entry
from ramrec.sim.pysim import Bench, strobe

from .bench import GEOMETRIES, as_payload, fill_catalogue, plain, random_code

LEARNING_CLOCKS = 5
BETWEEN = 24
"""Most clocks between two walks over the kept ratings, and for a rating that RESTORE appends."""

CHANGES = (Edit.RATE, Edit.FORGET, Edit.RESTORE)
WEIGHTS = {
    Edit.OPEN: 4,
    Edit.SELECT: 8,
    Edit.RATE: 24,
    Edit.FORGET: 8,
    Edit.RESTORE: 6,
    Edit.CLEAR_ALL: 1,
    Edit.UNSKIP: 4,
    Edit.ONLY: 3,
    Edit.MARK: 3,
}


class Edited(wiring.Component):
    """Everything an editor works on; a counter in the learner's place. Idle, the memories are the test's."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.editor, self.memory = ListEditor(geometry), WorkingMemory(geometry)
        self.stores = (SharedMemory if geometry.compact else UserStore)(geometry)
        self.store = self.stores.store if geometry.compact else self.stores
        self.catalogue, self.lookup = Catalogue(geometry), FilmLookup(geometry, lookup_tag_layout(geometry))
        super().__init__(
            {
                "peek": In(1),
                "row": In(range(geometry.rows)),
                "user": In(range(geometry.users)),
                "slot": In(range(geometry.memory_depth)),
                "loaded": In(16),
                "learned": Out(16),
                "learned_user": Out(range(geometry.users)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.editor = editor = self.editor
        m.submodules.store, store = self.stores, self.store
        m.submodules.memory = memory = self.memory
        m.submodules.catalogue = catalogue = self.catalogue
        m.submodules.lookup = lookup = self.lookup
        connect(m, editor.write, memory.write)
        connect(m, editor.store_write, store.write)
        connect(m, editor.set_kept, store.set_kept)
        connect(m, editor.mark, catalogue.mark)
        connect(m, editor.fill, catalogue.fill)
        m.d.comb += [
            editor.store_kept.eq(store.kept),
            editor.rating.eq(store.rating),
            editor.read.row.eq(memory.read.row),
            editor.read.entry.eq(memory.read.entry),
            store.user.eq(Mux(self.peek, self.user, editor.store_user)),
            store.slot.eq(Mux(self.peek, self.slot, editor.store_slot)),
            memory.read.en.eq(1),
            memory.read.slot.eq(Mux(self.peek, self.slot, editor.read.slot)),
            catalogue.row.eq(Mux(self.peek, self.row, lookup.row)),
            lookup.i_valid.eq(editor.look),
            lookup.item.eq(editor.look_item),
            lookup.tag.eq(editor.look_tag),
            lookup.loaded.eq(self.loaded),
            lookup.films.eq(catalogue.films),
            editor.looking.eq(lookup.busy),
            editor.found.eq(lookup.o_valid),
            editor.found_place.eq(lookup.place),
            editor.found_film.eq(lookup.film),
            editor.found_known.eq(lookup.known),
            editor.found_tag.eq(lookup.o_tag),
        ]
        left = Signal(range(LEARNING_CLOCKS + 1))
        m.d.comb += editor.learning.eq(left != 0)
        with m.If(editor.learn):
            m.d.sync += [
                left.eq(LEARNING_CLOCKS),
                self.learned.eq(self.learned + 1),
                self.learned_user.eq(editor.store_user),
            ]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return m

    async def lists(self, ctx):
        """All users' stored ratings: (item, e)."""
        found = []
        for user in range(self.geometry.users):
            ctx.set(self.user, user)
            await ctx.tick().repeat(KeptCounts.latency)
            ratings = []
            for slot in range(ctx.get(self.store.kept)):
                ctx.set(self.slot, slot)
                await ctx.tick().repeat(rating_latency(self.geometry))
                rating = plain(ctx.get(self.store.rating))
                ratings.append((rating["item"], rating["e"]))
            found.append(ratings)
        return found

    async def entries(self, ctx, kept):
        """What the working memory holds."""
        found = []
        for slot in range(kept):
            ctx.set(self.slot, slot)
            await ctx.tick().repeat(entry_latency(self.geometry))
            found.append(plain(ctx.get(self.memory.read.entry)))
        return found

    async def marks(self, ctx):
        """All marked films."""
        found, lanes = set(), self.geometry.lanes
        for row in range(self.geometry.rows):
            ctx.set(self.row, row)
            await ctx.tick().repeat(read_latency(self.geometry))
            marks = ctx.get(self.catalogue.marks)
            found |= {row * lanes + lane for lane in range(lanes) if marks >> lane & 1}
        return found & set(range(self.geometry.catalogue_depth))


class Model:
    """What an editor leaves behind."""

    def __init__(self, geometry, codes, loaded):
        self.geometry, self.codes, self.loaded = geometry, codes, loaded
        self.missing = self.refused = False
        self.learned = 0
        self.clear()

    def clear(self):
        self.agents = [Agent(self.geometry) for _ in range(self.geometry.users)]
        self.selected, self.valid, self.stale = 0, True, False
        self.marks, self.skipped, self.only = set(), False, False
        self.learned += 1

    @property
    def entries(self):
        return self.agents[self.selected].entries

    @property
    def kept_items(self):
        return {entry.item for entry in self.entries}

    def entry(self, item, e):
        return Entry(item, self.codes[item], e)

    def end_skips(self):
        self.marks, self.skipped, self.only = self.kept_items, False, False

    def load(self, item, code):
        """A film is overwritten."""
        self.codes[item] = code
        for agent in self.agents:
            agent.replace([self.entry(entry.item, entry.e) for entry in agent.entries])
        self.valid = False

    def skip(self, item, marked):
        self.skipped = True
        if item < self.loaded:
            self.marks = self.marks | {item} if marked else self.marks - {item}

    def edit(self, edit, user, rating, first, added):
        self.missing = self.refused = False
        if edit == Edit.CLEAR_ALL:
            self.clear()
            return
        if edit not in (Edit.UNSKIP, Edit.ONLY, Edit.MARK) and not (self.valid and self.selected == user):
            self.selected, self.valid, self.stale = user, True, True
            self.end_skips()
        agent = self.agents[user]
        match edit:
            case Edit.RATE:
                item, e = rating
                agent.rate(item, self.codes[item], prior=0, target=e)
            case Edit.FORGET:
                self.missing = not agent.forget(rating[0])
            case Edit.RESTORE:
                self.refused = any(item >= self.loaded for item, _ in added)
                agent.replace(agent.entries[:first] + ([] if self.refused else [self.entry(*new) for new in added]))
            case Edit.UNSKIP:
                self.end_skips()
            case Edit.ONLY:
                self.marks, self.skipped, self.only = set(range(self.geometry.catalogue_depth)), True, True
            case Edit.MARK:
                self.marks |= self.kept_items
        changed = edit in CHANGES and not self.missing
        if changed:
            self.end_skips()
        if changed or (edit == Edit.SELECT and self.stale):
            self.stale = False
            self.learned += 1


class Session:
    """An editor and its model, edit by edit."""

    def __init__(self, geometry, seed):
        self.geometry = geometry
        self.rng = random.Random(seed)
        codes = [random_code(self.rng, geometry) for _ in range(geometry.catalogue_depth)]
        self.model = Model(geometry, codes, max(1, geometry.catalogue_depth - 2))
        self.dut = Edited(geometry)
        self.bench = Bench(self.dut)

    def run(self, testbench):
        async def session(ctx):
            ctx.set(self.dut.loaded, self.model.loaded)
            await ctx.tick().until(~self.dut.editor.busy)
            await self.write_films(ctx)
            await self.check(ctx)
            await testbench(ctx)

        self.bench.run(session)

    async def write_films(self, ctx):
        films = [{"code": int.from_bytes(code, "little"), "prior": 0} for code in self.model.codes]
        await fill_catalogue(ctx, self.dut.catalogue, films)

    async def load(self, ctx, item):
        """Overwrite a film."""
        self.model.load(item, random_code(self.rng, self.geometry))
        await self.write_films(ctx)
        await strobe(ctx, self.dut.editor.unselect)

    async def skip(self, ctx, item, marked=True):
        self.model.skip(item, marked)
        ctx.set(self.dut.editor.skip.item, item)
        ctx.set(self.dut.editor.skip.marked, marked)
        await strobe(ctx, self.dut.editor.skip.en)
        await ctx.tick().repeat(self.dut.lookup.latency + 1)

    async def edit(self, ctx, edit, user=0, rating=(0, 0), first=0, added=()):
        """Do it in both, and compare all there is; in time."""
        editor = self.dut.editor
        most = max(map(len, (self.model.entries, self.model.agents[user].entries))) + 1
        skipped = self.model.skipped
        ctx.set(editor.edit, edit)
        ctx.set(editor.user, user)
        ctx.set(editor.item, rating[0])
        ctx.set(editor.e, rating[1])
        ctx.set(editor.first, first)
        ctx.set(editor.count, len(added))
        await ctx.tick()
        await strobe(ctx, editor.start)
        start = self.bench_clock(ctx)
        taken = await self.feed(ctx, added)
        clocks = self.bench_clock(ctx) - start
        self.model.edit(edit, user, rating, first, added)
        assert taken == len(added) or self.model.refused
        walks = {Edit.OPEN: 2, Edit.SELECT: 2, Edit.UNSKIP: 1, Edit.MARK: 1, Edit.ONLY: 0, Edit.CLEAR_ALL: 1}
        fills = self.geometry.rows * (skipped + (edit in (Edit.UNSKIP, Edit.ONLY, Edit.CLEAR_ALL)))
        fills += self.geometry.users if edit == Edit.CLEAR_ALL else 0
        idle = 3 * len(added) if edit == Edit.RESTORE else 0
        steps = walks.get(edit, 5) + len(added) + 1
        each = 10 if self.geometry.compact else 1  # a film is looked up before the next rating is read
        assert clocks <= steps * (each * most + BETWEEN) + fills + LEARNING_CLOCKS + idle
        await self.check(ctx)

    async def feed(self, ctx, added):
        """Offer ratings, with pauses, until the editor is through; how many it took."""
        port, taken = self.dut.editor.ratings, 0
        while ctx.get(self.dut.editor.busy):
            offered = taken < len(added) and (ctx.get(port.valid) or self.rng.random() < 0.7)
            ctx.set(port.valid, offered)
            if offered:
                ctx.set(port.payload, dict(zip(("item", "e"), added[taken], strict=True)))
                taken += ctx.get(port.ready)
            else:
                ctx.set(port.payload, {"item": 0, "e": 77})
            last = offered and ctx.get(port.ready)
            await ctx.tick()
            if last:
                ctx.set(port.valid, 0)
        ctx.set(port.valid, 0)
        return taken

    def bench_clock(self, ctx):
        return ctx.get(self.bench.clock)

    async def check(self, ctx):
        dut, model, editor = self.dut, self.model, self.dut.editor
        assert ctx.get(editor.missing) == model.missing
        assert ctx.get(editor.refused) == model.refused
        assert ctx.get(editor.skipped) == model.skipped
        assert ctx.get(editor.only) == model.only
        assert ctx.get(editor.stale) == model.stale
        assert ctx.get(dut.learned) == model.learned
        if not model.stale:
            assert ctx.get(dut.learned_user) == model.selected
        for user in range(self.geometry.users):
            ctx.set(editor.user, user)
            await ctx.tick()
            assert ctx.get(editor.ready) == (model.valid and user == model.selected)
        ctx.set(dut.peek, 1)
        assert await dut.lists(ctx) == [[(entry.item, entry.e) for entry in agent.entries] for agent in model.agents]
        assert await dut.marks(ctx) == model.marks
        if model.valid:
            assert ctx.get(editor.kept) == len(model.entries)
            assert await dut.entries(ctx, len(model.entries)) == [as_payload(entry) for entry in model.entries]
        ctx.set(dut.peek, 0)

    def rating(self, *, unknown=0.0):
        """Few items, so that they meet again."""
        few = min(self.model.loaded, self.geometry.memory_depth + 2)
        known = self.rng.choice((self.rng.randrange(few), self.model.loaded - 1))
        item = self.rng.choice((self.model.loaded, 0xFFFE)) if self.rng.random() < unknown else known
        return item, self.rng.choice((-(1 << 15), (1 << 15) - 1, 3))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_edits(name):
    """Any edit after any other, with skips and overwritten films between."""
    geometry = GEOMETRIES[name]
    session = Session(geometry, seed=name)
    rng, model = session.rng, session.model
    seen = dict.fromkeys(("missing", "refused", "full", "skipped", "switched", "duplicates"), 0)

    async def testbench(ctx):
        for item in range(min(model.loaded, geometry.memory_depth + 1)):
            seen["full"] += len(model.agents[0].entries) == geometry.memory_depth
            await session.edit(ctx, Edit.RATE, user=0, rating=(item, item))
        edits = [*rng.choices(list(WEIGHTS), WEIGHTS.values(), k=110), *Edit]
        rng.shuffle(edits)
        for edit in edits:
            user = rng.choice((model.selected, rng.randrange(geometry.users)))
            kept = len(model.agents[user].entries)
            first = rng.choice((kept, rng.randrange(kept + 1)))
            added = [session.rating(unknown=0.1) for _ in range(rng.randrange(geometry.memory_depth - first + 1))]
            seen["skipped"] += edit in CHANGES and model.skipped
            seen["switched"] += edit in CHANGES and user != model.selected
            await session.edit(
                ctx,
                edit,
                user,
                session.rating(unknown=0.1 * (edit == Edit.FORGET)),
                first,
                added if edit == Edit.RESTORE else (),
            )
            seen["missing"] += model.missing
            seen["refused"] += model.refused
            seen["duplicates"] += len(model.kept_items) != len(model.entries)
            while rng.random() < 0.2:
                await session.skip(
                    ctx, rng.choice((0xFFFF, model.loaded, rng.randrange(model.loaded))), rng.random() < 0.7
                )
                await session.check(ctx)
            if rng.random() < 0.1:
                await session.load(ctx, rng.randrange(model.loaded))

    session.run(testbench)
    possible = set(seen) - ({"switched"} if geometry.users == 1 else set())
    possible -= {"duplicates", "full", "refused"} if geometry.memory_depth == 1 else set()
    assert min(seen[name] for name in possible) > 0, seen


def test_tables_stay_stale_after_a_forget_that_found_nothing():
    """It switches the user and changes nothing: whoever next wants that user's tables has them learned, once."""
    session = Session(GEOMETRIES["tiny"], seed=1)

    async def testbench(ctx):
        await session.edit(ctx, Edit.RATE, user=1, rating=(3, 5))
        await session.edit(ctx, Edit.FORGET, user=2, rating=(3, 0))
        assert session.model.missing and session.model.stale
        learned = session.model.learned
        await session.edit(ctx, Edit.SELECT, user=2)
        await session.edit(ctx, Edit.SELECT, user=2)
        assert session.model.learned == learned + 1

    session.run(testbench)


@pytest.mark.parametrize("unknown_at", [0, 1, 3])
def test_refused_restore_just_cuts(unknown_at):
    """Whatever had been appended before the unknown item is gone again, its marks too."""
    session = Session(GEOMETRIES["tiny"], seed=2)
    added = [(item, item) for item in (8, 9, 8, 10)]
    added[unknown_at] = (session.model.loaded, 1)

    async def testbench(ctx):
        for item in (1, 2, 3, 4):
            await session.edit(ctx, Edit.RATE, user=1, rating=(item, 7))
        await session.edit(ctx, Edit.RESTORE, user=1, first=2, added=added)
        assert session.model.marks == {1, 2}

    session.run(testbench)


def test_a_film_kept_twice_stays_marked_when_one_rating_goes():
    """Only a RESTORE can keep a film twice; FORGET and RATE drop the older one."""
    session = Session(GEOMETRIES["tiny"], seed=3)

    async def testbench(ctx):
        await session.edit(ctx, Edit.RESTORE, user=0, added=[(5, 1), (6, 2), (5, 3), (5, 4)])
        await session.edit(ctx, Edit.FORGET, user=0, rating=(5, 0))
        assert session.model.marks == {5, 6}
        await session.edit(ctx, Edit.RATE, user=0, rating=(5, 9))
        await session.edit(ctx, Edit.RESTORE, user=0, first=1)
        assert session.model.marks == {6}

    session.run(testbench)


@pytest.mark.parametrize("then", [Edit.UNSKIP, Edit.RATE, Edit.SELECT, Edit.RESTORE])
@pytest.mark.parametrize("only", [False, True])
def test_skips_end(only, then):
    """However films were left out, a change, another user or UNSKIP leaves the user's own marks and no others."""
    session = Session(GEOMETRIES["tiny"], seed=4)

    async def testbench(ctx):
        await session.edit(ctx, Edit.RATE, user=1, rating=(4, 7))
        if only:
            await session.edit(ctx, Edit.ONLY)
            for item in (3, 4, 5):
                await session.skip(ctx, item, marked=False)
            await session.edit(ctx, Edit.MARK)
            assert session.model.marks >= {0, 4, 6} and not session.model.marks & {3, 5}
        await session.skip(ctx, 3)
        assert session.model.marks >= {3, 4}
        await session.edit(ctx, then, user=2 if then == Edit.SELECT else 1, rating=(9, 1), first=1)
        assert session.model.marks == {Edit.SELECT: set(), Edit.RATE: {4, 9}}.get(then, {4})

    session.run(testbench)
