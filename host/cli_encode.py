"""``ramrec encode``: from a data set to a catalogue file."""

from pathlib import Path
from typing import Annotated

import typer

from . import console
from .cli_options import AsJson, Data, GeometryName, Seed

__all__ = ["encode"]


def encode(
    data: Data = "ml-100k",
    geometry: GeometryName = "ECP5_85F",
    seed: Seed = 1,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to write. [default: NAME.npz, in this folder]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Learn a code and a prior for every film, and write them to a catalogue file.

    \b
    Examples:
      ramrec encode
      ramrec encode --data ~/ml-latest-small --geometry UP5K --out small.npz
      ramrec recommend ada --geometry UP5K --catalogue small.npz
    """
    from .fitted import fitted
    from .geometries import parse_geometry

    device = parse_geometry(geometry)
    catalogue = fitted(data, device, seed=seed)
    path = Path(f"{catalogue.name}.npz") if out is None else out
    catalogue.save(path)
    if as_json:
        console.emit_json(
            {
                "path": str(path),
                "digest": catalogue.digest,
                "name": catalogue.name,
                "licence": catalogue.licence,
                "films": len(catalogue),
                "code_bits": device.code_bits,
                "encoder": catalogue.encoder,
            }
        )
        return
    typer.echo(
        f"{path}: {len(catalogue):,} films of {catalogue.name} in codes of {device.code_bits} bits, "
        f"learned from {catalogue.encoder['users']:,} users"
    )
    typer.echo(f"licence of the data: {catalogue.licence}")
