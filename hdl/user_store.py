"""What every resident user keeps."""

from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, Signature

from .block_ram import make_memory, registered_read
from .geometry import Geometry
from .layouts import rating_layout

__all__ = ["UserStore"]


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
    kept : ``Out``, ratings the user keeps, one clock after ``user``
    set_kept : ``In(...)``: ``en``, ``kept``
    """

    latency = 2

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        slot, kept = range(geometry.memory_depth), range(geometry.memory_depth + 1)
        super().__init__(
            {
                "user": In(range(geometry.users)),
                "slot": In(slot),
                "rating": Out(rating_layout),
                "write": In(Signature({"en": Out(1), "slot": Out(slot), "rating": Out(rating_layout)})),
                "kept": Out(kept),
                "set_kept": In(Signature({"en": Out(1), "kept": Out(kept)})),
            }
        )

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

        m.submodules.kept = kept = make_memory(range(depth + 1), geometry.users)
        kept_write = kept.write_port()
        m.d.comb += [
            self.kept.eq(registered_read(m, kept, self.user)),
            kept_write.addr.eq(self.user),
            kept_write.data.eq(self.set_kept.kept),
            kept_write.en.eq(self.set_kept.en),
        ]
        return m
