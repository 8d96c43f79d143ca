"""The kept ratings of the selected user, with the codes of their films."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import In, Out, Signature

from .block_ram import make_memory, registered_read
from .geometry import Geometry
from .layouts import entry_layout, lane_of, row_of

__all__ = ["WorkingMemory", "entry_latency", "entry_read_signature"]


def entry_latency(geometry: Geometry) -> int:
    """Clocks from a slot to its entry: a register before block RAM, and one behind it unless the device is compact."""
    return 3 - geometry.compact


def entry_read_signature(geometry: Geometry) -> Signature:
    """Read access: ``slot`` out, and `entry_latency` clocks with ``en`` later its row and the entry itself."""
    entry = entry_layout(geometry)
    return Signature(
        {
            "en": Out(1),
            "slot": Out(range(geometry.memory_depth)),
            "row": In(ArrayLayout(entry, geometry.comparators)),
            "entry": In(entry),
        }
    )


class WorkingMemory(wiring.Component):
    """Entries ``(item, e, code)`` of one user in rows of ``comparators``.

    One read and one write per clock, but not of the same slot; a read takes `entry_latency` clocks, and stands still
    while not ``en``. Everything starts at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    read : ``In(entry_read_signature(geometry))``
    write : ``In(...)``: ``en``, ``slot``, ``entry``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        write = Signature(
            {"en": Out(1), "slot": Out(range(geometry.memory_depth)), "entry": Out(entry_layout(geometry))}
        )
        super().__init__({"read": In(entry_read_signature(geometry)), "write": In(write)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        width = geometry.comparators
        row = Signal(range(geometry.memory_rows))
        with m.If(self.read.en):
            m.d.sync += row.eq(row_of(self.read.slot, width))
            chosen = lane_of(self.read.slot, width)
            for _ in range(entry_latency(geometry)):
                chosen, before = Signal(range(width)), chosen
                m.d.sync += chosen.eq(before)
        for bank in range(width):
            memory = make_memory(entry_layout(geometry), geometry.memory_rows)
            m.submodules[f"bank_{bank}"] = memory
            write = memory.write_port()
            word = registered_read(m, memory, row, enable=self.read.en)
            if geometry.compact:
                m.d.comb += self.read.row[bank].eq(word)
            else:
                with m.If(self.read.en):
                    m.d.sync += self.read.row[bank].eq(word)
            m.d.comb += [
                write.addr.eq(row_of(self.write.slot, width)),
                write.data.eq(self.write.entry),
                write.en.eq(self.write.en & (lane_of(self.write.slot, width) == bank)),
            ]
        m.d.comb += self.read.entry.eq(self.read.row[chosen])
        return m
