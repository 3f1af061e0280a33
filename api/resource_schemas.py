"""The stored records as the service takes and gives them, in the words of the planning document where it has them.

Each kind has one class of fields; what only some bodies have (ids, versions, bookkeeping) is added to it by
`api.resource_kinds`. A Python name is the stored field's, an alias the one in JSON; a field that is no column of its
own is kept in the record's `body`, as it was written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from api.http.parameters import LocalDate, Moment
from api.resource_zones import TimeZone
from api.schemas import Break, Deadlines, Dependency, HeldSkill, Pin, RequiredSkill, Team, TimeWindow
from api.schemas_values import (
    Amount,
    Attributes,
    Count,
    Document,
    EmptyIsAbsent,
    Factor,
    Id,
    Instant,
    Latitude,
    Level,
    Longitude,
    NoneForEmpty,
    Probability,
    Seconds,
    Text,
    absent,
)
from api.sla_schemas import GradingFacts, SlaChanges
from dispatcher.sla.linking import AssetRelationType

ShiftStatus = Literal["planned", "active", "ended", "cancelled"]
WorkOrderStatus = Literal["open", "planned", "in_progress", "done", "cancelled"]
VisitStatus = Literal["planned", "accepted", "en_route", "on_site", "paused", "done", "failed"]
RelationType = Literal["implies", "substitutes"]
_FREE = "Free data, carried through and never read."


class TerritoryFields(Document):
    """A region that is planned together; its zone says which local date an instant falls on."""

    name: Text | None = None
    timezone: TimeZone = Field(description="IANA name.", examples=["Asia/Shanghai"])
    travel_factor: Factor | None = absent("Every leg takes so many times as long; 1 where absent.")
    travel_factor_until: Moment | None = absent("Until when it does.")
    attributes: Attributes | None = absent(_FREE)


class CustomerFields(Document):
    """Who is served."""

    name: Text | None = None
    attributes: Attributes | None = absent(_FREE)


class ContractFields(Document):
    """What was promised to a customer."""

    customer: Id
    name: Text | None = None
    starts_on: LocalDate | None = absent("First local day, inclusive.")
    ends_on: LocalDate | None = absent("Last local day, inclusive.")
    sla: SlaChanges | None = absent("What it changes of the policy of the house.")
    attributes: Attributes | None = absent(_FREE)


class SiteFields(Document):
    """A place with work, or where a shift begins: a location of the planning document."""

    customer: Id | None = None
    territory: Id | None = None
    name: Text | None = None
    latitude: Latitude | None = Field(default=None, alias="lat", description="Degrees, WGS 84.")
    longitude: Longitude | None = Field(default=None, alias="lon", description="Degrees, WGS 84.")
    timezone: TimeZone = Field(description="IANA name of the zone of its clocks.", examples=["Asia/Shanghai"])
    attributes: Attributes | None = absent(_FREE)


class AssetModelFields(Document):
    """A type of machine."""

    name: Text | None = None
    required_skills: list[RequiredSkill] | None = absent(
        "What work on such machines needs, beside what its work orders ask for."
    )
    attributes: Attributes | None = absent(_FREE)


class AssetFields(Document):
    """A machine at a site."""

    site: Id
    asset_model: Id | None = None
    contract: Id | None = None
    name: Text | None = None
    attributes: Attributes | None = absent(_FREE)


class AssetRelationFields(Document):
    """`from` is part of `to`, or feeds it: a fault of one may be a fault of the other."""

    type: AssetRelationType
    from_asset: Id = Field(alias="from")
    to_asset: Id = Field(alias="to")


class SkillFields(Document):
    """A skill that engineers hold and work orders require."""

    name: Text | None = None
    attributes: Attributes | None = absent(_FREE)


class SkillRelationFields(Document):
    """From a held skill to one it can stand for."""

    type: RelationType
    from_skill: Id = Field(alias="from")
    to_skill: Id = Field(alias="to")
    level_loss: Count | None = absent("Levels lost on the way; 0 where absent.")
    duration_factor: Factor | None = absent("Stretches the service, 1 where absent; substitutes only.")
    penalty: Amount | None = absent("Cost of the rule substitution, 0 where absent; substitutes only.")


class EngineerFields(Document):
    """Somebody who serves work orders; the shifts are records of their own."""

    name: Text | None = None
    territory: Id | None = None
    skills: list[HeldSkill] | None = None
    speed_factor: Factor | None = absent("Above 1 drives faster; 1 where absent.")
    duration_factors: dict[Id, Factor | None] | None = absent("Stretches service, by required skill.")
    fix_probability: dict[Id, Probability | None] | None = absent(
        "That one visit fixes the fault, by required skill; 1 where absent."
    )
    parts: dict[Id, Count | None] | None = absent("Stock at the start of every shift, by part.")
    on_call: bool | None = absent("Information for emergencies, no rule.")
    attributes: Attributes | None = absent(_FREE)


class ShiftFields(Document):
    """One working period of one engineer; it makes at most one route."""

    local_date: LocalDate = Field(alias="date", description="The local day it counts for.")
    start: Moment
    end: Moment = Field(description="What lies beyond is overtime.")
    latest_end: Moment | None = absent("The route is back by then; `end` where absent.")
    status: ShiftStatus | None = absent("`planned` where absent.")
    available_from: Moment | None = absent("When the engineer is there, where that is later than `start`.")
    start_location: Id | None = absent("A site. A shift without one cannot be planned.")
    end_location: Id | None = absent("A site; `start_location` where absent; an explicit null is an open route.")
    breaks: list[Break] | None = None
    max_work_orders: Count | None = absent("On-site and remote work stops; unlimited where absent.")
    attributes: Attributes | None = absent(_FREE)


class PositionFields(Document):
    """Where an engineer was last; where they were before is kept nowhere, but for positions told as events."""

    latitude: Latitude = Field(alias="lat", description="Degrees, WGS 84.")
    longitude: Longitude = Field(alias="lon", description="Degrees, WGS 84.")
    recorded_at: Moment


class WorkOrderFields(Document):
    """A job at a site, for one engineer or a team."""

    site: Id = Field(alias="location", description="A site.")
    asset: Id | None = absent("The machine it is about.")
    territory: Id | None = None
    level: Level | None = absent("`L4` where absent.")
    status: WorkOrderStatus | None = absent("`open` where absent.")
    opened_at: Instant | None = absent("When it was reported: from then on its promises count. Without it none do.")
    grading: GradingFacts | None = absent("What is known about the fault, for grading it.")
    service_seconds: Seconds
    setup_seconds: Seconds | None = absent("Once per visit to a location; 0 where absent.")
    value: Amount | None = absent("What leaving it undone costs; by level where absent, and 0 is 0.")
    required_skills: list[RequiredSkill] | None = None
    time_windows: list[TimeWindow] | None = absent("Service starts inside one; any time where empty.")
    deadlines: Deadlines | None = None
    team: Annotated[Team | None, NoneForEmpty, EmptyIsAbsent()] = None
    allowed_engineers: list[Id] | None = absent("Nobody else; everybody where empty.")
    excluded_engineers: list[Id] | None = None
    preferred_engineers: list[Id] | None = None
    parts: dict[Id, Count | None] | None = absent("Taken once per work order, by part.")
    related_to: list[Id] | None = absent("Work orders that one engineer should know together.")
    depends_on: list[Dependency] | None = None
    pin: Annotated[Pin | None, NoneForEmpty, EmptyIsAbsent()] = None
    attributes: Attributes | None = absent(_FREE)


class VisitFields(Document):
    """One engineer's part in one work order, with what really happened."""

    work_order: Id
    engineer: Id
    shift: Id | None = None
    role: Text | None = None
    status: VisitStatus | None = absent("`planned` where absent.")
    planned_start: Moment | None = None
    planned_end: Moment | None = None
    accepted_at: Moment | None = None
    departed_at: Moment | None = None
    arrived_at: Moment | None = None
    started_at: Moment | None = None
    paused_at: Moment | None = None
    paused_seconds: Seconds | None = absent("0 where absent.")
    ended_at: Moment | None = None
    failure: Attributes | None = absent("Why it failed.")
    expected_end: Moment | None = absent("When work that runs longer will end.")
    report: Attributes | None = absent("Notes, used parts and pauses, as events told them.")


