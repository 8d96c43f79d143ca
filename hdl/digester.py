"""CRC-32 of a user's state, or of the catalogue, as 16-bit words."""

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
        first_of_film = 3
        place = Signal(range(first_of_film + 1 + geometry.code_bits // 16))
        neuron, address = Signal(range(geometry.neurons)), Signal(geometry.tuple_bits)
        cell = Signal(signed(16))
        cells = list(self.neurons.cells)
        near = [Signal.like(cells[0], name=f"near_{first}") for first in range(0, len(cells), _NEAR)]
        entry = self.entry.entry
        film = self.film if geometry.compact else Signal(film_layout(geometry))  # a compact lookup keeps it
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
        for number, signal in enumerate(near):
            m.d["comb" if geometry.compact else "sync"] += signal.eq(
                chosen(m, cells[number * _NEAR :][:_NEAR], neuron % min(_NEAR, len(cells)))
            )
        m.d.sync += cell.eq(chosen(m, near, neuron % len(cells) // _NEAR))

        # An entry is item, e, strength and code; a film is code and prior.
        alpha, prior = Signal(signed(16)), Signal(signed(16))
        m.d.comb += [alpha.eq(self.alpha), prior.eq(film.prior)]
        bias, shown_cell = Signal(signed(16)), Signal(signed(16))
        m.d.comb += [bias.eq(self.bias), shown_cell.eq(0 if geometry.rule == "nearest" else cell)]
        words = Cat(
            *(entry.item, entry.e, alpha, Mux(self.of_catalogue, film.code, entry.code), prior),
            *(Mux(self.of_catalogue, self.loaded, Cat(self.kept, Const(0, 16 - len(self.kept)))), bias, shown_cell),
        )
        count = first_of_film + geometry.code_bits // 16 + 1
        which, all_words = Signal(range(count + 3)), Signal(16 << (count + 2).bit_length())
        m.d.comb += all_words.eq(words)

        # Block RAM, word selection and CRC in one clock would set the clock of the whole device; so would finding out
        # which word, where there is more than a compact device.
        asking = "comb" if geometry.compact else "sync"
        asked = Signal()
        word_valid, word_data = Signal(), Signal(16)
        parts = 16 // crc_bits
        part, in_parts = Signal(range(parts)), Signal()
        m.d.sync += [word_valid.eq(in_parts), word_data.eq(word_data >> crc_bits), part.eq(part + word_valid)]
        m.d.comb += [crc.valid.eq(word_valid), crc.data.eq(word_data), in_parts.eq(word_valid & (part != parts - 1))]

        def word(number: Value | int) -> None:
            m.d[asking] += [asked.eq(1), which.eq(number)]

        with m.If(~in_parts):
            m.d.sync += [word_valid.eq(asked), word_data.eq(all_words.word_select(which, 16))]
            m.d[asking] += asked.eq(0)
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
                    with m.If(self.of_catalogue):
                        word(count)
                        m.d.sync += place.eq(first_of_film)
                        m.next = "Film"
                    with m.Else():
                        word(count)
                        m.next = "Entry"

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
                    word(place)
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == first_of_film + geometry.code_bits // 16):
                        m.d.sync += [place.eq(first_of_film), index.eq(index + 1)]
                        m.next = "Film"

                with m.State("Entry"):
                    m.next = "Entry read"
                    with m.If(index == self.kept):
                        m.next = "Bias"

                with m.State("Entry read"):
                    m.next = "Entry words"

                with m.State("Entry words"):
                    word(place)
                    m.d.sync += place.eq(place + 1)
                    with m.If(place == 2 + geometry.code_bits // 16):
                        m.d.sync += [place.eq(0), index.eq(index + 1)]
                        m.next = "Entry"

                with m.State("Bias"):
                    word(count + 1)
                    m.next = "Cell"

                with m.State("Cell"):
                    m.next = "Cell near"

                with m.State("Cell near"):
                    m.next = "Cell chosen"

                with m.State("Cell chosen"):
                    m.next = "Cell word"

                with m.State("Cell word"):
                    word(count + 2)
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
