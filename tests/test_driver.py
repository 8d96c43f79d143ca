"""The driver against the golden device, over lines that lose, double and damage what is sent."""

import random
import subprocess
import sys
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ramrec.hdl import protocol
from ramrec.hdl.geometry import ECP5_85F, TINY, Geometry
from ramrec.hdl.protocol import FRAMING, INLINE, MAX_BODY, Hello, Op, Request, decode_frame, encode_frame
from ramrec.host.driver import DeviceRefused, Driver, Film, Kept, Mismatch
from ramrec.host.errors import RamrecError, UsageError
from ramrec.host.link import DEVICE_QUEUE, LINE_WINDOW, DeviceRestarted
from ramrec.host.transport import BACKENDS, LinkError, Transport, open_transport
from ramrec.sim.golden import Agent
from ramrec.sim.golden_device import GoldenDevice

PLENTY = TINY.with_(catalogue_depth=600)


class Line:
    """A transport to a golden device that remembers what was executed, and whose wires may be faulty."""

    def __init__(self, geometry: Geometry) -> None:
        self.geometry = geometry
        self.to_device: Callable[[bytes], bytes] = bytes
        self.to_host: Callable[[bytes], bytes] = bytes
        self.executed: list[Request] = []
        self.longest_burst = 0
        self._burst = 0
        self._incoming = b""
        self._outgoing = b""
        self.restart()

    def restart(self) -> None:
        line = self

        class Device(GoldenDevice):
            def _execute(self, request: Request) -> bytes:
                line.executed.append(request)
                return super()._execute(request)

        self.device: GoldenDevice = Device(self.geometry)

    def write(self, data: bytes) -> None:
        self._burst += len(data)
        self.longest_burst = max(self.longest_burst, self._burst)
        *frames, self._incoming = (self._incoming + self.to_device(data)).split(b"\0")
        self._outgoing += b"".join(self.to_host(self.device.receive(frame)) for frame in frames)

    def read(self, timeout: float) -> bytes:
        self._burst = 0
        data, self._outgoing = self._outgoing, b""
        return data

    def close(self) -> None:
        pass


def faulty(seed: int, rate: float) -> Callable[[bytes], bytes]:
    """Drops, doubles, damages, inserts and holds back; bytes never overtake each other."""
    rng = random.Random(seed)
    held = b""

    def damage(data: bytes) -> bytes:
        nonlocal held
        if rng.random() >= rate:
            data, held = held + data, b""
            return data
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(6)
        if kind == 0:
            return b""
        if kind == 1:
            return data[:at] + data[at + 1 :]
        if kind == 2:
            return data + data
        if kind == 3:
            return data[:at] + bytes([rng.randrange(256)]) + data[at:]
        if kind == 4 and at < len(data):
            return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        data, held = held + data[:at], data[at:]
        return data

    return damage


def films(geometry: Geometry, count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 256, (count, geometry.code_bytes), dtype=np.uint8)
    return codes, rng.integers(-128, 128, count, dtype=np.int8)


def connected(geometry: Geometry = TINY, count: int | None = None) -> tuple[Line, Driver]:
    line = Line(geometry)
    driver = Driver(line, geometry)
    driver.hello()
    driver.load(0, *films(geometry, count or geometry.catalogue_depth))
    return line, driver


def test_every_operation_equals_the_model() -> None:
    _line, driver = connected()
    codes, priors = films(TINY, TINY.catalogue_depth)
    agent = Agent(TINY)
    for item, target in ((3, 100), (7, -250), (3, 40), (9, 90)):
        agent.rate(item, codes[item].tobytes(), int(priors[item]), target)
        assert driver.rate(1, item, target) == len(agent.entries)
    assert driver.digest(1) == protocol.digest(agent.words())

    assert driver.score(1, range(24)) == agent.scores(codes, priors).tolist()
    inline = [Film(item, codes[item].tobytes(), int(priors[item])) for item in range(24)]
    assert driver.score_inline(1, inline) == driver.score(1, range(24))
    best = driver.rank(1, 4)
    assert len(best) == 4 and not {item for item, _ in best} & {3, 7, 9}
    driver.skip(1, [best[0][0]])
    assert driver.rank(1, 3) == best[1:]
    driver.only(1, [item for item, _ in best[1:]])
    driver.skip(1, [best[2][0]])
    assert driver.rank(1, 4) == [best[1], best[3]]
    assert driver.rank(1, 4) == best
    assert driver.explain(1, 11).entries == tuple(agent.explain(codes[11].tobytes())[1])
    assert driver.explain_inline(1, inline[11]) == driver.explain(1, 11)

    kept = driver.save(1)
    assert kept == [Kept(entry.item, entry.e) for entry in agent.entries]
    driver.restore(2, kept)
    assert driver.digest(2) == driver.digest(1)
    driver.restore(2, [], first=1)
    assert driver.save(2) == kept[:1]
    assert driver.forget(1, 7) == 2
    agent.forget(7)
    assert driver.digest(1) == protocol.digest(agent.words())
    driver.reset(1)
    assert driver.save(1) == []
    before = driver.stats().commands
    assert driver.stats().commands == before + 1
    driver.reset()
    assert driver.hello().loaded == 0


