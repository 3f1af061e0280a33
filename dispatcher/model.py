"""The nouns of the domain: what a planning problem is made of.

Everything is frozen. Instants are integer epoch seconds (UTC), durations integer seconds, distances integer
metres. Factors, values and penalties are exact: an `int` where they are whole, a `Fraction` where the document
wrote a decimal, so that no rounding happens before the one place the planning document names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from skills.qualification import HeldSkill, RequiredSkill

Exact = int | Fraction
Level = Literal["L1", "L2", "L3", "L4"]
Presence = Literal["on_site", "remote", "standby"]
ArrivalMode = Literal["together", "staggered", "lead_first"]

LEVELS: tuple[Level, ...] = ("L1", "L2", "L3", "L4")
URGENT: frozenset[Level] = frozenset({"L1", "L2"})
"""Levels that are worth turning over other work for."""
VALUE_BY_LEVEL: Mapping[Level, int] = {"L1": 360000, "L2": 108000, "L3": 28800, "L4": 7200}
LEAD = "lead"


def round_half_up(value: Exact) -> int:
    """Round to the nearest integer, halves up: 57.5 → 58, as the planning document asks everywhere."""
    if isinstance(value, int):
        return value
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


@dataclass(frozen=True, slots=True)
class Location:
    """A place; coordinates in degrees, WGS 84, absent where travel is given as a matrix."""

    id: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Service may start at `start`, at `end` and between."""

    start: int
    end: int

    def holds(self, instant: int) -> bool:
        return self.start <= instant <= self.end


@dataclass(frozen=True, slots=True)
class Break:
    earliest_start: int
    latest_start: int
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class Shift:
    """One working period of one engineer. `end_location` None is an open route: it ends after the last stop."""

    id: str
    start: int
    end: int
    latest_end: int
    start_location: str
    end_location: str | None
    breaks: tuple[Break, ...] = ()
    max_work_orders: int | None = None


@dataclass(frozen=True, slots=True)
class Engineer:
    id: str
    shifts: tuple[Shift, ...] = ()
    skills: tuple[HeldSkill, ...] = ()
    name: str | None = None
    territory: str | None = None
    speed_factor: Exact = 1
    duration_factors: Mapping[str, Exact] = field(default_factory=dict)
    fix_probability: Mapping[str, Exact] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
    on_call: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """One role of a team; `minimum` to `maximum` engineers hold it."""

    name: str
    minimum: int = 1
    maximum: int = 1
    required_skills: tuple[RequiredSkill, ...] = ()
    presence: Presence = "on_site"
    service_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """How the on-site members of a team come; `max_gap_seconds` None is unlimited."""

    mode: ArrivalMode = "together"
    min_gap_seconds: int = 0
    max_gap_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Team:
    """The "1+N" team an order needs. `service_seconds_by_size` is sorted by size."""

    roles: tuple[Role, ...]
    collective_skills: tuple[RequiredSkill, ...] = ()
    arrival: Arrival = Arrival()
    service_seconds_by_size: tuple[tuple[int, int], ...] = ()

    def role(self, name: str | None) -> Role | None:
        return next((role for role in self.roles if role.name == name), None)


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Soft promises; None is no promise."""

    arrive_by: int | None = None
    start_by: int | None = None
    restore_by: int | None = None


@dataclass(frozen=True, slots=True)
class Dependency:
    """This order waits for another one (`work_order`) or for an instant already known (`completed_at`)."""

    work_order: str | None = None
    completed_at: int | None = None
    min_gap_seconds: int = 0
    max_gap_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Pin:
    engineer: str
    start: int | None = None


@dataclass(frozen=True, slots=True)
class WorkOrder:
    id: str
    location: str
    service_seconds: int
    setup_seconds: int = 0
    level: Level = "L4"
    value: Exact = VALUE_BY_LEVEL["L4"]
    territory: str | None = None
    required_skills: tuple[RequiredSkill, ...] = ()
    time_windows: tuple[TimeWindow, ...] = ()
    deadlines: Deadlines = Deadlines()
    team: Team | None = None
    allowed_engineers: frozenset[str] = frozenset()
    excluded_engineers: frozenset[str] = frozenset()
    preferred_engineers: frozenset[str] = frozenset()
    parts: Mapping[str, int] = field(default_factory=dict)
    asset: str | None = None
    related_to: frozenset[str] = frozenset()
    depends_on: tuple[Dependency, ...] = ()
    pin: Pin | None = None

    def admits(self, engineer: str) -> bool:
        """Whether the lists of allowed and excluded engineers let this engineer be member or standby."""
        if self.allowed_engineers and engineer not in self.allowed_engineers:
            return False
        return engineer not in self.excluded_engineers

    def presence(self, role: str | None) -> Presence:
        """Where the holder of a role is; an order without a team, or an unknown role, is on site."""
        found = self.team.role(role) if self.team else None
        return found.presence if found else "on_site"

    def required_of(self, role: str | None) -> tuple[RequiredSkill, ...]:
        """What an on-site or remote member must hold: the order's skills, then the role's."""
        found = self.team.role(role) if self.team else None
        return self.required_skills + found.required_skills if found else self.required_skills

    def window_at(self, instant: int) -> TimeWindow | None:
        """The first window that holds the instant."""
        return next((window for window in self.time_windows if window.holds(instant)), None)
