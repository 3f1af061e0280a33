"""Who is sent: skills and their relations, engineers, shifts, where somebody was last."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.orm_base import InternalId, JsonObject, Named, Row, UtcDateTime, one_of, refers
from dispatcher.lifecycle import SHIFT_STATES


class Skill(Named, Row):
    __tablename__ = "skill"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"),)

    name: Mapped[str | None] = mapped_column(Text)
    attributes: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class SkillRelation(Named, Row):
    """From a held skill to one it counts as; there may be several between the same two.

    `body` holds the planning document's `level_loss`, `duration_factor` and `penalty`.
    """

    __tablename__ = "skill_relation"
    __table_args__ = (
        UniqueConstraint("tenant_id", "external_id"),
        *refers("from_skill_id", "skill"),
        *refers("to_skill_id", "skill"),
        CheckConstraint(one_of("type", ("implies", "substitutes")), name="type"),
    )

    type: Mapped[str] = mapped_column(Text)
    from_skill_id: Mapped[str] = mapped_column(InternalId)
    to_skill_id: Mapped[str] = mapped_column(InternalId)
    body: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class Engineer(Named, Row):
    """`body` holds the planning document's fields of an engineer that have no column, shifts left out."""

    __tablename__ = "engineer"
    __table_args__ = (UniqueConstraint("tenant_id", "external_id"), *refers("territory_id", "territory"))

    territory_id: Mapped[str | None] = mapped_column(InternalId)
    name: Mapped[str | None] = mapped_column(Text)
    body: Mapped[dict[str, Any]] = mapped_column(JsonObject)


class Shift(Named, Row):
    """One working period; a route belongs to it. `local_date` is the day it counts for, where it is worked.

    `body` holds the planning document's fields of a shift that have no column; its start and end locations are
    sites. `available_from` is when the engineer is there, where that is later than the start.
    """

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("tenant_id", "engineer_id", "external_id"),
        refers("engineer_id", "engineer")[0],
        Index(None, "tenant_id", "local_date"),
        CheckConstraint('start <= "end" AND "end" <= latest_end', name="order"),
        CheckConstraint(one_of("status", SHIFT_STATES), name="status"),
    )

    engineer_id: Mapped[str] = mapped_column(InternalId)
    local_date: Mapped[date]
    start: Mapped[datetime] = mapped_column(UtcDateTime)
    end: Mapped[datetime] = mapped_column(UtcDateTime)
    latest_end: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(Text, default=SHIFT_STATES[0])
    body: Mapped[dict[str, Any]] = mapped_column(JsonObject)
    available_from: Mapped[datetime | None] = mapped_column(UtcDateTime)


class EngineerPosition(Row):
    """Where an engineer was last, and when; where they were before is kept nowhere."""

    __tablename__ = "engineer_position"
    __table_args__ = (
        UniqueConstraint("tenant_id", "engineer_id"),
        refers("engineer_id", "engineer", part_of=True)[0],
    )

    engineer_id: Mapped[str] = mapped_column(InternalId)
    latitude: Mapped[float]
    longitude: Mapped[float]
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
