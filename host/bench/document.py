"""A bench in words and tables, without a form: Markdown and HTML are made from the same sections."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

__all__ = ["CURVES_PICTURE", "ROOFLINE_PICTURE", "Section", "document", "markdown"]

CURVES_PICTURE = "performance.png"
ROOFLINE_PICTURE = "performance-roofline.png"

Results = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """A part of a document.

    Parameters
    ----------
    title
        Its heading; the document's for the first one.
    text, items
        Paragraphs, and a list below them.
    columns, rows
        A table below that, if there are columns.
    picture
        File name of a picture below that, and what it shows.
    code
        Lines of a shell.
    """

    title: str
    text: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    picture: tuple[str, str] | None = None
    code: tuple[str, ...] = ()


def document(results: Results) -> list[Section]:
    """What :func:`~.run.bench` returned, for a reader; UsageError if it is something else."""
    try:
        return [
            _head(results),
            _ranking(results),
            _learning(results),
            _switching(results),
            _link(results),
            *_curves(results["curves"], results),
            _limit(results),
            _again(results),
        ]
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(f"not the results of a bench ({error!r}); make them by `ramrec bench --out`") from None


def markdown(sections: Sequence[Section]) -> str:
    """Sections as one page of Markdown."""
    parts = []
    for number, section in enumerate(sections):
        parts.append(f"{'##' if number else '#'} {section.title}")
        parts += section.text
        if section.items:
            parts.append("\n".join(f"- {item}" for item in section.items))
        if section.columns:
            lines = [section.columns, ["---", *["---:"] * (len(section.columns) - 1)], *section.rows]
            parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
        if section.code:
            parts.append("\n".join(f"    {line}" for line in section.code))
        if section.picture:
            file, shows = section.picture
            parts.append(f"![{shows}]({file})")
    return "\n\n".join(parts) + "\n"


def _head(results: Results) -> Section:
    placed = results["clock_mhz"] is not None
    projected = (
        "Microseconds of this design are simulated clocks over the clock that place and route reached: projected, not "
        "measured."
        if placed
        else "No design of this geometry has been placed and routed, so clocks are not turned into microseconds."
    )
    clock = f"Clock: {results['clock_mhz']:g} MHz. " if placed else ""
    rows = [
        ("rank, top " + f"{results['k']} of {results['films']:,} films", *_both(results, "rank")),
        (f"learn all {results['kept']} kept ratings again", *_both(results, "learn")),
        (
            "rank for another user than before",
            f"{results['switching']['cycles_rank_other_user']:,}",
            _us(results["switching"]["us_rank_other_user"]),
        ),
    ]
    return Section(
        "Performance",
        (
            "*Generated, do not edit:* `ramrec bench --report performance.json`. "
            f"Every figure on this page comes from `{results['command']}`.",
            f"**No hardware has run this.** {projected} Peers on a CPU are measured, on one core of the machine below.",
            f"Geometry `{results['preset']}`: {results['lanes']} lanes, {results['users_resident']} users resident. "
            f"Films: {results['data']}. {clock}"
            f"{_sentence(results['clock_source'])} Clocks: {results['clocks_source']}; rankings equal to the golden "
            f"model's: {'yes, all' if results['equal'] else '**no**'}.",
        ),
        columns=("this design", "clocks", "µs"),
        rows=tuple(rows),
        picture=(CURVES_PICTURE, "Cost against films, lanes, memory and users"),
    )


def _both(results: Results, what: str) -> tuple[str, str]:
    return f"{results[f'cycles_{what}']:,}", _us(results[f"us_{what}"])


def _ranking(results: Results) -> Section:
    rows = [("**this design** (projected)", _us(results["us_rank"]), "", "1", _yes(results["equal"]))]
    for peer in results["peers"]:
        same = "yes" if peer["equal"] else f"no, {peer['found']:.0%} of them"
        rows.append((peer["name"], *_measured(peer, "us_rank"), _ratio(peer["ratio"]), same))
    faster = [peer for peer in results["peers"] if peer["ratio"] is not None and peer["ratio"] < 1]
    verdict = [
        f"{peer['name']} ({1 / peer['ratio']:.1f} times as fast{'' if peer['exact'] else ', with another result'})"
        for peer in faster
    ]
    return Section(
        f"Ranking: top {results['k']} of {results['films']:,} films",
        (
            "One user's tables to the list of the best films, rated ones left out; building the lookup tables is in "
            "the time. Median of many runs after a warm-up, one thread on one core; the most is where the system took "
            "the core away. *Ratio*: how many times as long as this design.",
            f"Faster than this design: {', '.join(verdict) or 'none of them'}."
            if results["us_rank"] is not None
            else "This design has no placed clock, so there is nothing to compare in time.",
        ),
        _about(results["peers"]),
        columns=("who", "µs", "least to most", "ratio", "same films"),
        rows=tuple(rows),
    )


def _learning(results: Results) -> Section:
    own = ("**this design** (projected)", _us(results["us_learn"]), "", "1")
    rows = [(*own, _number(results["ratings_per_second"]), _yes(results["equal"]))]
    for peer in results["learning"]:
        same = "another model" if peer["same"] is None else _yes(peer["same"])
        per_second = f"{peer['ratings_per_second']:,}"
        rows.append((peer["name"], *_measured(peer, "us_learn"), _ratio(peer["ratio"]), per_second, same))
    return Section(
        f"Learning: {results['kept']} ratings from zero",
        (
            "What a rating costs: all kept ratings are learned again, which makes forgetting exact. This design: "
            f"{results['cycles_learn_min']:,} to {results['cycles_learn_max']:,} clocks, middle "
            f"{results['cycles_learn']:,}; the whole command {results['cycles_rate']:,}.",
        ),
        _about(results["learning"]),
        columns=("who", "µs", "least to most", "ratio", "ratings/s", "same strengths"),
        rows=tuple(rows),
    )


def _switching(results: Results) -> Section:
    found = results["switching"]
    rows = [
        (name, f"{found[f'cycles_{key}']:,}", _us(found[f"us_{key}"]))
        for name, key in (
            ("rank for the same user again", "rank_same_user"),
            ("rank for another user", "rank_other_user"),
            ("the switch in that", "switch"),
        )
    ]
    text = (
        f"{results['users_resident']} users are resident. From a request's header to its reply, so a little more than "
        "the ranking alone."
    )
    return Section("Switching users", (text,), columns=("command", "clocks", "µs"), rows=tuple(rows))


def _link(results: Results) -> Section:
    rows = [
        (
            f"{row['baud'] / 1e6:g} Mbaud",
            f"{row['bytes_sent']} + {row['bytes_received']}",
            f"{row['us_line']:,.1f}",
            _us(row["us_device"]),
            _us(row["us"]),
        )
        for row in results["link"]
    ]
    return Section(
        "End to end: a rating sent to the new list received",
        (
            f"RATE, its reply, RANK (top {results['link'][0]['k']}) and its reply, one after the other: bytes "
            "as counted by the driver, at 10 bits each on the line, and simulated clocks between. Projected; "
            "latencies of a USB adapter and of the host are not in it.",
        ),
        columns=("line", "bytes out + in", "µs on the line", "µs in the device", "µs in all"),
        rows=tuple(rows),
    )


def _curves(curves: Mapping[str, Any], results: Results) -> list[Section]:
    made: list[Section] = []
    kinds: dict[str, Callable[[Any, Results], Section]] = {
        "films": _films,
        "lanes": _lanes,
        "memory": _memory,
        "users": _users,
    }
    for name, make in kinds.items():
        if name in curves:
            made.append(make(curves[name], results))
    return made


def _films(rows: Sequence[Results], _: Results) -> Section:
    peers = list(dict.fromkeys(name for row in rows for name in row["peers"]))
    lines = [
        (
            f"{row['films']:,}",
            f"{row['cycles_rank']:,}",
            _us(row["us_rank"]),
            *(_us(row["peers"].get(name)) for name in peers),
        )
        for row in rows
    ]
    return Section(
        "Cost against films",
        ("Random films; the last line is the largest catalogue that the device holds.",),
        columns=("films", "clocks", "µs", *(f"{name}, µs" for name in peers)),
        rows=tuple(lines),
    )


def _lanes(rows: Sequence[Results], results: Results) -> Section:
    lines = [
        (
            f"{row['lanes']}{' (placed)' if row['placed'] else ''}",
            f"{row['cycles_rank']:,}",
            f"{results['films'] / row['cycles_rank']:.2f}",
            f"{row['bits_per_clock']:,}",
        )
        for row in rows
    ]
    return Section(
        "Cost against lanes",
        (
            f"Clocks of a ranking of {results['films']:,} random films, by simulation. Only the preset's own lanes "
            "can have a placed design, and so a clock.",
        ),
        columns=("lanes", "clocks", "films per clock", "catalogue bits per clock"),
        rows=tuple(lines),
    )


def _memory(rows: Sequence[Results], _: Results) -> Section:
    views = {view: {row["entries"]: row for row in rows if row["view"] == view} for view in ("table", "memory")}
    lines = [
        (
            f"{entries:,}",
            f"{row['cycles_rank']:,}",
            f"{views['memory'][entries]['cycles_rank']:,}",
            f"{row['cycles_learn']:,}",
        )
        for entries, row in views["table"].items()
    ]
    return Section(
        "Cost against memory",
        (
            "Clocks of a ranking of a small catalogue of random films, on devices with a larger memory than the "
            "preset: once by tables, once by comparing each film with every kept rating (rule `nearest`, one lane). "
            "The table view costs the same however much was learned; learning pays for that.",
        ),
        columns=("kept ratings", "table view, clocks", "memory view, clocks", "relearning, clocks"),
        rows=tuple(lines),
    )


def _users(rows: Sequence[Results], _: Results) -> Section:
    lines = [
        (
            f"{row['users']:,}{'' if row['resident'] else ' (more than fit)'}",
            f"{row['cycles']:,}",
            _us(row["us_device"]),
            f"{row['bytes']:,}",
            f"{row['us_line']:,.1f}",
            _us(row["us"]),
        )
        for row in rows
    ]
    return Section(
        "Cost against users",
        (
            "A ranking when so many users take turns, each time another one's; where more take part than are resident, "
            f"the host writes the ratings into a slot first. Line: {rows[0]['baud'] / 1e6:g} Mbaud. Projected.",
        ),
        columns=("users", "clocks", "µs in the device", "bytes", "µs on the line", "µs in all"),
        rows=tuple(lines),
    )


def _limit(results: Results) -> Section:
    limit = results["limit"]
    available = limit["bits_per_clock_available"]
    text = [
        f"A film takes {limit['bits_per_film']} bits of code and prior from block RAM. {results['lanes']} lanes ask "
        f"for {limit['bits_per_clock_used']:,} bits per clock; "
        + (
            f"all block RAMs of the {limit['fpga']} together could read {available:,}: "
            f"{results['bram_bandwidth_fraction']:.1%} of the limit are used."
            if available
            else "what the FPGA could deliver is not known without a placed design."
        ),
        f"While it streams, the device takes in {limit['films_per_clock_of_lanes']} films per clock; over a whole "
        f"ranking it is {limit['films_per_clock']:.2f}.",
    ]
    if limit["films_per_second"]:
        text.append(
            f"That is {limit['films_per_second'] / 1e6:,.0f} million films per second, projected; the block RAMs' "
            f"limit at the same clock is {limit['films_per_second_of_bandwidth'] / 1e6:,.0f} million."
        )
    shows = "Roofline: films per second against block-RAM bits per clock"
    return Section("Distance to the limit", tuple(text), picture=(ROOFLINE_PICTURE, shows))


def _again(results: Results) -> Section:
    machine, placed = results["machine"], results["placed"]
    libraries = ", ".join(f"{name} {value}" for name, value in machine.items() if name not in _HARDWARE)
    text = [
        f"Peers ran on: {machine['cpu']}, {machine['cores']} cores of which {machine['threads_used']} was used; "
        f"{libraries}. Sources simulated: `{results['build_id']}`.",
    ]
    code = [results["command"] + " --out docs"]
    if placed:
        path = placed["critical_path"]
        text.append(
            f"The clock's report, with the tools' versions and seed {placed['seed']}, is `boards/reports/"
            f"{placed['board']}.json`, from sources `{placed['build_id']}`; its critical path goes from "
            f"`{path['from']}` to `{path['to']}` ({path['ns']} ns). The second command makes it again."
        )
        code.append(f"ramrec build {placed['board']} --seed {placed['seed']} --keep")
    return Section("To do it again", tuple(text), code=tuple(code))


_HARDWARE = ("cpu", "cores", "threads_used")


def _about(peers: Sequence[Results]) -> tuple[str, ...]:
    return tuple(f"{peer['name']}: {peer['what']}." for peer in peers)


def _measured(row: Results, key: str) -> tuple[str, str]:
    return f"{row[key]:,.1f}", f"{row[f'{key}_min']:,.1f} to {row[f'{key}_max']:,.1f}"


def _us(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,}"


def _ratio(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _yes(value: bool) -> str:
    return "yes" if value else "**no**"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
