"""What a command says: one JSON object or one line, and no progress bar where nobody looks."""

import io
import json
import sys
import time

import pytest
from ramrec.host.console import emit_json, progress, reporting_errors, say, when_told
from ramrec.host.errors import RamrecError, UsageError
from rich.console import Console


def test_error_is_one_line_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    for error, code in ((UsageError("two\nlines [b]of\x1b[2J\ttext[/b]"), 2), (RamrecError("x" * 200), 1)):
        with pytest.raises(SystemExit) as caught, reporting_errors():
            raise error
        assert caught.value.code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"error: two lines [b]of [2J text[/b]\nerror: {'x' * 200}\n"


def test_error_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reporting_errors(as_json=True):
        raise UsageError('no "Amélie"')
    out, err = capsys.readouterr()
    assert (json.loads(out), err) == ({"error": 'no "Amélie"'}, "")
    assert out.isascii()


def test_json_has_no_nan() -> None:
    with pytest.raises(ValueError, match="JSON"):
        emit_json({"x": float("nan")})


def test_progress_is_quiet_without_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("scoring", 10, unit="films") as bar:
        bar.expect(20)
        bar.advance(5)
    assert capsys.readouterr() == ("", "")


def test_say_keeps_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    say("[red]" + "long " * 60)
    assert capsys.readouterr().err == "[red]" + "long " * 60 + "\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_one_bar_at_a_time_moves_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr("ramrec.host.console._err", Console(stderr=True))
    with when_told(seconds=100) as say:
        assert terminal.getvalue() == ""
        say("building")
        with progress("scoring", 10, unit="films") as inner:
            inner.advance(5)
        deadline = time.monotonic() + 10
        while "0:01:3" not in terminal.getvalue() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert "building" in terminal.getvalue()
    assert "0:01:3" in terminal.getvalue()
    assert "scoring" not in terminal.getvalue()
    with progress("scoring", 10, unit="films"):
        pass
    assert "scoring" in terminal.getvalue()
