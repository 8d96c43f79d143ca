"""Films and ratings in one memory with one port, as the large RAM blocks of an iCE40 UltraPlus have."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out, connect, flipped

from .catalogue import Marks, catalogue_signature
from .geometry import Geometry
from .user_store import KeptCounts, store_signature

__all__ = ["SharedMemory", "SinglePort"]

_PRIOR_BITS = 8
_RATING_BITS = 32


class SinglePort(wiring.Component):
    """A memory that is read or written, and not both, in a clock. What it holds at the start is not defined.

    Parameters
    ----------
    width : :class:`int`, bits of a row, a multiple of 8
    depth : :class:`int`, rows

    Members
    -------
    address : ``In``
    write : ``In``, which bytes of the row to write; if none, the row is read
    data : ``In``, to write
    word : ``Out``, the row that was read last
    """

    def __init__(self, width: int, depth: int) -> None:
        self._width, self._depth = width, depth
        super().__init__({"address": In(range(depth)), "write": In(width // 8), "data": In(width), "word": Out(width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=self._width, depth=self._depth, init=[], attrs={"no_rw_check": 1})
        write, read = memory.write_port(granularity=8), memory.read_port(domain="comb")
        # The same address for both, and a register that stays while something is written: so Yosys finds one port.
        word = Signal(self._width, reset_less=True, attrs={"undefined_at_start": 1})
        m.d.comb += [
            write.addr.eq(self.address),
            read.addr.eq(self.address),
            write.en.eq(self.write),
            write.data.eq(self.data),
            self.word.eq(word),
        ]
        with m.If(self.write == 0):
            m.d.sync += word.eq(read.data)
        return m


class SharedMemory(wiring.Component):
    """Catalogue and user store in one memory, as rows of ``code_bits``: codes, then priors, then ratings.

    A row is read or written per clock: first what is to be written, then the film that is asked for, else a
    rating. A film wants two rows, its code and the priors of its row's neighbours; the latter stay at hand, so a scan
    is not ``ready`` in one of ``code_bits / 8 + 1`` clocks. A film is written in two clocks: its place and prior must
    stay for one more after ``write.en``, and nothing else may be written in that one. Ratings are as in
    :class:`.UserStore` in clocks in which nothing is written and no film asked for. Marks and counts have block RAM of
    their own. Films and ratings are not defined at the start.

    Parameters
    ----------
    geometry : :class:`Geometry`, ``compact``

    Members
    -------
    catalogue : ``Out(catalogue_signature(geometry))``, as :class:`.Catalogue`
    store : ``Out(store_signature(geometry))``, as :class:`.UserStore`
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__({"catalogue": Out(catalogue_signature(geometry)), "store": Out(store_signature(geometry))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry, catalogue, store = self._geometry, self.catalogue, self.store
        width = geometry.code_bits
        priors_per_row, ratings_per_row = width // _PRIOR_BITS, width // _RATING_BITS
        rating_rows = -(-geometry.users * geometry.memory_depth // ratings_per_row)
        first_prior = _aligned(geometry.catalogue_depth, -(-geometry.catalogue_depth // priors_per_row))
        first_rating = _aligned(first_prior + -(-geometry.catalogue_depth // priors_per_row), rating_rows)
        m.submodules.single_port = memory = SinglePort(width, first_rating + rating_rows)
        m.submodules.marks = marks = Marks(geometry)
        m.submodules.kept = kept = KeptCounts(geometry)
        m.d.comb += [
            marks.row.eq(catalogue.row),
            catalogue.marks.eq(marks.marks),
            kept.user.eq(store.user),
            store.kept.eq(kept.kept),
        ]
        connect(m, flipped(catalogue.mark), marks.mark)
        connect(m, flipped(catalogue.fill), marks.fill)
        connect(m, flipped(store.set_kept), kept.set_kept)

        written = catalogue.write
        film_place, film_row = _split(catalogue.row, priors_per_row)
        written_place, written_row = _split(written.place.row, priors_per_row)
        slot = Signal(range(geometry.users * geometry.memory_depth))
        m.d.comb += slot.eq(store.user * geometry.memory_depth + Mux(store.write.en, store.write.slot, store.slot))
        rating_place, rating_row = _split(slot, ratings_per_row)

        # Which row, and what with it

        prior_due, at_hand, hand_row = Signal(), Signal(), Signal(len(film_row))
        code_read, priors_read, rating_read = Signal(), Signal(), Signal()
        m.d.sync += [prior_due.eq(written.en), code_read.eq(0), priors_read.eq(0), rating_read.eq(0)]
        prior, rating = written.film.prior.as_unsigned(), store.write.rating.as_value()
        part = Mux(prior_due, prior.replicate(_RATING_BITS // _PRIOR_BITS), rating)
        m.d.comb += memory.data.eq(Mux(written.en, written.film.code, part.replicate(ratings_per_row)))
        with m.If(written.en):
            m.d.comb += [memory.address.eq(written.place.row), memory.write.eq(~0)]
            m.d.sync += at_hand.eq(0)
        with m.Elif(prior_due):
            m.d.comb += [
                memory.address.eq(first_prior | written_row),
                memory.write.eq(1 << written_place),
            ]
        with m.Elif(catalogue.ask & ~store.write.en):
            m.d.comb += [catalogue.ready.eq(at_hand & (hand_row == film_row)), memory.address.eq(catalogue.row)]
            m.d.sync += code_read.eq(catalogue.ready)
            with m.If(~catalogue.ready):
                m.d.comb += memory.address.eq(first_prior | film_row)
                m.d.sync += [priors_read.eq(1), at_hand.eq(1), hand_row.eq(film_row)]
        with m.Else():
            m.d.comb += memory.address.eq(first_rating | rating_row)
            m.d.sync += rating_read.eq(~store.write.en)
            for place in range(ratings_per_row):
                bytes_ = memory.write.word_select(place, _RATING_BITS // 8)
                m.d.comb += bytes_.eq((store.write.en & (rating_place == place)).replicate(_RATING_BITS // 8))

        # What has been read

        priors, read_film_place = Signal(width), Signal(len(film_place))
        read_rating_place = Signal(len(rating_place))
        film = catalogue.films[0]
        m.d.sync += [read_film_place.eq(film_place), read_rating_place.eq(rating_place)]
        with m.If(priors_read):
            m.d.sync += priors.eq(memory.word)
        with m.If(code_read):
            m.d.sync += [film.code.eq(memory.word), film.prior.eq(priors.word_select(read_film_place, _PRIOR_BITS))]
        with m.If(rating_read):
            m.d.sync += store.rating.eq(memory.word.word_select(read_rating_place, _RATING_BITS))
        return m


def _split(index: Value, per_row: int) -> tuple[Value, Value]:
    """Place within a row, and number of the row."""
    places = per_row.bit_length() - 1
    return index[:places], index[places:]


def _aligned(first: int, rows: int) -> int:
    """The first row from ``first`` on whose number ends in as many zeros as the numbers of so many rows have bits."""
    step = 1 << (rows - 1).bit_length()
    return -(-first // step) * step
