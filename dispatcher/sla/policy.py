"""What is promised: the policy of the house, and what a contract changes of it.

A policy is a document (docs/schema/sla-policy.schema.json); a contract's is the same with every field optional, laid
over it by `with_contract`. `read_policy` checks what a document means; its shape has been checked before. A calendar
without a zone of its own goes by the clocks of the site, so a policy becomes `Terms` only there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo

from dispatcher.errors import InvalidInput
from dispatcher.model import LEVELS, Level
from dispatcher.sla.calendars import DAY_SECONDS, Calendar, Week
from dispatcher.sla.clocks import CLOCKS, STATES, ClockName, Target, Terms
from dispatcher.sla.grading import GradingRule, GradingRules
from dispatcher.validate_values import IssueList, Path, shown

Document = Mapping[str, Any]
Holidays = Callable[[str, str | None], frozenset[date]]
"""The public holidays of a country (ISO 3166 code) or one of its subdivisions; LookupError for an unknown one."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HOURS_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"


@dataclass(frozen=True, slots=True)
class CalendarRule:
    """A calendar whose zone may be the site's (`zone` None)."""

    zone: ZoneInfo | None = None
    week: Week | None = None
    closed: frozenset[date] = frozenset()

    def at(self, zone: ZoneInfo) -> Calendar:
        return Calendar(self.zone or zone, self.week, self.closed)


@dataclass(frozen=True, slots=True)
class LevelPromise:
    """What is promised at a level: seconds by clock, all on one calendar."""

    targets: Mapping[ClockName, int]
    calendar: CalendarRule


@dataclass(frozen=True)
class Policy:
    """A policy that was read; `terms` is what it promises at a site."""

    levels: Mapping[Level, LevelPromise]
    pauses: Mapping[str, frozenset[ClockName]]
    thresholds: tuple[int, ...]
    grading: GradingRules
    critical_hours: CalendarRule
    red_after_seconds: int
    link_window_seconds: int

    def terms(self, zone: ZoneInfo) -> Terms:
        """The promises where the clocks on the wall are those of `zone`."""
        targets = {
            level: {
                clock: Target(seconds, calendar)
                for clock, seconds in promise.targets.items()
                for calendar in (promise.calendar.at(zone),)
            }
            for level, promise in self.levels.items()
        }
        return Terms(targets, self.pauses, self.thresholds, zone)

    @cached_property
    def states(self) -> frozenset[str]:
        """Every state that a work order may be told to be in."""
        return frozenset(STATES) | self.pauses.keys()


def with_contract(policy: Document, contract: Document | None) -> dict[str, Any]:
    """A policy's document with what a contract says instead: objects are merged field by field, all else replaced.

    A null takes away what the policy has: `{"levels": {"L2": {"arrive_seconds": null}}}` promises no arrival.
    """
    merged = dict(policy)
    for key, value in (contract or {}).items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = with_contract(merged[key], value)
        else:
            merged[key] = value
    return merged


def read_policy(document: Document, holidays: Holidays) -> Policy:
    """A policy's document, well-formed and complete, as what it means.

    Raises:
        InvalidInput: with everything it says that cannot be meant.
    """
    return _Reader(document, holidays).policy()


class _Reader:
    def __init__(self, document: Document, holidays: Holidays) -> None:
        self._document, self._holidays = document, holidays
        self._issues = IssueList()

    def policy(self) -> Policy:
        rules = self._document.get("calendars") or {}
        calendars = {name: self._calendar(("calendars", name), rule or {}) for name, rule in rules.items()}
        levels: dict[Level, LevelPromise] = {}
        for level in LEVELS:
            promise = (self._document.get("levels") or {}).get(level) or {}
            named = promise.get("calendar")
            levels[level] = LevelPromise(
                {clock: seconds for clock in CLOCKS if (seconds := promise.get(f"{clock}_seconds")) is not None},
                self._named(("levels", level, "calendar"), named, calendars),
            )
        policy = Policy(
            levels=levels,
            pauses={
                state: frozenset(cast("list[ClockName]", clocks or ()))
                for state, clocks in (self._document.get("pauses") or {}).items()
            },
            thresholds=self._thresholds(),
            grading=_grading(self._document["grading"]),
            critical_hours=self._named(("critical_hours",), self._document.get("critical_hours"), calendars),
            red_after_seconds=self._document["red_after_seconds"],
            link_window_seconds=self._document["link_window_seconds"],
        )
        if self._issues:
            raise InvalidInput(self._issues)
        return policy

    def _named(self, path: Path, name: str | None, calendars: Mapping[str, CalendarRule]) -> CalendarRule:
        """The calendar of this name; without a name the clock runs always."""
        if name is not None and name not in calendars:
            self._issues.not_found(path, "calendars", name, calendars.keys())
        return calendars.get(name or "", CalendarRule())

    def _calendar(self, path: Path, rule: Document) -> CalendarRule:
        zone = rule.get("timezone")
        closed = {date.fromisoformat(day) for day in rule.get("closed") or ()}
        public = rule.get("holidays")
        if public:
            try:
                closed |= self._holidays(public["country"], public.get("subdivision"))
            except LookupError as error:
                self._issues.report(
                    (*path, "holidays"),
                    "UNKNOWN_VALUE",
                    str(error),
                    'Use a country like "DE" and, where it has them, a subdivision like "BY".',
                    value=shown(public),
                )
        return CalendarRule(
            None if zone is None else ZoneInfo(zone), self._week((*path, "hours"), rule.get("hours")), frozenset(closed)
        )

    def _week(self, path: Path, hours: Document | None) -> Week | None:
        if hours is None:
            return None
        days = []
        for name in WEEKDAYS:
            periods = []
            for text in hours.get(name) or ():
                start, end = (int(part[:2]) * 3600 + int(part[3:]) * 60 for part in text.split("-"))
                # Hours that end before they begin end on the next day.
                periods.append((start, end if end > start else end + DAY_SECONDS))
            days.append(tuple(sorted(periods)))
        week = tuple(days)
        try:
            Calendar(ZoneInfo("UTC"), week)
        except ValueError:
            self._issues.report(path, "OVERLAP", "hours overlap", "Let each begin when the one before has ended.")
            return None
        if not any(week):
            self._issues.report(path, "OUT_OF_RANGE", "there are no hours", "Give hours on at least one day.")
        return week

    def _thresholds(self) -> tuple[int, ...]:
        found = tuple(self._document["thresholds_percent"])
        if list(found) != sorted(set(found)):
            message = f"{shown(list(found))} do not rise"
            self._issues.report(("thresholds_percent",), "ORDER", message, "Write each once, the lowest first.")
        return found


def _grading(document: Document) -> GradingRules:
    rules = tuple(
        GradingRule(
            rule["level"],
            rule.get("impact"),
            rule.get("urgency"),
            rule.get("complexity"),
            rule.get("core"),
            rule.get("planned"),
        )
        for rule in document["rules"]
    )
    return GradingRules(
        rules,
        document["otherwise"],
        document["severe_above_percent"],
        document["complex_from_seconds"],
        document["complex_from_skill_level"],
    )


def is_hours(text: str) -> bool:
    """Whether a text says hours of a day, like `09:00-17:30`, or `22:00-06:00` over midnight."""
    return re.fullmatch(HOURS_PATTERN, text) is not None