def test_many_pages() -> None:
    geometry = ECP5_85F
    line, driver = connected(geometry, 100)
    kept = [Kept(item, 7 * item - 100) for item in range(64)]
    driver.restore(63, kept)
    assert driver.save(63) == kept
    assert [request.count for request in line.executed if request.op == Op.RESTORE] == [61, 3]
    explanation = driver.explain(63, 99)
    assert [item for item, *_ in explanation.entries] == list(range(64)) and explanation.kept == 64


def test_a_batch_shares_the_line_but_never_overfills_the_device() -> None:
    line, driver = connected(PLENTY)
    line.longest_burst = 0
    assert len(driver.score(0, range(600))) == 600
    assert DEVICE_QUEUE // 2 < line.longest_burst <= DEVICE_QUEUE


def test_films_keep_a_line_busy_over_its_delay() -> None:
    geometry = ECP5_85F
    line, _ = connected(geometry, 1000)
    assert LINE_WINDOW - MAX_BODY - FRAMING < line.longest_burst <= LINE_WINDOW
    assert line.device.loaded == 1000


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), rate=st.floats(0, 0.3))
def test_faulty_wires_change_nothing(seed: int, rate: float) -> None:
    line = Line(PLENTY)
    driver = Driver(line, PLENTY, timeout=60, retries=200)
    line.to_device, line.to_host = faulty(seed, rate), faulty(seed + 1, rate)
    rng = random.Random(seed)
    codes, priors = films(PLENTY, 200)
    driver.hello()
    driver.load(0, codes, priors)
    agent = Agent(PLENTY)
    changes = []
    for _ in range(15):
        item, target = rng.randrange(200), rng.randrange(-900, 900)
        if agent.entries and rng.random() < 0.3:
            item = rng.choice(agent.entries).item
            agent.forget(item)
            assert driver.forget(0, item) == len(agent.entries)
            changes.append((Op.FORGET, item))
        else:
            agent.rate(item, codes[item].tobytes(), int(priors[item]), target)
            assert driver.rate(0, item, target) == len(agent.entries)
            changes.append((Op.RATE, target & 0xFFFF))
    assert driver.score(0, range(200)) == agent.scores(codes, priors).tolist()
    assert driver.digest(0) == protocol.digest(agent.words())
    assert (line.device.codes[:200] == codes).all() and line.device.loaded == 200
    executed = [(done.op, done.arg) for done in line.executed if done.op in (Op.RATE, Op.FORGET)]
    assert executed == changes


@settings(max_examples=25, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), rate=st.floats(0, 0.15))
def test_faulty_wires_load_the_same_films(seed: int, rate: float) -> None:
    """Dozens of frames are under way when one is lost."""
    geometry = PLENTY.with_(code_bits=128, neurons_per_clock=4, shift=8)
    line = Line(geometry)
    driver = Driver(line, geometry, timeout=60, retries=200)
    driver.hello()
    line.to_device, line.to_host = faulty(seed, rate), faulty(seed + 1, rate)
    codes, priors = films(geometry, 600)
    driver.load(0, codes, priors)
    assert driver.score(0, range(600)) == Agent(geometry).scores(codes, priors).tolist()
    assert (line.device.codes == codes).all() and (line.device.priors == priors).all()


class Impostor(GoldenDevice):
    """Answers HELLO with something else."""

    def __init__(self, **changes: object) -> None:
        super().__init__(TINY)
        self.changes = changes

    def _execute(self, request: Request) -> bytes:
        data = super()._execute(request)
        if request.op == Op.HELLO:
            return Hello(**Hello.unpack(data).__dict__ | self.changes).pack()
        return data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 9}, "speaks protocol version 9, this program speaks 3; program the device"),
        ({"build": 0xABC}, "holds gateware 00000abc, .* program the device"),
        ({"geometry": TINY.with_(users=5, ridge=7)}, "ridge is 7, not 6, users is 5, not 3"),
    ],
)
def test_another_device_is_refused(changes: dict[str, object], message: str) -> None:
    line = Line(TINY)
    line.device = Impostor(**changes)
    with pytest.raises(Mismatch, match=message):
        Driver(line, TINY).hello()


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (lambda driver: driver.forget(0, 1), "refuses FORGET: the user's memory holds no rating"),
        (lambda driver: driver.rate(0, 999, 0), "refuses RATE: the film is not in its catalogue"),
        (lambda driver: driver.rate(9, 1, 0), "refuses RATE: it has no such user"),
        (lambda driver: driver.restore(0, [Kept(999, 0)]), "refuses RESTORE: the film is not in its catalogue"),
        (lambda driver: driver.rank(0, 5), "refuses RANK: the argument is out of range"),
    ],
)
def test_refusals_are_sentences_and_leave_the_link_in_step(request_: Callable[[Driver], object], message: str) -> None:
    _, driver = connected()
    with pytest.raises(DeviceRefused, match=message):
        request_(driver)
    assert driver.rate(0, 1, 5) == 1


