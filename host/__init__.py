"""The host's side: data, encoder, journal, driver, command line. The names below are what a script needs."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recommender import Explanation, Recommender, User

__all__ = ["Explanation", "Recommender", "User"]


def __getattr__(name: str) -> Any:
    """Import the recommender when it is first asked for: most commands do without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import recommender

    return getattr(recommender, name)
