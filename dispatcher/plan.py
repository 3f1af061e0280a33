"""The plan: what engines hand over (sequences) and what is published (times)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

StopKind = Literal["start", "work_order", "break", "end"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One work stop to be made.

    `not_before` holds its start back (epoch seconds), as a team's start does; `leave_not_before` holds back the
    departure to it, as for an engineer who stands by where they are.
    """

    work_order: str
    role: str | None = None
    not_before: int | None = None
    leave_not_before: int | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """A break to be taken at this place in the sequence; `index` counts the breaks of the shift from 0."""

    index: int


@dataclass(frozen=True, slots=True)
class RouteSequence:
    engineer: str
    shift: str
    visits: tuple[Visit | Rest, ...]


@dataclass(frozen=True, slots=True)
class Member:
    engineer: str
    role: str | None


@dataclass(frozen=True, slots=True)
class Sequences:
    """Everything an engine decides: who visits what in which order, and who stands by. No times, no costs."""

    routes: tuple[RouteSequence, ...] = ()
    standby: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of a route with its times (epoch seconds); which fields are set depends on the kind.

    start: location, end · work_order: all · break: start, end · end: location, travel, arrival.
    """

    kind: StopKind
    location: str | None = None
    work_order: str | None = None
    role: str | None = None
    travel_seconds: int = 0
    travel_meters: int | None = None
    arrival: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Route:
    engineer: str
    shift: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class TeamAssignment:
    """The team of a served order; `start` is the first on-site start (epoch seconds)."""

    work_order: str
    start: int
    members: tuple[Member, ...]
    standby: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan with times; `unassigned` are the ids of the orders it leaves."""

    routes: tuple[Route, ...] = ()
    teams: tuple[TeamAssignment, ...] = ()
    unassigned: tuple[str, ...] = ()
