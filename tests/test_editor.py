"""ListEditor on a UserMemory and a Catalogue, against lists and sets."""

import random

import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect
from ramrec.hdl.catalogue import Catalogue
from ramrec.hdl.editor import Edit, ListEditor
from ramrec.hdl.user_memory import UserMemory
from ramrec.sim.golden import Agent, Entry
from ramrec.sim.pysim import Bench, strobe

from .bench import GEOMETRIES, plain, random_code

LEARNING_CLOCKS = 5
WEIGHTS = {
    Edit.RATE: 24,
    Edit.FORGET: 5,
    Edit.SELECT: 3,
    Edit.RESTORE: 3,
    Edit.CLEAR: 1,
    Edit.CLEAR_ALL: 1,
    Edit.UNSKIP: 3,
}


class Edited(wiring.Component):
    """Everything an editor works on; a counter in the learner's place. Idle, the memories are the test's."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.editor, self.memory, self.catalogue = ListEditor(geometry), UserMemory(geometry), Catalogue(geometry)
        super().__init__(
            {
                "user": In(range(geometry.users)),
                "slot": In(range(geometry.memory_depth)),
                "learned": Out(16),
                "learned_user": Out(range(geometry.users)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.editor = editor = self.editor
        m.submodules.memory = memory = self.memory
        m.submodules.catalogue = catalogue = self.catalogue
        connect(m, editor.write, memory.write)
        connect(m, editor.set_kept, memory.set_kept)
        connect(m, editor.mark, catalogue.mark)
        connect(m, editor.wipe, catalogue.wipe)
        m.d.comb += [
            editor.memory_kept.eq(memory.kept),
            editor.read.row.eq(memory.read.row),
            editor.read.entry.eq(memory.read.entry),
            memory.user.eq(self.user),
            memory.read.slot.eq(self.slot),
        ]
        with m.If(editor.busy):
            m.d.comb += [memory.user.eq(editor.memory_user), memory.read.slot.eq(editor.read.slot)]
        left = Signal(range(LEARNING_CLOCKS + 1))
        m.d.comb += editor.learning.eq(left != 0)
        with m.If(editor.learn):
            m.d.sync += [
                left.eq(LEARNING_CLOCKS),
                self.learned.eq(self.learned + 1),
                self.learned_user.eq(editor.selected),
            ]
        with m.Elif(left != 0):
            m.d.sync += left.eq(left - 1)
        return m

    async def lists(self, ctx):
        """All users' kept ratings."""
        found = []
        for user in range(self.geometry.users):
            ctx.set(self.user, user)
            await ctx.tick()
            entries = []
            for slot in range(ctx.get(self.memory.kept)):
                ctx.set(self.slot, slot)
                await ctx.tick()
                entry = plain(ctx.get(self.memory.read.entry))
                code = entry["code"].to_bytes(self.geometry.code_bytes, "little")
                entries.append(Entry(entry["item"], code, entry["e"]))
            found.append(entries)
        return found

    async def marks(self, ctx):
        """All marked films."""
        found = set()
        read, lanes = self.catalogue.read, self.geometry.lanes
        ctx.set(read.en, 1)
        for row in range(self.geometry.rows):
            ctx.set(read.row, row)
            await ctx.tick()
            marks = ctx.get(read.marks)
            found |= {row * lanes + lane for lane in range(lanes) if marks >> lane & 1}
        return found


class Model:
    """What an editor leaves behind."""

    def __init__(self, geometry):
        self.geometry = geometry
        self.clear()

    def clear(self):
        self.agents = [Agent(self.geometry) for _ in range(self.geometry.users)]
        self.selected, self.skipped = 0, set()

    @property
    def marks(self):
        kept = {entry.item for entry in self.agents[self.selected].entries}
        return {item for item in kept | self.skipped if item < self.geometry.catalogue_depth}

    def edit(self, edit, user, entry, first, added):
        """Do it; False if a FORGET finds nothing."""
        agent = self.agents[user]
        if edit == Edit.CLEAR_ALL:
            self.clear()
            return True
        if edit == Edit.UNSKIP:
            self.skipped = set()
            return True
        match edit:
            case Edit.RATE:
                agent.rate(entry.item, entry.code, prior=0, target=entry.e)
            case Edit.FORGET:
                if not agent.forget(entry.item):
                    return False
            case Edit.RESTORE:
                agent.replace(agent.entries[:first] + added)
            case Edit.CLEAR:
                agent.replace([])
        self.selected, self.skipped = user, set()
        return True


