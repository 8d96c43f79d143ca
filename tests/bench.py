"""What the gateware's tests share: geometries, agents to learn, and streams with idles and back-pressure."""

import random

import numpy as np
from ramrec.hdl.geometry import TINY
from ramrec.sim.golden import Entry, addresses, top_k
from ramrec.sim.pysim import Bench

__all__ = [
    "COMPACT",
    "FLOWS",
    "GEOMETRIES",
    "KINDS",
    "LEARNING",
    "NOTHING",
    "agent_entries",
    "as_payload",
    "code_array",
    "collect",
    "fill_catalogue",
    "fill_memory",
    "film_rows",
    "fused_tables",
    "mark_films",
    "meaning",
    "plain",
    "random_code",
    "random_film",
    "random_tables",
    "ranking",
    "row_scores",
    "run_stream",
    "send",
    "write_cells",
]

COMPACT = TINY.with_(
    code_bits=32, alpha_bits=4, lanes=1, comparators=1, memory_depth=5, catalogue_depth=22, top_k=5, compact=1
)
GEOMETRIES = {
    "tiny": TINY,
    "one-bit tuples, five lanes": TINY.with_(
        tuple_bits=1,
        table_bits=2,
        neurons_per_clock=16,
        lanes=5,
        comparators=1,
        memory_depth=5,
        catalogue_depth=22,
        users=1,
    ),
    "wide tables, three lanes": TINY.with_(table_bits=8, lanes=3, comparators=1, memory_depth=7, catalogue_depth=31),
    "four-bit tuples, eight groups": TINY.with_(
        code_bits=32,
        tuple_bits=4,
        drift=1,
        prior_shift=7,
        neurons_per_clock=1,
        lanes=1,
        comparators=4,
        memory_depth=8,
        catalogue_depth=19,
        top_k=5,
    ),
    "compact": COMPACT,
    "smallest": TINY.with_(
        tuple_bits=4,
        ridge=0,
        bias_gain=0,
        shift=2,
        alpha_bits=2,
        prior_shift=0,
        sweeps=1,
        memory_depth=1,
        users=1,
        catalogue_depth=1,
        top_k=1,
        lanes=1,
        comparators=1,
    ),
}
"""Different in everything that a component's shape depends on: widths of zero, three groups and more, padding."""

LEARNING = {
    **GEOMETRIES,
    "drift": TINY.with_(drift=3, ridge=1, users=1),
    "counting": TINY.with_(rule="counting", users=2),
    "counting, one group": TINY.with_(rule="counting", neurons_per_clock=8, lanes=1, shift=7, alpha_bits=4),
}
"""Geometries whose agents differ in what they learn."""

FLOWS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.4, 0.4), (0.2, 1.0)]
"""Probabilities that a source idles and that a sink waits; one that always waits is ready only on an offer."""

NOTHING = {"score": 0, "item": 0, "keep": 0, "last": 1}
"""The one record of an empty ranking."""

KINDS = ("random", "alike", "opposite", "loud", "flat", "edge")
"""Kinds of :func:`agent_entries`."""


def random_code(rng, geometry):
    return rng.randbytes(geometry.code_bytes)


def agent_entries(rng, geometry, count, kind="random"):
    """Kept ratings of different items.

    ``alike`` have one code and one sign, the loudest way to fill one cell; ``opposite`` have complementary
    codes; ``loud`` have extreme surprises; ``flat`` ones are within a rounding step of no surprise at all, and
    ``edge`` ones of the surprise that takes a strength to its limit.
    """
    code = random_code(rng, geometry)
    inverse = bytes(byte ^ 0xFF for byte in code)
    sign = rng.choice((-1, 1))
    top = geometry.surprise_max - 1
    step = 1 << (geometry.shift - 1)
    items = rng.sample(range(max(count, geometry.catalogue_depth)), count)
    result = []
    for place, item in enumerate(items):
        match kind:
            case "random":
                result.append(Entry(item, random_code(rng, geometry), rng.randrange(-8 * step, 8 * step)))
            case "alike":
                result.append(Entry(item, code, top if sign > 0 else -top - 1))
            case "opposite":
                result.append(Entry(item, inverse if place % 2 else code, rng.choice((-40, 40)) * step))
            case "loud":
                result.append(Entry(item, random_code(rng, geometry), rng.choice((-top - 1, top, 0))))
            case "flat":
                flat = rng.choice((-step - 1, -step, -step + 1, -1, 0, step - 1, step))
                result.append(Entry(item, random_code(rng, geometry), flat))
            case "edge":
                steps = geometry.alpha_max + rng.choice((0, 1, 1, 2))
                edge = rng.choice((-1, 1)) * (steps << geometry.shift) + rng.choice((-step, -1, 0, step - 1))
                result.append(Entry(item, random_code(rng, geometry), max(-top - 1, min(top, edge))))
    return result


