"""What HELLO says, as a table."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .block_ram import registered_read
from .geometry import Geometry
from .protocol import VERSION, Hello, build_id

__all__ = ["HelloWords"]


class HelloWords(wiring.Component):
    """The reply to HELLO of a device without films, in words of 16 bits, lowest first.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    number : ``In``, of a word
    word : ``Out(16)``, 1 clock later

    Attributes
    ----------
    count : :class:`int`, words in all
    """

    def __init__(self, geometry: Geometry) -> None:
        hello = Hello(version=VERSION, build=build_id(), loaded=0, geometry=geometry).pack()
        self._words = [int.from_bytes(hello[i : i + 2], "little") for i in range(0, len(hello), 2)]
        self.count = len(self._words)
        self._in_block_ram = bool(geometry.compact)
        super().__init__({"number": In(range(self.count)), "word": Out(16)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Where LUTs are scarcest, a block RAM of its own.
        attributes = {"rom_style": "block"} if self._in_block_ram else {}
        m.submodules.words = words = Memory(shape=16, depth=self.count, init=self._words, attrs=attributes)
        m.d.comb += self.word.eq(registered_read(m, words, self.number))
        return m
