"""The timing picture of ``docs/protocol.md``, drawn from simulation.

``python -m ramrec.sim.timing docs/timing.svg`` draws it again.
"""

import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from ..hdl.device import Device
from ..hdl.geometry import TINY
from ..hdl.protocol import Op, Request, encode_frame
from .pysim import Bench

__all__ = ["draw", "record"]

Trace = dict[str, list[bool]]
"""Line name -> whether it is active, clock by clock."""


def _item(number: int) -> bytes:
    return number.to_bytes(2, "little")


_FILMS = b"".join(bytes([17 * n % 256, 91 * n % 256, n % 5]) for n in range(20))
_BEFORE = [
    Request(seq=0, op=Op.HELLO),
    Request(seq=0, op=Op.LOAD, count=20, records=_FILMS),
    *(Request(seq=0, op=Op.RATE, user=1, arg=e, count=1, records=_item(n)) for n, e in ((3, 120), (7, -90), (11, 60))),
]
_SHOWN = [
    Request(seq=0, op=Op.RATE, user=1, arg=100, count=1, records=_item(15)),
    Request(seq=0, op=Op.RANK, user=1, arg=3),
    Request(seq=0, op=Op.EXPLAIN, user=1, count=1, records=_item(5)),
]


def record() -> list[tuple[str, Trace]]:
    """What works in which clock while the TINY device executes a RATE, a RANK and an EXPLAIN."""
    device = Device(TINY)
    engine = device.processor.engine
    lines = {
        "bytes in": device.i.valid & device.i.ready,
        "request": device.processor.busy,
        "list editor": engine.editor.busy,
        "learner": engine.data.learning,
        "ranker": engine.data.ranking,
        "comparator": engine.data.comparing,
        "top-k out": engine.data.best.valid,
        "bytes out": device.o.valid & device.o.ready,
    }
    traces: list[tuple[str, Trace]] = []

    async def play(ctx):  # type: ignore[no-untyped-def]
        ctx.set(device.o.ready, 1)
        for number, request in enumerate([*_BEFORE, *_SHOWN]):
            trace: Trace = {name: [] for name in lines}
            frame = encode_frame(replace(request, seq=number).pack())
            sent, answered = 0, False
            while not answered:
                ctx.set(device.i.valid, sent < len(frame))
                ctx.set(device.i.payload, frame[min(sent, len(frame) - 1)])
                for name, line in lines.items():
                    trace[name].append(bool(ctx.get(line)))
                sent += trace["bytes in"][-1]
                answered = trace["bytes out"][-1] and ctx.get(device.o.payload) == 0
                await ctx.tick()
            if request in _SHOWN:
                traces.append((request.op.name, trace))  # type: ignore[attr-defined]

    Bench(device).run(play)
    return traces


def draw(traces: list[tuple[str, Trace]]) -> str:
    """An SVG picture: one block per request, one row per line, one bar per time of activity."""
    scale, row, label, gap = 3, 18, 96, 40
    width = label + scale * max(len(next(iter(trace.values()))) for _, trace in traces) + 12
    parts: list[str] = []
    top = 0
    for name, trace in traces:
        clocks = len(next(iter(trace.values())))
        parts.append(f'<text x="4" y="{top + 14}" font-weight="bold">{name}: {clocks} clocks</text>')
        top += 22
        for tick in range(0, clocks, 20):
            x = label + tick * scale
            parts.append(f'<path d="M{x} {top}V{top + row * len(trace)}" stroke="#ddd"/>')
            parts.append(f'<text x="{x}" y="{top + row * len(trace) + 12}" fill="#777" font-size="9">{tick}</text>')
        for line, active in trace.items():
            parts.append(f'<text x="4" y="{top + 13}">{line}</text>')
            at = 0
            for is_active, run in groupby(active):
                length = len(list(run))
                if is_active:
                    parts.append(
                        f'<rect x="{label + at * scale}" y="{top + 4}" width="{length * scale}" height="{row - 7}" '
                        'fill="#2b6cb0"/>'
                    )
                at += length
            top += row
        top += gap - 22
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" font-family="sans-serif" '
    return head + 'font-size="11">\n<rect width="100%" height="100%" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(draw(record()))
