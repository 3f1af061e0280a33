"""Events as the service takes and gives them: one model per kind, and what became of each of a batch."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, Field, create_model

from api.resource_schemas import Identified, WorkOrderFields
from api.schemas import RequiredSkill
from api.schemas_values import Count, Document, Factor, Id, Instant, Latitude, Level, Longitude, Seconds, Text, absent
from data.repositories import MAX_PAGE

MAX_EVENTS = 1000
_VERSION = "The version of the order that was read; any where absent."


class OpenedOrder(WorkOrderFields, Identified):
    """A work order that is open."""

    status: Literal["open"] | None = absent("Open, as every order that is opened.")


class OrderChanges(WorkOrderFields):
    """The fields of a work order that are to be others; null takes a field away, all others stay."""

    # Absent is not null here: an order cannot be without them.
    site: Id = Field(default=None, alias="location", description="A site.")  # type: ignore[assignment]
    service_seconds: Seconds = Field(default=None)  # type: ignore[assignment]
    level: None = absent("Regrade the order instead.")
    status: None = absent("It follows from what happens.")


class OrderOpened(Document):
    order: OpenedOrder


class OrderRegraded(Document):
    work_order: Id
    level: Level
    reason: Text = Field(min_length=1, description="Why; kept with the event.")
    version: Count | None = absent(_VERSION)


class OrderEdited(Document):
    work_order: Id
    changes: OrderChanges
    version: Count | None = absent(_VERSION)


class OrderCancelled(Document):
    work_order: Id
    reason: Text | None = absent("Why; kept with the event.")
    version: Count | None = absent(_VERSION)


class _OfShift(Document):
    engineer: Id
    shift: Id


class EngineerLate(_OfShift):
    expected_at: Instant = Field(description="When the engineer will be there.")


class EngineerOffSick(_OfShift):
    """Not before the end of this shift."""


class EngineerBack(_OfShift):
    """From `occurred_at` on."""


class EngineerPosition(Document):
    engineer: Id
    lat: Latitude = Field(description="Degrees, WGS 84.")
    lon: Longitude = Field(description="Degrees, WGS 84.")


class _OfVisit(Document):
    work_order: Id
    engineer: Id


class VisitAccepted(_OfVisit):
    """The engineer will do it."""


class VisitBegun(_OfVisit):
    shift: Id | None = absent("That of the route: needed where the plan gave the work to somebody else meanwhile.")


class VisitPaused(_OfVisit):
    cause: Literal["customer", "parts", "access", "other"] | None = absent("What is waited for.")


class VisitResumed(_OfVisit):
    """The work goes on."""


class VisitNoted(_OfVisit):
    notes: Text | None = absent("What the engineer has to say.")
    parts_used: dict[Id, Count | None] | None = absent("By part; several reports add up.")


class VisitFinished(VisitNoted):
    """The work is done."""


class VisitRunningLonger(_OfVisit):
    expected_end: Instant = Field(description="When the work will end.")


class VisitFailed(VisitNoted):
    cause: Literal["part", "skill", "access", "other"]
    missing_parts: dict[Id, Count | None] | None = absent("What the next visit has to bring, by part.")
    missing_skills: list[RequiredSkill] | None = absent("What whoever comes next has to hold.")


class TravelSlower(Document):
    territory: Id
    factor: Factor = Field(description="Every leg takes so many times as long; 1 ends it.")
    until: Instant


BODIES: dict[str, type[Document]] = {
    "order_opened": OrderOpened,
    "order_regraded": OrderRegraded,
    "order_edited": OrderEdited,
    "order_cancelled": OrderCancelled,
    "engineer_late": EngineerLate,
    "engineer_off_sick": EngineerOffSick,
    "engineer_back": EngineerBack,
    "engineer_position": EngineerPosition,
    "visit_accepted": VisitAccepted,
    "visit_en_route": VisitBegun,
    "visit_arrived": VisitBegun,
    "visit_paused": VisitPaused,
    "visit_resumed": VisitResumed,
    "visit_finished": VisitFinished,
    "visit_running_longer": VisitRunningLonger,
    "visit_failed": VisitFailed,
    "visit_noted": VisitNoted,
    "travel_slower": TravelSlower,
}
"""The body of every kind of event."""


class _Told(Document):
    """Something that happened."""

    client_id: Id = Field(description="Yours, and new for every event: told again with it, an event counts once.")
    occurred_at: Instant = Field(description="When it happened, which may be a while ago.")


def _told(kind: str, body: type[Document]) -> type[_Told]:
    name = "".join(part.capitalize() for part in kind.split("_"))
    given: dict[str, Any] = {"kind": (Literal[kind], ...), "body": (body, ...)}
    return create_model(f"Told{name}", __base__=_Told, __doc__=body.__doc__, **given)


_TOLD = tuple(_told(kind, body) for kind, body in BODIES.items())


class EventBatch(Document):
    """Events of a console or a phone. Each is applied or refused for itself, in the order in which they happened."""

    events: list[Annotated[Union[_TOLD], Field(discriminator="kind")]] = Field(max_length=MAX_EVENTS)  # type: ignore[valid-type]  # noqa: UP007


class EventRefusal(BaseModel):
    """Why an event was refused; `code` is stable, texts are for people."""

    path: str = Field(description="The place inside the event.")
    code: str
    message: str
    remedy: str
    params: dict[str, Any]


class EventOutcome(BaseModel):
    """What became of one event."""

    client_id: str
    outcome: Literal["applied", "known", "refused"] = Field(
        description="`known`: it was told before, under the same id, and counts once."
    )
    sequence: int | None = Field(description="Its number in the log; null if it was refused.")
    refusal: EventRefusal | None


class EventAnswer(BaseModel):
    """What became of a batch, in its order."""

    events: list[EventOutcome]
    last: int = Field(description="The number of the newest event of the log.")


class LoggedEvent(BaseModel):
    """An event of the log."""

    sequence: int = Field(ge=1, description="Counts without gaps.")
    kind: str
    subject: str = Field(description="What it is about, like `work_order W1`.")
    occurred_at: datetime
    recorded_at: datetime = Field(description="When it was told.")
    principal: str
    reason: str | None
    client_id: str | None
    body: dict[str, Any]
    sha256: str = Field(description="Over the event and the hash of the one before.")


class EventPage(BaseModel):
    """Some events, in the order of the log."""

    items: list[LoggedEvent]
    next: int | None = Field(description="`after` of the page that follows; null at the end.")
    last: int = Field(description="The number of the newest event of the log.")


class EventQuery(BaseModel):
    """Which events."""

    after: int = Field(default=0, ge=0, le=10**15, description="Events behind this number.")
    limit: int = Field(default=100, ge=1, le=MAX_PAGE, description="How many at most.")


class Job(BaseModel):
    """A visit as a phone needs it."""

    work_order: str
    visit: str
    shift: str | None
    role: str | None
    status: Literal["planned", "accepted", "en_route", "on_site", "paused"]
    level: Level
    location: str
    lat: float | None
    lon: float | None
    planned_start: datetime | None
    planned_end: datetime | None
    expected_end: datetime | None
    service_seconds: int
    parts: dict[str, Any]


class NextJob(BaseModel):
    """What an engineer does next."""

    engineer: str
    job: Job | None = Field(
        description="The visit under way, else the one that is planned first; null if there is none."
    )
    waiting: int = Field(description="How many visits wait behind it.")


BATCH_EXAMPLE: dict[str, Any] = {
    "events": [
        {
            "client_id": "phone-7-0042",
            "kind": "visit_en_route",
            "occurred_at": "2026-11-23T09:00:00+08:00",
            "body": {"work_order": "W1", "engineer": "E1", "shift": "mon"},
        },
        {
            "client_id": "phone-7-0043",
            "kind": "visit_arrived",
            "occurred_at": "2026-11-23T09:20:00+08:00",
            "body": {"work_order": "W1", "engineer": "E1", "shift": "mon"},
        },
    ]
}
