"""Where the area goes: placed cells, told apart by the part of the gateware that they come from."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

__all__ = ["RESOURCES", "Area", "modules_of"]

RESOURCES = {
    "lut": ("LUTs", ("TRELLIS_COMB", "ICESTORM_LC")),
    "ff": ("flip-flops", ("TRELLIS_FF", "ICESTORM_LC")),
    "bram": ("block RAMs", ("DP16KD", "ICESTORM_RAM")),
    "spram": ("large RAMs", ("ICESTORM_SPRAM",)),
    "lut_ram": ("LUT RAMs", ("TRELLIS_RAMW",)),
    "dsp": ("multipliers", ("MULT18X18D", "ICESTORM_DSP")),
}
"""Key of a resource -> what a person calls it, and its cells in nextpnr's reports, ECP5 and iCE40."""

_SMALL = 0.02
"""A part with a smaller share than this of each resource, multipliers aside, is counted with the one around it."""

_MODULE = re.compile(r"^module \\(\S+)", re.MULTILINE)
_NUMBER = re.compile(r"[_$]\d+(?=\.|$)")
_PLACE = re.compile(r"X(\d+)/Y(\d+)/")


def modules_of(rtlil: str) -> list[str]:
    """Paths of the modules of a design below its top, as flattening prefixes them to the names of cells."""
    names = _MODULE.findall(rtlil)
    root = f"{names[0]}." if names else ""
    return [name.removeprefix(root) for name in names[1:]]


class Area:
    """Area of a placed design by its parts.

    Parts are the modules of the gateware. Those that differ only in a number count as one, and small ones with
    the one that contains them; each is called by the shortest end of its path that no other shares.

    Parameters
    ----------
    placed
        What nextpnr's ``--write`` wrote.
    modules
        As of :func:`modules_of`.
    """

    def __init__(self, placed: Mapping[str, Any], modules: Sequence[str]) -> None:
        (top,) = (module for module in placed["modules"].values() if module["attributes"].get("top"))
        self._modules = frozenset(modules)
        cells = [
            (path, key, cell)
            for path, cell in _with_owners(top, self.module_of)
            for key, (_, kinds) in RESOURCES.items()
            if cell["type"] in kinds and (key != "ff" or _has_flip_flop(cell))
        ]
        used: dict[str, Counter[str]] = defaultdict(Counter)
        for path, key, _ in cells:
            used[_NUMBER.sub("", path)][key] += 1
        self._kept = _large_parts(used)
        names = _short_names(sorted(set(self._kept.values())))
        self._names = {path: names[kept] for path, kept in self._kept.items()}
        totals: dict[str, Counter[str]] = defaultdict(Counter)
        for path, counts in used.items():
            totals[self._names[path]].update(counts)
        self.parts: list[dict[str, Any]] = [
            {"component": name, **{key: totals[name][key] for key in RESOURCES}}
            for name in sorted(totals, key=lambda name: (-totals[name]["lut"], -totals[name]["bram"], name))
        ]
        """Parts, largest first: ``component`` and how many it uses of each of `RESOURCES`."""
        self.floorplan = self._floorplan(cells)
        """Rows of tiles, the topmost first: the number in `parts` that most cells of a tile belong to, or -1."""

    def module_of(self, cell: str) -> str | None:
        """Path of the module that a cell or net comes from; None if its name does not tell."""
        path = cell
        while path:
            if path in self._modules:
                return path
            path = path.rpartition(".")[0]
        return None

    def component_of(self, cell: str) -> str:
        """Name of the part that a cell comes from."""
        path = _NUMBER.sub("", self.module_of(cell) or "")
        while path not in self._names and path:
            path = path.rpartition(".")[0]
        return self._names.get(path, _REST)

    def _floorplan(self, cells: Iterable[tuple[str, str, Mapping[str, Any]]]) -> list[list[int]]:
        numbers = {part["component"]: number for number, part in enumerate(self.parts)}
        tiles: dict[tuple[int, int], Counter[int]] = defaultdict(Counter)
        for path, _, cell in cells:
            if place := _PLACE.match(cell["attributes"].get("NEXTPNR_BEL", "")):
                tiles[int(place[1]), int(place[2])][numbers[self._names[_NUMBER.sub("", path)]]] += 1
        if not tiles:
            return []
        width, height = (1 + max(tile[axis] for tile in tiles) for axis in (0, 1))
        return [
            [tiles[x, y].most_common(1)[0][0] if (x, y) in tiles else -1 for x in range(width)] for y in range(height)
        ]


_REST = "other"


def _with_owners(
    top: Mapping[str, Any], module_of: Callable[[str], str | None]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Cells with the path of their module, empty where nothing tells.

    nextpnr makes cells with names of its own, such as the ends of carry chains: these belong where their nets do.
    """
    owner_of_net: dict[int, str] = {}
    nameless = []
    for name, net in top["netnames"].items():
        if path := module_of(name):
            owner_of_net.update(dict.fromkeys(net["bits"], path))
    for name, cell in top["cells"].items():
        nets = [bit for bits in cell["connections"].values() for bit in bits]
        if path := module_of(name):
            yield path, cell
            for net in nets:
                owner_of_net.setdefault(net, path)
        else:
            nameless.append((cell, nets))
    found = True
    while found:
        found, left = False, nameless
        nameless = []
        for cell, nets in left:
            near = Counter(owner_of_net[net] for net in nets if net in owner_of_net)
            if near:
                found = True
                path = near.most_common(1)[0][0]
                yield path, cell
                owner_of_net.update((net, path) for net in nets if net not in owner_of_net)
            else:
                nameless.append((cell, nets))
    for cell, _ in nameless:
        yield "", cell


def _has_flip_flop(cell: Mapping[str, Any]) -> bool:
    """An iCE40 cell holds a LUT and a flip-flop, and says whether it uses the latter."""
    return cell["type"] != "ICESTORM_LC" or str(cell["parameters"].get("DFF_ENABLE", "0")).strip("0") != ""


def _large_parts(used: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Path -> path of the part it counts with, itself or one around it."""
    total = sum(used.values(), Counter())
    own = {path: Counter(counts) for path, counts in used.items()}
    goes_to: dict[str, str] = {}
    for path in sorted(used, key=lambda path: -path.count(".")):
        counts = own[path]
        if path and all(counts[key] < _SMALL * total[key] for key in counts if key != "dsp"):
            around = path.rpartition(".")[0]
            while around and around not in used:
                around = around.rpartition(".")[0]
            own.setdefault(around, Counter()).update(counts)
            goes_to[path] = around
    result = {}
    for path in (*used, ""):
        kept = path
        while kept in goes_to:
            kept = goes_to[kept]
        result[path] = kept
    return result


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    names = {}
    for path in paths:
        parts = path.split(".")
        ends = [".".join(parts[-length:]) for length in range(1, len(parts) + 1)]
        others = [f".{other}" for other in paths if other != path]
        names[path] = next((end for end in ends if not any(o.endswith(f".{end}") for o in others)), path) or _REST
    return names
