"""Time-of-day traffic that is first-in-first-out.

A leg is driven interval by interval at each one's own speed (Ichoua, Gendreau and Potvin 2003: travel times from
step-wise speeds keep first-in-first-out, step-wise travel times do not). The factor at an instant is the one of the
local clock at that instant, so a day with 23 or 25 hours needs no special case. All arithmetic is exact integers;
the driving time is rounded half up once, at the end.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import lcm
from typing import Any
from zoneinfo import ZoneInfo

_BEFORE = timedelta(days=2)
_AFTER = timedelta(days=10)
_DAY_SECONDS = 86400


def exact(value: object) -> Fraction:
    """The exact value of a number as written in the document."""
    return Fraction(repr(value))


def clock_seconds(text: str) -> int:
    """`"07:30"` → 27000 seconds after local midnight; `"24:00"` is the end of the day."""
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


class TrafficClock:
    """The factor by which driving is stretched at every instant around a horizon (epoch seconds)."""

    def __init__(self, traffic: Sequence[Mapping[str, Any]], timezone: ZoneInfo, horizon: tuple[int, int]) -> None:
        self._timezone = timezone
        self._intervals = sorted(
            (clock_seconds(item["from"]), clock_seconds(item["to"]), exact(item["factor"])) for item in traffic
        )
        self.starts, factors = self._segments(horizon)
        # Work is measured in 1/(denominator × common) free-flow seconds: then each interval does a whole
        # number of units per second of the clock, and no fraction is needed while driving.
        self.common = lcm(*(factor.numerator for factor in factors))
        self.rates = [self.common // factor.numerator * factor.denominator for factor in factors]

    @property
    def varies(self) -> bool:
        """False where every factor is 1: driving is then a matter of rounding only."""
        return len(self.rates) > 1 or self.rates[0] != self.common

    @property
    def may_speed_up(self) -> bool:
        """True where some factor is below 1."""
        return any(rate > self.common for rate in self.rates)

    def factor(self, instant: int) -> Fraction:
        """The factor of the local clock at an instant (epoch seconds)."""
        local = datetime.fromtimestamp(instant, self._timezone)
        second = local.hour * 3600 + local.minute * 60 + local.second
        for start, end, factor in self._intervals:
            if start <= second < end:
                return factor
        return Fraction(1)

    def drive(self, numerator: int, denominator: int, departure: int) -> int:
        """Seconds to drive `numerator / denominator` free-flow seconds from `departure`, rounded half up."""
        if not numerator:
            return 0
        starts, rates = self.starts, self.rates
        index = bisect_right(starts, departure, 1) - 1
        work = numerator * self.common
        clock = departure
        last = len(starts) - 1
        while index < last:
            rate = denominator * rates[index]
            span = starts[index + 1] - clock
            if work <= span * rate:
                break
            work -= span * rate
            clock = starts[index + 1]
            index += 1
        rate = denominator * rates[index]
        return clock - departure + (2 * work + rate) // (2 * rate)

    def _segments(self, horizon: tuple[int, int]) -> tuple[list[int], list[Fraction]]:
        """Instants where the factor changes, and the factor from each on."""
        first = datetime.fromtimestamp(horizon[0], UTC) - _BEFORE
        days = (datetime.fromtimestamp(horizon[1], UTC) + _AFTER - first).days
        candidates = {int(first.timestamp())}
        for number in range(days):
            day = (first + timedelta(days=number)).astimezone(self._timezone).date()
            midnight = datetime(day.year, day.month, day.day, tzinfo=self._timezone)
            for start, end, _ in self._intervals:
                for second in (start, end):
                    # Wall-clock arithmetic; both folds, since a repeated hour passes the boundary twice.
                    wall = midnight + timedelta(seconds=second)
                    candidates.update(int(wall.replace(fold=fold).timestamp()) for fold in (0, 1))
            candidates.update(self._clock_changes(int(midnight.timestamp()) - 3600))
        starts: list[int] = []
        factors: list[Fraction] = []
        for instant in sorted(candidates):
            factor = self.factor(instant)
            if not factors or factor != factors[-1]:
                starts.append(instant)
                factors.append(factor)
        return starts, factors

    def _clock_changes(self, instant: int) -> list[int]:
        """Instants within the day and two hours from `instant` where the zone's offset changes."""
        changes = []
        step = 6 * 3600
        for low in range(instant, instant + _DAY_SECONDS + 7200, step):
            before, after = low, low + step
            if self._offset(before) == self._offset(after):
                continue
            while after - before > 1:
                middle = (before + after) // 2
                if self._offset(middle) == self._offset(before):
                    before = middle
                else:
                    after = middle
            changes.append(after)
        return changes

    def _offset(self, instant: int) -> timedelta | None:
        return datetime.fromtimestamp(instant, self._timezone).utcoffset()
