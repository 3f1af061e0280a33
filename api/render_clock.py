"""The time axis of a plan's picture: its span, and ticks on round local times in the problem's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.render_day import Day, Row

_STEP_MINUTES = (15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080, 40320)
_MOST_TICKS = 25
_HOUR = 3600
# Fixed, because strftime speaks the language of the machine and pictures should be equal everywhere.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class TimeFrame:
    """The instants between which activities are drawn (epoch seconds), in a zone."""

    start_seconds: int
    end_seconds: int
    zone: ZoneInfo

    def holds(self, instant_seconds: int) -> bool:
        return self.start_seconds <= instant_seconds <= self.end_seconds

    def ticks(self) -> list[tuple[int, str]]:
        """Round local times as (epoch seconds, label); the date stands under the first tick of each day."""
        span_minutes = (self.end_seconds - self.start_seconds) / 60
        step = next((s for s in _STEP_MINUTES if span_minutes / s <= _MOST_TICKS), _STEP_MINUTES[-1])
        ticks: list[tuple[int, str]] = []
        dated: date | None = None
        for instant in self._round_instants(step):
            local = datetime.fromtimestamp(instant, self.zone)
            label = "" if step >= 1440 else f"{local:%H:%M}"
            if local.date() != dated:
                label = f"{label}\n{day_label(local.date())}" if label else day_label(local.date())
                dated = local.date()
            ticks.append((instant, label))
        return ticks

    def _round_instants(self, step_minutes: int) -> list[int]:
        first = datetime.fromtimestamp(self.start_seconds, self.zone).date()
        last = datetime.fromtimestamp(self.end_seconds, self.zone).date()
        days = max(1, step_minutes // 1440)
        instants = set()
        for ordinal in range(first.toordinal(), last.toordinal() + 1, days):
            midnight = datetime.combine(date.fromordinal(ordinal), datetime.min.time())
            for minutes in range(0, 1440, min(step_minutes, 1440)):
                wall = midnight + timedelta(minutes=minutes)
                instant = int(wall.replace(tzinfo=self.zone).timestamp())
                # A wall time the clocks jump over has no instant of its own and comes back as another one.
                exists = datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None) == wall
                if exists and self.holds(instant):
                    instants.add(instant)
        return sorted(instants)


def time_frame(day: Day, rows: Sequence[Row]) -> TimeFrame:
    """The span to draw: every activity, the shifts around them as far as in proportion, and `now` if near."""
    starts = [row.route_start_seconds for row in rows]
    ends = [max([row.route_end_seconds, *(a.end_seconds for a in row.activities)]) for row in rows]
    if not starts:
        middle = day.now_seconds or 0
        return TimeFrame(middle - _HOUR, middle + 8 * _HOUR, day.zone)
    low, high = min(starts), max(ends)
    margin = max(_HOUR, (high - low) // 2)
    near = [s for row in rows for s in (row.shift_start_seconds, row.latest_end_seconds) if s is not None]
    near += [] if day.now_seconds is None else [day.now_seconds]
    kept = [s for s in near if low - margin <= s <= high + margin]
    low, high = min([low, *kept]), max([high, *kept])
    edge = max(300, (high - low) // 100)
    return TimeFrame(low - edge, high + edge, day.zone)


def clock_label(instant_seconds: int, zone: ZoneInfo) -> str:
    """Local hours and minutes of an instant."""
    return f"{datetime.fromtimestamp(instant_seconds, zone):%H:%M}"


def day_label(day: date) -> str:
    """`Mon 23 Nov`."""
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


def span_label(start_seconds: int, end_seconds: int, zone: ZoneInfo) -> str:
    """The local date or dates from one instant to another, the zone and its offset from UTC at the first."""
    start = datetime.fromtimestamp(start_seconds, zone)
    end = datetime.fromtimestamp(end_seconds, zone)
    days = f"{day_label(start.date())} {start.year}"
    if end.date() != start.date():
        days += f" to {day_label(end.date())} {end.year}"
    return f"{days} · {zone.key}" + ("" if zone.key == "UTC" else f" ({_offset(start)})")


def _offset(moment: datetime) -> str:
    minutes = int((moment.utcoffset() or timedelta()).total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