def code_array(geometry, codes):
    """Codes as the golden model takes them."""
    return np.frombuffer(b"".join(codes), np.uint8).reshape(-1, geometry.code_bytes)


def film_rows(rng, geometry, count):
    """Rows of films for a scorer, the last one with ``last``; extreme priors among them."""
    return [
        {
            "films": [
                {
                    "code": int.from_bytes(random_code(rng, geometry), "little"),
                    "prior": rng.choice((-128, -1, 0, 127, rng.randrange(-128, 128))),
                }
                for _ in range(geometry.lanes)
            ],
            "mask": rng.randrange(1 << geometry.lanes),
            "last": int(row == count - 1),
        }
        for row in range(count)
    ]


def plain(value):
    """A payload as integers, lists and dictionaries."""
    if isinstance(value, int):
        return value
    layout = value.shape()
    members = {key: plain(value[key]) for key, _ in layout}
    return members if not all(isinstance(key, int) for key in members) else list(members.values())


async def send(bench, ctx, port, payloads, *, idle=0.0, seed=0):
    """Offer payloads in order, with pauses; return the numbers of the clocks in which they were taken."""
    rng = random.Random(seed)
    clocks = []
    for payload in payloads:
        while rng.random() < idle:
            await ctx.tick()
        clocks.append(await bench.put(ctx, port, payload))
    return clocks


async def collect(bench, ctx, port, count, *, wait=0.0, seed=0):
    """Take ``count`` payloads, ready only now and then; return ``(payload, clock)`` for each.

    A sink that always waits (1) is ready only once something is offered, which an offer must not wait for.
    Whatever is offered must stay, unchanged, until it is taken.
    """
    rng = random.Random(seed)
    taken, offered = [], None
    while len(taken) < count:
        ready = rng.random() >= wait or (wait == 1 and offered is not None)
        ctx.set(port.ready, ready)
        _, _, valid, payload, clock = await ctx.tick().sample(port.valid, port.payload, bench.clock)
        if offered is not None:
            assert valid, f"an offer was withdrawn in clock {clock}"
            assert plain(payload) == offered, f"an offer was changed in clock {clock}"
        offered = plain(payload) if valid and not ready else None
        if valid and ready:
            taken.append((plain(payload), clock))
    ctx.set(port.ready, 0)
    return taken


def run_stream(dut, payloads, count, *, idle=0.0, wait=0.0, seed=0, prepare=None, finish=None, quiet=20):
    """Send payloads through ``dut.i``, and take ``count`` from ``dut.o`` and not one more.

    Returns the payloads that came and the numbers of the clocks in which inputs and outputs were taken.
    ``prepare(ctx)`` runs first, ``finish(ctx)`` last.
    """
    bench = Bench(dut, clock_limit=20_000)
    sent, received = [], []
    ready = prepare is None

    async def source(ctx):
        nonlocal ready
        if prepare is not None:
            await prepare(ctx)
            ready = True
        sent.extend(await send(bench, ctx, dut.i, payloads, idle=idle, seed=seed))

    async def sink(ctx):
        while not ready:
            await ctx.tick()
        received.extend(await collect(bench, ctx, dut.o, count, wait=wait, seed=seed + 1))
        ctx.set(dut.o.ready, 1)
        for _ in range(quiet):
            _, _, valid = await ctx.tick().sample(dut.o.valid)
            assert not valid, "more came than was due"
        if finish is not None:
            await finish(ctx)

    bench.run(source, sink)
    assert len(sent) == len(payloads)
    return [payload for payload, _ in received], sent, [clock for _, clock in received]


def as_payload(entry):
    """A kept rating as the working memory holds it."""
    return {"item": entry.item, "e": entry.e, "code": int.from_bytes(entry.code, "little")}


