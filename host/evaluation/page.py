"""A report as one HTML page that needs nothing beside itself."""

import re
from pathlib import Path

from ..errors import RamrecError
from .document import Document, Table
from .drawing import as_svg, require_drawing

__all__ = ["page", "require_page"]

_TEMPLATE = "page.html.jinja"
_NUMBER = re.compile(r"[+-]?[\d.,]+( %)?|-|all")


def require_page() -> None:
    """RamrecError if a library that makes the page is not installed."""
    require_drawing()
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise RamrecError("the page is made with jinja2, which is missing; pip install 'ramrec[eval]'") from None


def page(document: Document) -> str:
    """The page; pictures are in it as SVG, in the colours of the reader's light or dark mode."""
    require_page()
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def inline(text: str) -> Markup:
        html = str(escape(text))
        html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
        return Markup(re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html))

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"inline": inline, "anchor": anchor, "numeric": numeric}
    svg = {
        picture.name: Markup(as_svg(picture.plot, picture.name))
        for section in document.sections
        for picture in section.pictures
    }
    return environment.get_template(_TEMPLATE).render(document=document, svg=svg)


def anchor(title: str) -> str:
    """Name of a section in the page's address."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def numeric(table: Table) -> list[bool]:
    """Which columns hold nothing but numbers."""
    values = [[cell.partition("|")[0].replace("**", "") for cell in row] for row in table.rows]
    return [all(_NUMBER.fullmatch(value) for value in column) for column in zip(*values, strict=True)]
