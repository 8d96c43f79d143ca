"""A report as Markdown: ``docs/results.md`` is made by this."""

from collections.abc import Iterator, Sequence
from typing import Any

from ..errors import UsageError
from .document import Document, Section, Table, by_stage
from .sections import document

__all__ = ["by_stage", "report", "require_document"]


def require_document(results: dict[str, Any], experiments: dict[str, Any] | None = None) -> Document:
    """The report of an evaluation; UsageError if the results are none."""
    try:
        return document(results, experiments)
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(
            f"not the results of an evaluation ({error!r}); make them by `ramrec evaluate --out`"
        ) from None


def report(results: dict[str, Any], experiments: dict[str, Any] | None = None) -> str:
    """The page, in Markdown.

    Parameters
    ----------
    results
        What :func:`~.evaluate.evaluate` returned, and the ``command`` that did it.
    experiments
        What ``ramrec experiment`` gave.

    Raises
    ------
    UsageError
        If the results are something else.
    """
    return "\n\n".join(_parts(require_document(results, experiments), results["command"])) + "\n"


def _parts(page: Document, command: str) -> Iterator[str]:
    yield "# Results"
    yield (
        "*Generated, do not edit:* `ramrec evaluate --report results.json > results.md`. "
        f"Figures come from `{command}`, those of an experiment from the command below it."
    )
    yield page.lead
    yield "\n".join(f"- {name}: {value}" for name, value in page.facts)
    yield "## In short"
    yield "\n".join(f"- {sentence}" for sentence in page.summary)
    for section in page.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}"
    yield from section.text
    for picture in section.pictures:
        yield f"![{picture.caption}]({picture.name}.png)"
    for table in section.tables:
        if table.caption:
            yield f"{table.caption}:"
        yield _table(table)
    if section.command:
        yield f"<sub>`{section.command}`</sub>"


def _table(table: Table) -> str:
    head: list[Sequence[str]] = [table.columns, ["---"] * len(table.columns)]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in [*head, *table.rows])


def _cell(text: str) -> str:
    value, _, less = text.partition("|")
    return f"{value} ({less})" if less else value
