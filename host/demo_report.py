"""The demo for a person to read: short sections, tables, bars."""

from itertools import zip_longest

from .catalogue import Catalogue
from .cli_table import bar, show_lines, show_table
from .dataset import Dataset
from .demo import Played
from .demo_summary import Summary
from .explanation import Explanation

__all__ = ["show_board", "show_data", "show_encoder", "show_forgetting", "show_people", "show_story", "show_summary"]

_TITLE = 38
"""Characters of a title in a table of several."""

_LOUDEST = 4
_PREDICTED = 12

_COMMANDS = {
    "learn": "learn a rating",
    "relearn": "  of which the sweeps",
    "rank": "rank all films",
    "forget": "forget",
}


def show_data(dataset: Dataset) -> None:
    """What was got, and under which licence."""
    _heading("1  Real ratings")
    users = dataset.ratings["user"].n_unique()
    show_lines(
        [
            f"{dataset.name}: {dataset.ratings.height:,} ratings of {dataset.films.height:,} films by {users:,} users",
            f"from {dataset.source}",
            dataset.licence,
        ]
    )


def show_encoder(catalogue: Catalogue, people: int, seconds: float) -> None:
    """How the catalogue came to be."""
    _heading("2  Encoder")
    bits = catalogue.geometry.code_bits
    show_lines(
        [
            f"{catalogue.encoder['users']:,} users gave {len(catalogue):,} films a code of {bits} bits and a prior",
            f"{people} other users were kept from it: they play",
            f"catalogue {catalogue.digest[:16]}, in {seconds:.1f} s",
        ]
    )


def show_board(backend: str, geometry: str, resident: int, seconds: float) -> None:
    """What the device is."""
    _heading("3  Device")
    kind = {"golden": "golden model", "virtual": "virtual board, the gateware compiled to machine code"}
    show_lines(
        [
            f"{kind.get(backend, backend)}, geometry {geometry}",
            f"{resident:,} films resident, in {seconds:.1f} s",
            "every reply, and the state after every change, is compared with the golden model",
        ]
    )


def show_story(played: Played) -> None:
    """One person: recommendations as ratings come in, why, and what was held back."""
    _heading(f"4  User {played.name}, whom the encoder never saw")
    stages = {0: "before any rating"}
    columns = ["", *(stages.get(look.kept, f"after {look.kept} ratings") for look in played.looks)]
    tops = [[_short(title) for title, _ in look.top] for look in played.looks]
    rows = zip_longest(*tops, fillvalue="")
    show_table(columns, [(str(place), *row) for place, row in enumerate(rows, 1)], numbers=[""])
    for look in played.looks:
        for said in look.why:
            _show_why(said, look.kept)
    _show_held(played)


def show_forgetting(played: Played) -> None:
    """The digests that show that forgetting leaves no trace."""
    _heading("5  Forgetting")
    gone = played.forgotten
    rows = [
        ("device, before", f"{gone.before:08x}"),
        (f"device, after FORGET of {gone.stars:g} stars for {gone.film}", f"{gone.after:08x}"),
        ("golden model that never had the rating", f"{gone.never:08x}"),
    ]
    if gone.restored is not None:
        rows.append(("device, RESTORE of all other ratings", f"{gone.restored:08x}"))
    show_table(["", "state digest"], rows)
    show_lines(["equal to the bit: it leaves no trace" if gone.bit_equal else "NOT equal"], style="bold")


def show_people(users: int, ratings: int) -> None:
    """What comes next."""
    _heading("6  Everybody else")
    show_lines([f"{users} more users rate {ratings:,} films, are predicted, and forget one rating each"])


def show_summary(summary: Summary, mismatches: list[str]) -> None:
    """All in numbers."""
    _heading("Summary")
    kept = [("prior alone", summary.accuracy_prior)]
    kept += [(f"agent after {count} ratings", value) for count, value in summary.accuracy_after.items()]
    kept.append(("agent after all", summary.accuracy_agent))
    rows = [(name, f"{value:.1%}", bar(value, 1, 40)) for name, value in kept]
    show_table([f"likes predicted ({summary.held_back:,} ratings held back)", "right", ""], rows, numbers=["right"])
    cycles = [(name, taken) for name, taken in summary.cycles.items() if taken is not None]
    if cycles:
        show_lines([""])
        timing = [
            (_COMMANDS[name], *(f"{value:,}" for value in (taken.least, taken.mean, taken.most)))
            for name, taken in sorted(cycles, key=lambda pair: list(_COMMANDS).index(pair[0]))
        ]
        columns = ["clock cycles", "least", "mean", "most"]
        show_table(columns, timing, numbers=columns[1:])
    show_lines(
        [
            "",
            f"users {summary.users}, ratings {summary.ratings:,}, films {summary.films:,}, backend {summary.backend}",
            f"forgotten without a trace: {'yes, all' if summary.forget_bit_equal else 'NO'}",
            f"{summary.clocks_per_second:,} clocks per second simulated"
            if cycles
            else "the golden model has no clocks",
            f"wall time {summary.seconds:.1f} s",
        ]
    )
    for mismatch in mismatches[:3]:
        show_lines([mismatch], style="red")
    style = "bold green" if summary.passed else "bold red"
    show_lines([f"commands {summary.commands:,}, mismatches {summary.mismatches}"], style=style)


def _show_why(said: Explanation, kept: int) -> None:
    show_lines(["", f"Why {said.title}, after {kept} ratings: {said.stars:.1f} stars"])
    loudest = said.contributions[:_LOUDEST]
    rest = said.contributions[_LOUDEST:]
    parts = [("everybody's ratings", said.prior)]
    parts += [(f"your {one.stars:g} stars for {_short(one.title)}", one.part) for one in loudest]
    if rest:
        parts.append((f"your {len(rest)} other ratings", sum(one.part for one in rest)))
    largest = max(abs(part) for _, part in parts)
    show_table(["", "", ""], [(f"{part:+.3f}", bar(part, largest), what) for what, part in parts])


def _show_held(played: Played) -> None:
    show_lines(["", f"Held back, predicted after {played.ratings} ratings"])
    rows = [
        (_short(one.film), f"{one.stars:g}", _word(one.liked), _word(one.prior), _word(one.agent[-1]))
        for one in played.verdicts[:_PREDICTED]
    ]
    show_table(["film", "stars", "actual", "prior alone", "agent"], rows, numbers=["stars"])
    verdicts = played.verdicts
    prior = sum(one.prior == one.liked for one in verdicts)
    agent = sum(one.agent[-1] == one.liked for one in verdicts)
    show_lines(
        [
            f"right of all {len(verdicts)}: prior alone {prior}, agent {agent}",
            "one person is few, and can go either way; the summary counts everybody",
        ]
    )


def _heading(text: str) -> None:
    show_lines(["", text], style="bold cyan")


def _short(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[: _TITLE - 3]}..."


def _word(liked: bool) -> str:
    return "like" if liked else "-"
