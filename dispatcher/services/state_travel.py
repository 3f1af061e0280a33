"""Travel that is slower for a while, as traffic of a problem document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.services.state_values import Values
from dispatcher.validate import LIMITS

_MIDNIGHT = "24:00"


def slowed(
    travel: Mapping[str, Any], territories: Iterable[Values], dates: Sequence[date], now: datetime, zone: ZoneInfo
) -> dict[str, Any]:
    """How to travel with the slowest that was told of the territories, from now until it ends.

    The format repeats its traffic every day, so only a plan of nothing but today can have it: on other days roads
    are not slow because they are today. What was asked for counts too, one factor times the other.
    """
    told = [
        (item["travel_factor"], item["travel_factor_until"])
        for item in territories
        if item.get("travel_factor") and item.get("travel_factor_until") and item["travel_factor_until"] > now
    ]
    today = now.astimezone(zone)
    if not told or set(dates) != {today.date()}:
        return dict(travel)
    factor, until = max(told)
    end = until.astimezone(zone)
    last = _MIDNIGHT if end.date() > today.date() else _clock(end + timedelta(seconds=59))
    start = _clock(today)
    pieces = _with(travel.get("traffic") or (), start, max(last, start), factor)
    return {**travel, "traffic": pieces}


def _clock(at: datetime) -> str:
    return at.strftime("%H:%M")


def _with(traffic: Sequence[Mapping[str, Any]], start: str, end: str, factor: float) -> list[dict[str, Any]]:
    """Traffic that is slower by a factor between two clock times; these texts sort as the times do."""
    bounds = sorted({start, end, *(entry[key] for entry in traffic for key in ("from", "to"))})
    pieces = []
    for first, last in pairwise(bounds):
        given = next((entry["factor"] for entry in traffic if entry["from"] <= first < entry["to"]), None)
        slow = start <= first < end
        if given is None and not slow:
            continue
        product = Decimal(str(given or 1)) * Decimal(str(factor if slow else 1))
        pieces.append({"from": first, "to": last, "factor": min(float(product), LIMITS.largest_factor)})
    return pieces
