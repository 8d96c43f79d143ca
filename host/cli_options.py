"""Options that several commands share, and what they stand for."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import console
from .errors import RamrecError

if TYPE_CHECKING:
    from .journal import Journal
    from .recommender import Recommender

__all__ = [
    "AsJson",
    "Backend",
    "CatalogueFile",
    "Data",
    "ForgetOutdated",
    "GeometryName",
    "OwnGeometry",
    "Project",
    "Seed",
    "chosen_backend",
    "open_journal",
    "open_recommender",
]

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.")]
Backend = Annotated[
    str | None,
    typer.Option(
        metavar="BACKEND",
        help="golden, native, auto, virtual, pty or serial:///dev/ttyUSB1?baud=115200. "
        "[default: virtual, or golden where there is no C++ compiler]",
    ),
]
Data = Annotated[str, typer.Option(metavar="NAME_OR_PATH", help="Data set: see `ramrec data list`, or a folder.")]
_MADE_FOR = "What the device is made for: TINY, UP5K, ECP5_25F or ECP5_85F, and changes to it."
GeometryName = Annotated[
    str,
    typer.Option(
        "--geometry",
        metavar="NAME[:FIELD=VALUE,...]",
        help=_MADE_FOR,
    ),
]
OwnGeometry = Annotated[
    str | None,
    typer.Option(
        "--geometry",
        metavar="NAME[:FIELD=VALUE,...]",
        help=f"{_MADE_FOR} [default: what the board says; ECP5_85F without a board]",
    ),
]
Project = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        envvar="RAMREC_PROJECT",
        show_envvar=False,
        help="File that keeps the ratings. [default: $RAMREC_PROJECT, or one in this platform's data folder]",
    ),
]
CatalogueFile = Annotated[
    Path | None, typer.Option("--catalogue", metavar="FILE", help="A file from `ramrec encode`, in place of --data.")
]
ForgetOutdated = Annotated[
    bool,
    typer.Option("--forget-outdated", help="Leave out older ratings that mislead about the newer ones."),
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of all that is random.")]


def chosen_backend(
    backend: str | None,
    *,
    otherwise: str = "golden",
    note: str = "running on the golden model instead of the virtual board",
) -> str:
    """The backend asked for; where none was, the virtual board if this machine can build it.

    If it can not, the backend is ``otherwise``, and a line with ``note`` says so.
    """
    if backend is not None:
        return backend
    from ..sim.compiled import NoCompiler, require_tools

    try:
        require_tools()
    except NoCompiler as error:
        console.say(f"{error}; {note}")
        return otherwise
    return "virtual"


def open_recommender(
    backend: str | None,
    data: str,
    project: Path | None,
    geometry: str | None,
    catalogue: Path | None,
    *,
    forget_outdated: bool = False,
) -> "Recommender":
    """What the options name, ready for use.

    Raises
    ------
    RamrecError
        If a part of it can not be had.
    """
    from .catalogue import Catalogue
    from .fitted import fitted
    from .own_geometry import geometry_of
    from .recommender import Recommender
    from .transport import require_backend

    backend = chosen_backend(backend)
    device = geometry_of(backend, geometry)
    require_backend(backend, device)
    films = fitted(data, device) if catalogue is None else Catalogue.load(catalogue)
    project = _default_project(films.name) if project is None else project
    return Recommender.open(backend, project=project, geometry=device, catalogue=films, forget_outdated=forget_outdated)


def open_journal(data: str, project: Path | None, catalogue: Path | None) -> "Journal":
    """The ratings alone, without a device. RamrecError if they can not be had."""
    from .catalogue import Catalogue
    from .dataset import load
    from .journal import Journal

    name = load(data).name if catalogue is None else Catalogue.load(catalogue).name
    return Journal(_default_project(name) if project is None else project, data=name)


def _default_project(name: str) -> Path:
    from .folders import data_folder

    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RamrecError(f"can not make the folder {folder}: {error.strerror}; name a file by --project") from None
    return folder / f"{Path(name).name}.ramrec"
