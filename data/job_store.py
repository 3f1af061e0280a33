"""Planning runs that outlive the process that asked for them and those that work on them.

A run is a row. `Runs` writes it in the transaction of whoever asks, so that none is lost and none is made for a
command that failed; `JobStore` is the workers' side, each call a transaction of its own. A worker holds a run by
a lease that it renews; when it is lost, somebody else takes the run after the lease, with a higher fencing token,
and what the lost one may still say is refused. Which step leads where is `dispatcher.lifecycle.RUN_STEPS`.

Leases are measured by the clocks of the machines that work: they should agree to a small part of a lease. Where
they do not, a run may be worked on twice, and is still finished only once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from data.orm import Plan, PlanningRun
from data.orm_base import canonical_sha256
from data.repositories.plans import Plans, Publication
from data.repositories.records import Page, cursor_after, page_size, position_of, storable
from data.session import Database, UnitOfWork
from dispatcher.actor import Actor
from dispatcher.errors import IdempotencyConflict, LeaseLost, NotFound, RecordKey, WrongState
from dispatcher.lifecycle import RUN_STEPS, TERMINAL_RUN_STATES, RunState, RunStep

LEASE_SECONDS = 30
MAX_ATTEMPTS = 3
_EXPIRED_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run without its request and its best so far, which may be large. `progress` goes from 0 to 1."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    kind: str
    state: RunState
    requested_by: str
    attempts: int
    max_attempts: int
    progress: float
    progress_text: str
    cancel_requested: bool
    error: Mapping[str, Any] | None
    plan_id: str | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A run in the hands of a worker; `fencing_token` tells this hold from every other."""

    run_id: str
    tenant_id: str
    kind: str
    request: Mapping[str, Any]
    requested_by: str
    attempt: int
    worker: str
    fencing_token: int


