"""What every resident user keeps."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, Signature, connect, flipped

from .block_ram import make_memory, registered_read
from .geometry import Geometry
from .layouts import rating_layout

__all__ = ["KeptCounts", "UserStore", "store_signature"]


def store_signature(geometry: Geometry) -> Signature:
    """Access to every user's ratings, as :class:`UserStore` gives it."""
    user, slot = range(geometry.users), range(geometry.memory_depth)
    kept = range(geometry.memory_depth + 1)
    return Signature(
        {
            "user": In(user),
            "slot": In(slot),
            "rating": Out(rating_layout),
            "write": In(Signature({"en": Out(1), "slot": Out(slot), "rating": Out(rating_layout)})),
            "kept": Out(kept),
            "set_kept": In(Signature({"en": Out(1), "kept": Out(kept)})),
        }
    )


_BLOCK_BITS = 1 << 14
"""Bits of a block RAM of an ECP5."""


class KeptCounts(wiring.Component):
    """How many ratings every user keeps; zero at the start.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    user : ``In``, whom all others mean
    kept : ``Out``, ratings the user keeps, `latency` clocks after ``user``: block RAM, and a register of its own
    set_kept : ``In(...)``: ``en``, ``kept``
    """

    latency = 2

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        members = store_signature(geometry).members
        super().__init__({name: members[name] for name in ("user", "kept", "set_kept")})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.kept = kept = make_memory(range(self._geometry.memory_depth + 1), self._geometry.users)
        write = kept.write_port()
        m.d.sync += self.kept.eq(registered_read(m, kept, self.user))
        m.d.comb += [
            write.addr.eq(self.user),
            write.data.eq(self.set_kept.kept),
            write.en.eq(self.set_kept.en),
        ]
        return m


class UserStore(wiring.Component):
    """Ratings ``(item, e)`` of every user, oldest first, and how many each user keeps.

    One read and one write per clock, but not of the same slot; a read takes `latency` clocks: a register before and one
    behind the block RAM, which lies all over a large chip. Everything starts at zero.

    Each block RAM holds a few bits of as many ratings as it can, so that hardly anything is left to choose behind it.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    user : ``In``, whose ratings all others mean
    slot : ``In``, to read
    rating : ``Out(rating_layout)``, in that slot
    write : ``In(...)``: ``en``, ``slot``, ``rating``
    kept, set_kept : :class:`KeptCounts`'
    """

    latency = 3

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(store_signature(geometry))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        depth = geometry.memory_depth
        address = Signal(range(geometry.users * depth))
        write_address, written, writing = Signal.like(address), Signal(rating_layout.size), Signal()
        m.d.sync += [
            address.eq(self.user * depth + self.slot),
            write_address.eq(self.user * depth + self.write.slot),
            written.eq(self.write.rating),
            writing.eq(self.write.en),
        ]
        bits = max(1, _BLOCK_BITS // (geometry.users * depth))
        parts = []
        for first in range(0, len(written), bits):
            part = written[first : first + bits]
            m.submodules[f"ratings_{first}"] = ratings = make_memory(unsigned(len(part)), geometry.users * depth)
            write = ratings.write_port()
            m.d.comb += [write.addr.eq(write_address), write.data.eq(part), write.en.eq(writing)]
            parts.append(registered_read(m, ratings, address))
        m.d.sync += self.rating.eq(Cat(*parts))
        m.submodules.kept = kept = KeptCounts(geometry)
        m.d.comb += [kept.user.eq(self.user), self.kept.eq(kept.kept)]
        connect(m, flipped(self.set_kept), kept.set_kept)
        return m
