"""Rankings by the whole compiled device against the golden device: any number of films, marks, ties, and k."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl.geometry import TINY
from ramrec.hdl.protocol import ALL, Op, Reply, Request, Stats, decode_frame, encode_frame, max_count
from ramrec.sim.compiled import NoCompiler, require_tools
from ramrec.sim.golden_device import GoldenDevice
from ramrec.sim.virtual import VirtualBoard

try:
    require_tools()
except NoCompiler as error:
    pytestmark = pytest.mark.skip(reason=str(error))

GEOMETRIES = {
    "five lanes": TINY.with_(lanes=5, table_bits=8, comparators=1, memory_depth=9, catalogue_depth=700, top_k=20),
    "eleven lanes": TINY.with_(lanes=11, memory_depth=14, catalogue_depth=130, top_k=7, neurons_per_clock=8),
}
_BOARDS = {}


class Pair:
    """A compiled and a golden device that are asked the same."""

    def __init__(self, geometry):
        self.geometry = geometry
        self._board, self._golden = VirtualBoard(geometry), GoldenDevice(geometry)
        self._seq = 0
        self.ask(op=Op.HELLO)

    def _reply(self, **request):
        frame = encode_frame(Request(seq=self._seq % 256, **request).pack())
        self._seq += 1
        self._board.write(frame)
        return self._board.read()[:-1], self._golden.receive(frame[:-1])[:-1]

    def ask(self, **request):
        reply, due = self._reply(**request)
        assert reply == due, request
        assert not Reply.unpack(decode_frame(due)).status, request

    def stats(self):
        reply, _ = self._reply(op=Op.STATS)
        return Stats.unpack(Reply.unpack(decode_frame(reply)).data)

    def load(self, films):
        self.ask(op=Op.RESET, user=ALL)
        most = max_count(self.geometry, Op.LOAD)
        for first in range(0, len(films), most):
            records = b"".join(code + prior.to_bytes(1, signed=True) for code, prior in films[first : first + most])
            self.ask(op=Op.LOAD, arg=first, count=len(films[first : first + most]), records=records)

    def leave_out(self, op, items):
        most = max_count(self.geometry, op)
        for first in range(0, len(items), most):
            records = b"".join(item.to_bytes(2, "little") for item in items[first : first + most])
            self.ask(op=op, count=len(items[first : first + most]), records=records)


def pair_of(name):
    """One for all examples: every one begins with a reset."""
    if name not in _BOARDS:
        _BOARDS[name] = Pair(GEOMETRIES[name])
    return _BOARDS[name]


def films(geometry, count, kind):
    """Films of many scores, of few, or each better than all before."""
    codes = [(37 * number % 65536).to_bytes(2, "little") * (geometry.code_bytes // 2) for number in range(count)]
    match kind:
        case "many":
            return [(code, (89 * number) % 256 - 128) for number, code in enumerate(codes)]
        case "few":
            return [(codes[number % 3], 7 - number % 2) for number in range(count)]
    return [(codes[0], min(number - 128, 127)) for number in range(count)]


@pytest.mark.parametrize("name", GEOMETRIES)
@settings(deadline=None, derandomize=True, max_examples=60)
@given(data=st.data())
def test_rankings(name, data):
    geometry, pair = GEOMETRIES[name], pair_of(name)
    lanes, depth = geometry.lanes, geometry.catalogue_depth
    edges = [0, 1, lanes - 1, lanes, lanes + 1, 2 * lanes, depth - 1, depth]
    loaded = data.draw(st.sampled_from(edges) | st.integers(0, depth), "loaded")
    pair.load(films(geometry, loaded, data.draw(st.sampled_from(["many", "few", "rising"]), "films")))
    items = st.lists(st.integers(0, loaded + 1), max_size=60)
    all_of_them = st.just(list(range(loaded)))
    few = st.lists(st.integers(0, max(0, loaded - 1)), max_size=geometry.memory_depth + 2) if loaded else st.just([])
    rated = data.draw(all_of_them if 0 < loaded <= geometry.memory_depth else few, "rated")
    for number, item in enumerate(rated):
        target = 40 * (number % 5 - 2)
        pair.ask(op=Op.RATE, arg=target, count=1, records=item.to_bytes(2, "little"))
    for _ in range(2):
        for op in data.draw(st.lists(st.sampled_from([Op.SKIP, Op.ONLY]), max_size=3), "left out by"):
            pair.leave_out(op, data.draw(items | all_of_them, "items"))
        pair.ask(op=Op.RANK, arg=data.draw(st.integers(1, geometry.top_k), "k"))


@pytest.mark.parametrize("name", GEOMETRIES)
def test_clocks(name):
    """One row per clock, if one film alone may be recommended; STATS says so."""
    geometry, pair = GEOMETRIES[name], pair_of(name)
    clocks = []
    numbers = geometry.rows - 9, geometry.rows - 1
    for rows in numbers:
        pair.load([(bytes(geometry.code_bytes), max(100 - n, -128)) for n in range(rows * geometry.lanes)])
        pair.leave_out(Op.ONLY, [0])
        pair.ask(op=Op.RANK, arg=1)
        clocks.append(pair.stats().rank_clocks)
    assert abs(clocks[1] - clocks[0] - (numbers[1] - numbers[0])) <= 2
