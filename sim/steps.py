"""What is sent to a device under test, step by step, and what the golden device answers to it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..hdl.geometry import Geometry
from ..hdl.protocol import INLINE, BadFrame, Op, Reply, Request, Status, decode_frame, encode_frame
from .golden_device import GoldenDevice

__all__ = [
    "Command",
    "Exchange",
    "Model",
    "Noise",
    "Step",
    "body_of",
    "describe",
    "describe_reply",
    "expect",
    "split_frames",
    "step_from_json",
    "step_to_json",
]


@dataclass(frozen=True, kw_only=True)
class Command:
    """A request without its sequence number, which is ``advance`` more than the device's last one.

    1 is what a host sends; 0 repeats a number, and all others skip some.
    """

    op: int
    user: int = 0
    arg: int = 0
    count: int = 0
    records: bytes = b""
    advance: int = 1

    def body(self, last: int) -> bytes:
        """The request, for a device whose last sequence number is ``last``."""
        fields = asdict(self)
        return Request(seq=(last + fields.pop("advance")) % 256, **fields).pack()


@dataclass(frozen=True)
class Noise:
    """Bytes sent as they are: damaged frames, mostly."""

    data: bytes


Step = Command | Noise


@dataclass(frozen=True)
class Exchange:
    """A step, the bytes that it sends, and the frames that answer it, each with its final zero."""

    step: Step
    sent: bytes
    replies: tuple[bytes, ...]


class Model:
    """The golden device behind a byte stream, and a host that knows its sequence number."""

    def __init__(self, device: GoldenDevice) -> None:
        self.device = device
        self.last = 0
        self._frame = b""

    def exchange(self, step: Step) -> Exchange:
        """Send one step."""
        sent = encode_frame(step.body(self.last)) if isinstance(step, Command) else step.data
        *frames, self._frame = (self._frame + sent).split(b"\0")
        replies = tuple(filter(None, map(self.device.receive, frames)))
        if isinstance(step, Command) and replies:
            answer = Reply.unpack(decode_frame(replies[-1][:-1]))
            if answer.status != Status.BAD_SEQUENCE:
                self.last = answer.seq
        return Exchange(step, sent, replies)


def expect(geometry: Geometry, steps: Iterable[Step]) -> list[Exchange]:
    """Every step with the answer of a golden device that was just started."""
    model = Model(GoldenDevice(geometry))
    return [model.exchange(step) for step in steps]


def split_frames(data: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """Whole frames, each with its final zero, and the bytes after them."""
    *frames, rest = data.split(b"\0")
    return tuple(frame + b"\0" for frame in frames), rest


def body_of(frame: bytes) -> Reply | None:
    """The reply in a frame that ends in its zero; None if it is damaged."""
    try:
        return Reply.unpack(decode_frame(frame[:-1]))
    except BadFrame:
        return None


def step_to_json(step: Step) -> dict[str, Any]:
    """A step in values that JSON can hold."""
    if isinstance(step, Noise):
        return {"noise": step.data.hex()}
    return asdict(step) | {"name": op_name(step.op), "records": step.records.hex()}


def step_from_json(value: Mapping[str, Any]) -> Step:
    """Inverse of :func:`step_to_json`; KeyError, TypeError or ValueError if it is no step."""
    if "noise" in value:
        return Noise(bytes.fromhex(value["noise"]))
    numbers = {name: int(value[name]) for name in ("op", "user", "arg", "count", "advance")}
    return Command(records=bytes.fromhex(value["records"]), **numbers)


def op_name(op: int) -> str:
    """An operation for a person: ``RATE|INLINE``, ``op 0x7f``."""
    try:
        return Op(op & ~INLINE).name + ("|INLINE" if op & INLINE else "")
    except ValueError:
        return f"op 0x{op:02x}"


def describe(step: Step) -> str:
    """A step in one line."""
    if isinstance(step, Noise):
        return f"noise {_short(step.data)}"
    arg = step.arg - ((step.arg & 0x8000) << 1) if step.op & ~INLINE == Op.RATE else step.arg
    words = [op_name(step.op), f"user={step.user} arg={arg} count={step.count}"]
    if step.advance != 1:
        words.append(f"seq={step.advance:+d}")
    if step.records:
        words.append(_short(step.records))
    return " ".join(words)


def describe_reply(frame: bytes) -> str:
    """A reply frame in a few words."""
    reply = body_of(frame)
    if reply is None:
        return f"damaged frame {_short(frame)}"
    status = Status(reply.status).name if reply.status in tuple(Status) else f"status {reply.status}"
    return f"seq={reply.seq} {op_name(reply.op)} {status} {_short(reply.data)}".rstrip()


def _short(data: bytes) -> str:
    return data.hex() if len(data) <= 24 else f"{data[:24].hex()}... ({len(data)} bytes)"
