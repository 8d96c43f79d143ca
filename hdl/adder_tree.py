"""Pipelined adder tree."""

from amaranth import Module, Shape, Signal, signed, unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

__all__ = ["AdderTree"]


class AdderTree(wiring.Component):
    """Sum of ``count`` terms, exact at full width.

    One sum per clock; a sum comes ``latency`` clocks after its terms. A stalled output stalls the whole tree.

    Parameters
    ----------
    shape : :class:`Shape`
        Shape of a term.
    count : :class:`int`
        Number of terms, at least 1.
    tag : shape-like
        What travels along with each sum.
    levels_per_stage : :class:`int`
        Adder levels between two registers.

    Members
    -------
    i : ``In(stream)`` of ``terms`` and ``tag``
    o : ``Out(stream)`` of ``sum`` and ``tag``
    """

    def __init__(self, shape: Shape, count: int, tag: ShapeLike, *, levels_per_stage: int = 1) -> None:
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count!r}")
        if levels_per_stage < 1:
            raise ValueError(f"levels_per_stage must be at least 1, not {levels_per_stage!r}")
        self._levels_per_stage = levels_per_stage
        self._levels = (count - 1).bit_length()
        width = shape.width + self._levels
        self._sum_shape = signed(width) if shape.signed else unsigned(width)
        super().__init__(
            {
                "i": In(stream.Signature(StructLayout({"terms": ArrayLayout(shape, count), "tag": tag}))),
                "o": Out(stream.Signature(StructLayout({"sum": self._sum_shape, "tag": tag}))),
            }
        )

    @property
    def latency(self) -> int:
        """Clocks from terms to sum."""
        return max(1, -(-self._levels // self._levels_per_stage))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        advance = Signal()
        m.d.comb += [advance.eq(~self.o.valid | self.o.ready), self.i.ready.eq(advance)]

        def register(name: str, value: object, shape: ShapeLike) -> Signal:
            signal = Signal(shape, name=name)
            with m.If(advance):
                m.d.sync += signal.eq(value)
            return signal

        terms = list(self.i.p.terms)
        tag, valid = self.i.p.tag, self.i.valid
        for stage in range(self.latency):
            for _ in range(self._levels_per_stage):
                terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) & ~1 :]
            terms = [register(f"s{stage}_{j}", term, term.shape()) for j, term in enumerate(terms)]
            tag = register(f"tag_s{stage}", tag, tag.shape())
            valid = register(f"valid_s{stage}", valid, 1)
        m.d.comb += [self.o.p.sum.eq(terms[0]), self.o.p.tag.eq(tag), self.o.valid.eq(valid)]
        return m