def as_payload(entry):
    return {"item": entry.item, "e": entry.e, "code": int.from_bytes(entry.code, "little")}


def random_entry(rng, geometry):
    """Few items, so that they meet again; one of them beyond the catalogue."""
    items = (*range(min(geometry.catalogue_depth, geometry.memory_depth + 2)), 0xFFFE, geometry.catalogue_depth - 1)
    return Entry(rng.choice(items), random_code(rng, geometry), rng.choice((-(1 << 15), (1 << 15) - 1, 3)))


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("seed", [1, 2])
def test_edits(name, seed):
    """After each edit every user's list, the marks, the selection and who was learned; and in time."""
    geometry = GEOMETRIES[name]
    rng = random.Random(seed)
    model = Model(geometry)
    bench = Bench(dut := Edited(geometry))
    editor = dut.editor
    seen = {"missing": 0, "full": 0, **dict.fromkeys(Edit, 0)}

    async def feed_entries(ctx, entries):
        for entry in entries:
            while rng.random() < 0.3:
                await ctx.tick()
            await bench.put(ctx, editor.entries, as_payload(entry))

    async def check(ctx):
        assert ctx.get(editor.selected) == model.selected
        assert ctx.get(editor.kept) == len(model.agents[model.selected].entries)
        assert await dut.lists(ctx) == [agent.entries for agent in model.agents]
        assert await dut.marks(ctx) == model.marks

    async def testbench(ctx):
        await ctx.tick().until(~editor.busy)
        await check(ctx)
        learned = ctx.get(dut.learned)
        assert learned == 1, "the tables of the first user are learned after a reset"
        edits = [*rng.choices(list(WEIGHTS), WEIGHTS.values(), k=130), *Edit]
        rng.shuffle(edits)
        for edit in edits:
            user = rng.randrange(geometry.users)
            entries = model.agents[user].entries
            most = max(len(entries), len(model.agents[model.selected].entries)) + 1
            first = rng.randrange(len(entries) + 1)
            added = [random_entry(rng, geometry) for _ in range(rng.randrange(geometry.memory_depth - first + 1))]
            entry = random_entry(rng, geometry)
            skipped = bool(model.skipped)
            seen[edit] += 1
            seen["full"] += edit == Edit.RATE and len(entries) == geometry.memory_depth

            ctx.set(editor.edit, edit)
            ctx.set(editor.user, user)
            ctx.set(editor.entry, as_payload(entry))
            ctx.set(editor.first, first)
            ctx.set(editor.count, len(added))
            await strobe(ctx, editor.start)
            start = ctx.get(bench.clock)
            if edit == Edit.RESTORE:
                await feed_entries(ctx, added)
            while ctx.get(editor.busy):
                await ctx.tick()
            clocks = ctx.get(bench.clock) - start

            done = model.edit(edit, user, entry, first, added)
            assert ctx.get(editor.missing) == (not done)
            seen["missing"] += not done
            learned += done and edit != Edit.UNSKIP
            assert ctx.get(editor.skipped) == 0 or not done
            assert ctx.get(dut.learned) == learned
            assert ctx.get(dut.learned_user) == model.selected
            if edit != Edit.RESTORE:
                unmark = geometry.rows if skipped or edit in (Edit.CLEAR_ALL, Edit.UNSKIP) else most
                clear = geometry.users if edit == Edit.CLEAR_ALL else 0
                assert clocks <= 3 * most + unmark + clear + LEARNING_CLOCKS + 14
            await check(ctx)

            while rng.random() < 0.3:
                item = rng.choice((rng.randrange(geometry.catalogue_depth), 0xFFFF, geometry.catalogue_depth))
                model.skipped |= {item}
                ctx.set(editor.skip.item, item)
                await strobe(ctx, editor.skip.en)
                assert await dut.marks(ctx) == model.marks

    bench.run(testbench)
    assert min(seen.values()) > 0
