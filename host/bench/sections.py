"""Simulated clocks and the clock of place and route become the rows of a report."""

from collections.abc import Mapping, Sequence
from statistics import median_low
from typing import Any

from ...hdl.geometry import Geometry
from .bandwidth import used_bits
from .line import BITS_PER_BYTE
from .placed import Placed

__all__ = ["Row", "curves", "end_to_end", "limit", "own", "ratio", "switching"]

Row = dict[str, Any]


def own(geometry: Geometry, where: Placed, clocks: Mapping[str, Any]) -> Row:
    """What this design takes: the figures that everything else is compared with."""
    rank, learn, rate = (median_low(clocks[name]) for name in ("rank", "learn", "rate"))
    us_rate = where.us(rate)
    return {
        "lanes": geometry.lanes,
        "clock_mhz": where.clock_mhz,
        "clock_source": where.clock_source,
        "clocks_source": "simulated: the gateware compiled to machine code (virtual board)",
        "cycles_rank": rank,
        "cycles_rank_min": min(clocks["rank"]),
        "cycles_rank_max": max(clocks["rank"]),
        "cycles_rank_command": median_low(clocks["rank_command"]),
        "us_rank": where.us(rank),
        "equal": clocks["equal"],
        "cycles_learn": learn,
        "cycles_learn_min": min(clocks["learn"]),
        "cycles_learn_max": max(clocks["learn"]),
        "us_learn": where.us(learn),
        "cycles_rate": rate,
        "ratings_per_second": None if us_rate is None else round(1e6 / us_rate),
        "users_resident": geometry.users,
        "bram_bandwidth_fraction": _fraction(geometry, where),
    }


def _fraction(geometry: Geometry, where: Placed) -> float | None:
    return None if where.available_bits is None else round(used_bits(geometry) / where.available_bits, 4)


def ratio(us: float, own_us: float | None) -> float | None:
    """How many times as long as this design; None if its time is not known."""
    return None if own_us is None else round(us / own_us, 3)


def switching(where: Placed, clocks: Mapping[str, Any]) -> Row:
    """What it costs to rank for another user than before."""
    same, other = median_low(clocks["rank_command"]), median_low(clocks["switch_rank"])
    return {
        "cycles_rank_same_user": same,
        "cycles_rank_other_user": other,
        "cycles_switch": other - same,
        "us_rank_same_user": where.us(same),
        "us_rank_other_user": where.us(other),
        "us_switch": where.us(other - same),
    }


def end_to_end(where: Placed, clocks: Mapping[str, Any], baud: int, k: int) -> Row:
    """From a rating sent to the new list received: two requests, one after the other, over a serial line."""
    cycles, sent, received = (median_low(values) for values in zip(*clocks["rate_and_rank"], strict=True))
    us_line = (sent + received) * BITS_PER_BYTE * 1e6 / baud
    us_device = where.us(cycles)
    return {
        "baud": baud,
        "k": k,
        "bytes_sent": sent,
        "bytes_received": received,
        "cycles": cycles,
        "us_line": round(us_line, 1),
        "us_device": us_device,
        "us": None if us_device is None else round(us_line + us_device, 1),
    }


def curves(geometry: Geometry, where: Placed, found: Mapping[str, Any], baud: int) -> dict[str, list[Row]]:
    """Points of the curves in ``found``, as :mod:`~.simulated` gives them, with times."""
    rows: dict[str, list[Row]] = {}
    if "films" in found:
        peers = {count: times for count, times in found.get("peers_films", [])}
        rows["films"] = [
            {"films": count, "cycles_rank": cycles, "us_rank": where.us(cycles), "peers": peers.get(count, {})}
            for count, cycles in found["films"]
        ]
    if "lanes" in found:
        rows["lanes"] = [
            {
                "lanes": lanes,
                "cycles_rank": cycles,
                "us_rank": where.us(cycles),
                "bits_per_clock": used_bits(geometry.with_(lanes=lanes)),
                "placed": lanes == geometry.lanes and where.clock_mhz is not None,
            }
            for lanes, cycles in found["lanes"]
        ]
    views = [(view, found[view]) for view in ("table", "memory") if view in found]
    if views:
        rows["memory"] = [
            {"view": view, "entries": entries, "cycles_rank": rank, "us_rank": where.us(rank), "cycles_learn": learn}
            for view, points in views
            for entries, rank, learn in points
        ]
    if "users" in found:
        rows["users"] = [_turn(geometry, where, point, baud) for point in found["users"]]
    return rows


def _turn(geometry: Geometry, where: Placed, point: Sequence[int], baud: int) -> Row:
    users, cycles, carried = point
    us = where.us(cycles)
    paged = users > geometry.users
    us_line = carried * BITS_PER_BYTE * 1e6 / baud
    return {
        "users": users,
        "resident": not paged,
        "cycles": cycles,
        "us_device": us,
        "bytes": carried,
        "baud": baud,
        "us_line": round(us_line, 1),
        "us": None if us is None else round(us + us_line, 1),
    }


def limit(geometry: Geometry, where: Placed, cycles_rank: int, films: int) -> Row:
    """How far this design is from what the FPGA's block RAMs can deliver."""
    used, available = used_bits(geometry), where.available_bits
    each = geometry.code_bits + 8
    mhz = where.clock_mhz
    return {
        "fpga": where.fpga,
        "bits_per_film": each,
        "bits_per_clock_used": used,
        "bits_per_clock_available": available,
        "bram_bandwidth_fraction": _fraction(geometry, where),
        "films_per_clock": round(films / cycles_rank, 4),
        "films_per_clock_of_lanes": geometry.lanes,
        "films_per_second": None if mhz is None else round(films / cycles_rank * mhz * 1e6),
        "films_per_second_of_bandwidth": None
        if mhz is None or available is None
        else round(available / each * mhz * 1e6),
    }
