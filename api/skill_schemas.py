"""The answers about skills as the service describes them; `api.skill_answers` makes them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.http.parameters import LocalDate, QueryId

_START, _END = "2026-11-23T08:00:00+08:00", "2026-11-23T16:00:00+08:00"
_POINT: dict[str, Any] = {"skill": "network", "level": 4, "start": _START, "end": _END, "hours": 8}
COVERAGE_EXAMPLE: dict[str, Any] = {
    "territory": "east",
    "timezone": "Asia/Shanghai",
    "engineers": 4,
    "single_points": 2,
    "short": 1,
    "hours": [
        {"start": _START, "end": "2026-11-23T09:00:00+08:00", "on_shift": 3},
        {"start": "2026-11-23T09:00:00+08:00", "end": "2026-11-23T10:00:00+08:00", "on_shift": 4},
    ],
    "rows": [
        {
            "skill": "network",
            "level": 4,
            "orders": 3,
            "on_shift": [1, 1],
            "needed": [1, 2],
            "work_seconds": [3000, 4200],
        }
    ],
}
GAPS_EXAMPLE: dict[str, Any] = {
    "territory": "east",
    "timezone": "Asia/Shanghai",
    "single_points": [{**_POINT, "engineers": ["E006"], "orders": ["W006"]}],
    "uncovered": [
        {
            "skill": "safety",
            "level": 4,
            "start": "2026-11-23T07:00:00+08:00",
            "end": _START,
            "hours": 1,
            "orders": ["W031"],
        }
    ],
    "shortages": [
        {
            "required": [{"skill": "network", "level": 4}],
            "people": 1,
            "missing": 0,
            "able": ["E006"],
            "nearly": [
                {"engineer": "E016", "required": {"skill": "network", "level": 4}, "reached": 3, "expired": None}
            ],
            "orders": ["W006"],
        }
    ],
    "trainings": [
        {
            "engineer": "E016",
            "skill": "network",
            "from_level": 3,
            "to_level": 4,
            "ends": 8,
            "left": 0,
            "single_points": [_POINT],
        }
    ],
}


class SkillQuery(BaseModel):
    """Which crew and work."""

    territory: QueryId = Field(description="The territory whose engineers and unfinished work orders count.")
    date: LocalDate = Field(description="The local date of the shifts; hours before now are left out.")


class CoverageHour(BaseModel):
    """An hour of the clock in the territory's zone; the first begins now where now is in it."""

    start: str
    end: str
    on_shift: int = Field(description="Engineers on shift at the moment of the hour at which they are fewest.")


class CoverageRow(BaseModel):
    """A skill at a level that an open order asks for; one number per hour in each list."""

    skill: str
    level: int
    orders: int = Field(description="Open orders that ask for it at this level or above.")
    on_shift: list[int] = Field(
        description="Who holds it and is on shift: at the moment at which they are fewest, of those with need."
    )
    needed: list[int] = Field(
        description="The most people that one order asks for at once, or what the work spread evenly makes, rounded up."
    )
    work_seconds: list[int] = Field(
        description="The work, spread evenly over the time in which it may be started as promised by somebody on shift."
    )


class SkillCoverage(BaseModel):
    """How many people on shift hold what open work asks for, hour by hour, against how many it needs."""

    model_config = ConfigDict(json_schema_extra={"examples": [COVERAGE_EXAMPLE]})

    territory: str
    timezone: str
    engineers: int = Field(description="Engineers on shift in any of the hours.")
    single_points: int = Field(
        description="Pairs of a row and an hour in which somebody is needed and one person only is there."
    )
    short: int = Field(description="Pairs of a row and an hour in which fewer are there than are needed.")
    hours: list[CoverageHour]
    rows: list[CoverageRow]


class AskedSkill(BaseModel):
    """A skill and the lowest level that will do."""

    skill: str
    level: int


class UncoveredSkill(BaseModel):
    """Hours on end in which somebody is needed and nobody is there."""

    skill: str
    level: int
    start: str
    end: str
    hours: int
    orders: list[str] = Field(description="The open orders that ask for it at this level or above.")


class SinglePoint(UncoveredSkill):
    """Hours on end in which somebody is needed and one person only is there who holds the skill at the level."""

    engineers: list[str] = Field(description="That person; or, within an hour, who hands over to whom.")


class NearlyQualified(BaseModel):
    """Somebody on shift who is one step short: a level of one skill, or a certificate to renew."""

    engineer: str
    required: AskedSkill
    reached: int | None = Field(description="The level reached; null where nothing leads to the skill any more.")
    expired: str | None = Field(description="The skill whose certificate ran out; null where a level is missing.")


class SkillShortage(BaseModel):
    """Orders that ask for as many people of a kind as there are, or for more."""

    required: list[AskedSkill] = Field(description="What each of them has to hold, all of it.")
    people: int = Field(description="How many one of the orders asks for.")
    missing: int = Field(description="How many there are too few.")
    able: list[str] = Field(description="Who could: on shift while an order may be started.")
    nearly: list[NearlyQualified]
    orders: list[str]


class EndedPoint(BaseModel):
    """Single points of a skill at a level, hours on end."""

    skill: str
    level: int
    start: str
    end: str
    hours: int


class SkillTraining(BaseModel):
    """A training and the single points that it ends beside those of the trainings before it."""

    engineer: str
    skill: str
    from_level: int = Field(
        description="What the engineer reaches today, 0 for nothing; not below `to_level` where a certificate runs out."
    )
    to_level: int
    ends: int = Field(description="How many single points (of one hour each) it ends.")
    left: int = Field(description="How many are left after it.")
    single_points: list[EndedPoint]


class SkillGaps(BaseModel):
    """Where a crew is thin, and which training helps most."""

    model_config = ConfigDict(json_schema_extra={"examples": [GAPS_EXAMPLE]})

    territory: str
    timezone: str
    single_points: list[SinglePoint]
    uncovered: list[UncoveredSkill]
    shortages: list[SkillShortage] = Field(description="What misses most people first.")
    trainings: list[SkillTraining] = Field(
        description="One after another, each the one that ends most single points per level climbed; ten at most."
    )
