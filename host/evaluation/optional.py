"""Methods whose libraries not everybody has installed."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

__all__ = ["left_out", "optional_methods"]

_METHODS = {
    "sklearn": ("eval", "baselines_combined", {"gbm": "Boosting", "stack": "Stack"}),
    "river": ("eval", "baselines_online", {"river": "OnlineFactors"}),
    "torch": (
        "networks",
        "baselines_networks",
        {"mlp": "UserMlp", "mlp-codes": "CodesMlp", "mlp-published": "PublishedMlp"},
    ),
}
"""By library: the extra that installs it, and the module and classes of the methods that need it."""


def optional_methods() -> dict[str, Callable[..., Any]]:
    """How to make the methods whose libraries are installed."""
    found: dict[str, Callable[..., Any]] = {}
    for library, (_, module, names) in _METHODS.items():
        if find_spec(library) is not None:
            loaded = import_module(f".{module}", __package__)
            found |= {name: getattr(loaded, kind) for name, kind in names.items()}
    return found


def left_out() -> dict[str, str]:
    """Methods whose libraries are missing: for each the line that says what to install."""
    return {
        name: f"{name} is left out: it needs {library}; pip install 'ramrec[{extra}]'"
        for library, (extra, _, names) in _METHODS.items()
        if find_spec(library) is None
        for name in names
    }
