"""Clocks counted minute by minute, as somebody with a notebook and a clock on the wall would: slow and plain.

It shares nothing with the code it judges but the types of its input. A minute counts when the wall clock has shown the
beginning of a period and not yet its end; whoever writes down the latest time it has ever shown is not fooled when the
clock is set back.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from dispatcher.sla.calendars import Calendar
from dispatcher.sla.clocks import Regrade, Terms, Timeline, Transition

CLOCKS = ("respond", "consult", "arrive", "restore")
MEETS = {
    "respond": {
        "accepted",
        "consulting",
        "en_route",
        "on_site",
        "waiting_for_customer",
        "waiting_for_parts",
        "waiting_for_access",
        "restored",
    },
    "consult": {"consulting", "on_site", "restored"},
    "arrive": {"on_site", "restored"},
}


@dataclass(frozen=True)
class Stretch:
    """Some days of a zone, from an instant at which its clocks are not about to be set back."""

    zone: str
    start: datetime
    minutes: int

    def at(self, minute: int) -> datetime:
        return self.start + timedelta(minutes=minute)


@dataclass
class Counted:
    """What the notebook says of one clock; instants are epoch seconds."""

    status: str
    target: int
    elapsed: int
    crossings: dict[int, int] = field(default_factory=dict)
    due: int | None = None


@lru_cache
def latest_shown(stretch: Stretch) -> list[datetime]:
    """Minute by minute the latest time that the clock on the wall has shown so far."""
    zone, shown, latest = ZoneInfo(stretch.zone), [], datetime.min
    for minute in range(stretch.minutes):
        latest = max(latest, stretch.at(minute).astimezone(zone).replace(tzinfo=None))
        shown.append(latest)
    return shown


@lru_cache
def open_minutes(stretch: Stretch, calendar: Calendar) -> list[bool]:
    assert calendar.zone.key == stretch.zone
    return [_is_open(shown, calendar) for shown in latest_shown(stretch)]


def _is_open(shown: datetime, calendar: Calendar) -> bool:
    if calendar.week is None:
        return True
    for days_ago in (0, 1):
        day: date = shown.date() - timedelta(days=days_ago)
        if day in calendar.closed:
            continue
        passed = (shown.date() - day).days * 86_400 + shown.hour * 3600 + shown.minute * 60
        if any(start <= passed < end for start, end in calendar.week[day.weekday()]):
            return True
    return False


class Notebook:
    """All four clocks of a work order, from its opening on; every instant lies on a whole minute of the stretch."""

    def __init__(self, stretch: Stretch, timeline: Timeline, terms: Terms) -> None:
        self._stretch, self._terms = stretch, terms
        self._open = {
            (level, clock): open_minutes(stretch, target.calendar)
            for level, targets in terms.targets.items()
            for clock, target in targets.items()
        }
        self._changes: dict[int, list[Transition | Regrade]] = {}
        self._opened = self._minute(timeline.opened_at)
        changes: list[Transition | Regrade] = [*timeline.regrades, *timeline.transitions]
        for change in sorted(changes, key=lambda item: item.at):
            self._changes.setdefault(max(self._minute(change.at), self._opened), []).append(change)
        self._level, self._state = timeline.level, "opened"
        self._elapsed = dict.fromkeys(CLOCKS, 0)
        self._promised: dict[str, int] = {}
        self._stopped: dict[str, str] = {}
        self._crossings: dict[str, dict[int, int]] = {clock: {} for clock in CLOCKS}

    def at(self, now: datetime) -> dict[str, Counted]:
        until = self._minute(now)
        for minute in range(self._opened, until + 1):
            if minute in self._changes or minute == self._opened:
                self._apply(minute)
                counted = self._counted()
            if minute < until:
                for clock, is_open in counted:
                    if is_open[minute]:
                        self._elapsed[clock] += 60
                        self._cross(clock, minute * 60 + 60, counted=True)
        found = {}
        for clock in CLOCKS:
            target = self._terms.targets.get(self._level, {}).get(clock)  # type: ignore[call-overload]
            if target is None and 100 not in self._crossings[clock]:
                continue
            if clock in self._stopped:
                status = self._stopped[clock]
            elif target is None:
                status = "withdrawn"
            else:
                status = "paused" if clock in self._terms.pauses.get(self._state, ()) else "running"
            seconds = self._promised.get(clock) or target.seconds
            found[clock] = Counted(status, seconds, self._elapsed[clock], self._crossings[clock])
            if status == "running" and self._elapsed[clock] < seconds:
                found[clock].due = self._due(until, seconds - self._elapsed[clock], target.calendar)
        return found

    def _apply(self, minute: int) -> None:
        """What happens at the beginning of a minute."""
        entered = []
        for change in self._changes.get(minute, ()):
            if isinstance(change, Transition):
                self._state = change.state
                entered.append(change.state)
            else:
                self._level = change.level
        for clock in CLOCKS:
            stopped = self._stopped.get(clock)
            reopened = clock == "restore" and self._state not in ("restored", "cancelled")
            if stopped is not None and (reopened or (stopped == "cancelled" and self._state != "cancelled")):
                del self._stopped[clock]
            if clock not in self._stopped:
                met = self._state == "restored" if clock == "restore" else bool(MEETS[clock] & set(entered))
                if met or self._state == "cancelled":
                    self._stopped[clock] = "met" if met else "cancelled"
            target = self._terms.targets.get(self._level, {}).get(clock)  # type: ignore[call-overload]
            if clock not in self._stopped and target is not None:
                self._promised[clock] = target.seconds
                self._cross(clock, minute * 60, counted=False)

    def _counted(self) -> list[tuple[str, list[bool]]]:
        """The clocks that count, each with the minutes that count for it, until something happens."""
        resting = {*self._stopped, *self._terms.pauses.get(self._state, ())}
        promised = self._terms.targets.get(self._level, {})
        return [(clock, self._open[self._level, clock]) for clock in promised if clock not in resting]

    def _cross(self, clock: str, second: int, *, counted: bool) -> None:
        """Which thresholds are reached by now: in the minute just counted, or at once by a stricter promise."""
        target, first = self._promised[clock], self._terms.thresholds[0]
        if self._elapsed[clock] * 100 < target * first:
            return
        for percent in (*self._terms.thresholds, 100):
            needed = target + 1 if percent == 100 else -(-target * percent // 100)
            beyond = self._elapsed[clock] - needed
            if beyond >= 0 and percent not in self._crossings[clock]:
                self._crossings[clock][percent] = self._second(second - beyond if counted else second)

    def _due(self, minute: int, seconds: int, calendar: Calendar) -> int | None:
        """Counting on; None where the stretch ends before."""
        open_ones = open_minutes(self._stretch, calendar)
        while minute < self._stretch.minutes:
            if open_ones[minute]:
                if seconds <= 60:
                    return self._second(minute * 60 + seconds)
                seconds -= 60
            minute += 1
        return None

    def _minute(self, instant: datetime) -> int:
        return int((instant - self._stretch.start).total_seconds()) // 60

    def _second(self, second: int) -> int:
        return int(self._stretch.start.astimezone(UTC).timestamp()) + second
