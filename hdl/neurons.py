"""RAM neurons: the tables of one lane."""

from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, Signature

from .geometry import Geometry
from .layouts import table_signature

__all__ = ["RamNeurons"]


class RamNeurons(wiring.Component):
    """Tables of signed cells, ``neurons_per_clock`` of them side by side, ``groups`` groups deep.

    A read takes 1 clock and its cells stay until the next one; one group can be read and another written in
    each clock. Reading the cells that are being written gives their old content. All cells start at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    read : ``In(...)``: ``en``, ``group``, ``tuples``; ``cells`` one clock later
    write : ``In(table_signature(geometry))``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        cells = ArrayLayout(signed(geometry.cell_bits), geometry.neurons_per_clock)
        read = Signature(
            {
                "en": Out(1),
                "group": Out(range(geometry.groups)),
                "tuples": Out(geometry.neurons_per_clock * geometry.tuple_bits),
                "cells": In(cells),
            }
        )
        super().__init__({"read": In(read), "write": In(table_signature(geometry))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        for q in range(geometry.neurons_per_clock):
            table = Memory(shape=signed(geometry.cell_bits), depth=geometry.groups * geometry.cells, init=[])
            m.submodules[f"neuron_{q}"] = table
            read, write = table.read_port(), table.write_port()
            for port, access in ((read, self.read), (write, self.write)):
                address = access.tuples.word_select(q, geometry.tuple_bits)
                m.d.comb += port.addr.eq(access.group * geometry.cells + address)
            m.d.comb += [
                read.en.eq(self.read.en),
                self.read.cells[q].eq(read.data),
                write.en.eq(self.write.valid),
                write.data.eq(self.write.cells[q]),
            ]
        return m
