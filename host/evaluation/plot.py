"""The picture of an evaluation by itself."""

from pathlib import Path
from typing import Any

from .drawing import require_drawing as require_plot
from .drawing import write_png
from .report import require_document

__all__ = ["plot", "require_plot"]


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw right answers against ratings learned into a PNG."""
    pictures = [picture for section in require_document(results).sections for picture in section.pictures]
    write_png(next(picture.plot for picture in pictures if picture.name == "results"), path)
