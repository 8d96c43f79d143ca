"""Explaining a score: what each kept rating contributes."""

from amaranth import Const, Module, Mux, Signal, Value, signed
from amaranth.lib import stream, wiring
from amaranth.lib.data import StructLayout
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import lane_of, match_row_layout, row_of
from .working_memory import entry_read_signature

__all__ = ["Explainer", "contribution_layout"]

contribution_layout = StructLayout({"item": 16, "match": 16, "contribution": signed(32), "last": 1})
"""One kept rating's say in a score."""


def _product(factor: Signal, other: Value) -> Value:
    """The product with a signed factor of a few bits, as gates: the way to a multiplier and back is long on a chip."""
    *bits, sign = (Mux(bit, other, 0) << place for place, bit in enumerate(factor))
    return sum(bits, start=Const(0)) - sign


class Explainer(wiring.Component):
    """Finds the nearest kept rating of a film, then streams the contributions of a page of them.

    The meaning is :meth:`ramrec.sim.golden.Agent.explain`. The nearest one takes one clock per memory row,
    a contribution the latency of the memory view and 6 clocks.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``; the inputs are held while ``busy``
    first, count : ``In``, the page; ``first + count <= kept``
    kept : ``In``, entries of the user
    compare, first_row, last_row, match, comparing, best_slot, entry, alpha_slot, alpha : :class:`Datapath`'s
    nearest : ``Out``, slot of the nearest rating, from the first contribution on or once not ``busy``
    o : ``Out(stream)`` of ``contribution_layout``
    busy : ``Out(1)``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        kept, slot, row = (
            range(geometry.memory_depth + 1),
            range(geometry.memory_depth),
            range(geometry.memory_rows),
        )
        super().__init__(
            {
                "start": In(1),
                "first": In(kept),
                "count": In(kept),
                "kept": In(kept),
                "compare": Out(1),
                "first_row": Out(row),
                "last_row": Out(row),
                "match": In(stream.Signature(match_row_layout(geometry))),
                "comparing": In(1),
                "best_slot": In(slot),
                "entry": Out(entry_read_signature(geometry)),
                "alpha_slot": Out(slot),
                "alpha": In(signed(geometry.alpha_bits)),
                "nearest": Out(slot),
                "o": Out(stream.Signature(contribution_layout)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        slot, left = Signal(range(geometry.memory_depth + 1)), Signal(range(geometry.memory_depth + 1))
        row = row_of(slot, geometry.comparators)
        scanning = Signal()
        strength, weight = Signal(signed(geometry.alpha_bits)), Signal(range(geometry.neurons + geometry.bias_gain + 1))
        m.d.comb += [
            self.busy.eq(1),
            self.match.ready.eq(1),
            self.entry.en.eq(1),
            self.entry.slot.eq(slot),
            self.alpha_slot.eq(slot),
            self.o.p.last.eq(left == 1),
        ]
        with m.If(~scanning):
            m.d.comb += [self.first_row.eq(row), self.last_row.eq(row)]
        with m.Elif(self.kept != 0):
            m.d.comb += self.last_row.eq(row_of(self.kept - 1, geometry.comparators))

        with m.FSM():
            with m.State("Idle"):
                m.d.comb += self.busy.eq(0)
                with m.If(self.start):
                    m.d.sync += [slot.eq(self.first), left.eq(self.count), scanning.eq(1)]
                    m.next = "Scan"

            with m.State("Scan"):
                m.d.comb += self.compare.eq(1)
                m.next = "Scanning"

            with m.State("Scanning"):
                with m.If(~self.comparing):
                    m.d.sync += [self.nearest.eq(self.best_slot), scanning.eq(0)]
                    m.next = "Compare"

            with m.State("Compare"):
                m.d.comb += self.compare.eq(left != 0)
                m.next = "Comparing"
                with m.If(left == 0):
                    m.next = "Idle"

            with m.State("Comparing"):
                with m.If(self.match.valid):
                    m.d.sync += self.o.p.match.eq(self.match.p.matches[lane_of(slot, geometry.comparators)])
                    m.next = "Read"

            with m.State("Read"):
                m.next = "Reading"

            with m.State("Reading"):
                m.d.sync += weight.eq(self.o.p.match + geometry.bias_gain)
                m.next = "Strength"

            with m.State("Strength"):
                m.d.sync += strength.eq(self.alpha)
                m.next = "Weigh"

            with m.State("Weigh"):
                entry = self.entry.entry
                said = (
                    Mux(slot == self.nearest, entry.e, 0) if geometry.rule == "nearest" else _product(strength, weight)
                )
                m.d.sync += [self.o.p.item.eq(entry.item), self.o.p.contribution.eq(said), self.o.valid.eq(1)]
                m.next = "Give"

            with m.State("Give"):
                with m.If(self.o.ready):
                    m.d.sync += [self.o.valid.eq(0), slot.eq(slot + 1), left.eq(left - 1)]
                    m.next = "Compare"
        return m
