"""Shift registers."""

from typing import TypeVar

from amaranth import Module, Signal
from amaranth.hdl import ValueCastable, ValueLike

__all__ = ["delayed"]

_Value = TypeVar("_Value", bound=ValueLike | ValueCastable)


def delayed(m: Module, value: _Value, clocks: int, *, name: str) -> list[_Value]:
    """A value now, and what it was 1, 2 ... ``clocks`` clocks ago."""
    values = [value]
    for stage in range(1, clocks + 1):
        values.append(Signal(value.shape(), name=f"{name}_{stage}"))
        m.d.sync += values[-1].eq(values[-2])
    return values
