"""CRC-32 of a user's state, or of the catalogue, as 16-bit words."""

from contextlib import AbstractContextManager

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import chosen, film_layout
from .neurons import neurons_read_signature
from .working_memory import entry_read_signature

__all__ = ["Digester"]

_NEAR = 8
"""Cells of which one is chosen within a clock."""


class Digester(wiring.Component):
    """Digest of ``kept, (item, e, alpha, code) per entry, bias, cells`` or of ``loaded, (code, prior) per film``.

    The meaning is :meth:`ramrec.sim.golden.Agent.words`. One word per clock, or every fourth in a compact device,
    plus two clocks per entry and the way through the lookup per film; four clocks per cell.

    Parameters
    ----------
    geometry : :class:`Geometry`

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``; the inputs are held while ``busy``
    of_catalogue : ``In(1)``, what to digest
    kept, loaded : ``In``, entries of the user, films in the catalogue
    entry, alpha_slot, alpha, bias, neurons : :class:`Datapath`'s
    look, item, found, film : a film to look up, and that it was found
    busy : ``Out(1)``
    crc : ``Out(32)``, once not ``busy``
    """

    def __init__(self, geometry: Geometry) -> None:
        self._geometry = geometry
        super().__init__(
            {
                "start": In(1),
                "of_catalogue": In(1),
                "kept": In(range(geometry.memory_depth + 1)),
                "loaded": In(16),
                "entry": Out(entry_read_signature(geometry)),
                "alpha_slot": Out(range(geometry.memory_depth)),
                "alpha": In(signed(geometry.alpha_bits)),
                "bias": In(signed(geometry.cell_bits)),
                "neurons": Out(neurons_read_signature(geometry)),
                "look": Out(1),
                "item": Out(16),
                "found": In(1),
                "film": In(film_layout(geometry)),
                "busy": Out(1),
                "crc": Out(32),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        crc_bits = 4 if geometry.compact else 16
        m.submodules.crc = crc = CRC32_ISO_HDLC(crc_bits).create()

        index = Signal(16)
        per_code = geometry.code_bits // 16
        entry = self.entry.entry
        film = self.film if geometry.compact else Signal(film_layout(geometry))  # a compact lookup keeps it
        neuron, address = Signal(range(geometry.neurons)), Signal(geometry.tuple_bits)
        cell = Signal(signed(geometry.cell_bits))
        m.d.comb += [
            self.entry.en.eq(1),
            self.entry.slot.eq(index),
            self.alpha_slot.eq(index),
            self.item.eq(index),
            self.neurons.group.eq(neuron // geometry.neurons_per_clock),
            self.neurons.tuples.eq(address.replicate(geometry.neurons_per_clock)),
            self.crc.eq(crc.crc),
        ]
        m.d.sync += self.busy.eq(1)
        cells = list(self.neurons.cells)
        near = [Signal.like(cells[0], name=f"near_{first}") for first in range(0, len(cells), _NEAR)]
        for number, signal in enumerate(near):
            m.d["comb" if geometry.compact else "sync"] += signal.eq(
                chosen(m, cells[number * _NEAR :][:_NEAR], neuron % min(_NEAR, len(cells)))
            )
        m.d.sync += cell.eq(chosen(m, near, neuron % len(cells) // _NEAR))

        # All words side by side: an entry is item, e, strength and code, a film is code and prior.
        shown_cell = Const(0) if geometry.rule == "nearest" else cell
        narrow = [Signal(signed(16), name=f"narrow_{number}") for number in range(4)]
        m.d.comb += [
            word.eq(value) for word, value in zip(narrow, (self.alpha, film.prior, self.bias, shown_cell), strict=True)
        ]
        alpha, prior, bias, cell_word = narrow
        kept = Cat(self.kept, Const(0, 16 - len(self.kept)))
        first_of_film = 3 + per_code
        of_kept = first_of_film + per_code + 1
        of_loaded, of_bias, of_cell = of_kept + 1, of_kept + 2, of_kept + 3
        place, which = Signal(range(of_kept)), Signal(range(of_cell + 1))
        words = Signal(16 << len(which))
        m.d.comb += words.eq(
            Cat(entry.item, entry.e, alpha, entry.code, film.code, prior, kept, self.loaded, bias, cell_word)
        )

        # Block RAM, word selection and CRC in one clock would set the clock of the whole device; so would finding out
        # which word, where there is more than a compact device.
        asking = "comb" if geometry.compact else "sync"
        asked = Signal()
        word_valid, word_data = Signal(), Signal(crc_bits)
        parts = 16 // crc_bits
        part = Signal(range(parts))
        m.d.sync += [word_valid.eq(asked), word_data.eq(words.word_select(Cat(part, which), crc_bits))]
        m.d[asking] += asked.eq(0)
        m.d.comb += [crc.valid.eq(word_valid), crc.data.eq(word_data)]

        def word(number: Value | int) -> AbstractContextManager[None]:
            """In this state: that word, part by part; the body is for the last part."""
            m.d[asking] += [asked.eq(1), which.eq(number)]
            m.d.sync += part.eq(part + 1)
            return m.If(part == parts - 1)

        with m.FSM():
            with m.State("Idle"):
                m.d.sync += self.busy.eq(self.start)
                with m.If(self.start):
                    m.next = "Begin"

            with m.State("Begin"):
                m.d.comb += crc.start.eq(1)
                m.d.sync += [index.eq(0), place.eq(0), neuron.eq(0), address.eq(0)]
                m.next = "Count"

            with m.State("Count"):
                with word(Mux(self.of_catalogue, of_loaded, of_kept)):
                    m.next = "Entry"
                    with m.If(self.of_catalogue):
                        m.d.sync += place.eq(first_of_film)
                        m.next = "Film"

            with m.State("Film"):
                m.d.comb += self.look.eq(index != self.loaded)
                m.next = "Look"
                with m.If(index == self.loaded):
                    m.next = "Settle"

            with m.State("Look"):
                with m.If(self.found):
                    if film is not self.film:
                        m.d.sync += film.eq(self.film)
                    m.next = "Film words"

            with m.State("Film words"):
                with word(place):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == of_kept - 1):
                        m.d.sync += [place.eq(first_of_film), index.eq(index + 1)]
                        m.next = "Film"

            with m.State("Entry"):
                m.next = "Entry read"
                with m.If(index == self.kept):
                    m.next = "Bias"

            with m.State("Entry read"):
                m.next = "Entry words"

            with m.State("Entry words"):
                with word(place):
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == first_of_film - 1):
                        m.d.sync += [place.eq(0), index.eq(index + 1)]
                        m.next = "Entry"

            with m.State("Bias"):
                with word(of_bias):
                    m.next = "Cell"

            with m.State("Cell"):
                m.next = "Cell near"

            with m.State("Cell near"):
                m.next = "Cell chosen"

            with m.State("Cell chosen"):
                m.next = "Cell word"

            with m.State("Cell word"):
                with word(of_cell):
                    m.d.sync += address.eq(address + 1)
                    m.next = "Cell"
                    with m.If(address == geometry.cells - 1):
                        m.d.sync += neuron.eq(neuron + 1)
                        with m.If(neuron == geometry.neurons - 1):
                            m.next = "Settle"

            with m.State("Settle"):
                with m.If(~asked & ~word_valid):
                    m.next = "Idle"
        return m
