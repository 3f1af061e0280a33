"""The event log: gapless per tenant, told once, chained, and never without its row in the outbox."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from data.event_log import BEGINNING, EventLog, EventRecord
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import IdempotencyConflict
from tests.databases import ACTOR, SetClock

ELSEWHERE = Actor("globex", "dispatcher-9")


def append(database: Database, type: str, actor: Actor = ACTOR, **options: Any) -> EventRecord:
    with database.write(actor) as work:
        return EventLog(work).append(type, "work_order W1", {"level": "L1"}, **options)


def events(database: Database, actor: Actor = ACTOR, after: int = 0, limit: int = 1000) -> list[EventRecord]:
    with database.read(actor) as work:
        return list(EventLog(work).read(after, limit))


def test_an_event_says_what_happened_when_to_what_and_who_told_it_why(database: Database, clock: SetClock) -> None:
    happened = datetime(2026, 11, 23, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    told = append(database, "regraded", Actor("acme", "dispatcher-1", "customer rang"), occurred_at=happened)
    (read,) = events(database)
    assert read == told
    assert (read.occurred_at, read.recorded_at) == (happened, clock.now())
    assert (read.principal, read.reason, read.type, read.subject) == (
        "dispatcher-1",
        "customer rang",
        "regraded",
        "work_order W1",
    )
    assert (read.sequence, read.schema_version, read.payload) == (1, 1, {"level": "L1"})


def test_sequences_count_without_gaps_for_each_tenant(database: Database) -> None:
    append(database, "a")
    append(database, "b", ELSEWHERE)

    def fail() -> None:
        with database.write(ACTOR) as work:
            EventLog(work).append("lost", "work_order W1", {})
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    append(database, "c")
    assert [(event.sequence, event.type) for event in events(database)] == [(1, "a"), (2, "c")]
    assert [(event.sequence, event.type) for event in events(database, ELSEWHERE)] == [(1, "b")]


def test_sequences_have_no_gaps_when_many_tell_at_once(database: Database) -> None:
    failures: list[Exception] = []

    def tell(number: int) -> None:
        try:
            for turn in range(10):
                append(database, f"{number}.{turn}")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [event.sequence for event in events(database)] == list(range(1, 41))
    assert len({event.type for event in events(database)}) == 40


def test_events_are_a_chain_that_shows_every_change(database: Database) -> None:
    for type in ("a", "b", "c"):
        append(database, type)
    log = events(database)
    assert [event.previous_sha256 for event in log] == [BEGINNING, *(event.sha256 for event in log[:-1])]
    assert [event.content_sha256() for event in log] == [event.sha256 for event in log]
    assert replace(log[1], principal="somebody else").content_sha256() != log[1].sha256


def test_an_event_told_again_is_the_one_from_before(database: Database, clock: SetClock) -> None:
    first = append(database, "finished", client_id="phone-7/42")
    clock.advance(60)
    assert append(database, "finished", client_id="phone-7/42") == first
    assert append(database, "finished", client_id="phone-7/42", occurred_at=first.occurred_at) == first
    assert append(database, "finished", ELSEWHERE, client_id="phone-7/42") != first
    assert events(database) == [first]


def test_a_client_id_stands_for_one_event(database: Database, clock: SetClock) -> None:
    append(database, "finished", client_id="phone-7/42")
    clock.advance(60)
    for type, occurred_at in (("started", None), ("finished", clock.now())):
        with pytest.raises(IdempotencyConflict):
            append(database, type, client_id="phone-7/42", occurred_at=occurred_at)
    assert len(events(database)) == 1


def test_an_event_told_twice_at_once_is_one(database: Database) -> None:
    told: list[EventRecord] = []
    threads = [
        threading.Thread(target=lambda: told.append(append(database, "finished", client_id="phone-7/42")))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert {event.sha256 for event in told} == {event.sha256 for event in events(database)}
    assert len(events(database)) == 1


def test_events_are_read_on_from_a_place(database: Database) -> None:
    for type in "abcde":
        append(database, type)
    assert [event.type for event in events(database, after=1, limit=3)] == ["b", "c", "d"]
    assert events(database, after=5) == []


def test_the_outbox_holds_what_was_not_told_outside_yet(database: Database) -> None:
    for type in "abc":
        append(database, type)
    append(database, "x", ELSEWHERE)
    with database.write(ACTOR) as work:
        log = EventLog(work)
        waiting = log.undelivered(limit=2)
        assert [event.type for event in waiting] == ["a", "b"]
        log.mark_delivered([event.sequence for event in waiting])
    with database.write(ACTOR) as work:
        assert [event.type for event in EventLog(work).undelivered()] == ["c"]
    with database.write(ELSEWHERE) as work:
        assert [event.type for event in EventLog(work).undelivered()] == ["x"]


def test_what_was_not_told_after_all_stays_in_the_outbox(database: Database) -> None:
    append(database, "a")

    def fail() -> None:
        with database.write(ACTOR) as work:
            EventLog(work).mark_delivered([1])
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    with database.write(ACTOR) as work:
        assert len(EventLog(work).undelivered()) == 1
