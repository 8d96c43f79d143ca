"""The one parameter object: gateware, golden model, host and benches all take the same :class:`Geometry`."""

import struct
from dataclasses import dataclass, fields, replace

__all__ = ["ECP5_25F", "ECP5_85F", "PRESETS", "RULES", "TINY", "UP5K", "Geometry"]

RULES = ("sweep", "counting", "nearest", "wisard")
"""Learning rules. The first three exist in gateware; ``wisard`` exists in the golden model only."""


def _power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """Sizes and integer constants of one agent and of the machine that runs it.

    Parameters
    ----------
    code_bits
        Bits of an item's code, a multiple of 16 up to 256.
    tuple_bits
        Code bits wired to one RAM neuron: 1, 2 or 4. Neuron ``m`` is addressed by bits ``m * tuple_bits`` and
        up, and has ``2 ** tuple_bits`` cells.
    rule
        Learning rule, one of :data:`RULES`.
    sweeps
        Gauss-Seidel sweeps over the memory per learning step.
    ridge
        Regularisation: lambda of the newest entry.
    drift
        Growth of lambda per step of an entry's age.
    bias_gain
        Weight of the neuron without inputs, the user's bias.
    shift
        Step size of learning, ``2 ** -shift``.
    alpha_bits
        Width of an entry's signed strength; ``|alpha| <= 2 ** (alpha_bits - 1) - 1``.
    prior_shift
        A prior byte counts ``2 ** prior_shift`` score units. 0 to 7.
    memory_depth
        Ratings kept per user.
    users
        Users whose memories are resident.
    catalogue_depth
        Films that fit, up to 65,535.
    top_k
        Longest ranking, 1 to 41 (what fits in one reply).
    lanes
        Films scored per clock, 1 to 48.
    comparators
        Memory rows compared per clock; a power of two that divides ``memory_depth``.
    neurons_per_clock
        RAM neurons that the learner reads per clock; divides the number of neurons, and holds whole tables.
    table_bits
        Code bits that address one table of a lane: neighbouring RAM neurons fused, for ranking. A multiple of
        ``tuple_bits`` up to 8 that divides 16: 4 for LUT RAM of 16 cells, 8 for block RAM of 256 cells.
    compact
        1 for the smallest FPGAs: films and ratings share one memory with one port, as the large RAM blocks of an
        iCE40 UltraPlus have, and the list of the best lies in block RAM. A ranking then takes about an eighth
        longer, and EXPLAIN is refused as unknown. Wants one lane, and a code of 32, 64, 128 or 256 bits.

    Raises
    ------
    TypeError
        If a field has the wrong type.
    ValueError
        If a field or a combination of fields is out of range.
    """

    code_bits: int = 128
    tuple_bits: int = 2
    rule: str = "sweep"
    sweeps: int = 8
    ridge: int = 112
    drift: int = 0
    bias_gain: int = 16
    shift: int = 8
    alpha_bits: int = 5
    prior_shift: int = 4
    memory_depth: int = 64
    users: int = 1
    catalogue_depth: int = 4096
    top_k: int = 20
    lanes: int = 1
    comparators: int = 1
    neurons_per_clock: int = 64
    table_bits: int = 4
    compact: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            expected = type(field.default)
            if type(value) is not expected:
                raise TypeError(f"{field.name} must be of type {expected.__name__}, not {value!r}")

        def check(condition: bool, name: str, expected: str) -> None:
            if not condition:
                raise ValueError(f"{name} must be {expected}, not {getattr(self, name)!r}")

        check(
            self.code_bits % 16 == 0 and 16 <= self.code_bits <= 256,
            "code_bits",
            "a multiple of 16 up to 256",
        )
        check(self.tuple_bits in (1, 2, 4), "tuple_bits", "1, 2 or 4")
        check(self.rule in RULES, "rule", f"one of {', '.join(RULES)}")
        check(1 <= self.sweeps <= 255, "sweeps", "in 1..255")
        check(0 <= self.ridge < 1 << 16, "ridge", "in 0..65535")
        check(0 <= self.drift < 1 << 10, "drift", "in 0..1023")
        check(0 <= self.bias_gain <= 255, "bias_gain", "in 0..255")
        check(1 <= self.shift <= 15, "shift", "in 1..15")
        check(2 <= self.alpha_bits <= 12, "alpha_bits", "in 2..12")
        check(0 <= self.prior_shift <= 7, "prior_shift", "in 0..7")
        check(1 <= self.memory_depth <= 1024, "memory_depth", "in 1..1024")
        check(1 <= self.users <= 4096, "users", "in 1..4096")
        check(1 <= self.catalogue_depth < 1 << 16, "catalogue_depth", "in 1..65535")
        check(1 <= self.top_k <= 41, "top_k", "in 1..41")
        check(1 <= self.lanes <= 48, "lanes", "in 1..48")
        check(
            _power_of_two(self.comparators) and self.memory_depth % self.comparators == 0,
            "comparators",
            f"a power of two that divides memory_depth ({self.memory_depth})",
        )
        check(
            self.neurons_per_clock >= 1 and self.neurons % self.neurons_per_clock == 0,
            "neurons_per_clock",
            f"a divisor of the number of neurons ({self.neurons})",
        )
        check(
            self.table_bits in (1, 2, 4, 8) and self.table_bits >= self.tuple_bits,
            "table_bits",
            f"1, 2, 4 or 8, and at least tuple_bits ({self.tuple_bits})",
        )
        check(
            self.neurons_per_clock % self.fused == 0,
            "neurons_per_clock",
            f"a multiple of the RAM neurons in one table ({self.fused})",
        )
        check(self.compact in (0, 1), "compact", "0 or 1")
        if self.compact:
            check(self.lanes == 1, "lanes", "1 in a compact device")
            check(self.rule in ("sweep", "counting"), "rule", "sweep or counting in a compact device")
            check(self.code_bits in (32, 64, 128, 256), "code_bits", "32, 64, 128 or 256 in a compact device")
        if self.rule == "nearest":
            check(self.lanes == 1, "lanes", "1 with the rule nearest, which ranks through the memory view")
        if self.rule == "sweep":
            gain = self.bias_gain + self.neurons + self.ridge + self.drift * (self.memory_depth - 1)
            check(
                gain < 2 << self.shift,
                "shift",
                f"large enough for a convergent step: bias_gain + neurons + lambda = {gain} < 2 ** (shift + 1)",
            )

    @property
    def agent(self) -> dict[str, int | str]:
        """The fields that decide what an agent computes; the others decide only how fast and how many."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in _MACHINE}

    # Neurons

    @property
    def neurons(self) -> int:
        """RAM neurons of an agent, the bias not counted."""
        return self.code_bits // self.tuple_bits

    @property
    def cells(self) -> int:
        """Cells of one RAM neuron."""
        return 1 << self.tuple_bits

    @property
    def groups(self) -> int:
        """Clocks that the learner takes to read all neurons."""
        return self.neurons // self.neurons_per_clock

    @property
    def fused(self) -> int:
        """RAM neurons in one table of a lane."""
        return self.table_bits // self.tuple_bits

    @property
    def tables(self) -> int:
        """Tables of one lane."""
        return self.code_bits // self.table_bits

    @property
    def table_cells(self) -> int:
        """Cells of one table."""
        return 1 << self.table_bits

    @property
    def tables_per_write(self) -> int:
        """Tables of each lane that are written at a time: the fewer, the more lanes their cells have wires to."""
        tables = self.neurons_per_clock // self.fused
        while tables * self.lanes > _MOST_CELLS_PER_WRITE and tables % 2 == 0:
            tables //= 2
        return tables

    # Ranges. A cell is the sum of the alphas of the entries that address it and the bias the sum of all of
    # them, before and after every step: so neither can leave +-memory_depth * alpha_max, and no adder saturates.

    @property
    def alpha_max(self) -> int:
        """Largest magnitude of an entry's strength."""
        return (1 << (self.alpha_bits - 1)) - 1

    @property
    def cell_max(self) -> int:
        """Largest magnitude of a cell and of the bias."""
        return self.memory_depth * self.alpha_max

    @property
    def cell_bits(self) -> int:
        """Width of a signed cell: wide enough for ``cell_max``, so a cell can not overflow."""
        return self.cell_max.bit_length() + 1

    @property
    def table_cell_bits(self) -> int:
        """Width of a signed cell of a table, the sum of one cell of each of its neurons."""
        return (self.fused * self.cell_max).bit_length() + 1

    @property
    def target_max(self) -> int:
        """Largest magnitude of a rating's target, in score units: ``target - prior`` fits 16 bits with any prior."""
        return (1 << 14) - 1

    @property
    def surprise_max(self) -> int:
        """Largest magnitude of ``e = target - prior``, a signed 16-bit number."""
        return 1 << 15

    @property
    def score_max(self) -> int:
        """Largest magnitude of a score, in score units."""
        learned = self.cell_max * (self.neurons + self.bias_gain)
        return (128 << self.prior_shift) + max(learned, self.surprise_max)

    @property
    def score_bits(self) -> int:
        """Width of a signed score."""
        return self.score_max.bit_length() + 1

    @property
    def lambda_max(self) -> int:
        """Lambda of the oldest entry of a full memory."""
        return self.ridge + self.drift * (self.memory_depth - 1)

    @property
    def residual_bits(self) -> int:
        """Width of the signed residual of a learning step."""
        largest = self.surprise_max + self.score_max + self.lambda_max * self.alpha_max + (1 << self.shift)
        return largest.bit_length() + 1

    # Widths of counts and addresses

    @property
    def match_bits(self) -> int:
        """Width of a match count, 0 to ``neurons``."""
        return self.neurons.bit_length()

    @property
    def kept_bits(self) -> int:
        """Width of a count of kept ratings, 0 to ``memory_depth``."""
        return self.memory_depth.bit_length()

    @property
    def rows(self) -> int:
        """Rows of the catalogue, each ``lanes`` films wide."""
        return -(-self.catalogue_depth // self.lanes)

    @property
    def hops(self) -> int:
        """Clocks until the last lane hears what all lanes are told."""
        return self.hop_of(self.lanes - 1)

    def hop_of(self, lane: int) -> int:
        """Clocks until a lane hears it: one more for each group of lanes, none in a compact device."""
        return 0 if self.compact else 1 + lane // _LANES_PER_HOP

    @property
    def memory_rows(self) -> int:
        """Rows of one user's memory, each ``comparators`` entries wide."""
        return self.memory_depth // self.comparators

    @property
    def explains(self) -> bool:
        """Whether a device has the memory view, and says why: a compact one has no room for it."""
        return not self.compact

    @property
    def code_bytes(self) -> int:
        """Bytes of a code on the wire."""
        return self.code_bits // 8

    # Bytes, for the HELLO reply

    def pack(self) -> bytes:
        """Encode as 16-bit words, little endian, in field order."""
        values = [getattr(self, field.name) for field in fields(self)]
        return struct.pack(_PACKED, *(RULES.index(v) if isinstance(v, str) else v for v in values))

    @classmethod
    def unpack(cls, data: bytes) -> "Geometry":
        """Inverse of :meth:`pack`; ValueError if the bytes are not a valid geometry."""
        size = struct.calcsize(_PACKED)
        if len(data) != size:
            raise ValueError(f"a packed geometry has {size} bytes, not {len(data)}")
        values = dict(zip((field.name for field in fields(cls)), struct.unpack(_PACKED, data), strict=True))
        if values["rule"] >= len(RULES):
            raise ValueError(f"rule must be below {len(RULES)}, not {values['rule']}")
        return cls(**(values | {"rule": RULES[values["rule"]]}))

    def with_(self, **changes: int | str) -> "Geometry":
        """Return a copy with some fields changed, validated again."""
        return replace(self, **changes)  # type: ignore[arg-type]


_MACHINE = ("users", "catalogue_depth", "top_k", "lanes", "comparators", "neurons_per_clock", "table_bits", "compact")
_LANES_PER_HOP = 4
_MOST_CELLS_PER_WRITE = 160
_PACKED = "<" + "H" * len(fields(Geometry))

TINY = Geometry(
    code_bits=16,
    ridge=6,
    bias_gain=2,
    shift=4,
    alpha_bits=5,
    prior_shift=2,
    sweeps=3,
    memory_depth=6,
    users=3,
    catalogue_depth=24,
    top_k=4,
    lanes=2,
    comparators=2,
    neurons_per_clock=4,
)
"""Small enough for unit tests to reach every corner: eviction, paging, padding, several users."""

UP5K = Geometry(
    code_bits=64,
    ridge=80,
    shift=7,
    prior_shift=3,
    users=100,
    catalogue_depth=9984,
    top_k=16,
    lanes=1,
    comparators=1,
    neurons_per_clock=4,
    table_bits=8,
    compact=1,
)
"""Lattice iCE40 UltraPlus 5K: no LUT RAM, so the learner's neurons and the lane's tables are block RAM."""

ECP5_25F = Geometry(users=64, catalogue_depth=4096, lanes=4, comparators=1)
"""Lattice ECP5 with 24 k LUTs and 56 block RAMs."""

ECP5_85F = Geometry(memory_depth=128, users=256, catalogue_depth=10240, lanes=20, comparators=2)
"""Lattice ECP5 with 84 k LUTs and 208 block RAMs."""

PRESETS = {"TINY": TINY, "UP5K": UP5K, "ECP5_25F": ECP5_25F, "ECP5_85F": ECP5_85F}
