"""How long a log of events takes to become a state, and whether that is the state that is stored.

    python -m benchmarks.event_replay --events 100000

Days of a fleet are made up event by event, with everything that can happen, and stored as the service stores them: the
log as a chain of hashes, the records as they are at its end. Then, timed, the log is read from the database, its chain
checked, and the state rebuilt and compared with the stored one. The exit code is 1 where they differ.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert
from sqlalchemy.engine import make_url

from benchmarks.machine import machine
from data.clock import SortableIds, SystemClock
from data.event_log import BEGINNING, SCHEMA_VERSION, EventLog, EventRecord
from data.live_records import event_of, stored_live_state
from data.orm import Event as EventRow
from data.repositories import Change, Repository
from data.session import Database, UnitOfWork, upgrade
from dispatcher.actor import Actor
from dispatcher.errors import EventRefused
from dispatcher.events import RECORDS_CHANGED, Event, LiveState, apply
from dispatcher.live_state import differences
from dispatcher.told_records import TOLD, Values

ACTOR = Actor("replay", "benchmark")
_START = datetime(2026, 1, 5, 6, tzinfo=UTC)
_PAGE = 1000
_STEPS = {
    "planned": ("visit_accepted", "visit_en_route"),
    "accepted": ("visit_en_route", "visit_arrived"),
    "en_route": ("visit_arrived",),
    "on_site": ("visit_finished", "visit_finished", "visit_paused", "visit_running_longer", "visit_failed"),
    "paused": ("visit_resumed", "visit_finished"),
}


@dataclass(frozen=True, slots=True)
class Replay:
    """What a replay took, and where its state differs from the stored one."""

    events: int
    seconds: float
    differences: Sequence[str]


class Days:
    """Days of a fleet: each event fits what happened before, but for some that are refused and not in the log."""

    def __init__(self, engineers: int, random: Random) -> None:
        self.state = LiveState()
        self._random = random
        self._now = _START
        self.names = [f"E{number}" for number in range(engineers)]
        self._shifts: dict[str, str] = {}
        self._orders = 0
        self._visits = 0
        self._open: list[str] = []

    def events(self) -> Iterator[Event]:
        """Without an end; the state is that after the event."""
        home = {"external_id": "north", "timezone": "UTC"}
        yield self._changed("territory", [home])
        while True:
            if self._now.date().isoformat() not in self._shifts.values():
                yield from self._morning()
            if len(self._open) < 20:
                yield from self._told(self._opened())
            self._now += timedelta(seconds=self._random.randrange(30))
            yield from self._something()

    def _told(self, event: Event) -> Iterator[Event]:
        try:
            effects = apply(self.state, event)
        except EventRefused:
            return
        self.state.take(effects)
        self._open.extend(
            item["external_id"] for item in effects.written.get("work_order", ()) if item["status"] == "open"
        )
        yield event

    def _changed(self, kind: str, records: Sequence[Values]) -> Event:
        event = Event(RECORDS_CHANGED, self._now, {"kind": kind, "written": [TOLD[kind].to_words(r) for r in records]})
        self.state.take(apply(self.state, event))
        return event

    def _morning(self) -> Iterator[Event]:
        day = self._now.date()
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        times = {"start": start, "end": start + timedelta(hours=23), "latest_end": start + timedelta(hours=24)}
        for name in self.names:
            self._shifts[name] = day.isoformat()
            yield self._changed(
                "shift", [{"external_id": day.isoformat(), "engineer": name, "local_date": day, **times}]
            )

    def _opened(self) -> Event:
        self._orders += 1
        body = {"id": f"W{self._orders}", "location": "S1", "territory": "north", "service_seconds": 3600}
        return Event("order_opened", self._now, {"order": {**body, "level": self._random.choice(("L2", "L3", "L4"))}})

    def _something(self) -> Iterator[Event]:
        name = self._random.choice(self.names)
        live = self.state.visits_by(name)
        if self._random.random() < 0.12:
            yield from self._told(self._rare(name))
        elif live:
            yield from self._told(self._step(name, live))
        else:
            yield from self._planned(name)

    def _step(self, name: str, live: Sequence[Values]) -> Event:
        visit = self._random.choice(live)
        kind = self._random.choice(_STEPS[visit["status"]])
        body: dict[str, Any] = {"work_order": visit["work_order"], "engineer": name}
        if kind == "visit_failed":
            body |= {"cause": "part", "missing_parts": {"P": 1}}
        elif kind == "visit_running_longer":
            body["expected_end"] = (self._now + timedelta(hours=1)).isoformat()
        elif kind == "visit_finished":
            body |= {"notes": "done", "parts_used": {"P": 1}}
        return Event(kind, self._now, body)

    def _planned(self, name: str) -> Iterator[Event]:
        """A plan is put in force as changed records; here one visit at a time."""
        while self._open:
            order = self.state.find("work_order", self._open.pop(0))
            if order is not None and order["status"] == "open":
                self._visits += 1
                visit = {"external_id": f"V{self._visits}", "work_order": order["external_id"], "engineer": name}
                yield self._changed("work_order", [{**order, "status": "planned"}])
                yield self._changed("visit", [{**visit, "shift": self._shifts[name], "planned_start": self._now}])
                return

    def _rare(self, name: str) -> Event:
        order = f"W{self._random.randrange(self._orders) + 1}"
        shift = {"engineer": name, "shift": self._shifts[name]}
        choices: list[tuple[str, dict[str, Any]]] = [
            ("engineer_position", {"engineer": name, "lat": self._random.random(), "lon": self._random.random()}),
            ("engineer_off_sick", shift),
            ("engineer_back", shift),
            ("engineer_late", {**shift, "expected_at": (self._now + timedelta(minutes=20)).isoformat()}),
            ("order_regraded", {"work_order": order, "level": self._random.choice(("L1", "L2")), "reason": "call"}),
            ("order_edited", {"work_order": order, "changes": {"service_seconds": self._random.randrange(7200)}}),
            ("order_cancelled", {"work_order": order}),
            (
                "travel_slower",
                {"territory": "north", "factor": 1.3, "until": (self._now + timedelta(hours=1)).isoformat()},
            ),
        ]
        kind, body = self._random.choice(choices)
        return Event(kind, self._now, body)


def store(database: Database, days: Days, count: int) -> Counter[str]:
    """The first events of days with what they lead to; how many there are of each kind."""
    events = list(islice(days.events(), count))
    with database.write(ACTOR) as work:
        _store_log(work, events)
        fixed: list[tuple[str, list[dict[str, Any]]]] = [
            ("site", [{"external_id": "S1", "timezone": "UTC"}]),
            ("engineer", [{"external_id": name} for name in sorted(days.names)]),
        ]
        for kind, records in fixed:
            Repository(work, kind).upsert([Change(record) for record in records])
        for kind in TOLD:
            Repository(work, kind).upsert([Change(record) for record in days.state.records[kind].values()])
    return Counter(event.kind for event in events)


def _store_log(work: UnitOfWork, events: Sequence[Event]) -> None:
    """As the log appends them, but for the rows of the outbox."""
    rows, before = [], BEGINNING
    for number, event in enumerate(events, 1):
        unsigned = EventRecord(
            tenant_id=work.tenant_id,
            sequence=number,
            schema_version=SCHEMA_VERSION,
            client_id=f"client-{number}",
            occurred_at=event.occurred_at,
            recorded_at=event.occurred_at,
            principal=work.actor.principal,
            reason=None,
            type=event.kind,
            subject=event.kind,
            payload=event.body,
            previous_sha256=before,
            sha256="",
        )
        signed = replace(unsigned, sha256=unsigned.content_sha256())
        before = signed.sha256
        told = {name: getattr(signed, name) for name in EventRecord.__slots__ if name != "tenant_id"}
        rows.append(work.bookkeeping() | told)
    work.session.execute(insert(EventRow), rows)


def replay(database: Database) -> Replay:
    """Read the log, check its chain, rebuild the state and compare it with the stored one."""
    started = time.perf_counter()
    state, before, count = LiveState(), BEGINNING, 0
    with database.read(ACTOR) as work:
        while page := EventLog(work).read(count, _PAGE):
            for record in page:
                if record.previous_sha256 != before or record.content_sha256() != record.sha256:
                    return Replay(count, time.perf_counter() - started, [f"event {record.sequence} breaks the chain"])
                before = record.sha256
                state.take(apply(state, event_of(record)))
            count = page[-1].sequence
        found = differences(state, stored_live_state(work))
    return Replay(count, time.perf_counter() - started, found)


def measured(days: Days, events: int, url: str | None = None) -> tuple[Counter[str], Replay]:
    """Store days in an empty database, a SQLite file that is thrown away where none is given, and replay their log."""
    with tempfile.TemporaryDirectory() as folder:
        url = url or f"sqlite:///{Path(folder)}/replay.db"
        upgrade(url)
        clock = SystemClock()
        database = Database(url, clock=clock, ids=SortableIds(clock))
        try:
            return store(database, days, events), replay(database)
        finally:
            database.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--engineers", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", help="an empty database; a SQLite file that is thrown away where absent")
    given = parser.parse_args(arguments)
    days = Days(given.engineers, Random(given.seed))
    kinds, result = measured(days, given.events, given.database)
    records = {kind: len(found) for kind, found in days.state.records.items()}
    print(machine())
    backend = make_url(given.database or "sqlite://").get_backend_name()
    print(f"{result.events} events of {len(kinds)} kinds on {backend}, {records}")
    print(f"replayed in {result.seconds:.1f} s ({result.events / result.seconds:.0f} events per second)")
    for line in result.differences[:20]:
        print(f"  {line}")
    print("the state is the stored one" if not result.differences else "THE STATE IS ANOTHER ONE")
    return 1 if result.differences else 0


if __name__ == "__main__":
    sys.exit(main())