async def fill_memory(ctx, memory, entries):
    """Write kept ratings into a :class:`WorkingMemory`."""
    ctx.set(memory.write.en, 1)
    for slot, entry in enumerate(entries):
        ctx.set(memory.write.slot, slot)
        ctx.set(memory.write.entry, as_payload(entry))
        await ctx.tick()
    ctx.set(memory.write.en, 0)
    await ctx.tick()


def random_film(rng, geometry):
    """Extreme priors among others."""
    code = int.from_bytes(random_code(rng, geometry), "little")
    return {"code": code, "prior": rng.choice((-128, 127, rng.randrange(-128, 128)))}


async def fill_catalogue(ctx, catalogue, films):
    """Write films into a :class:`Catalogue`, or into a :class:`SharedMemory`'s, which takes two clocks for each."""
    lanes = len(catalogue.films)
    for item, film in enumerate(films):
        ctx.set(catalogue.write.place, {"row": item // lanes, "lane": item % lanes})
        ctx.set(catalogue.write.film, film)
        ctx.set(catalogue.write.en, 1)
        await ctx.tick()
        ctx.set(catalogue.write.en, 0)
        await ctx.tick()


async def mark_films(ctx, catalogue, geometry, marks):
    """Mark these films of a :class:`Catalogue` and no others, as the majority first."""
    most = int(len(marks) > geometry.catalogue_depth // 2)
    ctx.set(catalogue.fill.en, 1)
    ctx.set(catalogue.fill.marked, most)
    for row in range(geometry.rows):
        ctx.set(catalogue.fill.row, row)
        await ctx.tick()
    ctx.set(catalogue.fill.en, 0)
    ctx.set(catalogue.mark.en, 1)
    ctx.set(catalogue.mark.marked, 1 - most)
    for item in set(range(geometry.catalogue_depth)) - set(marks) if most else marks:
        ctx.set(catalogue.mark.place, {"row": item // geometry.lanes, "lane": item % geometry.lanes})
        await ctx.tick()
    ctx.set(catalogue.mark.en, 0)


def random_tables(rng, geometry):
    """Cells of RAM neurons, ``(neurons, cells)``, anything up to ``cell_max``."""
    numbers = np.random.default_rng(rng.randrange(1 << 32))
    return numbers.integers(-geometry.cell_max, geometry.cell_max + 1, (geometry.neurons, geometry.cells))


async def write_cells(ctx, port, geometry, tables):
    """Write every cell of :class:`RamNeurons`."""
    width = geometry.neurons_per_clock
    ctx.set(port.en, 1)
    for group in range(geometry.groups):
        for address in range(geometry.cells):
            ctx.set(port.group, group)
            ctx.set(port.tuples, sum(address << (q * geometry.tuple_bits) for q in range(width)))
            ctx.set(port.cells, tables[group * width :, address][:width].tolist())
            await ctx.tick()
    ctx.set(port.en, 0)


def fused_tables(geometry, tables):
    """Cells of a lane's tables, ``(tables, table_cells)``: sums of the cells of the neurons in each table."""
    address = np.arange(geometry.table_cells)
    fused = np.zeros((geometry.tables, geometry.table_cells), np.int64)
    for neuron, cells in enumerate(tables):
        table, place = divmod(neuron, geometry.fused)
        fused[table] += cells[address >> place * geometry.tuple_bits & geometry.cells - 1]
    return fused


def row_scores(geometry, tables, offset, films):
    """Scores of films, a list, through tables ``(neurons, cells)`` and the bias's part of every score."""
    codes = code_array(geometry, [film["code"].to_bytes(geometry.code_bytes, "little") for film in films])
    cells = tables[np.arange(geometry.neurons), addresses(geometry, codes)].sum(axis=1)
    priors = np.array([film["prior"] for film in films], np.int64) << geometry.prior_shift
    return (priors + offset + cells).tolist()


def ranking(geometry, scores, allowed):
    """The records that a ranking consists of."""
    best = top_k(np.asarray(scores, np.int64), np.asarray(allowed, np.bool_), geometry.top_k)
    records = [{"score": int(scores[item]), "item": item, "keep": 1, "last": int(item == best[-1])} for item in best]
    return records or [NOTHING]


def meaning(record):
    """A record without what nobody looks at: score and item where there is no film."""
    return record if record["keep"] else NOTHING | {"last": record["last"]}