class Identified(Document):
    """A record that the caller knows by an id of their own."""

    external_id: Id = Field(alias="id")


class IdentifiedByPath(Document):
    """The same where the id stands in the path; it may be repeated here."""

    external_id: Id | None = Field(default=None, alias="id", description="That of the path, where it is given.")


class OfEngineer(Document):
    """A record that is known within an engineer."""

    engineer: Id


class OfEngineerByPath(Document):
    """The same where the engineer stands in the path."""

    engineer: Id | None = absent("That of the path, where it is given.")


class Expected(Document):
    """The version that a caller has read."""

    version: Annotated[Count | None, Field()] = absent(
        "The version that you have read, 0 for a record that must be new; any where absent."
    )


class Stored(Document):
    """What the service adds to a record."""

    version: int = Field(ge=1, description="Counts the changes; the ETag holds it.")
    created_at: Instant
    updated_at: Instant
    updated_by: str = Field(description="The principal of the last change.")


class WrittenRecord(Document):
    """What became of one record of a list."""

    id: str | None = None
    engineer: str | None = absent("For what is known within an engineer.")
    version: int
    outcome: Literal["created", "updated", "unchanged"]


class BulkAnswer(Document):
    """What became of a list that was written whole, in its order."""

    created: int
    updated: int
    unchanged: int
    records: list[WrittenRecord]


