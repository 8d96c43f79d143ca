"""Learning: sweeps over the kept ratings that write the RAM neurons' tables."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .geometry import Geometry
from .layouts import film_row_layout, score_row_layout, table_signature
from .user_memory import entry_read_signature

__all__ = ["Learner"]


class Learner(wiring.Component):
    """Relearns one user's list of kept ratings from nothing: ``sweeps`` Gauss-Seidel sweeps, or one counting pass.

    The meaning is :func:`ramrec.sim.golden.learn_by_tables`. Each step looks a film up through the scorer,
    and if the entry's strength changes adds the change to the cells that the film addresses. Learning ends
    early after a sweep that changed nothing, which further sweeps would not either.

    Clearing takes ``groups * cells`` clocks. A step takes ``step_clocks`` if its entry's strength changes and
    ``groups`` fewer if not.

    Parameters
    ----------
    geometry : :class:`Geometry`, of the rule sweep or counting
    scorer_latency : :class:`int`, clocks from a film to its score

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``
    kept : ``In``, entries to learn
    busy : ``Out(1)``
    read : ``Out(entry_read_signature(geometry))``, used while ``busy``
    film : ``Out(stream)`` of ``film_row_layout(geometry)``, to the scorer
    score : ``In(stream)`` of ``score_row_layout(geometry)``, from the scorer
    tap : ``In``, cells that the scorer's lane 0 has just read
    write : ``Out(table_signature(geometry))``, cells to write in every lane
    bias : ``Out``, the sum of all strengths
    offset : ``Out``, ``bias_gain * bias``
    alpha_slot : ``In``, ``alpha`` : ``Out``, strength of that entry one clock later, while not ``busy``
    """

    def __init__(self, geometry: Geometry, scorer_latency: int) -> None:
        if geometry.rule not in ("sweep", "counting"):
            raise ValueError(f"the learner follows the rule sweep or counting, not {geometry.rule!r}")
        self._geometry = geometry
        self._scorer_latency = scorer_latency
        super().__init__(
            {
                "start": In(1),
                "kept": In(range(geometry.memory_depth + 1)),
                "busy": Out(1),
                "read": Out(entry_read_signature(geometry)),
                "film": Out(stream.Signature(film_row_layout(geometry))),
                "score": In(stream.Signature(score_row_layout(geometry))),
                "tap": In(table_signature(geometry)),
                "write": Out(table_signature(geometry)),
                "bias": Out(signed(geometry.cell_bits)),
                "offset": Out(signed(geometry.score_bits)),
                "alpha_slot": In(range(geometry.memory_depth)),
                "alpha": Out(signed(geometry.alpha_bits)),
            }
        )

    @property
    def step_clocks(self) -> int:
        """Clocks of one step that changes its entry's strength."""
        lookup = self._scorer_latency if self._geometry.rule == "sweep" else 0
        return 6 + lookup + self._geometry.groups

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        follows_error = geometry.rule == "sweep"
        sweeps = geometry.sweeps if follows_error else 1

        m.submodules.alphas = alphas = Memory(shape=signed(geometry.alpha_bits), depth=geometry.memory_depth, init=[])
        alpha_read, alpha_write = alphas.read_port(), alphas.write_port()

        slot = Signal(range(geometry.memory_depth))
        sweep = Signal(range(sweeps))
        at_end = Signal()
        changed = Signal()
        age_penalty = Signal(range(geometry.lambda_max + 1))
        penalty = Signal(signed(geometry.residual_bits))
        residual = Signal(signed(geometry.residual_bits))
        alpha, new_alpha = Signal(signed(geometry.alpha_bits)), Signal(signed(geometry.alpha_bits))
        delta = Signal(signed(geometry.alpha_bits + 1))
        m.d.comb += [
            at_end.eq(slot + 1 == self.kept),
            self.read.slot.eq(slot),
            alpha_read.addr.eq(Mux(self.busy, slot, self.alpha_slot)),
            self.alpha.eq(alpha_read.data),
            alpha_write.addr.eq(slot),
            alpha_write.data.eq(new_alpha),
            delta.eq(new_alpha - alpha),
            self.film.p.films[0].code.eq(self.read.entry.code),
            self.film.p.mask.eq(1),
            self.score.ready.eq(1),
        ]

        # Updates read their cells by a lookup too, whose score is of no use: only the last score counts.
        in_flight = Signal(range(self._scorer_latency + 1))
        m.d.sync += in_flight.eq(in_flight + (self.film.valid & self.film.ready) - self.score.valid)

        updating = Signal()
        written = [Signal(signed(geometry.cell_bits), name=f"written_{q}") for q in range(geometry.neurons_per_clock)]
        m.d.comb += [cell.eq(new) for cell, new in zip(self.write.cells, written, strict=True)]
        m.d.sync += self.write.valid.eq(0)
        with m.If(updating & self.tap.valid):
            m.d.sync += [
                self.write.valid.eq(1),
                self.write.group.eq(self.tap.group),
                self.write.tuples.eq(self.tap.tuples),
            ]
            m.d.sync += [new.eq(read + delta) for new, read in zip(written, self.tap.cells, strict=True)]

        clear_group, clear_address = Signal(range(geometry.groups)), Signal(geometry.tuple_bits)

        with m.FSM():
            with m.State("Idle"):
                with m.If(self.start):
                    m.d.sync += [
                        self.busy.eq(1),
                        self.bias.eq(0),
                        self.offset.eq(0),
                        slot.eq(0),
                        sweep.eq(0),
                        changed.eq(0),
                        clear_group.eq(0),
                        clear_address.eq(0),
                    ]
                    m.next = "Clear"

            with m.State("Clear"):
                m.d.sync += [
                    self.write.valid.eq(1),
                    self.write.group.eq(clear_group),
                    self.write.tuples.eq(clear_address.replicate(geometry.neurons_per_clock)),
                    clear_address.eq(clear_address + 1),
                ]
                m.d.sync += [new.eq(0) for new in written]
                with m.If(clear_address == geometry.cells - 1):
                    m.d.sync += clear_group.eq(clear_group + 1)
                    with m.If(clear_group == geometry.groups - 1):
                        m.next = "Begin"

            with m.State("Begin"):
                with m.If(self.kept == 0):
                    m.next = "Settle"
                with m.Else():
                    m.d.sync += age_penalty.eq(geometry.ridge + geometry.drift * (self.kept - 1))
                    m.next = "Fetch"

            with m.State("Fetch"):
                m.next = "Load"

            with m.State("Load"):
                current = Mux(sweep == 0, 0, alpha_read.data)
                m.d.sync += [alpha.eq(current), penalty.eq(age_penalty * current)]
                m.next = "Lookup" if follows_error else "Residual"

            with m.State("Lookup"):
                m.d.comb += self.film.valid.eq(1)
                with m.If(self.film.ready):
                    m.next = "Residual"

            with m.State("Residual"):
                if follows_error:
                    with m.If(self.score.valid & (in_flight == 1)):
                        m.d.sync += residual.eq(self.read.entry.e - penalty - self.score.p.scores[0])
                        m.next = "Step"
                else:
                    m.d.sync += residual.eq(self.read.entry.e)
                    m.next = "Step"

            with m.State("Step"):
                half = 1 << (geometry.shift - 1)
                stepped = alpha + ((residual + half) >> geometry.shift)
                top = geometry.alpha_max
                m.d.sync += new_alpha.eq(Mux(stepped > top, top, Mux(stepped < -top, -top, stepped)))
                m.next = "Apply"

            with m.State("Apply"):
                m.d.comb += alpha_write.en.eq(1)
                m.d.sync += self.bias.eq(self.bias + delta)
                with m.If(delta == 0):
                    m.next = "Next"
                with m.Else():
                    m.d.sync += changed.eq(1)
                    m.next = "Update"

            with m.State("Update"):
                m.d.comb += [self.film.valid.eq(1), updating.eq(1)]
                m.d.sync += self.offset.eq(self.bias * geometry.bias_gain)
                with m.If(self.film.ready):
                    m.next = "Next"

            with m.State("Next"):
                m.d.comb += updating.eq(1)
                m.d.sync += slot.eq(slot + 1)
                m.next = "Fetch"
                with m.If(age_penalty >= geometry.drift):
                    m.d.sync += age_penalty.eq(age_penalty - geometry.drift)
                with m.If(at_end):
                    m.d.sync += [
                        slot.eq(0),
                        sweep.eq(sweep + 1),
                        changed.eq(0),
                        age_penalty.eq(geometry.ridge + geometry.drift * (self.kept - 1)),
                    ]
                    with m.If(~changed | (sweep == sweeps - 1)):
                        m.next = "Settle"

            with m.State("Settle"):
                with m.If((in_flight == 0) & ~self.write.valid):
                    m.d.sync += self.busy.eq(0)
                    m.next = "Idle"
        return m
