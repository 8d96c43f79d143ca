"""Sections of a document as one HTML file, pictures included."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from .document import Section

__all__ = ["html"]

_MARKS = ((re.compile(r"\*\*(.+?)\*\*"), "b"), (re.compile(r"`(.+?)`"), "code"), (re.compile(r"\*(.+?)\*"), "i"))


def html(sections: Sequence[Section], pictures: Mapping[str, str]) -> str:
    """The page; ``pictures`` are addresses by file name. ImportError if Jinja is not installed."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup, escape

    def marked(text: str) -> Markup:
        safe = str(escape(text))
        for pattern, tag in _MARKS:
            safe = pattern.sub(rf"<{tag}>\1</{tag}>", safe)
        return Markup(safe)

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["marked"] = marked
    template = files(__package__).joinpath("page.html").read_text()
    return environment.from_string(template).render(sections=sections, pictures=pictures)
