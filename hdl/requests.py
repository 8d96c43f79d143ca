"""What a request's header promises, checked before anything is executed."""

from functools import partial

from amaranth import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .protocol import (
    ALL,
    Op,
    Request,
    Status,
    max_count,
    min_count,
    pattern_record_bytes,
    record_bytes,
    serves,
)
from .user_store import KeptCounts

__all__ = ["RequestCheck", "header_layout"]

header_layout = StructLayout({"seq": 8, "op": 8, "user": 16, "arg": 16, "count": 8})
"""``Request.HEADER``."""


class RequestCheck(wiring.Component):
    """First thing that is wrong with a request, as far as its header and length tell.

    The meaning is ``GoldenDevice._check``. ``status`` is right `latency` clocks after its inputs, ``record_bytes`` 1;
    ``kept`` may come after the others, as late as `KeptCounts` gives it.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    header : ``In(header_layout)``
    length : ``In(8)``, bytes of the body
    kept : ``In``, entries of the header's user
    loaded : ``In(16)``, films in the catalogue
    record_bytes : ``Out``, bytes of one record; of SELFTEST, which has none, of one that the pattern makes
    status : ``Out(Status)``
    """

    latency = KeptCounts.latency + 3

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        self._largest = max(record_bytes(geometry, op) for op in range(256) if serves(geometry, op))
        super().__init__(
            {
                "header": In(header_layout),
                "length": In(8),
                "kept": In(range(geometry.memory_depth + 1)),
                "loaded": In(16),
                "record_bytes": Out(range(self._largest + 1)),
                "status": Out(8),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry, header = self._geometry, self.header
        op, arg, count = header.op, header.arg, header.count

        known, user_needed, argument_good = Signal(), Signal(init=1), Signal(init=1)
        of_catalogue = header.user == ALL
        slot_bits = len(self.kept)
        slot = arg[:slot_bits]
        good = {
            Op.LOAD: (arg <= self.loaded) & (arg + count <= geometry.catalogue_depth),
            Op.RATE: (arg.as_signed() <= geometry.target_max) & (arg.as_signed() >= -geometry.target_max),
            Op.RANK: (arg != 0) & (arg <= geometry.top_k),
            Op.RESTORE: (arg[slot_bits:] == 0) & (slot <= self.kept) & (slot + count <= geometry.memory_depth),
            Op.SELFTEST: of_catalogue | (self.loaded == geometry.catalogue_depth),
        }
        records_needed, most = Signal(), Signal(8)
        size = Signal(range(self._largest + 1))
        with m.Switch(op):
            for value in filter(partial(serves, geometry), range(256)):
                with m.Case(value):
                    m.d.comb += [known.eq(1), size.eq(record_bytes(geometry, value))]
                    m.d.sync += [records_needed.eq(min_count(value)), most.eq(max_count(geometry, value))]
                    if value in (Op.HELLO, Op.LOAD, Op.STATS):
                        m.d.comb += user_needed.eq(0)
                    if value in (Op.DIGEST, Op.RESET, Op.SELFTEST):
                        m.d.comb += user_needed.eq(header.user != ALL)
                    if value in good:
                        is_good = Signal(name=f"{Op(value).name.lower()}_good")
                        m.d.sync += is_good.eq(good[Op(value)])
                        m.d.comb += argument_good.eq(is_good)
                    if value == Op.SELFTEST:
                        of_film, of_rating = (pattern_record_bytes(geometry, of_catalogue=of) for of in (True, False))
                        m.d.comb += size.eq(Mux(of_catalogue, of_film, of_rating))

        records = Signal(16)
        m.d.sync += [self.record_bytes.eq(size), records.eq(count * self.record_bytes)]
        wrong = Signal(StructLayout({"op": 1, "count": 1, "length": 1, "user": 1, "argument": 1}))
        m.d.sync += [
            wrong.op.eq(~known),
            wrong.count.eq((records_needed & (count == 0)) | (count > most)),
            wrong.length.eq(self.length - Request.HEADER.size != records),
            wrong.user.eq(user_needed & (header.user >= geometry.users)),
            wrong.argument.eq(~argument_good),
            self.status.eq(Status.OK),
        ]
        with m.If(wrong.op):
            m.d.sync += self.status.eq(Status.BAD_OP)
        with m.Elif(wrong.count | wrong.length):
            m.d.sync += self.status.eq(Status.BAD_LENGTH)
        with m.Elif(wrong.user):
            m.d.sync += self.status.eq(Status.BAD_USER)
        with m.Elif(wrong.argument):
            m.d.sync += self.status.eq(Status.BAD_ARGUMENT)
        return m
