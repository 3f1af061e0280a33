"""Runs, plans and routes as the service shows them, and what a plan is asked for with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.http.parameters import LocalDate, QueryId
from api.schemas import GeodesicTravel, Objective, Solve
from api.schemas_values import Document, Id, absent
from data.job_store import RunRecord
from data.repositories import MAX_PAGE, PlanRecord
from dispatcher.documents import utc_text
from dispatcher.validate import LIMITS

MAX_TERRITORIES = 1000
_RUN_ID = "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"
_PLAN_ID = "01KAJ6ZC3N7D4F5G6H7J8K9M0P"
_RUN_EXAMPLE: dict[str, Any] = {
    "id": _RUN_ID,
    "version": 7,
    "created_at": "2026-11-23T05:10:00+00:00",
    "updated_at": "2026-11-23T05:10:09+00:00",
    "kind": "plan",
    "state": "running",
    "requested_by": "anonymous",
    "attempts": 1,
    "max_attempts": 3,
    "progress": 0.4,
    "progress_text": "ordering 2 of 5: 12 of 60 orders placed",
    "cancel_requested": False,
    "error": None,
    "plan_id": None,
}
QUESTION_EXAMPLE: dict[str, Any] = {
    "territories": ["east"],
    "dates": ["2026-11-23"],
    "options": {"time_limit_seconds": 10, "seed": 1},
}


class PlanRequest(Document):
    """A plan over what is stored: the unfinished work orders and the shifts of territories on local dates."""

    territories: list[Id] = Field(
        min_length=1,
        max_length=MAX_TERRITORIES,
        description="The first one's time zone becomes the plan's.",
    )
    dates: list[LocalDate] = Field(min_length=1, max_length=LIMITS.horizon_days)
    options: Solve | None = absent("How to search; as `solve` of the planning document.")
    travel: GeodesicTravel | None = absent("How engineers travel; 35 km/h and a detour factor of 1.3 where absent.")
    objective: Objective | None = absent("What counts; the profile `balanced` where absent.")


class _PageQuery(BaseModel):
    """Which page of a list."""

    limit: int = Field(default=100, ge=1, le=MAX_PAGE, description="How many at most.")
    after: str | None = Field(
        default=None, max_length=2000, description="`next` of the page before; the first page without it."
    )


class RunQuery(_PageQuery):
    """Which runs, and which page of them."""

    state: Literal["queued", "running", "succeeded", "failed", "cancelled"] | None = Field(
        default=None, description="Only these."
    )


class PlanQuery(_PageQuery):
    """Which plans, and which page of them."""

    state: Literal["published", "accepted", "superseded"] | None = Field(default=None, description="Only these.")
    territory: QueryId | None = Field(default=None, description="Plans about this territory; `date` belongs to it.")
    date: LocalDate | None = Field(default=None, description="Plans about this date; `territory` belongs to it.")


class RunError(BaseModel):
    """Why a run failed; `code` is stable, `params` holds the facts of the message."""

    code: str
    message: str
    params: dict[str, Any]


class Run(BaseModel):
    """A request for a plan and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RUN_EXAMPLE]})

    id: str
    version: int = Field(description="Rises with every change, also with a worker's signs of life.")
    created_at: datetime
    updated_at: datetime
    kind: Literal["solve", "plan", "repair"]
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    requested_by: str
    attempts: int
    max_attempts: int
    progress: float = Field(description="From 0 to 1.")
    progress_text: str
    cancel_requested: bool
    error: RunError | None
    plan_id: str | None = Field(description="The plan, once there is one; a cancelled run may have one too.")


class RunPage(BaseModel):
    """Some runs, the newest first."""

    items: list[Run]
    next: str | None = Field(description="`after` of the page that follows; null at the end.")


class Best(BaseModel):
    """The best that a run has, told in short."""

    run_id: str
    state: Literal["queued", "running", "succeeded", "failed", "cancelled"]
    plan_id: str | None
    total: int | None = Field(description="What the plan costs; null while there is none.")
    served: int | None
    unassigned: int | None


class PlanScope(BaseModel):
    """A territory on a local date."""

    territory: str
    date: str


class Plan(BaseModel):
    """A published plan without its documents."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    run_id: str
    state: Literal["published", "accepted", "superseded"]
    total: int
    problem_sha256: str
    scopes: list[PlanScope] = Field(description="What it is about; empty for a problem that came from outside.")


class PlanPage(BaseModel):
    """Some plans, the newest first."""

    items: list[Plan]
    next: str | None = Field(description="`after` of the page that follows; null at the end.")


class DayRoutes(BaseModel):
    """An engineer's routes of a local date by the plan in force, one per shift with work."""

    date: str
    engineer: str
    plan_id: str | None = Field(description="null where no plan in force has work for the engineer.")
    routes: Annotated[list[dict[str, Any]], Field(description="As `routes` of the plan document.")]


def shown_run(run: RunRecord) -> dict[str, Any]:
    """A run as `Run`."""
    return {
        "id": run.id,
        "version": run.version,
        "created_at": utc_text(run.created_at),
        "updated_at": utc_text(run.updated_at),
        "kind": run.kind,
        "state": run.state,
        "requested_by": run.requested_by,
        "attempts": run.attempts,
        "max_attempts": run.max_attempts,
        "progress": run.progress,
        "progress_text": run.progress_text,
        "cancel_requested": run.cancel_requested,
        "error": None if run.error is None else dict(run.error),
        "plan_id": run.plan_id,
    }


def shown_plan(plan: PlanRecord) -> dict[str, Any]:
    """A plan as `Plan`."""
    return {
        "id": plan.id,
        "version": plan.version,
        "created_at": utc_text(plan.created_at),
        "updated_at": utc_text(plan.updated_at),
        "updated_by": plan.updated_by,
        "run_id": plan.run_id,
        "state": plan.state,
        "total": plan.total,
        "problem_sha256": plan.problem_sha256,
        "scopes": [{"territory": scope.territory, "date": scope.local_date.isoformat()} for scope in plan.scopes],
    }
