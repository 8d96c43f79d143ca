"""Which source files decide what a module computes: itself and all that it imports from this package."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec, resolve_name
from pathlib import Path

__all__ = ["source_digest"]

_PACKAGE = __name__.split(".")[0]
_NEUTRAL = frozenset(f"{_PACKAGE}.host.{name}" for name in ("console", "dataset", "errors", "folders"))
"""Modules that decide nothing beside what a data set's digest says."""


@cache
def source_digest(*modules: str) -> str:
    """Digest of the source of these modules and, in turn, of every module of the package that they import."""
    found: dict[str, Path] = {}
    for name in modules:
        _follow(name, found)
    digest = hashlib.sha256()
    for name in sorted(found):
        digest.update(name.encode() + b"\0" + found[name].read_bytes())
    return digest.hexdigest()


def _follow(name: str, found: dict[str, Path]) -> None:
    path = _path(name)
    if path is None or name in found or name in _NEUTRAL or not name.startswith(f"{_PACKAGE}."):
        return
    found[name] = path
    for imported in _imports(name, path):
        _follow(imported, found)


@cache
def _path(name: str) -> Path | None:
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # a name out of a module, not a module
        return None
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


@cache
def _imports(name: str, path: Path) -> tuple[str, ...]:
    return tuple(_imported(ast.parse(path.read_bytes()), name.rpartition(".")[0]))


def _imported(tree: ast.AST, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            if module is not None and module.startswith(_PACKAGE):
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)
