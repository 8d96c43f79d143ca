"""Clocks of the compiled gateware: what commands take, and how that grows.

Every function opens its own device, and returns values for JSON, which are kept for the next time.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import median_low
from typing import Any

from ...hdl.geometry import Geometry
from ..transport import open_transport
from .device import Device
from .kept_clocks import remembered
from .question import ask
from .workload import Rated, Workload, end_to_end_k, synthetic

__all__ = ["commands", "films_curve", "lanes_curve", "memory_curve", "users_curve"]

_PEOPLE = 8
"""People whose median is a point of a curve."""

_TURNS = 32
"""Turns whose median is a point of the curve against users."""

_SEED = 1


@contextmanager
def _opened(geometry: Geometry, workload: Workload, films: int) -> Iterator[Device]:
    line = open_transport("virtual", geometry)
    try:
        device = Device(line, geometry, workload)
        device.load(films)
        yield device
    finally:
        line.close()


def commands(geometry: Geometry, workload: Workload, k: int) -> dict[str, Any]:
    """Clocks of the commands, by the people of the workload, each with a full memory.

    Returns
    -------
    dict
        Lists of clocks: ``rank`` from the start of the scan until the list is complete, ``rank_command`` from the
        request's header to its reply, ``switch_rank`` the same for a user who was not selected before, ``learn``
        a relearning of the whole memory, ``rate`` the command around it. ``rate_and_rank``: clocks and bytes of a
        rating with the ranking after it. ``equal``: whether all rankings were the golden model's.
    """

    def right(rated: Sequence[Rated], k: int) -> list[tuple[int, int]]:
        question = ask(geometry, workload, rated, k)
        return [(item, int(question.scores[item])) for item in question.answer]

    def simulate() -> dict[str, Any]:
        found: dict[str, Any] = {name: [] for name in ("rank", "rank_command", "switch_rank", "learn", "rate")}
        pairs: list[list[int]] = []
        equal = True
        people = list(workload.people[: geometry.users])
        depth, after_rating = geometry.memory_depth, end_to_end_k(geometry)
        with _opened(geometry, workload, len(workload.codes)) as device:
            for user, rated in enumerate(people):
                device.keep(user, rated[:depth])
            for user, rated in enumerate(people):
                switched, again = device.rank(user, k), device.rank(user, k)
                equal &= switched[0] == again[0] == right(rated[:depth], k)
                found["switch_rank"].append(switched[1].clocks)
                found["rank"].append(again[1].rank)
                found["rank_command"].append(again[1].clocks)
            for user, rated in enumerate(people):
                device.rank(user, k)  # selects the user
                for place, one in enumerate(rated[depth:], depth):
                    cost = device.rate(user, one)
                    found["learn"].append(cost.learn)
                    found["rate"].append(cost.clocks)
                    best, ranking = device.rank(user, after_rating)
                    equal &= best == right(rated[place + 1 - depth : place + 1], after_rating)
                    both = cost + ranking
                    pairs.append([both.clocks, both.sent, both.received])
        return found | {"rate_and_rank": pairs, "equal": equal}

    result: dict[str, Any] = remembered("commands", geometry, [workload.digest, k], simulate)
    return result


def films_curve(geometry: Geometry, films: Sequence[int], k: int) -> list[list[int]]:
    """Clocks of a ranking of so many films: ``[films, clocks]`` each."""

    def simulate() -> list[list[int]]:
        counts, depth = sorted(films), geometry.memory_depth
        people = min(_PEOPLE, geometry.users)
        workload = synthetic(
            geometry, films=counts[-1], people=people, ratings=depth, seed=_SEED, popular=max(counts[0], depth)
        )
        with _opened(geometry, workload, max(counts[0], depth)) as device:
            for user, rated in enumerate(workload.people):
                device.keep(user, rated[:depth])
            points = []
            for count in counts:
                device.load(count)
                points.append([count, median_low(_rank_clocks(device, user, k) for user in range(people))])
        return points

    result: list[list[int]] = remembered("films", geometry, [sorted(films), k], simulate)
    return result


def lanes_curve(geometry: Geometry, lanes: int, films: int, k: int) -> int:
    """Clocks of a ranking by the same device with another number of lanes, and one user."""
    other = geometry.with_(lanes=lanes, users=1)

    def simulate() -> int:
        workload = synthetic(other, films=films, people=_PEOPLE, ratings=other.memory_depth, seed=_SEED)
        clocks = []
        with _opened(other, workload, films) as device:
            for rated in workload.people:
                device.keep(0, rated[: other.memory_depth])
                clocks.append(_rank_clocks(device, 0, k))
        return median_low(clocks)

    result: int = remembered("lanes", other, [films, k], simulate)
    return result


def memory_curve(geometry: Geometry, view: str, entries: Sequence[int], films: int, k: int) -> list[list[int]]:
    """Clocks against the number of kept ratings: ``[entries, clocks of a ranking, clocks of a relearning]`` each.

    Parameters
    ----------
    view
        ``table``, or ``memory``: then a film is compared with every kept rating (rule ``nearest``, one lane).
    """
    depth = 1 << (max(entries) - 1).bit_length()
    other = geometry.with_(memory_depth=depth, users=1, catalogue_depth=films)
    if view == "memory":
        other = other.with_(rule="nearest", lanes=1)

    def simulate() -> list[list[int]]:
        workload = synthetic(other, films=films, people=1, ratings=max(entries), seed=_SEED)
        points = []
        with _opened(other, workload, films) as device:
            for before, count in pairwise([0, *sorted(entries)]):
                learn = device.keep(0, workload.people[0][before:count], first=before).learn
                points.append([count, _rank_clocks(device, 0, k), learn])
        return points

    result: list[list[int]] = remembered("memory", other, [sorted(entries), films, k], simulate)
    return result


def users_curve(geometry: Geometry, users: Sequence[int], films: int, k: int) -> list[list[int]]:
    """What a ranking costs when so many users take turns: ``[users, clocks, bytes]``, the middle of all turns.

    Users beyond those that the device holds are written into a slot before their turn, as the host does it.
    """

    def simulate() -> list[list[int]]:
        depth, slots = geometry.memory_depth, geometry.users
        workload = synthetic(geometry, films=films, people=max(users), ratings=depth, seed=_SEED)
        points = []
        with _opened(geometry, workload, films) as device:
            for slot in range(min(max(users), slots)):
                device.keep(slot, workload.people[slot][:depth])
            for count in sorted(users):
                turns = []
                for turn in range(min(count, slots, _TURNS)):
                    # Turns that follow upon each other belong to different users, if there is more than one.
                    user, before = turn, (turn - 1) % min(count, slots)
                    device.rank(before, k)
                    costs = [device.keep(user, workload.people[-1 - turn][:depth])] if count > slots else []
                    costs.append(device.rank(user, k)[1])
                    turns.append([sum(cost.clocks for cost in costs), sum(cost.sent + cost.received for cost in costs)])
                points.append([count, *(median_low(values) for values in zip(*turns, strict=True))])
        return points

    result: list[list[int]] = remembered("users", geometry, [sorted(users), films, k], simulate)
    return result


def _rank_clocks(device: Device, user: int, k: int) -> int:
    device.rank(user, k)  # selects the user
    return device.rank(user, k)[1].rank
