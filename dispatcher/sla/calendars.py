"""When clocks run: around the clock, or in business hours of a zone, holidays left out.

Instants are epoch seconds. A period begins and ends when a clock on the wall first shows its bound: an hour that the
wall skips is not counted, an hour that it shows twice counts twice, and periods that touch leave no gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

DAY_SECONDS = 86_400
SEARCH_DAYS = 1_500
"""How far ahead working time is looked for: a calendar without any for four years has none."""

Period = tuple[int, int]
"""Seconds after local midnight; the end may lie up to a day after the start, on the next date."""
Week = tuple[tuple[Period, ...], ...]
"""The periods that begin on each weekday, Monday first."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours in which clocks run: always where `week` is None, else these periods of local time.

    A period belongs to the local date on which it begins; on dates in `closed` none begins.

    Raises:
        ValueError: for a week that has not seven days, or periods that overlap or are out of order.
    """

    zone: ZoneInfo
    week: Week | None = None
    closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if self.week is not None:
            _check(self.week)


def working_seconds(calendar: Calendar, start: int, end: int) -> int:
    """How many seconds of the calendar lie from `start` up to `end`; 0 where `end` is not later."""
    if end <= start:
        return 0
    if calendar.week is None:
        return end - start
    total = 0
    for day in range(_ordinal(calendar, start) - 1, _ordinal(calendar, end) + 1):
        for opens, closes in _spans(calendar, day):
            total += max(0, min(closes, end) - max(opens, start))
    return total


def advance(calendar: Calendar, start: int, seconds: int) -> int | None:
    """The first instant by which so many seconds of the calendar have passed since `start`.

    None where the calendar has not so many within `SEARCH_DAYS`.
    """
    if seconds <= 0 or calendar.week is None:
        return start + max(seconds, 0)
    first = _ordinal(calendar, start) - 1
    left = seconds
    for day in range(first, min(first + SEARCH_DAYS, date.max.toordinal() - 2)):
        for opens, closes in _spans(calendar, day):
            usable = closes - max(opens, start)
            if usable >= left:
                return max(opens, start) + left
            left -= max(usable, 0)
    return None


def _ordinal(calendar: Calendar, instant: int) -> int:
    return datetime.fromtimestamp(instant, calendar.zone).toordinal()


@lru_cache(maxsize=65_536)
def _spans(calendar: Calendar, ordinal: int) -> tuple[tuple[int, int], ...]:
    """The instants between which the periods lie that begin on a date."""
    day = date.fromordinal(ordinal)
    if calendar.week is None or day in calendar.closed:
        return ()
    return tuple(
        (_first_shown(calendar.zone, day, start), _first_shown(calendar.zone, day, end))
        for start, end in calendar.week[day.weekday()]
    )


def _first_shown(zone: ZoneInfo, day: date, seconds: int) -> int:
    """The first instant at which local clocks have reached so many seconds after the midnight of a date."""
    wall = datetime.combine(day, time()) + timedelta(seconds=seconds)
    instant = int(wall.replace(tzinfo=zone).timestamp())
    if _wall(zone, instant) == wall:
        return instant
    # Clocks skip this hour: the two readings of it lie on both sides of the jump.
    before, after = int(wall.replace(tzinfo=zone, fold=1).timestamp()), instant
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(zone, middle) >= wall:
            after = middle
        else:
            before = middle
    return after


def _wall(zone: ZoneInfo, instant: int) -> datetime:
    return datetime.fromtimestamp(instant, zone).replace(tzinfo=None)


def _check(week: Week) -> None:
    if len(week) != 7:
        raise ValueError(f"a week has 7 days, not {len(week)}")
    if any(not (0 <= start < DAY_SECONDS and start < end <= start + DAY_SECONDS) for day in week for start, end in day):
        raise ValueError("a period begins on its own date and lasts from one second to a day")
    laid_out = [
        (day * DAY_SECONDS + start, day * DAY_SECONDS + end)
        for day, periods in enumerate((*week, week[0]))
        for start, end in periods
    ]
    if any(start < end for (_, end), (start, _) in pairwise(laid_out)):
        raise ValueError("periods overlap, or are not in their order")
