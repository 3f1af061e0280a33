"""The stored records that events change: read around an event, written with what it changes, told in the log.

Everything here happens in a unit of work that holds the end of the log (`EventLog.hold`), so nobody changes the
records between being read and being written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data.event_log import EventLog, EventRecord
from data.repositories import Change, Record, Repository
from data.session import UnitOfWork
from dispatcher.errors import NotFound
from dispatcher.events import RECORDS_CHANGED, Effects, Event, LiveState
from dispatcher.live_state import LIVE
from dispatcher.told_records import TOLD, Key

# An event of many records is long to read, many events of one are long to write.
_RECORDS_PER_EVENT = 100


class LiveRecords:
    """The records of the tenant whose unit of work it is, as events see them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._versions: dict[tuple[str, Key], int] = {}

    def around(self, event: Event) -> LiveState:
        """What an event may look at: the records it names, the visits of its order, the live ones of its engineer."""
        state = LiveState()
        body = event.body
        order, engineer, shift = (body.get(name) for name in ("work_order", "engineer", "shift"))
        if event.kind == "order_opened":
            order = body["order"]["id"]
        if order is not None:
            self._one(state, "work_order", order)
            self._many(state, "visit", {"work_order": order})
        if engineer is not None:
            self._many(state, "visit", {"engineer": engineer, "status": sorted(LIVE)})
            if shift is not None:
                self._one(state, "shift", engineer, shift)
        if event.kind == "engineer_position":
            self._one(state, "engineer_position", str(engineer))
        if event.kind == "engineer_off_sick":
            orders = sorted({visit["work_order"] for visit in state.visits_by(str(engineer))})
            self._many(state, "work_order", {"external_id": orders})
            self._many(state, "visit", {"work_order": orders})
        if body.get("territory") is not None and event.kind == "travel_slower":
            self._one(state, "territory", body["territory"])
        return state

    def version(self, kind: str, *key: str) -> int | None:
        """The version at which a record was read; None if it was not there."""
        return self._versions.get((kind, key))

    def write(self, effects: Effects) -> None:
        """Store what an event changes, all of it or nothing.

        Raises:
            UnknownReference: if a record names what there is not.
            Stale: if somebody who does not hold the log has changed a record meanwhile.
        """
        with self._work.session.begin_nested():
            for kind in TOLD:
                shape, written = TOLD[kind], effects.written.get(kind, ())
                changes = [Change(values, self._versions.get((kind, shape.key_of(values)), 0)) for values in written]
                if changes:
                    Repository(self._work, kind).upsert(changes)
            for kind, keys in effects.dropped.items():
                for key in keys:
                    Repository(self._work, kind).delete(*key, version=self._versions.get((kind, key)))

    def _one(self, state: LiveState, kind: str, *key: str) -> None:
        try:
            self._known(state, kind, [Repository(self._work, kind).get(*key)])
        except NotFound:
            return

    def _many(self, state: LiveState, kind: str, where: Mapping[str, Any]) -> None:
        self._known(state, kind, Repository(self._work, kind).iterate(where))

    def _known(self, state: LiveState, kind: str, records: Iterable[Record]) -> None:
        for record in records:
            self._versions[kind, TOLD[kind].key_of(record.values)] = record.version
            state.write(kind, record.values)


def stored_live_state(work: UnitOfWork) -> LiveState:
    """All stored records that the log tells."""
    state = LiveState()
    for kind in TOLD:
        for record in Repository(work, kind).iterate():
            state.write(kind, record.values)
    return state


def event_of(record: EventRecord) -> Event:
    """A told event as the domain reads it."""
    return Event(record.type, record.occurred_at, record.payload)


def tell_changes(
    work: UnitOfWork, kind: str, written: Sequence[Mapping[str, Any]], deleted: Sequence[Key] = ()
) -> None:
    """Tell that records were written or deleted in another way than by an event; the log has to be held."""
    shape, log = TOLD[kind], EventLog(work)
    told = [("written", shape.to_words(values)) for values in written] + [("deleted", list(key)) for key in deleted]
    for start in range(0, len(told), _RECORDS_PER_EVENT):
        some = told[start : start + _RECORDS_PER_EVENT]
        payload = {name: [item for group, item in some if group == name] for name in ("written", "deleted")}
        log.append(RECORDS_CHANGED, kind, {"kind": kind, **{name: items for name, items in payload.items() if items}})
