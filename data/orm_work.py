"""What there is to do and what became of it: work orders, visits, and whom a body names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.orm_base import InternalId, JsonObject, Named, Row, UtcDateTime, exactly_one, one_of, refers
from dispatcher.lifecycle import VISIT_STATES, WORK_ORDER_STATES
from dispatcher.model import LEVELS
from dispatcher.sla.history import MARK_KINDS


class WorkOrder(Named, Row):
    """`body` holds the planning document's fields of a work order that have no column."""

    __tablename__ = "work_order"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("site_id", "site"),
        *refers("asset_id", "asset"),
        refers("territory_id", "territory")[0],
        Index(None, "tenant_id", "territory_id", "status"),
        CheckConstraint(one_of("level", LEVELS), name="level"),
        CheckConstraint(one_of("status", WORK_ORDER_STATES), name="status"),
    )

    site_id: Mapped[str] = mapped_column(InternalId)
    asset_id: Mapped[str | None] = mapped_column(InternalId)
    territory_id: Mapped[str | None] = mapped_column(InternalId)
    level: Mapped[str] = mapped_column(Text, default=LEVELS[-1])
    status: Mapped[str] = mapped_column(Text, default=WORK_ORDER_STATES[0])
    body: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class Visit(Named, Row):
    """One engineer's part in one work order, with what really happened; plans come and go without touching it.

    `expected_end` is what the engineer says of work that runs longer; `report` holds notes, used parts and pauses.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("work_order_id", "work_order"),
        *refers("engineer_id", "engineer"),
        *refers("shift_id", "shift"),
        CheckConstraint(one_of("status", VISIT_STATES), name="status"),
    )

    work_order_id: Mapped[str] = mapped_column(InternalId)
    engineer_id: Mapped[str] = mapped_column(InternalId)
    shift_id: Mapped[str | None] = mapped_column(InternalId)
    role: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, default=VISIT_STATES[0])
    planned_start: Mapped[datetime | None] = mapped_column(UtcDateTime)
    planned_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    departed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    paused_seconds: Mapped[int] = mapped_column(default=0)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    failure: Mapped[dict[str, Any] | None] = mapped_column(JsonObject)
    expected_end: Mapped[datetime | None] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any] | None] = mapped_column(JsonObject)


class WorkOrderMark(Row):
    """Something that happened to a work order, for its clocks: written whenever its life or its level changes.

    `kind` says what: `state` (it is in the state `value` since `at`, by a visit or by what somebody told), `status`
    and `level` (it went from `before` to `value`), `parent` (it is the same fault as `parent`; without one it was set
    apart). Marks are never changed and go with their order and with its parent.
    """

    __tablename__ = "work_order_mark"
    __table_args__ = (
        *refers("work_order_id", "work_order", part_of=True),
        *refers("parent_id", "work_order", part_of=True),
        CheckConstraint(one_of("kind", MARK_KINDS), name="kind"),
    )

    work_order_id: Mapped[str] = mapped_column(InternalId)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[str | None] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(Text)
    parent_id: Mapped[str | None] = mapped_column(InternalId)
    reason: Mapped[str | None] = mapped_column(Text)


class Mention(Row):
    """A body names another record: an engineer a skill, a shift its site, a work order a skill, an engineer, another.

    Exactly one of the columns `by_…` says whose body it is, exactly one of the others what it names. The row
    goes with its body and protects what it names, as a column would.
    """

    __tablename__ = "mention"
    __table_args__ = (
        *refers("by_engineer_id", "engineer", part_of=True),
        *refers("by_shift_id", "shift", part_of=True),
        *refers("by_work_order_id", "work_order", part_of=True),
        *refers("by_asset_model_id", "asset_model", part_of=True),
        *refers("skill_id", "skill"),
        *refers("engineer_id", "engineer"),
        *refers("work_order_id", "work_order"),
        *refers("site_id", "site"),
        CheckConstraint(
            exactly_one("by_engineer_id", "by_shift_id", "by_work_order_id", "by_asset_model_id"), name="one_body"
        ),
        CheckConstraint(exactly_one("skill_id", "engineer_id", "work_order_id", "site_id"), name="one_target"),
    )

    by_engineer_id: Mapped[str | None] = mapped_column(InternalId)
    by_shift_id: Mapped[str | None] = mapped_column(InternalId)
    by_work_order_id: Mapped[str | None] = mapped_column(InternalId)
    skill_id: Mapped[str | None] = mapped_column(InternalId)
    engineer_id: Mapped[str | None] = mapped_column(InternalId)
    work_order_id: Mapped[str | None] = mapped_column(InternalId)
    site_id: Mapped[str | None] = mapped_column(InternalId)
    by_asset_model_id: Mapped[str | None] = mapped_column(InternalId)
