"""From rows of scores to single candidates for the list of the best."""

from amaranth import Cat, Module, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout, View
from amaranth.lib.fifo import SyncFIFO, SyncFIFOBuffered
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import score_row_layout

__all__ = ["Collector", "candidate_layout"]

_PASSED = 4
"""Rows that a second look may let pass before their candidates are taken; with one less, rows in vain take longer."""


def candidate_layout(geometry: Geometry) -> StructLayout:
    """A film that may enter the list: ``keep`` = 0 only carries ``last``."""
    return StructLayout({"score": signed(geometry.score_bits), "item": 16, "keep": 1, "last": 1})


class Collector(wiring.Component):
    """Turns rows of scores into candidates, in item order, dropping those that can not enter the list.

    A row that comes is dropped at once if no score in it beats the threshold. The others wait in a queue, so that a
    burst of candidates, as at the start of a ranking, does not hold up the rows behind it, and are looked at again
    when they leave it, against the threshold of that time: one row per clock as long as that is in vain. The films of
    a row are looked at a third time when it is their turn, as each one taken may raise the threshold. A row with ``n``
    candidates takes ``n + 2`` clocks, 1 more if its last ones fell behind meanwhile; its first candidate comes
    ``latency`` clocks after the row. The last row always ends in one record with ``last``.

    Rows can not be held up: whoever sends them counts how many have been asked for and not yet ``left``, at
    most ``capacity``.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, numbers the next row 0
    full, threshold : ``In``, :class:`.TopK`'s; a candidate must beat ``threshold`` if ``full``
    i_valid, i : ``In``, a row, and ``score_row_layout(geometry)``
    dropped, taken : ``Out(1)``, a row is dropped, or leaves the queue
    o : ``Out(stream)`` of ``candidate_layout(geometry)``
    """

    latency = 9

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "full": In(1),
                "threshold": In(signed(geometry.score_bits)),
                "i_valid": In(1),
                "i": In(score_row_layout(geometry)),
                "dropped": Out(1),
                "taken": Out(1),
                "o": Out(stream.Signature(candidate_layout(geometry))),
            }
        )

    @property
    def capacity(self) -> int:
        """Rows that may be on their way; enough to keep the lanes busy while the first list fills."""
        return 255 if self._geometry.lanes > 1 else 16

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        scores_layout = ArrayLayout(signed(geometry.score_bits), geometry.lanes)
        row_layout = StructLayout({"scores": scores_layout, "waiting": geometry.lanes, "item": 16, "last": 1})

        full, threshold = Signal(), Signal.like(self.threshold)
        m.d.sync += [full.eq(self.full), threshold.eq(self.threshold)]

        def beats(waiting: Value, scores: View) -> Signal:
            passing = Signal(geometry.lanes)
            for lane in range(geometry.lanes):
                beaten = ~full | (scores[lane] > threshold)
                m.d.comb += passing[lane].eq(waiting[lane] & beaten)
            return passing

        # First look, when a row comes

        item = Signal(16)
        come, come_valid = Signal(row_layout), Signal()
        m.d.sync += [
            come_valid.eq(self.i_valid),
            come.scores.eq(self.i.scores),
            come.waiting.eq(beats(self.i.mask, self.i.scores)),
            come.last.eq(self.i.last),
            come.item.eq(item),
        ]
        with m.If(self.i_valid):
            m.d.sync += item.eq(item + geometry.lanes)
        with m.If(self.start):
            m.d.sync += item.eq(0)

        m.submodules.queue = queue = SyncFIFOBuffered(width=len(come.as_value()), depth=self.capacity)
        worthy = Signal()
        m.d.comb += [
            worthy.eq((come.waiting != 0) | come.last),
            queue.w_en.eq(come_valid & worthy),
            queue.w_data.eq(come),
            self.dropped.eq(come_valid & ~worthy),
        ]

        # Second look, when it leaves the queue: a register after its block RAM, then the comparison. Nothing stalls
        # here: a row leaves the queue only if there is a place for it behind.

        m.submodules.passed = passed = SyncFIFO(width=len(come.as_value()), depth=_PASSED)
        places = Signal(range(_PASSED + 1), init=_PASSED)
        out, out_valid = Signal(row_layout), Signal()
        looked, looked_valid = Signal(row_layout), Signal()
        still_worthy = Signal()
        m.d.comb += [
            queue.r_en.eq(places != 0),
            self.taken.eq(queue.r_rdy & queue.r_en),
            still_worthy.eq((looked.waiting != 0) | looked.last),
            passed.w_en.eq(looked_valid & still_worthy),
            passed.w_data.eq(looked),
        ]
        m.d.sync += [
            out.eq(queue.r_data),
            out_valid.eq(self.taken),
            looked.eq(out),
            looked.waiting.eq(beats(out.waiting, out.scores)),
            looked_valid.eq(out_valid),
            places.eq(places - self.taken + (looked_valid & ~still_worthy) + passed.r_en),
        ]

        # One candidate after the other, the lowest lane first, if it still beats the threshold

        row = View(row_layout, passed.r_data)
        waiting, pending, lowest, chosen = (
            Signal(geometry.lanes, name=name) for name in ("waiting", "pending", "lowest", "chosen")
        )
        beating = Signal(geometry.lanes)
        m.d.sync += beating.eq(beats(row.waiting, row.scores))
        m.d.comb += [pending.eq(waiting & beating), lowest.eq(pending & (-pending)[: geometry.lanes])]
        choice = [chosen.eq(lowest), waiting.eq(pending & ~lowest)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.FSM():
            with m.State("Row"):
                m.d.sync += waiting.eq(row.waiting)
                with m.If(passed.r_rdy):
                    m.next = "Choose"
            with m.State("Choose"):
                m.d.sync += choice
                m.next = "Give"
            with m.State("Give"):
                picked = [row.scores[lane] & bit.replicate(geometry.score_bits) for lane, bit in enumerate(chosen)]
                with m.If(~self.o.valid | self.o.ready):
                    m.d.sync += [
                        self.o.valid.eq((chosen != 0) | row.last),
                        self.o.p.score.eq(_any(picked)),
                        self.o.p.item.eq(row.item + Cat(*_encoded(chosen))),
                        self.o.p.keep.eq(chosen != 0),
                        self.o.p.last.eq(row.last & (waiting == 0)),
                        *choice,
                    ]
                    with m.If(waiting == 0):
                        m.d.comb += passed.r_en.eq(1)
                        m.next = "Row"
        return m


def _any(words: list[Value]) -> Value:
    """Words or-ed together, in pairs."""
    while len(words) > 1:
        words = [a | b for a, b in zip(words[::2], words[1::2], strict=False)] + words[len(words) & ~1 :]
    return words[0]


def _encoded(chosen: Signal) -> list[Value]:
    """Number of the one bit that is set, in bits."""
    lanes = len(chosen)
    places = range((lanes - 1).bit_length())
    return [Cat(chosen[lane] for lane in range(lanes) if lane >> place & 1).any() for place in places]
