"""``ramrec``: the command line."""

import io
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from . import console
from .cli_demo import demo
from .cli_encode import encode
from .cli_options import AsJson
from .cli_user import explain, forget, rate, recommend, users
from .errors import RamrecError, UsageError

__all__ = ["app", "main"]

_LATER = {
    "data": ("cli_data", "data_app", "List, fetch and describe data sets."),
    "verify": ("cli_verify", "verify_command", "Compare a device with the golden model on random commands."),
    "evaluate": ("cli_evaluate", "evaluate_command", "Measure how well likes are predicted, against strong baselines."),
    "bench": ("cli_bench", "bench_command", "Measure how fast it is, against the best CPU code."),
    "link": ("cli_link", "link_command", "Measure a board's serial line in simulation."),
    "experiment": ("cli_experiment", "experiment_command", "Answer questions beside the evaluation: drift, books."),
    "build": ("cli_build", "build_command", "Make a board's bitstream."),
    "flash": ("cli_flash", "flash_command", "Put a bitstream on a board."),
    "doctor": ("cli_doctor", "doctor_command", "Say what is wrong between this machine and a board."),
    "boards": ("cli_build", "boards_command", "List the boards, and what their gateware takes."),
}
"""Commands in modules that take long to import, which they are only when called for: module, name, help."""

# Typer brings a copy of click from some version on and uses click itself before; this is either's UsageError.
_WrongUse: type[Any] = typer.BadParameter.__mro__[1]

_INTERRUPTED = 130


class _Commands(TyperGroup):
    """Commands, some of them stubs until they are called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name not in _LATER:
            return name, command, rest
        module, attribute, _ = _LATER[name]
        real = getattr(import_module(f".{module}", __package__), attribute)
        if not isinstance(real, typer.Typer):
            function, real = real, typer.Typer(rich_markup_mode=None, add_completion=False)
            real.command(name)(function)
        return name, typer.main.get_command(real), rest


app = typer.Typer(cls=_Commands, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.callback(invoke_without_command=True)
def ramrec(
    ctx: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    as_json: AsJson = False,
) -> None:
    """A recommender that lives in RAM cells: learns at once, forgets without a trace, says why.

    \b
    Examples:
      ramrec demo
      ramrec rate ada "Alien (1979)" 5
      ramrec recommend ada
      ramrec explain ada "Blade Runner (1982)"
    """
    if show_version:
        if as_json:
            console.emit_json({"version": version("ramrec")})
        else:
            typer.echo(f"ramrec {version('ramrec')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        if as_json:
            console.emit_json({"help": ctx.get_help()})
        else:
            typer.echo(ctx.get_help())
    elif as_json:
        raise UsageError(f"--json goes behind the command: ramrec {ctx.invoked_subcommand} ... --json")


def _stub() -> None:
    """Stands for a command of ``_LATER`` in the list of commands."""


for _command in (demo, rate, forget, recommend, explain, users, encode):
    app.command(_command.__name__)(_command)
for _name, (*_, _help) in _LATER.items():
    app.command(_name, short_help=_help)(_stub)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command.

    Raises
    ------
    SystemExit
        With 0, 1 for a failure, 2 for wrong use, 130 after Ctrl-C or SIGTERM.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    as_json = "--json" in options
    # Whoever starts this may have closed them.
    sys.stdout, sys.stderr = (stream or io.StringIO() for stream in (sys.stdout, sys.stderr))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a letter of a title shows a question mark.
            stream.reconfigure(errors="replace")
    with console.reporting_errors(as_json=as_json), _ended_as_interrupted():
        if as_json and "--help" in options:
            help_text = io.StringIO()
            with redirect_stdout(help_text):
                code = _run(given)
            console.emit_json({"help": help_text.getvalue()})
        else:
            code = _run(given)
        sys.exit(code)


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """SIGTERM does what Ctrl-C does: whatever a command has started, place and route for one, ends with it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, prog_name="ramrec", standalone_mode=False)
    except _WrongUse as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(error.ctx.get_help(), err=True)
            return UsageError.exit_code
        path = error.ctx.command_path if error.ctx else "ramrec"
        raise UsageError(f"{error.format_message().rstrip('.')}; see `{path} --help`") from None
    except (typer.Abort, KeyboardInterrupt):
        code = _INTERRUPTED
    except OSError as error:
        # What nothing below expected is the machine's doing all the same: a full disk, a folder made read-only.
        raise RamrecError(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}") from error
    if code == _INTERRUPTED:
        raise _Interrupted("interrupted")
    return code if isinstance(code, int) else 0


class _Interrupted(RamrecError):
    exit_code = _INTERRUPTED
