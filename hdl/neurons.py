"""RAM neurons: the agent's tables, as the learner writes them."""

from amaranth import Module, signed
from amaranth.lib import wiring
from amaranth.lib.data import ArrayLayout
from amaranth.lib.wiring import In, Out, Signature

from .adder_tree import AdderTree
from .block_ram import make_memory, registered_read
from .geometry import Geometry

__all__ = ["RamNeurons", "cells_layout", "neurons_read_signature", "sum_latency"]


def cells_layout(geometry: Geometry) -> ArrayLayout:
    """One cell of each RAM neuron of a group."""
    return ArrayLayout(signed(geometry.cell_bits), geometry.neurons_per_clock)


def sum_latency(geometry: Geometry) -> int:
    """Clocks from the cells of a group to their sum in a compact device: one for each level of adders."""
    return max(1, _levels(geometry))


def _levels(geometry: Geometry) -> int:
    return (geometry.neurons_per_clock - 1).bit_length()


def neurons_read_signature(geometry: Geometry) -> Signature:
    """Read access to a group of RAM neurons: which cells (``group``, ``tuples``); ``cells`` one clock later.

    In a compact device also their ``sum``, ``sum_latency(geometry)`` clocks after the cells.
    """
    return Signature(
        {
            "group": Out(range(geometry.groups)),
            "tuples": Out(geometry.neurons_per_clock * geometry.tuple_bits),
            "cells": In(cells_layout(geometry)),
            "sum": In(signed(geometry.cell_bits + _levels(geometry))),
        }
    )


class RamNeurons(wiring.Component):
    """Tables of signed cells, ``neurons_per_clock`` of them side by side, ``groups`` groups deep.

    A read takes 1 clock, and the way to the sum `sum_latency` more; one group can be read and another written in
    each clock, but not the same cells. All cells start at zero.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    read : ``In(neurons_read_signature(geometry))``
    write : ``In(...)``: ``en``, ``group``, ``tuples``, ``cells``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        write = Signature(
            {
                "en": Out(1),
                "group": Out(range(geometry.groups)),
                "tuples": Out(geometry.neurons_per_clock * geometry.tuple_bits),
                "cells": Out(cells_layout(geometry)),
            }
        )
        super().__init__({"read": In(neurons_read_signature(geometry)), "write": In(write)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        for q in range(geometry.neurons_per_clock):
            table = make_memory(signed(geometry.cell_bits), geometry.groups * geometry.cells)
            m.submodules[f"neuron_{q}"] = table
            write = table.write_port()
            read_address, write_address = (
                access.group * geometry.cells + access.tuples.word_select(q, geometry.tuple_bits)
                for access in (self.read, self.write)
            )
            m.d.comb += [
                self.read.cells[q].eq(registered_read(m, table, read_address)),
                write.addr.eq(write_address),
                write.en.eq(self.write.en),
                write.data.eq(self.write.cells[q]),
            ]
        if geometry.compact:
            m.submodules.tree = tree = AdderTree(signed(geometry.cell_bits), geometry.neurons_per_clock, 0)
            m.d.comb += [
                tree.i.p.terms.eq(self.read.cells),
                tree.o.ready.eq(1),
                self.read.sum.eq(tree.o.p.sum),
            ]
        return m
