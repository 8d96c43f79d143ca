"""Geometries as a person writes them: ``TINY``, ``TINY:rule=nearest,lanes=1``."""

from dataclasses import fields

from ..hdl.geometry import PRESETS, Geometry
from .errors import UsageError

__all__ = ["parse_geometry"]

_TYPES = {field.name: field.type for field in fields(Geometry)}


def parse_geometry(text: str) -> Geometry:
    """A preset by name, in any case, and after a colon the fields in which it differs.

    Raises
    ------
    UsageError
        If the name or a field is unknown, or the fields do not fit each other.
    """
    name, _, changes = text.partition(":")
    if name.upper() not in PRESETS:
        raise UsageError(f"a geometry is one of {', '.join(PRESETS)}, not {name!r}")
    try:
        return PRESETS[name.upper()].with_(**dict(map(_change, filter(None, changes.split(",")))))
    except ValueError as error:
        raise UsageError(f"geometry {text!r}: {error}") from None


def _change(text: str) -> tuple[str, int | str]:
    name, equals, value = text.partition("=")
    if name not in _TYPES or not equals:
        raise ValueError(f"a change is FIELD=VALUE with a field of {', '.join(_TYPES)}, not {text!r}")
    if _TYPES[name] is str:
        return name, value
    try:
        return name, int(value)
    except ValueError:
        raise ValueError(f"{name} must be a whole number, not {value!r}") from None
