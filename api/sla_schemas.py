"""Promises to customers as documents: policies, what a contract changes of them, facts to grade, and answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.http.parameters import DATE_PATTERN, Moment, read_date
from api.resource_zones import TimeZone
from api.schemas import document_schema
from api.schemas_values import (
    Attributes,
    Count,
    Document,
    Id,
    Instant,
    Level,
    Seconds,
    SkillLevel,
    Text,
    Version,
    absent,
)
from data.sla_policy import default_policy
from dispatcher.sla.clocks import ClockName, ClockStatus
from dispatcher.sla.grading import Complexity, Impact, Urgency
from dispatcher.sla.policy import HOURS_PATTERN, is_hours

Percent = Annotated[float, Field(ge=0, le=100)]
Promised = Annotated[int, Field(ge=1, le=400 * 86_400)]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
StateName = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,49}$")]


def _hours(text: str) -> str:
    if not is_hours(text):
        raise PydanticCustomError("BAD_CLOCK", "not hours")
    return text


def _day(text: str) -> str:
    read_date(text)
    return text


Hours = Annotated[
    str,
    Field(max_length=11),
    AfterValidator(_hours),
    WithJsonSchema({"type": "string", "pattern": HOURS_PATTERN, "examples": ["09:00-18:00", "22:00-06:00"]}),
]
Day = Annotated[
    str,
    Field(max_length=10),
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "format": "date", "pattern": DATE_PATTERN}),
]


class LevelPromiseFields(Document):
    """What is promised at a level, from the opening of the order. What is left out is not promised."""

    respond_seconds: Promised | None = absent("Until somebody answers.")
    consult_seconds: Promised | None = absent("Until an expert advises.")
    arrive_seconds: Promised | None = absent("Until somebody is on site.")
    restore_seconds: Promised | None = absent("Until it works again.")
    calendar: Id | None = absent("The calendar of these clocks; they run always where absent.")


class Levels(Document):
    """By level."""

    L1: LevelPromiseFields | None = None
    L2: LevelPromiseFields | None = None
    L3: LevelPromiseFields | None = None
    L4: LevelPromiseFields | None = None


class PublicHolidays(Document):
    """The public holidays of a country, from 2020 to 2040."""

    country: Annotated[str, Field(min_length=2, max_length=2)] = Field(description="ISO 3166: `CN`, `DE`.")
    subdivision: Annotated[str, Field(min_length=1, max_length=10)] | None = absent("Like `BY` for Bavaria.")


class CalendarFields(Document):
    """When clocks run. Hours that end before they begin end on the next day and belong to the day they begin on."""

    timezone: TimeZone | None = absent("IANA name; the zone of the site where absent.")
    hours: dict[Weekday, list[Hours]] | None = absent("By weekday; always where absent.")
    holidays: PublicHolidays | None = absent("On these days nothing begins.")
    closed: list[Day] | None = absent("Other days on which nothing begins.")


class GradingRuleFields(Document):
    """Gives its level to what is at least so bad in all that it names."""

    level: Level
    impact: Impact | None = None
    urgency: Urgency | None = None
    complexity: Complexity | None = None
    core: bool | None = None
    planned: bool | None = None


Rules = Annotated[list[GradingRuleFields], Field(max_length=100)]


class GradingFields(Document):
    """How orders are graded: the first rule that fits decides."""

    severe_above_percent: Percent
    complex_from_seconds: Seconds
    complex_from_skill_level: SkillLevel
    rules: Rules
    otherwise: Level


class GradingChanges(Document):
    """What a contract changes of the grading."""

    severe_above_percent: Percent | None = None
    complex_from_seconds: Seconds | None = None
    complex_from_skill_level: SkillLevel | None = None
    rules: Rules | None = None
    otherwise: Level | None = None


Calendars = dict[Id, CalendarFields | None]
Pauses = dict[StateName, list[ClockName] | None]
Thresholds = Annotated[list[Annotated[int, Field(ge=1, le=99)]], Field(max_length=10)]


class SlaPolicy(Document):
    """What is promised to customers where no contract says otherwise."""

    version: Version
    levels: Levels
    calendars: Calendars | None = absent("By name.")
    pauses: Pauses | None = absent("By state, the clocks that rest in it.")
    thresholds_percent: Thresholds = Field(description="At which shares of a promise somebody is warned, rising.")
    critical_hours: Id | None = absent("The calendar in which the customer feels downtime; always where absent.")
    red_after_seconds: Seconds = Field(description="Felt downtime beyond which a customer had a bad day.")
    link_window_seconds: Seconds = Field(description="How far apart orders of one fault may come in.")
    grading: GradingFields


class SlaChanges(Document):
    """What a contract changes of the policy: objects are merged field by field, all else is replaced."""

    levels: Levels | None = None
    calendars: Calendars | None = None
    pauses: Pauses | None = None
    thresholds_percent: Thresholds | None = None
    critical_hours: Id | None = None
    red_after_seconds: Seconds | None = None
    link_window_seconds: Seconds | None = None
    grading: GradingChanges | None = None


class GradingFacts(Document):
    """What is known about a fault when it comes in."""

    capacity_lost_percent: Percent | None = absent("The share of capacity lost.")
    machines_down: Count | None = absent("0 where absent.")
    machines_total: Count | None = absent("Of how many, in the region or the cluster.")
    core: bool | None = absent("Whether core machines are affected; no where absent.")
    planned: bool | None = absent("Whether it is planned or preventive work; no where absent.")
    continuity: Urgency | None = absent("What it does to the customer's operation.")
    repair_seconds: Seconds | None = absent("The expected repair.")
    skill_level: SkillLevel | None = absent("The highest skill level that it needs.")


class GradeRequest(Document):
    """Facts to grade, by the policy as a contract changes it."""

    facts: GradingFacts
    contract: Id | None = absent("A stored contract; the policy of the house where absent.")


class LevelChange(Document):
    """A dispatcher's level, and why."""

    level: Level
    reason: Annotated[Text, Field(min_length=1, max_length=200)]


