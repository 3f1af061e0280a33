"""The shape of planning documents, version 1: pydantic models and the JSON Schemas generated from them.

The models say which fields there are, of which type and within which bounds; what fields mean together is
checked by `dispatcher.validate`. Use `api.documents` to check a document: it reports both at once.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Discriminator, Field, Tag
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from api.schemas_plan import PlanDocument
from api.schemas_values import (
    Amount,
    Attributes,
    Clock,
    ClockEnd,
    Count,
    Document,
    EmptyIsAbsent,
    Factor,
    GapSeconds,
    Id,
    Instant,
    Iterations,
    Latitude,
    Level,
    Longitude,
    MetersRow,
    NoneForEmpty,
    Probability,
    Seconds,
    SecondsBySize,
    SecondsRow,
    Seed,
    SkillLevel,
    SpeedKmh,
    Text,
    Threads,
    TimeLimitSeconds,
    Version,
    Weight,
    absent,
)
from dispatcher.validate import LIMITS

__all__ = ["PlanDocument", "ProblemDocument", "plan_schema", "problem_schema"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Horizon(Document):
    """The time planned for: every shift, and every time window that is not wholly past, lies inside."""

    start: Instant
    end: Instant


class Location(Document):
    """Coordinates in degrees, WGS 84; optional where travel is a matrix."""

    lat: Latitude | None = None
    lon: Longitude | None = None


class Skill(Document):
    """A skill that the graph knows."""

    id: Id


class Relation(Document):
    """From a held skill to one it can stand for."""

    type: Literal["implies", "substitutes"]
    from_skill: Id = Field(alias="from")
    to_skill: Id = Field(alias="to")
    level_loss: Count | None = Field(default=0, description="Levels lost on the way.")
    duration_factor: Factor | None = Field(default=1, description="Stretches the service; substitutes only.")
    penalty: Amount | None = Field(default=0, description="Cost of the rule substitution; substitutes only.")


class SkillGraph(Document):
    """Which skills there are and which can stand for which; without it skills are flat tags."""

    skills: list[Skill] | None = absent("All skills; where empty, every name is a skill.")
    relations: list[Relation] | None = None


class HeldSkill(Document):
    """What an engineer can do; levels go from 1 to 5."""

    skill: Id
    level: SkillLevel | None = 1
    valid_until: Instant | None = absent("The skill counts for services that start up to then.")


class RequiredSkill(Document):
    """What an engineer must be able to do; levels go from 1 to 5."""

    skill: Id
    level: SkillLevel | None = 1


class Break(Document):
    """A break that is taken once, whole, and starts inside its window."""

    earliest_start: Instant
    latest_start: Instant
    duration_seconds: Seconds


class Shift(Document):
    """One working period of one engineer; it makes at most one route."""

    id: Id
    start: Instant
    end: Instant = Field(description="What lies beyond is overtime.")
    latest_end: Instant | None = absent("The route is back by then; `end` where absent.")
    start_location: Id
    end_location: Id | None = absent("`start_location` where absent; an explicit null is an open route.")
    breaks: list[Break] | None = None
    max_work_orders: Count | None = absent("On-site and remote work stops; unlimited where absent.")
    attributes: Attributes | None = absent("Free data, carried through and never read.")


class Engineer(Document):
    """Somebody who serves work orders in one or more shifts."""

    id: Id
    name: Text | None = None
    territory: Text | None = None
    skills: list[HeldSkill] | None = None
    shifts: list[Shift] | None = None
    speed_factor: Factor | None = Field(default=1, description="Above 1 drives faster.")
    duration_factors: dict[Id, Factor | None] | None = absent("Stretches service, by required skill.")
    fix_probability: dict[Id, Probability | None] | None = absent(
        "That one visit fixes the fault, by required skill; 1 where absent."
    )
    parts: dict[Id, Count | None] | None = absent("Stock at the start of every shift, by part.")
    on_call: bool | None = absent("Information for emergencies, no rule.")
    attributes: Attributes | None = absent("Free data, carried through and never read.")


class TimeWindow(Document):
    """Service starts at `start`, at `end` or between."""

    start: Instant
    end: Instant


class Deadlines(Document):
    """Soft promises; what they cost when broken is in the objective."""

    arrive_by: Instant | None = absent("For the first on-site member.")
    start_by: Instant | None = absent("For each on-site member.")
    restore_by: Instant | None = absent("For the last on-site member's end.")


class Role(Document):
    """A role of a team, held by `min` to `max` engineers."""

    role: Id
    min: Count | None = 1
    max: Count | None = absent("`min` where absent.")
    required_skills: list[RequiredSkill] | None = None
    presence: Literal["on_site", "remote", "standby"] | None = "on_site"
    service_seconds: Seconds | None = absent("Instead of the work order's.")


class Arrival(Document):
    """How the on-site members come."""

    mode: Literal["together", "staggered", "lead_first"] | None = "together"
    min_gap_seconds: GapSeconds | None = Field(default=0, description="After the lead, in lead_first.")
    max_gap_seconds: GapSeconds | None = absent("After the first one or the lead; unlimited where absent.")


class Team(Document):
    """A "1+N" team: a work order that several engineers serve together."""

    roles: list[Role] | None = absent("One of them on_site with min 1 or more.")
    collective_skills: list[RequiredSkill] | None = absent("At least one member holds each.")
    arrival: Arrival | None = None
    service_seconds_by_size: SecondsBySize | None = absent(
        "Seconds by number of on-site members; the next lower size given counts."
    )


class Dependency(Document):
    """Exactly one of `work_order` and `completed_at`."""

    work_order: Id | None = None
    completed_at: Instant | None = absent("End of work that is already done.")
    min_gap_seconds: GapSeconds | None = 0
    max_gap_seconds: GapSeconds | None = absent("Unlimited where absent.")


class Pin(Document):
    """Fixes who serves a work order, and when; a start before `now` means it is running."""

    engineer: Id
    start: Instant | None = None


class WorkOrder(Document):
    """A job at a place, for one engineer or a team."""

    id: Id
    location: Id
    territory: Text | None = None
    service_seconds: Seconds
    setup_seconds: Seconds | None = Field(default=0, description="Once per visit to a location.")
    level: Level | None = "L4"
    value: Amount | None = absent("What leaving it undone costs; by level where absent, and 0 is 0.")
    required_skills: list[RequiredSkill] | None = None
    time_windows: list[TimeWindow] | None = absent("Service starts inside one; any time where empty.")
    deadlines: Deadlines | None = None
    team: Annotated[Team | None, NoneForEmpty, EmptyIsAbsent()] = None
    allowed_engineers: list[Id] | None = absent("Nobody else; everybody where empty.")
    excluded_engineers: list[Id] | None = None
    preferred_engineers: list[Id] | None = None
    parts: dict[Id, Count | None] | None = absent("Taken once per work order, by part.")
    asset: Text | None = None
    related_to: list[Id] | None = absent("Work orders that one engineer should know together.")
    depends_on: list[Dependency] | None = None
    pin: Annotated[Pin | None, NoneForEmpty, EmptyIsAbsent()] = None
    attributes: Attributes | None = absent("Free data, carried through and never read.")


class Traffic(Document):
    """Clock times of every day, in the problem's time zone, at which driving takes longer."""

    from_clock: Clock = Field(alias="from")
    to_clock: ClockEnd = Field(alias="to", description="After `from`, up to 24:00.")
    factor: Factor = Field(description="Driving takes this many times as long.")


