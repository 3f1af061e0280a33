"""A batch of events: each applied or refused for itself, told in the log by the transaction that applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, NoReturn

from api.sla_state import with_levels
from data.event_log import EventLog, EventRecord
from data.live_records import LiveRecords
from data.repositories import Change
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.documents import utc_text
from dispatcher.errors import Contention, EventRefused, Issue, Stale, UnknownReference
from dispatcher.event_values import GRADED_LEVEL, refuse
from dispatcher.events import NEW_VISIT, Event, LiveState, apply
from dispatcher.told_records import TOLD

FUTURE_SECONDS = 300
"""How far the clock of a phone may be ahead of the service's."""
_ORDER = TOLD["work_order"]


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a caller tells it; `body` is its JSON, checked in its shape."""

    client_id: str
    kind: str
    occurred_at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an event: `event` as the log has it, or the issue for which it was refused."""

    outcome: Literal["applied", "known", "refused"]
    event: EventRecord | None = None
    refusal: Issue | None = None


def tell(database: Database, actor: Actor, batch: Sequence[Told]) -> list[Outcome]:
    """Apply events in the order in which they happened; the outcomes are in the order of the batch.

    Raises:
        Contention: if somebody else changed the same at the same time, twice.
        Unavailable: if the database does not answer.
    """
    try:
        return _told(database, actor, batch)
    except Contention:
        return _told(database, actor, batch)


def _told(database: Database, actor: Actor, batch: Sequence[Told]) -> list[Outcome]:
    found: dict[int, Outcome] = {}
    with database.write(actor) as work:
        log = EventLog(work)
        log.hold()
        known = log.told([item.client_id for item in batch])
        for position in sorted(range(len(batch)), key=lambda place: batch[place].occurred_at):
            told = batch[position]
            try:
                if told.client_id in known:
                    outcome = Outcome("known", _same(told, known[told.client_id]))
                else:
                    outcome = Outcome("applied", _applied(work, log, told))
            except EventRefused as error:
                outcome = Outcome("refused", refusal=error.issue)
            if outcome.event is not None:
                known[told.client_id] = outcome.event
            found[position] = outcome
    return [found[position] for position in range(len(batch))]


def _same(told: Told, known: EventRecord) -> EventRecord:
    body = {name: value for name, value in known.payload.items() if name not in (NEW_VISIT, GRADED_LEVEL)}
    if (told.kind, told.occurred_at, told.body) != (known.type, known.occurred_at, body):
        message = f"the client id {told.client_id!r} was used for another event"
        refuse("client_id", "IDEMPOTENCY_CONFLICT", message, "Use a new client id for a new event.")
    return known


def _applied(work: UnitOfWork, log: EventLog, told: Told) -> EventRecord:
    if told.occurred_at > work.now + timedelta(seconds=FUTURE_SECONDS):
        message = f"it is {utc_text(work.now)} now"
        refuse("occurred_at", "IN_THE_FUTURE", message, "Set the clock right, and tell what has happened.")
    reason = told.body.get("reason")
    if reason is not None:
        # Whoever reads the order later finds there why it has another level.
        work = replace(work, actor=replace(work.actor, reason=reason))
        log = EventLog(work)
    records = LiveRecords(work)
    state = records.around(Event(told.kind, told.occurred_at, told.body))
    body = {**told.body, **_graded(work, told, state)}
    minted = {**body, NEW_VISIT: work.ids.new()}
    event = Event(told.kind, told.occurred_at, minted)
    _refuse_stale(records, event)
    effects = apply(state, event)
    try:
        records.write(effects)
    except UnknownReference as error:
        _refuse_unknown(error)
    except Stale as error:
        # Somebody who tells nothing changed a record meanwhile; of its version the caller knows nothing.
        raise Contention from error
    made = any(visit["external_id"] == minted[NEW_VISIT] for visit in effects.written.get("visit", ()))
    body = minted if made else body
    return log.append(told.kind, _subject(told.body), body, occurred_at=told.occurred_at, client_id=told.client_id)


def _graded(work: UnitOfWork, told: Told, state: LiveState) -> dict[str, str]:
    """The level that the rules give an order that comes with facts and without a level; one set by hand stays."""
    given = told.body.get("order") or told.body.get("changes") or {}
    if not given.get("grading") or "level" in given:
        return {}
    known = state.find("work_order", told.body["work_order"]) if told.kind == "order_edited" else {}
    if known is None:
        return {}
    words = {**({} if not known else _ORDER.to_words(known)), **given}
    values = _ORDER.from_words(words)
    [found] = with_levels(work, [Change({name: value for name, value in values.items() if name != "level"})])
    return {GRADED_LEVEL: found.values["level"]}


def _refuse_stale(records: LiveRecords, event: Event) -> None:
    """Two consoles that edit one order: the second one has to see what the first one did."""
    expected = event.body.get("version")
    if expected is None:
        return
    actual = records.version("work_order", event.text("work_order"))
    if actual is not None and actual != expected:
        name = event.text("work_order")
        message = f"work order {name} is at version {actual}, not {expected}"
        params = {"expected": expected, "actual": actual}
        refuse("body.version", "STALE_VERSION", message, "Read it again and decide again.", **params)


def _refuse_unknown(error: UnknownReference) -> NoReturn:
    names = ", ".join(str(item.target) for item in error.references)
    remedy = "Store what is named first, or correct the id."
    refuse("body", "UNKNOWN_REFERENCE", f"there is no {names}", remedy, **error.params)


def _subject(body: Mapping[str, Any]) -> str:
    if "order" in body:
        return f"work_order {body['order']['id']}"
    if "work_order" in body:
        return f"work_order {body['work_order']}"
    if "territory" in body:
        return f"territory {body['territory']}"
    return f"engineer {body['engineer']}"
