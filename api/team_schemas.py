"""What a team is asked for with, and what the answer looks like; `api.team_answers` makes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.run_schemas import Plan
from api.schemas import Team
from api.schemas_values import Document, Id, OnlyMatchingKeys, Seconds, SizeKey, Version, absent
from dispatcher.reasons import FIXES
from solver.teams import MOST_OPTIONS

MOST_SUPPORT = 20
_Few = Annotated[int, Field(ge=0, le=MOST_SUPPORT)]
_Levels = Annotated[int, Field(ge=0, le=4)]
_Share = Annotated[float, Field(gt=0, le=10)]


class LeadRule(Document):
    """The expert of a team."""

    levels_above: _Levels | None = absent("Levels above what the first required skill asks for; 0 where absent.")
    presence: list[Literal["on_site", "remote"]] | None = Field(
        default=None,
        min_length=1,
        max_length=2,
        description="Where the lead may be; each is tried. On site where absent.",
    )


class SupportRule(Document):
    """Supporters: the largest of the minimum, what the workload asks for, and one for uncovered skills."""

    minimum: _Few | None = absent("At least so many; 1 where absent.")
    maximum: _Few | None = absent("At most so many, whatever else asks for more; the minimum where absent.")
    levels_below: _Levels | None = absent("Levels below what the first required skill asks for; 1 where absent.")
    seconds_per_person: Annotated[Seconds, Field(ge=60)] | None = absent(
        "Service that one person manages: more of it asks for one more person. Any where absent."
    )


class LevelRule(Document):
    """How teams are composed for orders of one level that name none."""

    automatic: bool | None = absent("Whether a team is composed where nobody asked for one; false where absent.")
    may_displace: bool | None = absent("Whether planned work of lower levels may make room; false where absent.")
    consult_within_seconds: Seconds | None = absent(
        "A remote lead begins at most so long before the others arrive; any time where absent."
    )
    lead: LeadRule
    support: SupportRule | None = absent("One supporter where absent.")
    share_of_service_by_size: Annotated[dict[SizeKey, _Share], OnlyMatchingKeys()] | None = absent(
        "Share of the order's service that so many on site need; 1 where absent."
    )
    standby: _Few | None = absent("How many stand by; nobody where absent.")


class Rules(Document):
    """A rule for each level whose orders may get a team."""

    L1: LevelRule | None = None
    L2: LevelRule | None = None
    L3: LevelRule | None = None
    L4: LevelRule | None = None


class TeamPolicy(Document):
    """The house's policy of composing teams (YAML or JSON)."""

    version: Version
    levels: Rules
    for_everybody: list[Id] | None = absent("Skills that each member has to hold; the others the team holds together.")


class TeamQuestion(Document):
    """What is asked for; an empty object for the policy's defaults."""

    most: Annotated[int, Field(ge=1, le=MOST_OPTIONS)] | None = absent("Options at most; 4 where absent.")
    may_displace: bool | None = absent("Overrules the policy: whether planned work of lower levels may make room.")
    rule: LevelRule | None = absent("Composes the team by this rule instead of the policy's.")
    instead_of: Id | None = absent("A member who drops out: the others keep their roles. Only for a planned team.")


class SubstituteQuestion(Document):
    """Who drops out of a planned team."""

    engineer: Id
    most: Annotated[int, Field(ge=1, le=MOST_OPTIONS)] | None = absent("Options at most; 4 where absent.")
    may_displace: bool | None = absent("Overrules the policy: whether planned work of lower levels may make room.")


class MemberShown(BaseModel):
    """Who comes; times of a remote member say when they are busy for it."""

    engineer: str
    shift: str
    role: str
    presence: Literal["on_site", "remote"]
    departure: str
    travel_seconds: int
    arrival: str
    start: str
    end: str
    called_from: list[str] = Field(description="Planned orders of this engineer that make room.")


