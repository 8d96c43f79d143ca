"""Learning: sweeps over the kept ratings that write the RAM neurons' tables."""

from amaranth import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, Signature

from .adder_tree import AdderTree
from .block_ram import make_memory, registered_read
from .delay import delayed
from .geometry import Geometry
from .layouts import chosen, film_layout
from .neurons import RamNeurons, neurons_read_signature, sum_latency
from .working_memory import entry_read_signature

__all__ = ["Learner"]

_BRANCHES = 4
"""Adder trees whose sums the residual's subtraction takes together, in place of the tree's last two levels."""


class Learner(wiring.Component):
    """Relearns one user's list of kept ratings from nothing: ``sweeps`` Gauss-Seidel sweeps, or one counting pass.

    The meaning is :func:`ramrec.sim.golden.learn_by_tables`. A step looks an entry's film up in the RAM
    neurons, and adds the change of the entry's strength to the cells that the film addresses; it takes
    ``step_clocks``, whatever happens in it. Learning ends early after a sweep that changed nothing, which
    further sweeps would not either. Clearing takes ``groups * cells`` clocks before the first step, and a few
    go by before and after.

    Parameters
    ----------
    geometry : :class:`Geometry`, of the rule sweep or counting

    Members
    -------
    start : ``In(1)``, strobe, while not ``busy``
    kept : ``In``, entries to learn
    busy : ``Out(1)``
    entry : ``Out(entry_read_signature(geometry))``, used while ``busy``
    bias : ``Out``, the sum of all strengths
    offset : ``Out``, ``bias_gain * bias``
    alpha_slot : ``In``, ``alpha`` : ``Out``, strength of that entry two clocks later, while not ``busy``
    read : ``In(neurons_read_signature(geometry))``, the cells, while not ``busy`` and not ``asking``
    query : ``In(...)``: ``en``, ``film``: strobe, while not ``busy``, to score a film
    asking : ``Out(1)``, until the film has been looked up, ``query_clocks`` clocks
    score : ``Out``, once not ``asking``: ``prior * 2 ** prior_shift + offset`` + the sum of the film's cells
    """

    def __init__(self, geometry: Geometry) -> None:
        if geometry.rule not in ("sweep", "counting"):
            raise ValueError(f"the learner follows the rule sweep or counting, not {geometry.rule!r}")
        self._geometry = geometry
        branch = -(-geometry.neurons_per_clock // _BRANCHES)
        self._trees = [
            AdderTree(signed(geometry.cell_bits), branch, 0, levels_per_stage=2)
            for _ in range(0 if geometry.compact else -(-geometry.neurons_per_clock // branch))
        ]
        self._sum_latency = sum_latency(geometry) if geometry.compact else self._trees[0].latency
        score = signed(geometry.score_bits)
        query = Signature({"en": Out(1), "film": Out(film_layout(geometry))})
        super().__init__(
            {
                "start": In(1),
                "kept": In(range(geometry.memory_depth + 1)),
                "busy": Out(1),
                "entry": Out(entry_read_signature(geometry)),
                "bias": Out(signed(geometry.cell_bits)),
                "offset": Out(score),
                "alpha_slot": In(range(geometry.memory_depth)),
                "alpha": Out(signed(geometry.alpha_bits)),
                "read": In(neurons_read_signature(geometry)),
                "query": In(query),
                "asking": Out(1),
                "score": Out(score),
            }
        )

    @property
    def _residual_phase(self) -> int:
        """Phase of a step in which the prediction is there, and what it is taken from."""
        return self._geometry.groups + 1 + self._sum_latency

    @property
    def step_clocks(self) -> int:
        """Clocks of one step."""
        return self._residual_phase + 1 + self._geometry.groups

    @property
    def query_clocks(self) -> int:
        """Clocks from ``query.en`` to the score."""
        return self._residual_phase + 2

    def elaborate(self, platform: object) -> Module:
        m = Module()
        geometry = self._geometry
        follows_error = geometry.rule == "sweep"
        sweeps = geometry.sweeps if follows_error else 1
        residual_phase, last_phase = self._residual_phase, self.step_clocks - 1

        m.submodules.neurons = neurons = RamNeurons(geometry)
        m.submodules.alphas = alphas = make_memory(signed(geometry.alpha_bits), geometry.memory_depth)
        alpha_write = alphas.write_port()

        # What a step works on

        slot, next_slot, asked_slot = (Signal(range(geometry.memory_depth)) for _ in range(3))
        at_end, first_sweep = Signal(), Signal()
        code, e = Signal(geometry.code_bits), Signal(signed(17))
        m.d.sync += [
            at_end.eq(slot + 1 == self.kept),
            next_slot.eq(Mux(slot + 1 == self.kept, 0, slot + 1)),
        ]
        oldest, younger = Signal(), Signal()
        age_penalty: Value = Const(geometry.ridge)
        if geometry.drift:
            age_penalty, first_penalty = (Signal(range(geometry.lambda_max + 1)) for _ in range(2))
            m.d.sync += first_penalty.eq(geometry.ridge + geometry.drift * (self.kept - 1))
            with m.If(oldest):
                m.d.sync += age_penalty.eq(first_penalty)
            with m.Elif(younger & (age_penalty >= geometry.drift)):
                m.d.sync += age_penalty.eq(age_penalty - geometry.drift)

        # Looking up: groups are read, and added by the trees and to the prediction

        phase = Signal(range(last_phase + 1))
        stepping = Signal()
        looking, updating = Signal(), Signal()
        group, write_group = Signal(range(geometry.groups)), Signal(range(geometry.groups))
        tuples = [code.word_select(index, len(neurons.read.tuples)) for index in range(geometry.groups)]
        m.d.comb += [
            looking.eq(phase < geometry.groups),
            updating.eq((phase >= residual_phase) & (phase < residual_phase + geometry.groups)),
            group.eq(phase - Mux(looking, 0, residual_phase)),
            neurons.read.group.eq(group),
            neurons.read.tuples.eq(chosen(m, tuples, group)),
        ]
        m.d.comb += [self.read.cells.eq(neurons.read.cells), self.read.sum.eq(neurons.read.sum)]
        with m.If(~self.busy & ~self.asking):
            m.d.comb += [
                neurons.read.group.eq(self.read.group),
                neurons.read.tuples.eq(self.read.tuples),
            ]

        here = Signal()
        m.d.sync += here.eq(looking & stepping)
        summed = delayed(m, here, self._sum_latency, name="here")[-1]
        sums = [neurons.read.sum] if geometry.compact else []
        for index, tree in enumerate(self._trees):
            m.submodules[f"tree_{index}"] = tree
            cells = list(neurons.read.cells)[index :: len(self._trees)]
            m.d.comb += [term.eq(cell) for term, cell in zip(tree.i.p.terms, cells, strict=False)]
            m.d.comb += [tree.i.valid.eq(1), tree.o.ready.eq(1)]
            sums.append(tree.o.p.sum)

        # What a step takes the prediction from, with a half for rounding

        alpha, new_alpha = Signal(signed(geometry.alpha_bits)), Signal(signed(geometry.alpha_bits))
        penalty, base = Signal(signed(geometry.residual_bits)), Signal(signed(geometry.residual_bits))
        predicted = Signal(signed(geometry.score_bits))
        residual = Signal(signed(geometry.residual_bits))
        half = 1 << (geometry.shift - 1)
        fresh = Signal()
        m.d.sync += fresh.eq(first_sweep | self.asking)
        m.d.comb += alpha.eq(Mux(fresh, 0, self.alpha))
        offset = self.offset if follows_error else Mux(self.asking, self.offset, 0)
        m.d.sync += [
            penalty.eq(age_penalty * self.alpha if follows_error else 0),
            base.eq(e + half - penalty - offset),
        ]
        with m.If(fresh):
            m.d.sync += penalty.eq(0)
        with m.If(phase == 0):
            m.d.sync += predicted.eq(0)
        with m.Elif(summed if follows_error else summed & self.asking):
            m.d.sync += predicted.eq(sum(sums, start=predicted if geometry.groups > 1 else Const(0)))
        m.d.comb += residual.eq(base - predicted)
        with m.If(self.asking):
            m.d.sync += self.score.eq(half - residual)

        # The step: a change that keeps the strength within its bits

        top = geometry.alpha_max
        least, most = Signal(signed(geometry.alpha_bits + 1)), Signal(signed(geometry.alpha_bits + 1))
        wanted = Signal(signed(geometry.residual_bits))
        delta = Signal(signed(geometry.alpha_bits + 1))
        changed = Signal()
        m.d.sync += [least.eq(-top - alpha), most.eq(top - alpha)]
        m.d.comb += wanted.eq(residual >> geometry.shift)
        # Signs of differences: a signed comparison would lead the carry out of its chain and in again.
        too_low, too_high = (wanted - least)[-1], (most - wanted)[-1]
        with m.If(phase == residual_phase):
            m.d.sync += delta.eq(Mux(too_low, least, Mux(too_high, most, wanted)))

        # Writing: cells that are cleared, or that a step changes

        clearing = Signal()
        clear_group, clear_address = Signal(range(geometry.groups)), Signal(geometry.tuple_bits)
        writing, written_tuples = Signal(), Signal.like(neurons.read.tuples)
        m.d.sync += [writing.eq(updating & stepping & self.busy), write_group.eq(group)]
        if geometry.groups == 1:
            m.d.comb += written_tuples.eq(code)
        else:
            m.d.sync += written_tuples.eq(neurons.read.tuples)
        m.d.comb += [
            neurons.write.en.eq(writing | clearing),
            neurons.write.group.eq(Mux(clearing, clear_group, write_group)),
            neurons.write.tuples.eq(Mux(clearing, clear_address.replicate(geometry.neurons_per_clock), written_tuples)),
        ]
        for written, cell in zip(neurons.write.cells, neurons.read.cells, strict=True):
            m.d.comb += written.eq(Mux(clearing, 0, cell + delta))

        m.d.comb += [
            self.entry.en.eq(1),
            self.entry.slot.eq(next_slot),
            self.alpha.eq(registered_read(m, alphas, Mux(self.busy, slot, asked_slot))),
            alpha_write.addr.eq(slot),
            new_alpha.eq(alpha + delta),
            alpha_write.data.eq(new_alpha),
        ]
        m.d.sync += [asked_slot.eq(self.alpha_slot), self.offset.eq(self.bias * geometry.bias_gain)]

        sweep = Signal(range(sweeps))
        m.d.comb += first_sweep.eq(sweep == 0)
        with m.FSM():
            with m.State("Idle"):
                m.d.sync += [phase.eq(0), stepping.eq(0)]
                with m.If(self.query.en):
                    m.d.sync += [
                        self.asking.eq(1),
                        stepping.eq(1),
                        code.eq(self.query.film.code),
                        e.eq(-(self.query.film.prior << geometry.prior_shift)),
                    ]
                    m.next = "Ask"
                with m.If(self.start):
                    m.d.sync += [self.busy.eq(1), self.bias.eq(0), Cat(clear_group, clear_address).eq(0)]
                    m.d.sync += [slot.eq(self.kept - 1), sweep.eq(0), changed.eq(0)]
                    m.next = "Clear"

            with m.State("Ask"):
                m.d.sync += phase.eq(phase + 1)
                with m.If(phase == residual_phase):
                    m.d.sync += [self.asking.eq(0), stepping.eq(0)]
                    m.next = "Idle"

            with m.State("Clear"):
                m.d.comb += clearing.eq(1)
                m.d.sync += clear_address.eq(clear_address + 1)
                with m.If(clear_address == geometry.cells - 1):
                    m.d.sync += clear_group.eq(clear_group + 1)
                    with m.If(clear_group == geometry.groups - 1):
                        m.next = "Fetch"
                        with m.If(self.kept == 0):
                            m.next = "Settle"

            with m.State("Fetch"):
                m.next = "Fetching"

            with m.State("Fetching"):
                m.next = "Begin"

            with m.State("Begin"):  # the slot before the first one is the last one, so the first entry is at hand
                m.d.comb += oldest.eq(1)
                m.d.sync += [
                    slot.eq(0),
                    code.eq(self.entry.entry.code),
                    e.eq(self.entry.entry.e),
                    phase.eq(0),
                    stepping.eq(1),
                ]
                m.next = "Step"

            with m.State("Step"):
                m.d.sync += phase.eq(phase + 1)
                with m.If(phase == residual_phase + 1):
                    m.d.comb += alpha_write.en.eq(1)
                    m.d.sync += self.bias.eq(self.bias + delta)
                    with m.If(delta != 0):
                        m.d.sync += changed.eq(1)
                with m.If(phase == last_phase):
                    m.d.sync += [
                        phase.eq(0),
                        slot.eq(next_slot),
                        code.eq(self.entry.entry.code),
                        e.eq(self.entry.entry.e),
                    ]
                    m.d.comb += younger.eq(1)
                    with m.If(at_end):
                        m.d.comb += oldest.eq(1)
                        m.d.sync += [sweep.eq(sweep + 1), changed.eq(0)]
                        unchanged = ~changed & ~((residual_phase + 1 == last_phase) & (delta != 0))
                        with m.If(unchanged | (sweep == sweeps - 1)):
                            m.d.sync += stepping.eq(0)
                            m.next = "Settle"

            with m.State("Settle"):
                m.d.sync += self.busy.eq(0)
                m.next = "Idle"
        return m
