"""Data that streams between the components, as Amaranth layouts."""

from amaranth import Module, Signal, signed
from amaranth.hdl import Value
from amaranth.lib.data import ArrayLayout, StructLayout

from .geometry import Geometry

__all__ = [
    "chosen",
    "entry_layout",
    "film_layout",
    "film_row_layout",
    "lane_of",
    "match_row_layout",
    "place_layout",
    "rating_layout",
    "row_of",
    "score_row_layout",
    "table_write_layout",
]

rating_layout = StructLayout({"item": 16, "e": signed(16)})
"""A kept rating as it is stored for every resident user."""


def film_layout(geometry: Geometry) -> StructLayout:
    """A film as the catalogue holds it."""
    return StructLayout({"code": geometry.code_bits, "prior": signed(8)})


def place_layout(geometry: Geometry) -> StructLayout:
    """Where the catalogue holds a film."""
    return StructLayout({"row": range(geometry.rows), "lane": range(geometry.lanes)})


def entry_layout(geometry: Geometry) -> StructLayout:
    """A kept rating of the selected user, with the film's code."""
    return StructLayout({"item": 16, "e": signed(16), "code": geometry.code_bits})


def film_row_layout(geometry: Geometry) -> StructLayout:
    """One film per lane; ``mask`` says which lanes count, ``last`` ends a ranking."""
    films = ArrayLayout(film_layout(geometry), geometry.lanes)
    return StructLayout({"films": films, "mask": geometry.lanes, "last": 1})


def score_row_layout(geometry: Geometry) -> StructLayout:
    """The scores of a row of films."""
    scores = ArrayLayout(signed(geometry.score_bits), geometry.lanes)
    return StructLayout({"scores": scores, "mask": geometry.lanes, "last": 1})


def match_row_layout(geometry: Geometry) -> StructLayout:
    """Match counts of a row of memory entries with the query; ``mask`` says which entries are kept."""
    matches = ArrayLayout(geometry.match_bits, geometry.comparators)
    return StructLayout({"matches": matches, "mask": geometry.comparators, "last": 1})


def table_write_layout(geometry: Geometry) -> StructLayout:
    """Cells at one ``address`` of ``tables_per_write`` neighbouring tables; ``part`` says which."""
    cells = ArrayLayout(signed(geometry.table_cell_bits), geometry.tables_per_write)
    parts = range(geometry.tables // geometry.tables_per_write)
    return StructLayout({"part": parts, "address": geometry.table_bits, "cells": cells})


def row_of(slot: Value, width: int) -> Value:
    """Row of a slot in a memory that is ``width`` (a power of two) wide."""
    return slot[width.bit_length() - 1 :]


def lane_of(slot: Value, width: int) -> Value:
    """Place of a slot within its row."""
    return slot[: width.bit_length() - 1]


def chosen(m: Module, words: list[Value], index: Value) -> Value:
    """The word with a number; a signal, as an expression would be spelled out at each use."""
    if len(words) == 1:
        return words[0]
    result = Signal(words[0].shape())
    with m.Switch(index):
        for place, word in enumerate(words[:-1]):
            with m.Case(place):
                m.d.comb += result.eq(word)
        with m.Default():
            m.d.comb += result.eq(words[-1])
    return result
