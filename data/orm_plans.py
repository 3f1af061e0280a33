"""Planning: runs, plans with their snapshots, what they are about, which of them is in force."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.orm_base import (
    ExternalId,
    InternalId,
    JsonObject,
    JsonText,
    Row,
    UtcDateTime,
    one_of,
    refers,
)
from dispatcher.lifecycle import PLAN_STATES, RUN_STATES


class PlanningRun(Row):
    """One request for a plan and its life; who asked for it is `requested_by`, `updated_by` may be a worker.

    `fencing_token` rises whenever a worker takes the run: what an earlier holder says later is refused.
    """

    __tablename__ = "planning_run"
    __table_args__ = (
        UniqueConstraint("tenant_id", "idempotency_key"),
        # Workers look across all tenants, oldest first.
        Index(None, "state", "id"),
        CheckConstraint(one_of("state", RUN_STATES), name="state"),
        CheckConstraint("attempts >= 0 AND attempts <= max_attempts", name="attempts"),
        CheckConstraint("progress >= 0 AND progress <= 1", name="progress"),
        CheckConstraint("(state = 'running') = (lease_until IS NOT NULL)", name="lease"),
    )

    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    requested_by: Mapped[str] = mapped_column(Text)
    idempotency_key: Mapped[str | None] = mapped_column(ExternalId)
    request_sha256: Mapped[str] = mapped_column(String(64))
    request: Mapped[dict[str, Any]] = mapped_column(JsonText, deferred=True)
    attempts: Mapped[int]
    max_attempts: Mapped[int]
    fencing_token: Mapped[int]
    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    progress: Mapped[float]
    progress_text: Mapped[str] = mapped_column(Text)
    best_so_far: Mapped[dict[str, Any] | None] = mapped_column(JsonText, deferred=True)
    cancel_requested: Mapped[bool]
    error: Mapped[dict[str, Any] | None] = mapped_column(JsonObject)


class Plan(Row):
    """A published plan with the problem it answers, both as they were written; at most one per run."""

    __tablename__ = "plan"
    __table_args__ = (
        UniqueConstraint("tenant_id", "run_id"),
        refers("run_id", "planning_run")[0],
        CheckConstraint(one_of("state", PLAN_STATES), name="state"),
    )

    run_id: Mapped[str] = mapped_column(InternalId)
    state: Mapped[str] = mapped_column(Text)
    total: Mapped[int] = mapped_column(BigInteger)
    problem_sha256: Mapped[str] = mapped_column(String(64))
    problem: Mapped[dict[str, Any]] = mapped_column(JsonText, deferred=True)
    document: Mapped[dict[str, Any]] = mapped_column(JsonText, deferred=True)


class PlanScope(Row):
    """A plan is about this territory on this date; `base_version` is the scope's version at its snapshot, or 0."""

    __tablename__ = "plan_scope"
    __table_args__ = (
        UniqueConstraint("tenant_id", "plan_id", "territory_id", "local_date"),
        refers("plan_id", "plan", part_of=True)[0],
        *refers("territory_id", "territory"),
    )

    plan_id: Mapped[str] = mapped_column(InternalId)
    territory_id: Mapped[str] = mapped_column(InternalId)
    local_date: Mapped[date]
    base_version: Mapped[int]


class ScopeHead(Row):
    """The plan in force for a territory on a date; its version rises with every acceptance."""

    __tablename__ = "scope_head"
    __table_args__ = (
        UniqueConstraint("tenant_id", "territory_id", "local_date"),
        refers("territory_id", "territory")[0],
        *refers("plan_id", "plan"),
    )

    territory_id: Mapped[str] = mapped_column(InternalId)
    local_date: Mapped[date]
    plan_id: Mapped[str] = mapped_column(InternalId)


class Route(Row):
    """One route of a plan, apart from its document, so that a phone's request reads one small row.

    Engineer and shift are the caller's ids as the plan says them: a plan stays true when they are gone.
    """

    __tablename__ = "route"
    __table_args__ = (
        UniqueConstraint("tenant_id", "plan_id", "engineer", "shift"),
        refers("plan_id", "plan", part_of=True)[0],
        *refers("territory_id", "territory"),
        Index(None, "tenant_id", "engineer", "local_date"),
    )

    plan_id: Mapped[str] = mapped_column(InternalId)
    territory_id: Mapped[str] = mapped_column(InternalId)
    local_date: Mapped[date]
    engineer: Mapped[str] = mapped_column(ExternalId)
    shift: Mapped[str] = mapped_column(ExternalId)
    sha256: Mapped[str] = mapped_column(String(64))
    document: Mapped[dict[str, Any]] = mapped_column(JsonText)
