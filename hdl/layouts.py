"""Data that streams between the components, as Amaranth layouts."""

from amaranth import signed
from amaranth.hdl import Value
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import Out, Signature

from .geometry import Geometry

__all__ = [
    "entry_layout",
    "film_layout",
    "film_row_layout",
    "lane_of",
    "match_row_layout",
    "row_of",
    "score_row_layout",
    "table_signature",
]


def film_layout(geometry: Geometry) -> StructLayout:
    """A film as the catalogue holds it."""
    return StructLayout({"code": geometry.code_bits, "prior": signed(8)})


def entry_layout(geometry: Geometry) -> StructLayout:
    """A kept rating as a user's memory holds it."""
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


def table_signature(geometry: Geometry) -> Signature:
    """One access to a group of RAM neurons, as an output: which cells (``group``, ``tuples``) and their content."""
    return Signature(
        {
            "valid": Out(1),
            "group": Out(range(geometry.groups)),
            "tuples": Out(geometry.neurons_per_clock * geometry.tuple_bits),
            "cells": Out(ArrayLayout(signed(geometry.cell_bits), geometry.neurons_per_clock)),
        }
    )


def row_of(item: Value, width: int) -> Value:
    """Row of an item or slot in a memory that is ``width`` (a power of two) wide."""
    return item[width.bit_length() - 1 :]


def lane_of(item: Value, width: int) -> Value:
    """Place of an item or slot within its row."""
    return item[: width.bit_length() - 1]