@pytest.mark.parametrize("operation", ["rate", "score"])
def test_a_restart_is_noticed(operation: Literal["rate", "score"]) -> None:
    line, driver = connected(PLENTY)
    line.restart()
    with pytest.raises(DeviceRestarted):
        if operation == "rate":
            driver.rate(0, 1, 5)
        else:
            driver.score(0, range(600))
    with pytest.raises(DeviceRestarted):
        driver.stats()
    assert driver.hello().loaded == 0
    driver.load(0, *films(PLENTY, 10))
    assert driver.rate(0, 1, 5) == 1


def test_a_restart_in_the_middle_of_a_batch_is_noticed() -> None:
    line, driver = connected(PLENTY)
    frames = iter(range(10**6))

    def restart_at_sixth(data: bytes) -> bytes:
        if next(frames) == 5:
            line.restart()
        return data

    line.to_device = restart_at_sixth
    with pytest.raises(DeviceRestarted):
        driver.score(0, range(600))


def test_a_silent_device_is_given_up_and_can_come_back() -> None:
    line, driver = connected()
    line.to_device = lambda data: b""
    with pytest.raises(LinkError, match=r"does not answer \(5 requests, 2 s each\)"):
        driver.rate(0, 1, 5)
    line.to_device = bytes
    with pytest.raises(DeviceRestarted):
        driver.rate(0, 1, 5)
    driver.hello()
    assert driver.rate(0, 1, 5) == 1


def test_sequence_numbers_wrap() -> None:
    _line, driver = connected()
    for turn in range(300):
        driver.rate(0, turn % 5, turn)
    assert len(driver.save(0)) == 5


def test_late_replies_to_an_earlier_program_are_passed_over() -> None:
    line, first = connected()
    first.rate(0, 1, 5)
    line.write(encode_frame(Request(seq=77, op=Op.STATS).pack()))
    second = Driver(line, TINY)
    assert second.hello().loaded == TINY.catalogue_depth
    assert second.rate(0, 2, 5) == 2


# Transports


def test_golden_transport() -> None:
    transport: Transport = open_transport("golden", TINY)
    driver = Driver(transport, TINY)
    assert driver.hello().geometry == TINY
    transport.close()


@pytest.mark.parametrize("backend", ["goldn", "", "tcp://x", "serial:/dev/ttyUSB1"])
def test_unknown_backend(backend: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_transport(backend, TINY)
    assert all(known in str(caught.value) for known in BACKENDS)


@pytest.mark.parametrize("backend", ["serial://", "serial:///dev/x?baud=fast", "serial:///dev/x?speed=1"])
def test_bad_serial_address(backend: str) -> None:
    with pytest.raises(UsageError, match="serial:///dev/ttyUSB1"):
        open_transport(backend, TINY)


def test_missing_port_is_one_line() -> None:
    with pytest.raises(LinkError, match=r"can not open /dev/no-such-port: .*; check the cable") as caught:
        open_transport("serial:///dev/no-such-port", TINY)
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals")
def test_serial_port_that_works_and_then_is_unplugged() -> None:
    import os
    import threading
    import tty

    host, board = os.openpty()
    tty.setraw(board)
    device = GoldenDevice(TINY)

    def serve() -> None:
        received = b""
        while True:
            try:
                received += os.read(host, 4096)
            except OSError:
                return
            *frames, received = received.split(b"\0")
            for frame in frames:
                if len(frame) > 1 and decode_frame(frame)[1] == Op.RESET:
                    return
                os.write(host, device.receive(frame))

    thread = threading.Thread(target=serve)
    thread.start()
    transport = open_transport(f"serial://{os.ttyname(board)}?baud=9600", TINY)
    os.close(board)
    driver = Driver(transport, TINY, timeout=0.3, retries=3)
    driver.hello()
    driver.load(0, *films(TINY, 24))
    assert driver.rate(0, 1, 5) == 1
    with pytest.raises(LinkError, match="does not answer"):
        driver.reset()
    thread.join(timeout=5)
    os.close(host)
    with pytest.raises(LinkError, match="unplugged"):
        driver.hello()
    transport.close()
    transport.close()


def test_importing_the_host_is_light() -> None:
    script = (
        "import sys, ramrec.host; assert not {'amaranth', 'numpy', 'polars'} & set(sys.modules);"
        "from ramrec.host import Recommender; assert 'amaranth' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_inline_requests_are_marked() -> None:
    line, driver = connected()
    driver.score_inline(0, [Film(999, b"ab", 3)])
    assert line.executed[-1].op == Op.SCORE | INLINE


def test_a_compact_device_does_not_explain() -> None:
    geometry = TINY.with_(code_bits=32, alpha_bits=4, lanes=1, comparators=1, compact=1)
    driver = Driver(Line(geometry), geometry)
    with pytest.raises(RamrecError, match="a compact device does not explain"):
        driver.explain(0, 0)
