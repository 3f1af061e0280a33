"""What resolved orders say about engineers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from api.http.actors import permitted, services_of
from api.http.answers import json_response
from api.http.parameters import QueryId
from api.http.problems import problem_responses
from api.http.routing import KnowingRoute
from api.skill_history import learned, learned_document
from dispatcher.actor import Actor
from skills.history import HALF_LIFE_DAYS

router = APIRouter(route_class=KnowingRoute, prefix="/skills", tags=["skills"])

_PACE = {"value": 0.91, "low": 0.83, "high": 1.0, "orders": 22.4}
_CHANCE = {"value": 0.87, "low": 0.74, "high": 0.94, "orders": 22.4}
HISTORY_EXAMPLE: dict[str, Any] = {
    "territory": "east",
    "since": "2025-11-23T06:00:00Z",
    "visits": 118,
    "as_of": "2026-11-23T06:00:00Z",
    "experiences": [
        {"engineer": "E1", "skill": "hydraulics", "duration_factor": _PACE, "fix_probability": _CHANCE},
    ],
    "groups": [{"skill": "hydraulics", "duration_factor": {**_PACE, "orders": 0.0}, "fix_probability": None}],
    "engineers": [
        {"id": "E1", "duration_factors": {"hydraulics": 0.91}, "fix_probability": {"hydraulics": 0.87}},
    ],
}


class HistoryQuery(BaseModel):
    """Whose history, and how far back."""

    territory: QueryId = Field(description="The territory whose engineers are asked about.")
    days: int = Field(default=365, ge=1, le=3650, description="Visits that ended in so many days up to now count.")
    half_life_days: float = Field(
        default=HALF_LIFE_DAYS, ge=1, le=36500, description="After so many days a visit counts half."
    )


class Figure(BaseModel):
    """A figure that lies between `low` and `high` with a probability of 90 %."""

    value: float
    low: float
    high: float
    orders: float = Field(description="How many orders of today it is made of; 0 is the group's figure alone.")


class GroupFigures(BaseModel):
    """What to expect at a skill of an engineer without any orders; null where no order says anything."""

    skill: str
    duration_factor: Figure | None
    fix_probability: Figure | None


class ExperienceFigures(GroupFigures):
    """An engineer at a skill."""

    engineer: str


class EngineerFigures(BaseModel):
    """The fields of an engineer's record that follow, for every skill that something they hold leads to."""

    id: str
    duration_factors: dict[str, float]
    fix_probability: dict[str, float]


class SkillHistory(BaseModel):
    """What the visits of a territory's engineers say about them."""

    model_config = ConfigDict(json_schema_extra={"examples": [HISTORY_EXAMPLE]})

    territory: str
    since: str
    visits: int = Field(description="Visits that were done or failed from then on.")
    as_of: str = Field(description="When this was asked; ages are counted up to then.")
    experiences: list[ExperienceFigures]
    groups: list[GroupFigures]
    engineers: list[EngineerFigures]


@router.get(
    "/history",
    summary="Get what resolved orders say about engineers",
    operation_id="get_skill_history",
    responses={200: {"model": SkillHistory}, **problem_responses()},
)
def learned_from_visits(
    request: Request, query: Annotated[HistoryQuery, Query()], actor: Annotated[Actor, permitted("read", "skill")]
) -> Response:
    """Duration factors and fix probabilities of a territory's engineers, from their visits with actual times.

    Nothing is changed: plans use what is stored with the engineers.
    """
    with services_of(request).database.read(actor) as work:
        found = learned(work, query.territory, query.days, query.half_life_days)
    return json_response(learned_document(found))