EXAMPLES: dict[str, dict[str, Any]] = {
    "territory": {"id": "east", "name": "East", "timezone": "Asia/Shanghai"},
    "customer": {"id": "C1", "name": "Harbour"},
    "contract": {"id": "K1", "customer": "C1", "starts_on": "2026-01-01", "ends_on": "2026-12-31"},
    "site": {"id": "n17", "territory": "east", "lat": 31.25, "lon": 121.46, "timezone": "Asia/Shanghai"},
    "asset_model": {"id": "crane", "name": "Gantry crane", "required_skills": [{"skill": "hydraulics", "level": 2}]},
    "asset": {"id": "crane-7", "site": "n17", "asset_model": "crane"},
    "asset_relation": {"id": "AR1", "type": "part_of", "from": "crane-7", "to": "crane-1"},
    "skill": {"id": "hydraulics", "name": "Hydraulics"},
    "skill_relation": {
        "id": "R1",
        "type": "substitutes",
        "from": "pneumatics",
        "to": "hydraulics",
        "level_loss": 1,
        "duration_factor": 1.3,
        "penalty": 600,
    },
    "engineer": {
        "id": "E1",
        "territory": "east",
        "skills": [{"skill": "hydraulics", "level": 4}],
        "speed_factor": 1.1,
        "parts": {"P-12": 2},
    },
    "shift": {
        "engineer": "E1",
        "id": "mon",
        "date": "2026-11-23",
        "start": "2026-11-23T08:00:00+08:00",
        "end": "2026-11-23T17:00:00+08:00",
        "start_location": "depot",
    },
    "engineer_position": {"engineer": "E1", "lat": 31.3, "lon": 121.4, "recorded_at": "2026-11-23T09:00:00+08:00"},
    "work_order": {
        "id": "W1",
        "location": "n17",
        "territory": "east",
        "level": "L2",
        "service_seconds": 3600,
        "required_skills": [{"skill": "hydraulics", "level": 2}],
        "deadlines": {"arrive_by": "2026-11-23T10:00:00+08:00"},
    },
    "visit": {"id": "V1", "work_order": "W1", "engineer": "E1", "shift": "mon", "status": "accepted"},
}
"""By kind, a record as it stands in a list."""
