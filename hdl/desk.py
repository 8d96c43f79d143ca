"""What the states of the command processor share: registers, and the parts around them."""

from amaranth import Module, Signal
from amaranth.lib.wiring import Component

from .counters import Counters
from .engine import Engine
from .geometry import Geometry
from .layouts import film_layout
from .protocol import ALL, INLINE, Op, Request, Status
from .records import RecordReader, RecordWriter
from .requests import RequestCheck, header_layout

__all__ = ["Desk"]


class Desk:
    """Registers of the request at hand, and the parts that serve it.

    Attributes
    ----------
    engine, reader, writer, check, counters : the parts
    header, op, inline : the request's header; its operation without INLINE, once that is known to be one; whether
        it had that
    for_all : the request is for all users
    status : what is wrong with it
    item, film : the film at hand
    last_record : the record taken last is the request's last one
    loaded : films in the catalogue
    slot, left : the next entry of a page, and how many of it, or of a ranking, are left
    dropped : damaged frames so far
    """

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.engine = Engine(geometry)
        self.reader = RecordReader(max(Request.HEADER.size, geometry.code_bytes + 3))
        self.writer = RecordWriter(8 if geometry.explains else 6)
        self.check = RequestCheck(geometry)
        self.counters = Counters()
        self.header = Signal(header_layout)
        self.op, self.inline = Signal(range(max(Op) + 1)), Signal()
        self.for_all = Signal()
        self.status = Signal(Status)
        self.item = Signal(16)
        self.film = Signal(film_layout(geometry))
        self.last_record = Signal()
        self.loaded = Signal(16)
        self.slot = Signal(range(geometry.memory_depth + 1))
        self.left = Signal(range(max(geometry.memory_depth, geometry.top_k) + 1))
        self.dropped = Signal(32)

    def add_to(self, m: Module) -> None:
        """Make the parts submodules, and split the operation."""
        m.d.comb += [self.op.eq(self.header.op), self.inline.eq((self.header.op & INLINE) != 0)]
        m.d.sync += self.for_all.eq(self.header.user == ALL)
        for name in ("engine", "reader", "writer", "check", "counters"):
            part: Component = getattr(self, name)
            m.submodules[name] = part

    def give(self, m: Module, content: object, size: object, last: object, then: str) -> None:
        """In this state: hand a record to the writer, and go on once it is taken."""
        m.d.comb += [
            self.writer.i.valid.eq(1),
            self.writer.i.p.data.eq(content),
            self.writer.i.p.bytes.eq(size),
            self.writer.i.p.last.eq(last),
        ]
        with m.If(self.writer.i.ready):
            m.next = then

    def take(self, m: Module, then: str) -> Signal:
        """In this state: gather a record, and go on once it is there; true in the clock when it is."""
        m.d.comb += [self.reader.take.eq(1), self.reader.o.ready.eq(1)]
        with m.If(self.reader.o.valid):
            m.d.sync += self.last_record.eq(self.reader.o.p.last)
            m.next = then
        return self.reader.o.valid