class StateMark(Document):
    """Something that happened to a work order beside its visits."""

    state: StateName = Field(description="Like `accepted`, `consulting`, `waiting_for_customer`, `restored`.")
    at: Moment | None = absent("When; now where absent.")
    reason: Annotated[Text, Field(max_length=200)] | None = None


class ParentChange(Document):
    """The order that this one is the same fault as; null sets it apart, for good."""

    parent: Id | None
    reason: Annotated[Text, Field(max_length=200)] | None = None


class Worded(Document):
    """A code with its parameters and its words."""

    code: str
    params: Attributes
    message: str


class Override(Document):
    level: Level
    by: str
    at: Instant
    reason: str


class Grade(Document):
    """A level and why; `computed` is what the rules give, whatever a dispatcher made of it."""

    level: Level
    computed: Level
    impact: Impact
    urgency: Urgency
    complexity: Complexity
    reasons: list[Worded]
    override: Override | None


class Crossing(Document):
    """A promise came near its end, or broke (100)."""

    percent: int
    at: Instant
    level: Level
    cause: Worded


class Clock(Document):
    """One promise, as it stands."""

    clock: ClockName
    status: ClockStatus
    target_seconds: int
    elapsed_seconds: int
    remaining_seconds: int = Field(description="Negative once it is broken.")
    due: Instant | None = Field(description="When it runs out or ran out; null while it rests.")
    reached_percent: int
    stopped_at: Instant | None
    breached_at: Instant | None
    crossings: list[Crossing]


class Experience(Document):
    """What the customer felt, beside what the contract counts."""

    down_seconds: int
    felt_seconds: int
    counted_seconds: int | None
    kept: bool
    red: bool
    green_over_red: bool


class PromisedDeadlines(Document):
    """What the planner is told."""

    arrive_by: Instant | None = None
    restore_by: Instant | None = None


class Clocks(Document):
    """The promises of a work order now. Without `opened_at` there are none."""

    work_order: str
    level: Level
    state: str | None
    now: Instant
    opened_at: Instant | None
    contract: str | None = Field(description="The contract whose promises count; null for the policy of the house.")
    parent: str | None = Field(description="The order that it waits with as the same fault.")
    grade: Grade | None
    override: Override | None
    clocks: list[Clock]
    deadlines: PromisedDeadlines
    experience: Experience | None


class Risk(Document):
    """A promise that may break, or has."""

    work_order: str
    level: Level
    clock: ClockName
    due: Instant | None
    seconds_to_breach: int | None = Field(description="Until `due` by the clock on the wall; negative behind it.")
    remaining_seconds: int
    reached_percent: int
    planned_at: Instant | None = Field(description="When the plan in force keeps it: the start or end of a visit.")
    late_by_seconds: int = Field(description="By how much the plan misses it; 0 where it does not, or has no visit.")
    cause: Worded | None


class Risks(Document):
    now: Instant
    items: list[Risk]


class RecordedCrossing(Document):
    work_order: str
    clock: ClockName
    percent: int
    at: Instant
    level: Level
    cause: Worded


class RecordedCrossings(Document):
    """What was recorded now, each threshold of each promise once."""

    recorded: list[RecordedCrossing]


class Link(Document):
    child: str
    parent: str
    reason: Worded


class Links(Document):
    """Orders that are the same fault as another one."""

    links: list[Link]


class Attainment(Document):
    """One clock of one level."""

    level: Level
    clock: ClockName
    in_time: int
    broken: int
    open: int = Field(description="Neither kept nor broken yet, or cancelled before.")
    attainment_percent: float | None = Field(description="Of those kept or broken, rounded to hundredths.")


class FeltSum(Document):
    """What customers felt, over all orders; `green_over_red` are kept contracts over a bad day (up to 100 of them)."""

    orders: int
    down_seconds: int
    felt_seconds: int
    counted_seconds: int
    red: int
    green_over_red_count: int
    green_over_red: list[str]


class Report(Document):
    territory: str
    date_from: Annotated[str, Field(alias="from")]
    to: str
    attainment: list[Attainment]
    experience: FeltSum


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy."""
    return document_schema(SlaPolicy, "Muster SLA policy, version 1", default_policy())
