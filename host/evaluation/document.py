"""A report as data: sections of text, tables and pictures, made once and written as a page or as Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .picture import Plot

__all__ = ["Document", "Picture", "Section", "Table", "by_stage", "row_table", "span"]

Row = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """Text in columns.

    Parameters
    ----------
    columns, rows
        Names, and one list of cells per line. Cells are Markdown: ``**bold**`` and ```code```. Behind a ``|`` stands
        what is less important, an interval.
    caption
        One line, or empty.
    folded
        Whether a page shows it only when asked.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Picture:
    """A plot with the name of its file and one line about it."""

    plot: Plot
    name: str
    caption: str


@dataclass(frozen=True)
class Section:
    """Part of a report: a title, an answer, and what it rests on.

    Parameters
    ----------
    title, text
        ``text`` is paragraphs of Markdown.
    command
        What gives these figures.
    """

    title: str
    text: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()
    command: str = ""


@dataclass(frozen=True)
class Document:
    """A report.

    Parameters
    ----------
    title, lead
        What it is about, in a line each.
    summary
        What it says in a few sentences.
    facts
        Name and value of what was evaluated.
    sections
        In order.
    """

    title: str
    lead: str
    summary: Sequence[str]
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section] = field(default_factory=list)


def by_stage(rows: Sequence[Row], name: str, cell: Callable[[Row], str]) -> tuple[list[str], list[list[str]]]:
    """Columns and lines of a table: a line per value of ``name``, a column per stage."""
    stages = list(dict.fromkeys(row["k"] for row in rows))
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row[name], [row[name]] + ["-"] * len(stages))[1 + stages.index(row["k"])] = cell(row)
    return ["k", *(str(stage) for stage in stages)], list(lines.values())


def span(row: Row, value: str, low: str, high: str, *, digits: int = 1, signed: bool = False) -> str:
    """A figure and its interval as a cell; bold if it is a difference whose interval does not contain zero."""
    if row.get(value) is None:
        return "-"
    form = f"{'+' if signed else ''}.{digits}f"
    if row.get(low) is None:
        return format(row[value], form)
    text = format(row[value], form)
    sure = signed and (row[low] > 0 or row[high] < 0)
    return f"{f'**{text}**' if sure else text}|{row[low]:{form}} to {row[high]:{form}}"


def row_table(rows: Sequence[Row], caption: str = "", *, folded: bool = True) -> Table:
    """Rows as they are; a column for each name, numbers without needless digits."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return Table(columns, [[_cell(row.get(name)) for name in columns] for row in rows], caption, folded)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