class Runs:
    """The runs of the tenant whose unit of work it is."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    def enqueue(
        self,
        kind: str,
        request: Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> RunRecord:
        """Ask for a run. With a key that was used before for the same request: the run from then, whatever its state.

        Raises:
            IdempotencyConflict: if the key was used for another request.
        """
        sha256 = canonical_sha256({"kind": kind, "request": request})
        run = self._same_key(idempotency_key)
        if run is None:
            try:
                with self._work.session.begin_nested():
                    run = self._work.add(
                        PlanningRun,
                        kind=kind,
                        state="queued",
                        requested_by=self._work.actor.principal,
                        idempotency_key=idempotency_key,
                        request_sha256=sha256,
                        request=request,
                        attempts=0,
                        max_attempts=max_attempts,
                        fencing_token=0,
                        progress=0.0,
                        progress_text="",
                        cancel_requested=False,
                    )
            except IntegrityError:
                # Somebody else came first with the same key, between the look and the write.
                run = self._same_key(idempotency_key)
                if run is None:
                    raise
        if idempotency_key is not None and run.request_sha256 != sha256:
            raise IdempotencyConflict(idempotency_key)
        return self._record(run)

    def finished(self, kind: str, request: Mapping[str, Any], text: str) -> RunRecord:
        """A run that is over as it is written: its plan was made by the command itself and is published with it."""
        run = self._work.add(
            PlanningRun,
            kind=kind,
            state="succeeded",
            requested_by=self._work.actor.principal,
            idempotency_key=None,
            request_sha256=canonical_sha256({"kind": kind, "request": request}),
            request=request,
            attempts=1,
            max_attempts=1,
            fencing_token=0,
            progress=1.0,
            progress_text=text,
            cancel_requested=False,
        )
        return self._record(run)

    def get(self, run_id: str) -> RunRecord:
        """Raises NotFound if there is no such run."""
        return self._record(self._row(run_id))

    def request(self, run_id: str) -> dict[str, Any]:
        """What was asked for, as it was written. Raises NotFound if there is no such run."""
        return self._row(run_id).request

    def best_so_far(self, run_id: str) -> dict[str, Any] | None:
        """What the worker last reported as its best. Raises NotFound if there is no such run."""
        return self._row(run_id).best_so_far

    def page(self, *, state: RunState | None = None, after: str | None = None, limit: int = 100) -> Page[RunRecord]:
        """Up to `limit` runs, the newest first, from the place of a cursor on.

        Raises:
            BadCursor: for a cursor that no such list gave out.
        """
        limit = page_size(limit)
        query = self._select().order_by(PlanningRun.id.desc()).limit(limit + 1)
        if state is not None:
            query = query.where(PlanningRun.state == state)
        if after is not None:
            query = query.where(PlanningRun.id < position_of(after, "run"))
        rows = list(self._work.session.scalars(query))
        plans = self._plans([run.id for run in rows[:limit]])
        records = tuple(_record(run, plans.get(run.id)) for run in rows[:limit])
        return Page(records, cursor_after("run", records[-1].id) if len(rows) > limit else None)

    def request_cancel(self, run_id: str) -> RunRecord:
        """Ask that a run stops. One that nobody works on is cancelled at once, one that has ended stays as it is.

        Raises:
            NotFound: if there is no such run.
        """
        run = self._row(run_id, lock=True)
        if run.state not in TERMINAL_RUN_STATES and not run.cancel_requested:
            _step(run, "ask_to_cancel")
            run.cancel_requested = True
            self._work.touch(run)
        return self._record(run)

    def _select(self) -> Select[PlanningRun]:
        return select(PlanningRun).where(PlanningRun.tenant_id == self._work.tenant_id)

    def _row(self, run_id: str, *, lock: bool = False) -> PlanningRun:
        query = self._select().where(PlanningRun.id == run_id)
        if lock:
            query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
        run = self._work.session.scalars(query).one_or_none() if storable(run_id) else None
        if run is None:
            raise NotFound(RecordKey("run", (run_id,)))
        return run

    def _same_key(self, key: str | None) -> PlanningRun | None:
        if key is None:
            return None
        return self._work.session.scalars(self._select().where(PlanningRun.idempotency_key == key)).one_or_none()

    def _plans(self, run_ids: list[str]) -> dict[str, str]:
        query = select(Plan.run_id, Plan.id).where(Plan.tenant_id == self._work.tenant_id, Plan.run_id.in_(run_ids))
        return {row.run_id: row.id for row in self._work.session.execute(query)}

    def _record(self, run: PlanningRun) -> RunRecord:
        return _record(run, self._plans([run.id]).get(run.id))


class JobStore:
    """The workers' side of all tenants' runs; every call is a transaction of its own."""

    def __init__(self, database: Database, *, lease_seconds: int = LEASE_SECONDS) -> None:
        self._database = database
        self._lease = timedelta(seconds=lease_seconds)

    def claim(self, worker: str) -> Claim | None:
        """Take the oldest run that waits, for the length of a lease; None if none does.

        Two workers never take the same one: on PostgreSQL each skips the rows that others have locked, on SQLite
        there is one writer at a time.
        """
        waiting = (
            select(PlanningRun)
            .where(PlanningRun.state == "queued")
            .order_by(PlanningRun.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with self._database.transaction() as session:
            run = session.scalars(waiting).first()
            if run is None:
                return None
            work = self._database.unit(session, _worker(run.tenant_id, worker))
            _step(run, "claim")
            run.attempts += 1
            run.fencing_token += 1
            run.lease_owner = worker
            run.lease_until = work.now + self._lease
            run.heartbeat_at = work.now
            run.progress, run.progress_text = 0.0, ""
            work.touch(run)
            return Claim(
                run.id,
                run.tenant_id,
                run.kind,
                run.request,
                run.requested_by,
                run.attempts,
                worker,
                run.fencing_token,
            )

    def heartbeat(self, claim: Claim) -> bool:
        """Renew the lease; whether somebody asked that the run stops.

        Raises:
            LeaseLost: if the run is not this worker's any more.
        """
        with self._held(claim) as (work, run):
            _step(run, "heartbeat")
            run.lease_until = work.now + self._lease
            run.heartbeat_at = work.now
            return run.cancel_requested

    def report(self, claim: Claim, fraction: float, text: str, best: Mapping[str, Any] | None = None) -> bool:
        """Say how far the run is, from 0 to 1, and what its best is if that is new; answers as `heartbeat` does.

        Raises:
            LeaseLost: if the run is not this worker's any more.
        """
        with self._held(claim) as (_, run):
            _step(run, "report")
            run.progress, run.progress_text = min(1.0, max(0.0, fraction)), text
            if best is not None:
                run.best_so_far = dict(best)
            return run.cancel_requested

    def finish_succeeded(self, claim: Claim, publication: Publication) -> str:
        """End a run and publish its plan, both or neither; the plan's id.

        Raises:
            LeaseLost: if the run is not this worker's any more.
            PlanRefused, UnknownReference: as `Plans.publish`.
        """
        with self._held(claim) as (work, run):
            _step(run, "succeed")
            run.progress = 1.0
            return Plans(work).publish(run.id, publication)

    def finish_failed(self, claim: Claim, error: Mapping[str, Any]) -> None:
        """End a run with an error (`code`, `message`, `params`) that another attempt would meet again.

        Raises:
            LeaseLost: if the run is not this worker's any more.
        """
        with self._held(claim) as (_, run):
            _step(run, "fail")
            run.error = dict(error)

    def finish_cancelled(self, claim: Claim, publication: Publication | None = None) -> str | None:
        """End a run as somebody asked, publishing the best plan so far where there is one; its id.

        Raises:
            LeaseLost: if the run is not this worker's any more.
            WrongState: if nobody asked.
            PlanRefused, UnknownReference: as `Plans.publish`.
        """
        with self._held(claim) as (work, run):
            if not run.cancel_requested:
                raise WrongState(RecordKey("run", (run.id,)), run.state, "stop")
            _step(run, "stop")
            return None if publication is None else Plans(work).publish(run.id, publication)

    def lose(self, claim: Claim, error: Mapping[str, Any]) -> RunState:
        """Say that an attempt broke down; the state that the run is in then.

        It waits again while it has attempts left, is cancelled where somebody asked for that, and has failed with
        this error otherwise.

        Raises:
            LeaseLost: if the run is not this worker's any more.
        """
        with self._held(claim) as (_, run):
            _lose(run, error)
            return cast(RunState, run.state)

    def release(self, claim: Claim) -> None:
        """Give a run back unfinished, because the worker shuts down; the attempt does not count.

        Raises:
            LeaseLost: if the run is not this worker's any more.
        """
        with self._held(claim) as (_, run):
            if run.cancel_requested:
                _step(run, "drop")
            else:
                _step(run, "requeue")
                run.attempts -= 1

    def expire(self) -> int:
        """Take the runs whose leases ran out from their workers; how many there were.

        A run waits again while it has attempts left, and has failed otherwise; one that somebody asked to stop is
        cancelled.
        """
        total = 0
        while found := self._expire_some():
            total += found
        return total

    def _expire_some(self) -> int:
        with self._database.transaction() as session:
            now = self._database.clock.now()
            lost = (
                select(PlanningRun)
                .where(PlanningRun.state == "running", PlanningRun.lease_until <= now)
                .order_by(PlanningRun.id)
                .limit(_EXPIRED_AT_ONCE)
                .with_for_update(skip_locked=True)
            )
            runs = list(session.scalars(lost))
            for run in runs:
                owner = str(run.lease_owner)
                _lose(
                    run,
                    {
                        "code": "WORKER_LOST",
                        "message": f"the worker was lost in each of {run.attempts} attempts",
                        "params": {"attempts": run.attempts},
                    },
                )
                self._database.unit(session, _worker(run.tenant_id, owner)).touch(run)
            return len(runs)

    @contextmanager
    def _held(self, claim: Claim) -> Iterator[tuple[UnitOfWork, PlanningRun]]:
        """The run of a claim, locked; written at the end."""
        with self._database.write(_worker(claim.tenant_id, claim.worker)) as work:
            query = select(PlanningRun).where(
                PlanningRun.tenant_id == claim.tenant_id,
                PlanningRun.id == claim.run_id,
                PlanningRun.state == "running",
                PlanningRun.fencing_token == claim.fencing_token,
            )
            run = work.session.scalars(query.with_for_update(key_share=True)).one_or_none()
            if run is None:
                raise LeaseLost(claim.run_id)
            yield work, run
            work.touch(run)


def _step(run: PlanningRun, step: RunStep) -> None:
    state = cast(RunState, run.state)
    following = RUN_STEPS.get((state, step))
    if following is None:
        raise WrongState(RecordKey("run", (run.id,)), state, step)
    run.state = following
    if following != "running":
        run.lease_owner = run.lease_until = None


def _lose(run: PlanningRun, error: Mapping[str, Any]) -> None:
    if run.cancel_requested:
        _step(run, "drop")
    elif run.attempts < run.max_attempts:
        _step(run, "requeue")
    else:
        _step(run, "give_up")
        run.error = dict(error)


def _worker(tenant_id: str, worker: str) -> Actor:
    return Actor(tenant_id, f"worker {worker}")


def _record(run: PlanningRun, plan_id: str | None) -> RunRecord:
    return RunRecord(
        run.id,
        run.version,
        run.created_at,
        run.updated_at,
        run.kind,
        cast(RunState, run.state),
        run.requested_by,
        run.attempts,
        run.max_attempts,
        run.progress,
        run.progress_text,
        run.cancel_requested,
        run.error,
        plan_id,
    )