class GeodesicTravel(Document):
    """Great-circle distance × detour_factor, driven at speed_kmh."""

    kind: Literal["geodesic"]
    speed_kmh: SpeedKmh = Field(description="Kilometres per hour.")
    detour_factor: Factor | None = 1
    traffic: list[Traffic] | None = None


class MatrixTravel(Document):
    """Travel as given: row i, column j is from location i to location j of location_ids."""

    kind: Literal["matrix"]
    location_ids: list[Id] = Field(max_length=LIMITS.locations)
    seconds: list[SecondsRow] = Field(max_length=LIMITS.locations)
    meters: list[MetersRow] | None = Field(default=None, description="Needed where `distance` has weight.")
    traffic: list[Traffic] | None = None


class WeightsByLevel(Document):
    """Weights by level, merged over those of the profile."""

    L1: Weight | None = None
    L2: Weight | None = None
    L3: Weight | None = None
    L4: Weight | None = None


def _kind_of_weight(value: object) -> str:
    return "by_level" if isinstance(value, (dict, WeightsByLevel)) else "for_all_levels"


LateWeight = Annotated[
    Annotated[Weight, Tag("for_all_levels")] | Annotated[WeightsByLevel, Tag("by_level")],
    Discriminator(_kind_of_weight),
]


class Weights(Document):
    """Overrides of single weights of the profile, by rule; cost per unit of the rule's amount."""

    unserved: Weight | None = absent("Times the value of each unassigned work order.")
    late_arrival: LateWeight | None = absent("Per second.")
    late_start: LateWeight | None = absent("Per second and on-site member.")
    late_restore: LateWeight | None = absent("Per second.")
    late_arrival_once: LateWeight | None = absent("Per late work order.")
    late_start_once: LateWeight | None = absent("Per late work order.")
    late_restore_once: LateWeight | None = absent("Per late work order.")
    travel: Weight | None = absent("Per second.")
    distance: Weight | None = absent("Per metre.")
    overtime: Weight | None = absent("Per second.")
    substitution: Weight | None = absent("Times the sum of penalties.")
    preference: Weight | None = absent("Per work order served outside its preferred engineers.")
    association: Weight | None = absent("Per related pair without an engineer in common.")
    change: Weight | None = absent("Per work order whose engineers change.")
    change_shift: Weight | None = absent("Per second moved beyond 900.")
    worst_lateness: Weight | None = absent("Per second.")
    fairness: Weight | None = absent("Per second of mean absolute deviation of workloads.")
    engineers_used: Weight | None = absent("Per engineer with work.")
    repeat_visit: Weight | None = absent("Per second of service that is expected to be repeated.")


