"""Runs: asked for once, held by one worker at a time, ended once with at most one plan, whatever becomes of workers."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from data.job_store import LEASE_SECONDS, Claim, JobStore, RunRecord, Runs
from data.repositories import Plans, Scope
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import (
    BadCursor,
    IdempotencyConflict,
    LeaseLost,
    NotFound,
    UnknownReference,
    WrongState,
)
from dispatcher.lifecycle import RUN_STATES, RUN_STEPS, TERMINAL_RUN_STATES, RunState
from tests.databases import ACTOR, SetClock
from tests.stored_fleet import MONDAY, publication

ELSEWHERE = Actor("globex", "planner-9")
REQUEST = {"territories": ["east"], "limit": 1e22}


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


def enqueue(database: Database, actor: Actor = ACTOR, **options: Any) -> RunRecord:
    with database.write(actor) as work:
        return Runs(work).enqueue("plan", options.pop("request", REQUEST), **options)


def get(database: Database, run: RunRecord | Claim, actor: Actor = ACTOR) -> RunRecord:
    with database.read(actor) as work:
        return Runs(work).get(run.run_id if isinstance(run, Claim) else run.id)


def cancel(database: Database, run_id: str) -> RunRecord:
    with database.write(ACTOR) as work:
        return Runs(work).request_cancel(run_id)


def claimed(database: Database, store: JobStore, **options: Any) -> Claim:
    enqueue(database, **options)
    claim = store.claim("w1")
    assert claim is not None
    return claim


def plans(database: Database) -> list[str]:
    with database.read(ACTOR) as work:
        return [plan.id for plan in Plans(work).page().items]


# Asking


def test_a_run_is_there_as_soon_as_whoever_asked_for_it_is_done(database: Database) -> None:
    run = enqueue(database)
    stored = get(database, run)
    assert stored == run
    assert (stored.state, stored.attempts, stored.progress, stored.plan_id) == ("queued", 0, 0.0, None)
    assert stored.requested_by == ACTOR.principal
    with database.read(ACTOR) as work:
        assert Runs(work).request(run.id) == REQUEST
        assert Runs(work).best_so_far(run.id) is None


def test_a_run_is_not_there_when_its_command_failed(database: Database, store: JobStore) -> None:
    def fail() -> None:
        with database.write(ACTOR) as work:
            Runs(work).enqueue("plan", REQUEST)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert store.claim("w1") is None


def test_the_same_request_with_the_same_key_is_the_same_run(database: Database, store: JobStore) -> None:
    run = enqueue(database, idempotency_key="k")
    assert enqueue(database, idempotency_key="k") == run
    claim = store.claim("w1")
    assert claim is not None
    store.finish_failed(claim, {"code": "X"})
    again = enqueue(database, idempotency_key="k")
    assert (again.id, again.state) == (run.id, "failed")
    assert enqueue(database, ELSEWHERE, idempotency_key="k").id != run.id
    assert enqueue(database).id != enqueue(database).id


def test_another_request_with_the_same_key_is_refused(database: Database) -> None:
    enqueue(database, idempotency_key="k")
    with pytest.raises(IdempotencyConflict):
        enqueue(database, idempotency_key="k", request={"territories": ["west"]})
    with pytest.raises(IdempotencyConflict), database.write(ACTOR) as work:
        Runs(work).enqueue("solve", REQUEST, idempotency_key="k")


def test_the_same_key_from_many_at_once_makes_one_run(database: Database) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(enqueue(database, idempotency_key="k").id)) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 6
    assert len(set(made)) == 1


def test_runs_are_those_of_their_tenant(database: Database) -> None:
    run = enqueue(database)
    with database.write(ELSEWHERE) as work:
        runs = Runs(work)
        assert runs.page().items == ()
        for ask in (runs.get, runs.request, runs.best_so_far, runs.request_cancel):
            with pytest.raises(NotFound):
                ask(run.id)
            with pytest.raises(NotFound):
                ask("\0")


def test_runs_are_listed_the_newest_first_by_state(database: Database, store: JobStore) -> None:
    one, two, three = (enqueue(database).id for _ in range(3))
    store.claim("w1")
    with database.read(ACTOR) as work:
        runs = Runs(work)
        first = runs.page(limit=2)
        assert [run.id for run in first.items] == [three, two]
        assert [run.id for run in runs.page(limit=2, after=first.next).items] == [one]
        assert [run.id for run in runs.page(state="queued").items] == [three, two]
        assert [run.id for run in runs.page(state="running").items] == [one]
        with pytest.raises(BadCursor):
            runs.page(after="x")


# Working


def test_a_worker_gets_the_oldest_run_of_any_tenant_with_its_request(database: Database, store: JobStore) -> None:
    first = enqueue(database, ELSEWHERE)
    second = enqueue(database)
    claims = [store.claim("w1"), store.claim("w2"), store.claim("w3")]
    assert claims == [
        Claim(first.id, "globex", "plan", REQUEST, "planner-9", 1, "w1", 1),
        Claim(second.id, "acme", "plan", REQUEST, ACTOR.principal, 1, "w2", 1),
        None,
    ]
    assert get(database, second).state == "running"


def test_progress_and_the_best_so_far_can_be_followed(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    assert store.report(claim, 0.25, "first routes", {"total": 9}) is False
    store.report(claim, 0.5, "better routes")
    run = get(database, claim)
    assert (run.progress, run.progress_text) == (0.5, "better routes")
    with database.read(ACTOR) as work:
        assert Runs(work).best_so_far(run.id) == {"total": 9}
    store.report(claim, 1.5, "rounding")
    assert get(database, claim).progress == 1.0


def test_a_finished_run_has_its_plan(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    plan_id = store.finish_succeeded(claim, publication(total=5))
    run = get(database, claim)
    assert (run.state, run.plan_id, run.progress) == ("succeeded", plan_id, 1.0)
    with database.read(ACTOR) as work:
        assert Plans(work).get(plan_id).run_id == run.id
        assert [item.plan_id for item in Runs(work).page().items] == [plan_id]


def test_a_failed_run_says_why(database: Database, store: JobStore) -> None:
    error = {"code": "PLAN_REFUSED", "message": "上", "params": {"a": [1]}}
    claim = claimed(database, store)
    store.finish_failed(claim, error)
    run = get(database, claim)
    assert (run.state, run.error, run.plan_id) == ("failed", error, None)


def test_a_plan_that_cannot_be_stored_leaves_its_run_running(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    with pytest.raises(UnknownReference):
        store.finish_succeeded(claim, publication(scopes={Scope("nowhere", MONDAY): 0}))
    assert get(database, claim).state == "running"
    assert plans(database) == []
    store.finish_succeeded(claim, publication())
    assert len(plans(database)) == 1


# Cancelling


def test_a_run_nobody_works_on_is_cancelled_at_once(database: Database, store: JobStore) -> None:
    run = enqueue(database)
    assert cancel(database, run.id).state == "cancelled"
    assert store.claim("w1") is None


def test_a_worker_hears_of_a_request_to_cancel_and_may_publish_its_best(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    assert store.heartbeat(claim) is False
    asked = cancel(database, claim.run_id)
    assert (asked.state, asked.cancel_requested) == ("running", True)
    # Asking twice is asking once.
    assert cancel(database, claim.run_id) == asked
    assert store.heartbeat(claim) is True
    assert store.report(claim, 0.5, "stopping") is True
    plan_id = store.finish_cancelled(claim, publication())
    run = get(database, claim)
    assert (run.state, run.plan_id) == ("cancelled", plan_id)
    assert plans(database) == [plan_id]


def test_a_cancelled_run_may_have_no_plan(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    cancel(database, claim.run_id)
    assert store.finish_cancelled(claim) is None
    assert get(database, claim).plan_id is None


def test_a_run_is_not_cancelled_when_nobody_asked(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    with pytest.raises(WrongState):
        store.finish_cancelled(claim, publication())
    assert get(database, claim).state == "running"
    assert plans(database) == []


def test_who_asks_too_late_gets_the_plan(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    cancel(database, claim.run_id)
    store.finish_succeeded(claim, publication())
    before = get(database, claim)
    assert cancel(database, claim.run_id) == before
    assert before.state == "succeeded"


# Losing workers


def test_a_lease_that_is_renewed_does_not_run_out(database: Database, store: JobStore, clock: SetClock) -> None:
    claim = claimed(database, store)
    for _ in range(5):
        clock.advance(LEASE_SECONDS - 1)
        assert store.expire() == 0
        store.heartbeat(claim)
    store.finish_succeeded(claim, publication())


def test_a_lost_workers_run_is_done_by_another_and_the_lost_one_is_refused(
    database: Database, store: JobStore, clock: SetClock
) -> None:
    lost = claimed(database, store)
    store.report(lost, 0.9, "nearly", {"total": 3})
    clock.advance(LEASE_SECONDS)
    assert store.expire() == 1
    assert get(database, lost).state == "queued"
    second = store.claim("w2")
    assert second is not None
    assert (second.run_id, second.attempt, second.fencing_token) == (lost.run_id, 2, 2)
    assert get(database, lost).progress == 0.0
    refused: list[Callable[[], object]] = [
        lambda: store.heartbeat(lost),
        lambda: store.report(lost, 1, "done", {}),
        lambda: store.finish_succeeded(lost, publication()),
        lambda: store.finish_failed(lost, {"code": "X"}),
        lambda: store.finish_cancelled(lost),
        lambda: store.release(lost),
    ]
    for call in refused:
        with pytest.raises(LeaseLost):
            call()
    assert plans(database) == []
    store.finish_succeeded(second, publication())
    for call in refused:
        with pytest.raises(LeaseLost):
            call()
    assert len(plans(database)) == 1
    with database.read(ACTOR) as work:
        assert Runs(work).best_so_far(lost.run_id) == {"total": 3}


def test_a_worker_that_was_only_slow_goes_on_if_nobody_noticed(
    database: Database, store: JobStore, clock: SetClock
) -> None:
    claim = claimed(database, store)
    clock.advance(LEASE_SECONDS * 2)
    store.heartbeat(claim)
    assert store.expire() == 0


def test_a_run_that_loses_every_worker_has_failed(database: Database, store: JobStore, clock: SetClock) -> None:
    run = enqueue(database, max_attempts=2)
    for attempt in (1, 2):
        claim = store.claim("w1")
        assert claim is not None
        assert claim.attempt == attempt
        clock.advance(LEASE_SECONDS)
        store.expire()
    failed = get(database, run)
    assert failed.state == "failed"
    assert failed.error is not None
    assert (failed.error["code"], failed.error["params"]) == ("WORKER_LOST", {"attempts": 2})
    assert store.claim("w1") is None


def test_a_run_that_should_stop_is_cancelled_when_its_worker_is_lost(
    database: Database, store: JobStore, clock: SetClock
) -> None:
    claim = claimed(database, store)
    cancel(database, claim.run_id)
    clock.advance(LEASE_SECONDS)
    store.expire()
    assert get(database, claim).state == "cancelled"


def test_a_worker_that_shuts_down_gives_its_run_back_and_the_attempt_too(database: Database, store: JobStore) -> None:
    claim = claimed(database, store, max_attempts=1)
    store.release(claim)
    assert get(database, claim).state == "queued"
    again = store.claim("w2")
    assert again is not None
    assert (again.attempt, again.fencing_token) == (1, 2)
    cancel(database, claim.run_id)
    store.release(again)
    assert get(database, claim).state == "cancelled"


def test_hundreds_of_lost_runs_are_taken_back_in_one_go(database: Database, store: JobStore, clock: SetClock) -> None:
    with database.write(ACTOR) as work:
        for _ in range(120):
            Runs(work).enqueue("plan", REQUEST)
    for _ in range(120):
        assert store.claim("w1") is not None
    clock.advance(LEASE_SECONDS)
    assert store.expire() == 120
    assert store.expire() == 0


def test_a_claim_is_no_good_for_another_tenants_run(database: Database, store: JobStore) -> None:
    claim = claimed(database, store)
    with pytest.raises(LeaseLost):
        store.heartbeat(replace(claim, tenant_id="globex"))


# Many at once


def test_eight_workers_at_once_take_each_of_200_runs_exactly_once(database: Database, store: JobStore) -> None:
    with database.write(ACTOR) as work:
        asked = {Runs(work).enqueue("plan", {"number": number}).id for number in range(200)}
    taken: list[Claim] = []
    failures: list[Exception] = []
    start = threading.Barrier(8)

    def work_off(worker: str) -> None:
        try:
            start.wait()
            while (claim := store.claim(worker)) is not None:
                taken.append(claim)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work_off, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert Counter(claim.run_id for claim in taken) == dict.fromkeys(asked, 1)
    assert {claim.fencing_token for claim in taken} == {1}


def test_of_all_who_end_the_same_run_at_once_one_does(database: Database, store: JobStore, clock: SetClock) -> None:
    claim = claimed(database, store, max_attempts=1)
    cancel(database, claim.run_id)
    clock.advance(LEASE_SECONDS)
    ways: list[Callable[[], object]] = [
        lambda: store.finish_succeeded(claim, publication()),
        lambda: store.finish_cancelled(claim, publication()),
        lambda: store.finish_failed(claim, {"code": "X"}),
        store.expire,
    ] * 2
    done: list[object] = []
    odd: list[Exception] = []

    def end(way: Callable[[], object]) -> None:
        try:
            done.append(way())
        except LeaseLost:
            return
        except Exception as error:
            odd.append(error)

    threads = [threading.Thread(target=end, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert odd == []
    # An expiry that finds nothing answers 0.
    assert len([answer for answer in done if answer != 0]) == 1
    assert get(database, claim).state in TERMINAL_RUN_STATES
    assert len(plans(database)) <= 1


# The table of steps


def test_from_a_terminal_state_no_step_leads_anywhere() -> None:
    assert not {state for state, _ in RUN_STEPS} & TERMINAL_RUN_STATES
    assert set(RUN_STEPS.values()) | {"queued"} == set(RUN_STATES)


def test_every_state_can_be_reached_and_every_run_can_end() -> None:
    def reachable(start: RunState) -> set[RunState]:
        found: set[RunState] = {start}
        while True:
            following = {target for (state, _), target in RUN_STEPS.items() if state in found}
            if following <= found:
                return found
            found |= following

    assert reachable("queued") == set(RUN_STATES)
    for state in RUN_STATES:
        assert reachable(state) & TERMINAL_RUN_STATES
