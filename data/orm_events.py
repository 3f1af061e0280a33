"""What happened: the append-only event log, its place per tenant, and the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from data.orm_base import ExternalId, InternalId, JsonText, Row, UtcDateTime, refers


class Event(Row):
    """Something that happened, told once and never changed.

    `sequence` counts a tenant's events from 1 without gaps. `sha256` covers the event and `previous_sha256`, that
    of the event before: a chain.
    """

    __tablename__ = "event"
    __table_args__ = (UniqueConstraint("tenant_id", "sequence"), UniqueConstraint("tenant_id", "client_id"))

    sequence: Mapped[int] = mapped_column(BigInteger)
    schema_version: Mapped[int] = mapped_column(Integer)
    client_id: Mapped[str | None] = mapped_column(ExternalId)
    occurred_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    principal: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JsonText)
    previous_sha256: Mapped[str] = mapped_column(String(64))
    sha256: Mapped[str] = mapped_column(String(64))


class EventHead(Row):
    """The end of a tenant's log. Whoever appends holds this row until commit, which keeps the sequence gapless."""

    __tablename__ = "event_head"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    sequence: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))


class Outbox(Row):
    """An event to be told outside; written with it, so that none is told that did not happen, and none is forgotten."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        refers("event_id", "event")[0],
        Index(None, "tenant_id", "delivered_at"),
    )

    event_id: Mapped[str] = mapped_column(InternalId)
    delivered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
