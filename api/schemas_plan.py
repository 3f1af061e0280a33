"""The plan document, version 1: its shape. Whether its claims are true is the checker's question."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from api.schemas_values import (
    Attributes,
    ClaimedNumber,
    ClaimedWhole,
    Count,
    Document,
    EmptyIsAbsent,
    Id,
    Instant,
    Iterations,
    NoneForEmpty,
    Seed,
    Text,
    Version,
    absent,
)


class StartStop(Document):
    """Where and when a route begins: always its first stop."""

    kind: Literal["start"]
    location: Id
    end: Instant = Field(description="When the engineer is ready to leave.")


class WorkStop(Document):
    """An engineer's stay at a work order; for a remote member where the engineer is, with 0 travel."""

    kind: Literal["work_order"]
    work_order: Id
    role: Id | None = absent("The role of the team; null without a team.")
    location: Id
    travel_seconds: ClaimedWhole = Field(description="Seconds of the leg to this stop.")
    travel_meters: ClaimedWhole | None = absent("Metres of the leg to this stop.")
    arrival: Instant = Field(description="Departure is arrival minus travel_seconds.")
    start: Instant = Field(description="Start of the service, where setup begins.")
    end: Instant
    late_arrival_seconds: ClaimedWhole | None = absent("Seconds after arrive_by.")
    late_start_seconds: ClaimedWhole | None = absent("Seconds after start_by.")
    late_restore_seconds: ClaimedWhole | None = absent("Seconds after restore_by.")
    pinned: bool | None = absent("Whether the problem pins this work order.")


class BreakStop(Document):
    """A break, taken where the engineer is."""

    kind: Literal["break"]
    start: Instant
    end: Instant


class EndStop(Document):
    """Where a route ends; an open route has none."""

    kind: Literal["end"]
    location: Id
    travel_seconds: ClaimedWhole = Field(description="Seconds of the leg to this stop.")
    travel_meters: ClaimedWhole | None = absent("Metres of the leg to this stop.")
    arrival: Instant


Stop = Annotated[StartStop | WorkStop | BreakStop | EndStop, Field(discriminator="kind")]


class Route(Document):
    """One shift of one engineer."""

    engineer: Id
    shift: Id
    stops: list[Stop] | None = absent("In the order of travel: start, work orders and breaks, end.")


class TeamMember(Document):
    """An engineer in a role of a team."""

    engineer: Id
    role: Id


class TeamAssignment(Document):
    """Who serves a work order that needs a team."""

    work_order: Id
    start: Instant = Field(description="The first on-site start.")
    members: list[TeamMember] = Field(description="On-site and remote members.")
    standby: list[TeamMember] | None = absent("Standby members; they are on no route for this work order.")


class Reason(Document):
    """Why an engineer could not take a work order, or why nobody could."""

    engineer: Id | None = absent("Absent where the reason is the work order's own.")
    code: Id
    params: Attributes | None = absent("What the message says, as values.")
    message: Text | None = None


class Fix(Document):
    """The smallest change that would let a work order be served."""

    code: Id
    engineer: Id | None = None
    amount_seconds: ClaimedWhole | None = absent("Size of the change, in seconds.")
    params: Attributes | None = absent("What the message says, as values.")
    message: Text | None = None


class Unassigned(Document):
    """A work order that the plan leaves out."""

    work_order: Id
    reasons: list[Reason] | None = None
    cheapest_fix: Annotated[Fix | None, NoneForEmpty, EmptyIsAbsent()] = None
    reasons_left_out: Count | None = absent("Engineers of a large fleet about whom no reason is given.")


class ScoreTerm(Document):
    """One rule's share of the total."""

    rule: Id
    amount: ClaimedNumber = Field(description="In the unit of the rule.")
    unit: Id | None = absent("Unit of the amount, such as s or m.")
    cost: ClaimedNumber = Field(description="Amount × weight.")


class Score(Document):
    """What a plan costs, rule by rule."""

    total: ClaimedWhole = Field(description="What the plan costs; smaller is better.")
    terms: list[ScoreTerm] | None = None


class Receipt(Document):
    """How the plan was made."""

    engine: Id | None = None
    seed: Seed | None = None
    threads: ClaimedWhole | None = None
    iterations: Iterations | None = None
    elapsed_seconds: ClaimedNumber | None = absent("Wall-clock seconds.")
    stopped_by: Id | None = None
    approximated_rules: list[Id] | None = absent("Soft rules the engine only approximated.")
    problem_sha256: Id | None = absent("SHA-256 of the problem as canonical JSON, in hexadecimal.")
    travel_tier: Id | None = absent("Where travel times come from: geodesic, matrix.")
    software: dict[str, Text] | None = absent("Versions by name of the software.")
    lower_bound: ClaimedNumber | None = absent("No plan costs less than this.")
    gap: ClaimedNumber | None = absent("(total − lower_bound) / total.")


class PlanDocument(Document):
    """A plan: routes, teams and what stays unassigned.

    Absent, null and empty mean the same. Instants are ISO 8601 with an offset, durations integer seconds,
    distances integer metres.
    """

    version: Version = Field(description="Version of the format: 1.")
    problem_id: Id | None = None
    created_at: Instant | None = None
    score: Annotated[Score | None, NoneForEmpty, EmptyIsAbsent()] = None
    routes: list[Route] | None = absent("One per shift with work; shifts without work are left out.")
    teams: list[TeamAssignment] | None = absent("One per served work order that needs a team.")
    unassigned: list[Unassigned] | None = None
    receipt: Receipt | None = None
