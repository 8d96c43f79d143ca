"""Tables and bars for a person: fitted to the terminal, or plain text where there is none."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from . import console

__all__ = ["bar", "show_lines", "show_table"]

_PIPED_WIDTH = 240
"""Characters a line may have where no terminal limits it; longer than any title."""


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[str] = ()) -> None:
    """Print rows below the names of columns; those named in ``numbers`` are aligned to the right."""
    header = any(columns)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", show_header=header)
    for column in columns:
        right = column in numbers
        table.add_column(column, justify="right" if right else "left", no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(_escaped(cell) for cell in row))
    _print(table)


def show_lines(lines: Iterable[str], *, style: str = "") -> None:
    """Print lines as they are."""
    for line in lines:
        console.out.print(line, style=style, markup=False, highlight=False, soft_wrap=True)


def bar(value: float, largest: float, width: int = 12) -> str:
    """How large ``value`` is beside ``largest``, as text of ``width`` characters; hollow below zero."""
    loud, hollow = ("#", "-") if console.out.options.ascii_only else ("█", "░")
    length = round(width * min(abs(value) / largest, 1)) if largest else 0
    return ((loud if value >= 0 else hollow) * length).ljust(width)


def _escaped(cell: str) -> str:
    return cell.replace("[", "\\[")


def _print(table: Table) -> None:
    if console.out.is_terminal:
        console.out.print(table)
        return
    options = console.out.options.update(width=_PIPED_WIDTH)
    for line in console.out.render_lines(table, options, pad=False):
        show_lines(["".join(segment.text for segment in line).rstrip()])