class StandbyShown(BaseModel):
    """Who stands by."""

    engineer: str
    role: str
    there_at: str = Field(description="When they would be on site if called at the team's start.")


class TimesShown(BaseModel):
    """How an order is served."""

    engineers: list[str]
    arrival: str
    start: str
    end: str
    late_seconds: dict[str, int] = Field(description="By kind of promise, those that are missed.")


class ChangeShown(BaseModel):
    """Another order whose people or times differ."""

    work_order: str
    level: str
    displaced: bool = Field(description="Whether somebody is called away from it.")
    broken: bool = Field(description="Whether a promise that was kept is not kept any more, or it is left undone.")
    arrival_shift_seconds: int | None = Field(description="How much later it is reached; negative: sooner.")
    before: TimesShown
    after: TimesShown | None = Field(description="null: unassigned.")
    why_unassigned: str | None


class ShortOfShown(BaseModel):
    """What somebody lacks."""

    engineer: str
    role: str
    skill: str
    level: int
    has: int


class OptionShown(BaseModel):
    """One way to send a team, with all that it changes."""

    id: str
    best_for: list[Literal["fastest", "least_harm", "best_chance", "cheapest"]]
    allowed: bool
    short_of: list[ShortOfShown]
    why_this_team: str | None = Field(description="How the policy composed it; null for a team that the order names.")
    team: Team = Field(description="What is asked of the team, as in the planning document.")
    arrival: str = Field(description="The first on-site arrival.")
    start: str
    complete_at: str = Field(description="When the last on-site member starts.")
    restored_at: str
    late_seconds: dict[str, int]
    chance_to_fix: float
    members: list[MemberShown]
    standby: list[StandbyShown]
    changes: list[ChangeShown] = Field(description="Every other order that moves, the most grave first.")
    total_change: int
    cost_changes: dict[str, float] = Field(description="What the total changes by, rule by rule.")


class ReasonShown(BaseModel):
    """Why one engineer cannot."""

    engineer: str
    code: str
    params: dict[str, Any]
    message: str


class FixShown(BaseModel):
    """What would make it possible."""

    engineer: str
    code: str = Field(description=f"One of {', '.join(FIXES)}.")
    amount_seconds: int
    params: dict[str, Any]
    message: str


class NoTeamShown(BaseModel):
    """Why there is no team, engineer by engineer, and the cheapest change that would help."""

    reasons: list[ReasonShown]
    reasons_left_out: int
    cheapest_fix: FixShown | None


class TeamOptions(BaseModel):
    """Options, the least total cost first; without any, why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "work_order": "W200",
                    "plan_id": "01KAJ6ZC3N7D4F5G6H7J8K9M0P",
                    "plan_version": 2,
                    "as_of": "2026-11-23T10:40:00+08:00",
                    "options": [],
                    "no_team": {
                        "reasons": [
                            {
                                "engineer": "E1",
                                "code": "SKILL_LEVEL",
                                "params": {"skill": "hydraulics", "level": 5, "best_level": 4},
                                "message": "E1 reaches level 4 of hydraulics, level 5 is needed",
                            }
                        ],
                        "reasons_left_out": 0,
                        "cheapest_fix": None,
                    },
                    "not_allowed": [],
                    "lost": [],
                }
            ]
        }
    )

    work_order: str
    plan_id: str
    plan_version: int = Field(description="For `If-Match` when an option is accepted.")
    as_of: str
    options: list[OptionShown]
    no_team: NoTeamShown | None
    not_allowed: list[OptionShown] = Field(description="Without options: what one level more would make possible.")
    lost: list[str] = Field(description="Planned orders that cannot be kept any more, whatever is chosen.")


class AcceptedOption(BaseModel):
    """The plan that is in force now, and what it changed."""

    plan: Plan
    work_order: str
    changes: list[ChangeShown]


def team_policy_schema() -> dict[str, Any]:
    """The JSON Schema of a team policy."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **TeamPolicy.model_json_schema()}
