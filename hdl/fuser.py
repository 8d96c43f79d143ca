"""Fusing the RAM neurons of an agent into the wider tables that the lanes rank with."""

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .delay import delayed
from .geometry import Geometry
from .layouts import chosen, table_write_layout
from .neurons import neurons_read_signature, sum_latency

__all__ = ["Fuser"]


class Fuser(wiring.Component):
    """Reads all cells of the learner's neurons and writes the sums that the cells of the lanes' tables hold.

    Cell ``a`` of a table is the sum of the cells that its neurons would give for a code with the bits ``a``.
    Takes ``clocks`` clocks, in each of which one cell of ``tables_per_write`` tables is written.

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
    def _latency(self) -> int:
        """Clocks from a read to the sums."""
        return 1 + (sum_latency(self._geometry) if self._sums_are_read else 1)

    @property
    def _sums_are_read(self) -> bool:
        return bool(self._geometry.compact) and self._geometry.neurons_per_clock == self._geometry.fused

    @property
    def clocks(self) -> int:
        """Clocks from ``start`` to the end of ``busy``."""
        return self._writes + self._latency + 1

    @property
    def _writes(self) -> int:
        return self._geometry.tables // self._geometry.tables_per_write * self._geometry.table_cells

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        read, written = Signal(range(self._writes)), Signal(range(self._writes))
        reading = Signal()
        under_way = delayed(m, reading, self._latency, name="reading")
        neurons_per_write = geometry.tables_per_write * geometry.fused
        parts = geometry.neurons_per_clock // neurons_per_write  # of a group, a power of two
        part = read[geometry.table_bits :]
        m.d.comb += [
            self.busy.eq(Cat(under_way).any()),
            self.valid.eq(under_way[-1]),
            self.read.group.eq(part >> parts.bit_length() - 1),
            self.read.tuples.eq(read[: geometry.table_bits].replicate(geometry.neurons_per_clock // geometry.fused)),
            self.write.part.eq(written >> geometry.table_bits),
            self.write.address.eq(written),
        ]
        with m.If(self.start):
            m.d.sync += [reading.eq(1), read.eq(0), written.eq(0)]
        with m.Elif(reading):
            m.d.sync += [read.eq(read + 1), reading.eq(read != self._writes - 1)]
        with m.If(self.valid):
            m.d.sync += written.eq(written + 1)
        if self._sums_are_read:
            m.d.comb += self.write.cells[0].eq(self.read.sum)
            return m
        _, asked = delayed(m, part[: parts.bit_length() - 1], 1, name="part")
        for index, cell in enumerate(self.write.cells):
            terms = []
            for neuron in range(index * geometry.fused, (index + 1) * geometry.fused):
                candidates = [
                    self.read.cells[start + neuron] for start in range(0, geometry.neurons_per_clock, neurons_per_write)
                ]
                terms.append(chosen(m, candidates, asked))
            m.d.sync += cell.eq(sum(terms[1:], start=terms[0]))
        return m
