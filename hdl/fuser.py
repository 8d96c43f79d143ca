"""Fusing the RAM neurons of an agent into the wider tables that the lanes rank with."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import table_write_layout
from .neurons import neurons_read_signature

__all__ = ["Fuser"]


class Fuser(wiring.Component):
    """Reads all cells of the learner's neurons and writes the sums that the cells of the lanes' tables hold.

    Cell ``a`` of a table is the sum of the cells that its neurons would give for a code with the bits ``a``.
    Takes ``clocks`` clocks, in each of which one cell of ``neurons_per_clock / fused`` tables is written.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``
    busy : ``Out(1)``, until the last cell has been given out
    read : ``Out(neurons_read_signature(geometry))``, used while ``busy``
    valid, write : ``Out``, cells, and ``table_write_layout(geometry)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "busy": Out(1),
                "read": Out(neurons_read_signature(geometry)),
                "valid": Out(1),
                "write": Out(table_write_layout(geometry)),
            }
        )

    @property
    def clocks(self) -> int:
        """Clocks from ``start`` to the end of ``busy``."""
        return self._geometry.groups * self._geometry.table_cells + 3

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        reading, here = Signal(), Signal()
        address, group = Signal(geometry.table_bits), Signal(range(geometry.groups))
        here_address, here_group = Signal.like(address), Signal.like(group)
        m.d.comb += [
            self.busy.eq(reading | here | self.valid),
            self.read.group.eq(group),
            self.read.tuples.eq(address.replicate(geometry.neurons_per_clock // geometry.fused)),
        ]
        with m.If(self.start):
            m.d.sync += [reading.eq(1), Cat(address, group).eq(0)]
        with m.Elif(reading):
            m.d.sync += address.eq(address + 1)
            with m.If(address == geometry.table_cells - 1):
                m.d.sync += group.eq(group + 1)
                with m.If(group == geometry.groups - 1):
                    m.d.sync += reading.eq(0)
        m.d.sync += [
            here.eq(reading),
            here_address.eq(address),
            here_group.eq(group),
            self.valid.eq(here),
            self.write.address.eq(here_address),
            self.write.group.eq(here_group),
        ]
        fused = geometry.fused
        for table, cell in enumerate(self.write.cells):
            terms = [self.read.cells[table * fused + neuron] for neuron in range(fused)]
            m.d.sync += cell.eq(sum(terms[1:], start=terms[0]))
        return m
