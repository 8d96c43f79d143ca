"""What every resident user keeps."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, Signature, connect, flipped

from .block_ram import make_memory, registered_read
from .delay import delayed
from .geometry import Geometry
from .layouts import rating_layout

__all__ = ["KeptCounts", "UserStore", "rating_latency", "store_signature"]


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
_BLOCKS_PER_HOP = 16
"""Block RAMs that hear of an address in the same clock."""


def rating_latency(geometry: Geometry) -> int:
    """Clocks from a slot to its stored rating: a register before and one behind block RAM, and the way to the last one.

    A compact device has them in a memory of its own.
    """
    return 2 if geometry.compact else 3 + _hop_of(geometry, rating_layout.size - 1)


def _bits(geometry: Geometry) -> int:
    """Bits of a rating that lie together: as few as let a block RAM hold as many ratings as it can."""
    return max(1, _BLOCK_BITS // (geometry.users * geometry.memory_depth))


def _hop_of(geometry: Geometry, bit: int) -> int:
    """Clocks until the block RAMs of a bit of all ratings hear of an address."""
    blocks = -(-geometry.users * geometry.memory_depth * _bits(geometry) // _BLOCK_BITS)
    return bit // _bits(geometry) * blocks // _BLOCKS_PER_HOP


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

    One read and one write per clock, but not of the same slot; a read takes `rating_latency` clocks. Everything starts
    at zero.

    The block RAMs lie all over a large chip, so addresses and ratings go from some to the next in one clock each.

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

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(store_signature(geometry))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        depth = geometry.memory_depth
        address, write_address = Signal(range(geometry.users * depth)), Signal(range(geometry.users * depth))
        written, writing = Signal(rating_layout.size), Signal()
        m.d.sync += [
            address.eq(self.user * depth + self.slot),
            write_address.eq(self.user * depth + self.write.slot),
            written.eq(self.write.rating),
            writing.eq(self.write.en),
        ]
        hops = _hop_of(geometry, len(written) - 1)
        addresses = delayed(m, address, hops, name="address")
        write_addresses = delayed(m, write_address, hops, name="write_address")
        writings = delayed(m, writing, hops, name="writing")
        for first in range(0, len(written), _bits(geometry)):
            hop = _hop_of(geometry, first)
            part = written[first : first + _bits(geometry)]
            m.submodules[f"ratings_{first}"] = ratings = make_memory(unsigned(len(part)), geometry.users * depth)
            write = ratings.write_port()
            m.d.comb += [
                write.addr.eq(write_addresses[hop]),
                write.data.eq(delayed(m, part, hop, name=f"written_{first}")[-1]),
                write.en.eq(writings[hop]),
            ]
            read = Signal(len(part), name=f"read_{first}")
            m.d.sync += read.eq(registered_read(m, ratings, addresses[hop]))
            rating = self.rating.as_value()[first : first + len(part)]
            m.d.comb += rating.eq(delayed(m, read, hops - hop, name=f"read_{first}")[-1])
        m.submodules.kept = kept = KeptCounts(geometry)
        m.d.comb += [kept.user.eq(self.user), self.kept.eq(kept.kept)]
        connect(m, flipped(self.set_kept), kept.set_kept)
        return m