class Objective(Document):
    """What a plan costs: the weights of a profile with overrides. Weights count in thousandths."""

    profile: Literal["balanced", "sla_first", "cost_first", "stable"] | None = "balanced"
    weights: Weights | None = None


class Solve(Document):
    """How to search."""

    time_limit_seconds: TimeLimitSeconds | None = absent("Wall-clock seconds.")
    iteration_limit: Iterations | None = absent("No limit where absent.")
    seed: Seed | None = absent("The same seed, problem and iterations give the same plan on one thread.")
    threads: Threads | None = None
    engine: Id | None = absent("Name of the engine.")


class ProblemDocument(Document):
    """A planning problem: work orders, engineers with their shifts, locations and travel.

    Absent, null and empty mean the same, except an explicit null `end_location`. Instants are ISO 8601 with
    an offset, durations integer seconds, distances integer metres, coordinates degrees in WGS 84.
    """

    version: Version = Field(description="Version of the format: 1.")
    id: Id
    timezone: Id = Field(description="IANA name; traffic is in its clock times.")
    now: Instant | None = absent("Nothing starts or departs before; the horizon's start where absent.")
    horizon: Horizon
    locations: dict[Id, Location | None] | None = Field(
        default=None, max_length=LIMITS.locations, description="Places by id."
    )
    skill_graph: SkillGraph | None = None
    engineers: list[Engineer] | None = Field(default=None, max_length=LIMITS.engineers)
    work_orders: list[WorkOrder] | None = Field(default=None, max_length=LIMITS.orders)
    travel: Annotated[GeodesicTravel | MatrixTravel, Field(discriminator="kind")]
    objective: Objective | None = None
    current_plan: Annotated[PlanDocument | None, NoneForEmpty, EmptyIsAbsent()] = absent(
        "Warm start, and what the rules change and change_shift are measured from."
    )
    solve: Solve | None = None
    attributes: Attributes | None = absent("Free data, carried through and never read.")


_PROBLEM_EXAMPLE: dict[str, Any] = {
    "version": 1,
    "id": "two-orders",
    "timezone": "Asia/Shanghai",
    "horizon": {"start": "2026-11-23T00:00:00+08:00", "end": "2026-11-24T00:00:00+08:00"},
    "locations": {"depot": {"lat": 31.2, "lon": 121.5}, "n17": {"lat": 31.25, "lon": 121.46}},
    "engineers": [
        {
            "id": "E1",
            "skills": [{"skill": "hydraulics", "level": 4}],
            "shifts": [
                {
                    "id": "mon",
                    "start": "2026-11-23T08:00:00+08:00",
                    "end": "2026-11-23T17:00:00+08:00",
                    "start_location": "depot",
                }
            ],
        }
    ],
    "work_orders": [
        {
            "id": "W1",
            "location": "n17",
            "service_seconds": 3600,
            "level": "L2",
            "required_skills": [{"skill": "hydraulics", "level": 2}],
            "deadlines": {"arrive_by": "2026-11-23T10:00:00+08:00"},
        }
    ],
    "travel": {"kind": "geodesic", "speed_kmh": 35, "detour_factor": 1.3},
    "objective": {"profile": "balanced"},
    "solve": {"time_limit_seconds": 10, "seed": 1},
}
_PLAN_EXAMPLE: dict[str, Any] = {
    "version": 1,
    "problem_id": "two-orders",
    "routes": [
        {
            "engineer": "E1",
            "shift": "mon",
            "stops": [
                {"kind": "start", "location": "depot", "end": "2026-11-23T08:00:00+08:00"},
                {
                    "kind": "work_order",
                    "work_order": "W1",
                    "role": None,
                    "location": "n17",
                    "travel_seconds": 900,
                    "arrival": "2026-11-23T08:15:00+08:00",
                    "start": "2026-11-23T08:15:00+08:00",
                    "end": "2026-11-23T09:15:00+08:00",
                },
                {
                    "kind": "end",
                    "location": "depot",
                    "travel_seconds": 900,
                    "arrival": "2026-11-23T09:30:00+08:00",
                },
            ],
        }
    ],
    "teams": [],
    "unassigned": [],
}


class _PlainSchema(GenerateJsonSchema):
    """Leaves out titles that only repeat the names of fields, and defaults that are null."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  the signature is pydantic's
        return False

    def default_schema(self, schema: Any) -> JsonSchemaValue:
        # A null default would be wrong for `end_location` and says nothing anywhere else.
        if schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def problem_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a problem document: its shape, not its meaning."""
    return document_schema(ProblemDocument, "Muster problem document, version 1", _PROBLEM_EXAMPLE)


def plan_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a plan document: its shape, not its truth."""
    return document_schema(PlanDocument, "Muster plan document, version 1", _PLAN_EXAMPLE)


def document_schema(model: type[BaseModel], title: str, example: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a kind of document."""
    generated = model.model_json_schema(schema_generator=_PlainSchema)
    return {"$schema": _DIALECT, **generated, "title": title, "examples": [example]}
