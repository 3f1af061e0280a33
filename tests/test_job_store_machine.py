"""The life of runs under any order of commands from several workers, against a model of a few lines."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from data.job_store import LEASE_SECONDS, Claim, JobStore, Runs
from data.repositories import Plans
from dispatcher.errors import IdempotencyConflict, LeaseLost, WrongState
from dispatcher.lifecycle import TERMINAL_RUN_STATES
from tests.databases import ACTOR, SetClock, delete_all_rows, open_database
from tests.stored_fleet import publication


@dataclass
class ModelRun:
    """What a run should be."""

    request: int
    max_attempts: int
    state: str = "queued"
    attempts: int = 0
    token: int = 0
    cancel: bool = False
    lease_until: datetime | None = None
    plans: int = 0
    ended: int = 0

    def end(self, state: str, plans: int = 0) -> None:
        assert self.state not in TERMINAL_RUN_STATES
        self.state, self.plans, self.ended = state, self.plans + plans, self.ended + 1

    def lose_worker(self) -> None:
        if self.cancel:
            self.end("cancelled")
        elif self.attempts < self.max_attempts:
            self.state = "queued"
        else:
            self.end("failed")


class RunLife(RuleBasedStateMachine):
    runs = Bundle("runs")
    claims = Bundle("claims")
    url: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        delete_all_rows(self.url)
        self.clock = SetClock()
        self.database = open_database(self.url, self.clock)
        self.store = JobStore(self.database)
        self.model: dict[str, ModelRun] = {}
        self.keys: dict[str, str] = {}

    def teardown(self) -> None:
        self.database.close()

    @rule(
        target=runs,
        key=st.sampled_from([None, None, "k1", "k2"]),
        request=st.integers(0, 1),
        attempts=st.integers(1, 3),
    )
    def enqueue(self, key: str | None, request: int, attempts: int) -> object:
        known = None if key is None else self.keys.get(key)
        try:
            with self.database.write(ACTOR) as work:
                run = Runs(work).enqueue("plan", {"n": request}, idempotency_key=key, max_attempts=attempts)
        except IdempotencyConflict:
            assert known is not None
            assert self.model[known].request != request
            return multiple()
        if known is not None:
            assert run.id == known
            assert self.model[known].request == request
            return multiple()
        self.model[run.id] = ModelRun(request, attempts)
        if key is not None:
            self.keys[key] = run.id
        return run.id

    @rule(target=claims, worker=st.sampled_from(["w1", "w2", "w3"]))
    def claim(self, worker: str) -> object:
        claim = self.store.claim(worker)
        waiting = sorted(run_id for run_id, run in self.model.items() if run.state == "queued")
        if claim is None:
            assert waiting == []
            return multiple()
        assert claim.run_id == waiting[0]
        run = self.model[claim.run_id]
        run.state, run.attempts, run.token = "running", run.attempts + 1, run.token + 1
        run.lease_until = self.clock.now() + timedelta(seconds=LEASE_SECONDS)
        assert (claim.attempt, claim.fencing_token, claim.request) == (run.attempts, run.token, {"n": run.request})
        return claim

    def held(self, claim: Claim) -> ModelRun | None:
        """The run of a claim that still holds it."""
        run = self.model[claim.run_id]
        return run if run.state == "running" and run.token == claim.fencing_token else None

    @rule(claim=claims)
    def heartbeat(self, claim: Claim) -> None:
        run = self.held(claim)
        if run is None:
            with pytest.raises(LeaseLost):
                self.store.heartbeat(claim)
            return
        assert self.store.heartbeat(claim) is run.cancel
        run.lease_until = self.clock.now() + timedelta(seconds=LEASE_SECONDS)

    @rule(claim=claims, fraction=st.floats(0, 1))
    def report(self, claim: Claim, fraction: float) -> None:
        run = self.held(claim)
        if run is None:
            with pytest.raises(LeaseLost):
                self.store.report(claim, fraction, "on the way", {"total": 1})
            return
        assert self.store.report(claim, fraction, "on the way", {"total": 1}) is run.cancel

    @rule(claim=claims)
    def succeed(self, claim: Claim) -> None:
        run = self.held(claim)
        if run is None:
            with pytest.raises(LeaseLost):
                self.store.finish_succeeded(claim, publication())
            return
        self.store.finish_succeeded(claim, publication())
        run.end("succeeded", plans=1)

    @rule(claim=claims)
    def fail(self, claim: Claim) -> None:
        run = self.held(claim)
        if run is None:
            with pytest.raises(LeaseLost):
                self.store.finish_failed(claim, {"code": "X"})
            return
        self.store.finish_failed(claim, {"code": "X"})
        run.end("failed")

    @rule(claim=claims, with_plan=st.booleans())
    def stop(self, claim: Claim, with_plan: bool) -> None:
        run = self.held(claim)
        made = publication() if with_plan else None
        if run is None or not run.cancel:
            with pytest.raises(LeaseLost if run is None else WrongState):
                self.store.finish_cancelled(claim, made)
            return
        self.store.finish_cancelled(claim, made)
        run.end("cancelled", plans=int(with_plan))

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        run = self.held(claim)
        if run is None:
            with pytest.raises(LeaseLost):
                self.store.release(claim)
            return
        self.store.release(claim)
        if run.cancel:
            run.end("cancelled")
        else:
            run.state, run.attempts = "queued", run.attempts - 1

    @rule(run_id=runs)
    def ask_to_cancel(self, run_id: str) -> None:
        with self.database.write(ACTOR) as work:
            Runs(work).request_cancel(run_id)
        run = self.model[run_id]
        if run.state == "queued":
            run.end("cancelled")
            run.cancel = True
        elif run.state == "running":
            run.cancel = True

    @rule(seconds=st.sampled_from([1, LEASE_SECONDS - 1, LEASE_SECONDS]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)

    @rule(target=claims, worker=st.sampled_from(["w1", "w2", "w3"]))
    def lose_workers_and_claim(self, worker: str) -> object:
        """The way to two claims of one run, which single steps find too seldom."""
        self.wait(LEASE_SECONDS)
        self.expire()
        return self.claim(worker)

    @rule()
    def expire(self) -> None:
        lost = [
            run
            for run in self.model.values()
            if run.state == "running" and run.lease_until is not None and run.lease_until <= self.clock.now()
        ]
        assert self.store.expire() == len(lost)
        for run in lost:
            run.lose_worker()

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        with self.database.read(ACTOR) as work:
            stored = {run.id: run for run in Runs(work).page(limit=1000).items}
            published = [plan.run_id for plan in Plans(work).page(limit=1000).items]
        assert stored.keys() == self.model.keys()
        for run_id, run in self.model.items():
            record = stored[run_id]
            assert (record.state, record.attempts, record.cancel_requested) == (run.state, run.attempts, run.cancel)
            assert published.count(run_id) == run.plans <= 1
            assert (record.plan_id is not None) == bool(run.plans)
            assert run.ended == (run.state in TERMINAL_RUN_STATES)


def test_runs_live_as_the_model_does_whatever_workers_and_callers_do(database_url: str) -> None:
    # Each example is a life of many steps on a real database: fewer of them, and a failure as it was found.
    fewer = settings(
        max_examples=settings().max_examples // 4, stateful_step_count=40, phases=(Phase.explicit, Phase.generate)
    )
    run_state_machine_as_test(type("RunLifeHere", (RunLife,), {"url": database_url}), settings=fewer)
