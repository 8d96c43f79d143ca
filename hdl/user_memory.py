"""The kept ratings of all resident users."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, Signature

from .geometry import Geometry
from .layouts import entry_layout, lane_of, row_of

__all__ = ["UserMemory", "entry_read_signature"]


def entry_read_signature(geometry: Geometry) -> Signature:
    """Read access to one user's entries: ``slot`` out, and one clock later its row and the entry itself."""
    entry = entry_layout(geometry)
    return Signature(
        {
            "slot": Out(range(geometry.memory_depth)),
            "row": In(ArrayLayout(entry, geometry.comparators)),
            "entry": In(entry),
        }
    )


class UserMemory(wiring.Component):
    """Entries ``(item, e, code)`` of every user in rows of ``comparators``, and how many each user keeps.

    One read and one write per clock; a read takes 1 clock and gives the old content of a row that is being
    written. Everything starts at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    user : ``In``, whose entries ``read`` and ``write`` mean
    read : ``In(entry_read_signature(geometry))``
    write : ``In(...)``: ``en``, ``slot``, ``entry``
    kept : ``Out``, ratings the user keeps, one clock after ``user``
    set_kept : ``In(...)``: ``en``, ``kept``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        write = Signature(
            {"en": Out(1), "slot": Out(range(geometry.memory_depth)), "entry": Out(entry_layout(geometry))}
        )
        kept = range(geometry.memory_depth + 1)
        super().__init__(
            {
                "user": In(range(geometry.users)),
                "read": In(entry_read_signature(geometry)),
                "write": In(write),
                "kept": Out(kept),
                "set_kept": In(Signature({"en": Out(1), "kept": Out(kept)})),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        width = geometry.comparators
        chosen = Signal(range(width))
        m.d.sync += chosen.eq(lane_of(self.read.slot, width))
        for bank in range(width):
            memory = Memory(shape=entry_layout(geometry), depth=geometry.users * geometry.memory_rows, init=[])
            m.submodules[f"bank_{bank}"] = memory
            read, write = memory.read_port(), memory.write_port()
            m.d.comb += [
                read.addr.eq(self.user * geometry.memory_rows + row_of(self.read.slot, width)),
                self.read.row[bank].eq(read.data),
                write.addr.eq(self.user * geometry.memory_rows + row_of(self.write.slot, width)),
                write.data.eq(self.write.entry),
                write.en.eq(self.write.en & (lane_of(self.write.slot, width) == bank)),
            ]
        m.d.comb += self.read.entry.eq(self.read.row[chosen])

        m.submodules.kept = kept = Memory(shape=range(geometry.memory_depth + 1), depth=geometry.users, init=[])
        read, write = kept.read_port(), kept.write_port()
        m.d.comb += [
            read.addr.eq(self.user),
            self.kept.eq(read.data),
            write.addr.eq(self.user),
            write.data.eq(self.set_kept.kept),
            write.en.eq(self.set_kept.en),
        ]
        return m
