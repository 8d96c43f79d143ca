"""The pictures of a bench: curves of cost, and a roofline."""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

__all__ = ["as_data", "curves", "roofline"]

Results = Mapping[str, Any]

_PLACED, _ASSUMED = "C3", "0.55"
_DPI = 110


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def as_data(picture: bytes) -> str:
    """A PNG as an address that holds it, for a page in one file."""
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def curves(results: Results) -> bytes:
    """Peers, and cost against films, lanes, memory and users, as far as it was measured."""
    found = results["curves"]
    panels: list[Callable[[Any], None]] = [
        lambda axes: _bars(axes, results, "peers", "us_rank", f"Top {results['k']} of {results['films']:,} films"),
        lambda axes: _bars(axes, results, "learning", "us_learn", f"Learning {results['kept']} ratings from zero"),
        lambda axes: _films(axes, found["films"], results),
        lambda axes: _users(axes, found["users"]),
    ]
    if "lanes" in found:
        panels.append(lambda axes: _lanes(axes, found["lanes"], results))
    if "memory" in found:
        panels.append(lambda axes: _memory(axes, found["memory"]))
    columns = -(-len(panels) // 2)
    figure = _figure(6.5 * columns, 9)
    for panel, axes in zip(panels, figure.subplots(2, columns).ravel(), strict=False):
        panel(axes)
    clock = "no placed design" if results["clock_mhz"] is None else "clock from place and route, no hardware"
    figure.suptitle(f"{results['preset']}: clocks simulated, {clock}; peers measured")
    return _png(figure)


def _bars(axes: Any, results: Results, peers: str, key: str, title: str) -> None:
    rows = [(peer["name"], peer[key], peer.get("exact", True) and peer.get("same", True)) for peer in results[peers]]
    if results[key] is not None:
        rows.insert(0, ("this design (projected)", results[key], True))
    rows.reverse()
    names = [name if same else f"{name} *" for name, _, same in rows]
    colours = [_PLACED if name.startswith("this") else "C0" if same else _ASSUMED for name, _, same in rows]
    bars = axes.barh(names, [us for _, us, _ in rows], color=colours)
    axes.bar_label(bars, [f" {us:,.1f}" for _, us, _ in rows])
    axes.margins(x=0.2)
    axes.set_xlabel("µs (* has another result)")
    axes.set_title(title)
    axes.grid(alpha=0.3, axis="x")


def _films(axes: Any, rows: Sequence[Results], results: Results) -> None:
    films = [row["films"] for row in rows]
    if results["clock_mhz"] is None:
        axes.loglog(films, [row["cycles_rank"] for row in rows], color=_PLACED, marker="o", label="this design")
        _finish(axes, "films", "clocks per ranking", "Ranking against films")
        return
    own = [row["us_rank"] for row in rows]
    axes.loglog(films, own, color=_PLACED, marker="o", lw=2.5, label="this design, projected")
    for number, name in enumerate(dict.fromkeys(name for row in rows for name in row["peers"])):
        times = [row["peers"].get(name) for row in rows]
        axes.loglog(films, times, color=f"C{number}", marker=".", lw=1.2, label=name)
    _finish(axes, "films", "µs per ranking", "Ranking against films")


def _lanes(axes: Any, rows: Sequence[Results], results: Results) -> None:
    lanes, clocks = ([row[key] for row in rows] for key in ("lanes", "cycles_rank"))
    axes.loglog(lanes, clocks, color=_PLACED, marker="o", label="simulated")
    axes.loglog(lanes, [results["films"] / count for count in lanes], "k--", lw=1, label="a film per lane and clock")
    _finish(axes, "lanes", f"clocks per ranking of {results['films']:,} films", "Ranking against lanes")


def _memory(axes: Any, rows: Sequence[Results]) -> None:
    for view, colour in (("table", _PLACED), ("memory", "C0")):
        points = [row for row in rows if row["view"] == view]
        entries, clocks = ([row[key] for row in points] for key in ("entries", "cycles_rank"))
        axes.loglog(entries, clocks, color=colour, marker="o", label=f"{view} view")
    _finish(axes, "kept ratings", "clocks per ranking of a small catalogue", "Ranking against memory")


def _users(axes: Any, rows: Sequence[Results]) -> None:
    users, clocks = ([row[key] for row in rows] for key in ("users", "cycles"))
    axes.loglog(users, clocks, color=_PLACED, marker="o", label="all that a turn takes in the device")
    paged = [row for row in rows if not row["resident"]]
    axes.plot([row["users"] for row in paged], [row["cycles"] for row in paged], "kx", label="more users than fit")
    _finish(axes, "users taking turns", "clocks per ranking", "Ranking for another user each time")


def _finish(axes: Any, x: str, y: str, title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_title(title)
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def roofline(results: Results) -> bytes:
    """Films per second against block-RAM bits per clock: the bandwidth's roof, lanes below it, and the peers."""
    limit, mhz = results["limit"], results["clock_mhz"]
    per_clock = 1.0 if mhz is None else mhz * 1e6
    figure = _figure(9, 6)
    axes = figure.subplots()
    available = limit["bits_per_clock_available"]
    lanes = results["curves"].get("lanes") or [
        {
            "lanes": results["lanes"],
            "cycles_rank": results["cycles_rank"],
            "bits_per_clock": limit["bits_per_clock_used"],
            "placed": mhz is not None,
        }
    ]
    right = available or 2 * max(row["bits_per_clock"] for row in lanes)
    left = limit["bits_per_film"] / 2
    roof = [bits / limit["bits_per_film"] * per_clock for bits in (left, right)]
    axes.loglog([left, right], roof, color="black", lw=1.5, label="a film per lane and clock")
    if available:
        axes.axvline(available, color="black", ls="--", lw=1, label=f"all block RAM of the {limit['fpga']}")
    for row in lanes:
        y = results["films"] / row["cycles_rank"] * per_clock
        placed = row["placed"]
        axes.plot(
            row["bits_per_clock"], y, "o", ms=9, color=_PLACED if placed else _ASSUMED, mfc=None if placed else "w"
        )
        axes.annotate(f"{row['lanes']}", (row["bits_per_clock"], y), xytext=(6, -12), textcoords="offset points")
    if mhz is not None:
        for number, peer in enumerate(peer for peer in results["peers"] if peer["exact"]):
            rate = results["films"] / peer["us_rank"] * 1e6
            axes.axhline(rate, color=f"C{number}", ls=":", label=f"{peer['name']}, one core, measured")
    axes.set_xlabel("bits of the catalogue read from block RAM per clock (points: lanes)")
    clock = "per clock" if mhz is None else f"per second at {mhz:g} MHz"
    axes.set_ylabel(f"films ranked {clock}, over a whole ranking of {results['films']:,}")
    kinds = "Filled: placed; hollow: simulated only, the same clock assumed." if mhz is not None else "Simulated."
    axes.set_title(f"{results['preset']}. {kinds} No hardware", fontsize="medium")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small", loc="upper left")
    return _png(figure)
