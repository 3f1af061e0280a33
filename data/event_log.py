"""What happened, appended in the transaction in which it happened and never changed.

A tenant's events are counted from 1 without a gap: who appends holds the end of the tenant's log until commit. Who
changes what the log tells (`data.live_records`) holds it before anything is read, so that the order of events is the
order of changes; all others append last in their unit of work. Beside each event lies a row of the outbox; whoever
tells others reads it there and may tell twice, but never forgets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from data.orm import Event, EventHead, Outbox
from data.orm_base import canonical_sha256
from data.repositories.lookup import chunks
from data.session import UnitOfWork
from dispatcher.errors import IdempotencyConflict

SCHEMA_VERSION = 1
BEGINNING = "0" * 64
"""What the first event has for the hash of the one before."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it was told; `subject` says what it is about, like `work_order W1`.

    `occurred_at` is when it happened, `recorded_at` when it was told. `client_id` is the teller's own id of it.
    """

    tenant_id: str
    sequence: int
    schema_version: int
    client_id: str | None
    occurred_at: datetime
    recorded_at: datetime
    principal: str
    reason: str | None
    type: str
    subject: str
    payload: Mapping[str, Any]
    previous_sha256: str
    sha256: str

    def content_sha256(self) -> str:
        """What `sha256` has to be: over all the other fields, and so over all events before."""
        return canonical_sha256(
            {
                "tenant_id": self.tenant_id,
                "sequence": self.sequence,
                "schema_version": self.schema_version,
                "client_id": self.client_id,
                "occurred_at": self.occurred_at.isoformat(),
                "recorded_at": self.recorded_at.isoformat(),
                "principal": self.principal,
                "reason": self.reason,
                "type": self.type,
                "subject": self.subject,
                "payload": self.payload,
                "previous_sha256": self.previous_sha256,
            }
        )


_FIELDS = tuple(field.name for field in fields(EventRecord))


class EventLog:
    """The events of the tenant whose unit of work it is, told by its actor."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def hold(self) -> None:
        """Hold the end of the log until commit: nobody else changes what it tells meanwhile."""
        self._lock_head()

    def append(
        self,
        type: str,
        subject: str,
        payload: Mapping[str, Any],
        *,
        occurred_at: datetime | None = None,
        client_id: str | None = None,
    ) -> EventRecord:
        """Tell an event; it occurred now where nothing else is said. Told again with its client id: the first one.

        Raises:
            IdempotencyConflict: if the client id was used for another event.
        """
        head = self._lock_head()
        told = None if client_id is None else self._by_client_id(client_id)
        if told is not None:
            same = (told.type, told.subject, canonical_sha256(told.payload)) == (
                type,
                subject,
                canonical_sha256(payload),
            )
            if not same or occurred_at not in (None, told.occurred_at):
                raise IdempotencyConflict(str(client_id))
            return told
        head.sequence += 1
        unsigned = EventRecord(
            tenant_id=self._work.tenant_id,
            sequence=head.sequence,
            schema_version=SCHEMA_VERSION,
            client_id=client_id,
            occurred_at=(occurred_at or self._work.now).astimezone(UTC),
            recorded_at=self._work.now,
            principal=self._work.actor.principal,
            reason=self._work.actor.reason,
            type=type,
            subject=subject,
            payload=payload,
            previous_sha256=head.sha256,
            sha256="",
        )
        event = replace(unsigned, sha256=unsigned.content_sha256())
        row = self._work.add(Event, **{name: getattr(event, name) for name in _FIELDS if name != "tenant_id"})
        self._work.add(Outbox, event_id=row.id, delivered_at=None)
        head.sha256 = event.sha256
        self._work.touch(head)
        return event

    def read(self, after: int = 0, limit: int = 100) -> Sequence[EventRecord]:
        """Up to `limit` events that follow a sequence number, in their order."""
        # Columns and no rows of the mapper: whoever replays a log reads all of it.
        query = (
            select(*(getattr(Event, name) for name in _FIELDS))
            .where(Event.tenant_id == self._work.tenant_id, Event.sequence > after)
            .order_by(Event.sequence)
            .limit(limit)
        )
        return [EventRecord(*row) for row in self._work.session.execute(query)]

    def told(self, client_ids: Collection[str]) -> dict[str, EventRecord]:
        """The events that were told under these client ids, by them."""
        found: dict[str, EventRecord] = {}
        for chunk in chunks(sorted(client_ids)):
            query = select(Event).where(Event.tenant_id == self._work.tenant_id, Event.client_id.in_(chunk))
            found.update((str(event.client_id), _record(event)) for event in self._work.session.scalars(query))
        return found

    def last(self) -> int:
        """The number of the newest event; 0 before the first."""
        query = select(EventHead.sequence).where(EventHead.tenant_id == self._work.tenant_id)
        return self._work.session.scalars(query).one_or_none() or 0

    def undelivered(self, limit: int = 100) -> Sequence[EventRecord]:
        """Up to `limit` events that nobody outside was told yet, in their order.

        Until the end of the unit of work nobody else gets them, where the database can keep them apart.
        """
        query = (
            select(Event)
            .join(Outbox, (Outbox.tenant_id == Event.tenant_id) & (Outbox.event_id == Event.id))
            .where(Outbox.tenant_id == self._work.tenant_id, Outbox.delivered_at.is_(None))
            .order_by(Event.sequence)
            .limit(limit)
            .with_for_update(of=Outbox, skip_locked=True)
        )
        return [_record(event) for event in self._work.session.scalars(query)]

    def mark_delivered(self, sequences: Collection[int]) -> None:
        """Take events off the outbox, once they were told."""
        told = select(Event.id).where(Event.tenant_id == self._work.tenant_id, Event.sequence.in_(sequences))
        statement = (
            update(Outbox)
            .where(Outbox.tenant_id == self._work.tenant_id, Outbox.event_id.in_(told), Outbox.delivered_at.is_(None))
            .values(
                delivered_at=self._work.now,
                version=Outbox.version + 1,
                updated_at=self._work.now,
                updated_by=self._work.actor.principal,
            )
            .execution_options(synchronize_session=False)
        )
        self._work.session.execute(statement)

    def _lock_head(self) -> EventHead:
        """The end of the log, held until commit."""
        query = (
            select(EventHead)
            .where(EventHead.tenant_id == self._work.tenant_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
        head = self._work.session.scalars(query).one_or_none()
        if head is None:
            try:
                with self._work.session.begin_nested():
                    head = self._work.add(EventHead, sequence=0, sha256=BEGINNING)
            except IntegrityError:
                # Somebody else has just told the tenant's first event.
                head = self._work.session.scalars(query).one()
        return head

    def _by_client_id(self, client_id: str) -> EventRecord | None:
        query = select(Event).where(Event.tenant_id == self._work.tenant_id, Event.client_id == client_id)
        event = self._work.session.scalars(query).one_or_none()
        return None if event is None else _record(event)


def _record(event: Event) -> EventRecord:
    return EventRecord(**{name: getattr(event, name) for name in _FIELDS})
