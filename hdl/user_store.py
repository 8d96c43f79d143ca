"""What every resident user keeps."""

from amaranth import Module
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


class KeptCounts(wiring.Component):
    """How many ratings every user keeps; zero at the start.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    user : ``In``, whom all others mean
    kept : ``Out``, ratings the user keeps, one clock after ``user``
    set_kept : ``In(...)``: ``en``, ``kept``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        members = store_signature(geometry).members
        super().__init__({name: members[name] for name in ("user", "kept", "set_kept")})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.kept = kept = make_memory(range(self._geometry.memory_depth + 1), self._geometry.users)
        write = kept.write_port()
        m.d.comb += [
            self.kept.eq(registered_read(m, kept, self.user)),
            write.addr.eq(self.user),
            write.data.eq(self.set_kept.kept),
            write.en.eq(self.set_kept.en),
        ]
        return m


class UserStore(wiring.Component):
    """Ratings ``(item, e)`` of every user, oldest first, and how many each user keeps.

    One read and one write per clock, but not of the same slot; a read takes `latency` clocks, block RAM and a
    register of its own. Everything starts at zero.

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

    latency = 2

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(store_signature(geometry))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        depth = geometry.memory_depth
        m.submodules.ratings = ratings = make_memory(rating_layout, geometry.users * depth)
        write = ratings.write_port()
        m.d.comb += [
            write.addr.eq(self.user * depth + self.write.slot),
            write.data.eq(self.write.rating),
            write.en.eq(self.write.en),
        ]
        m.d.sync += self.rating.eq(registered_read(m, ratings, self.user * depth + self.slot))
        m.submodules.kept = kept = KeptCounts(geometry)
        m.d.comb += [kept.user.eq(self.user), self.kept.eq(kept.kept)]
        connect(m, flipped(self.set_kept), kept.set_kept)
        return m
