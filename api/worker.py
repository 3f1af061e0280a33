"""The worker: takes waiting runs, plans each in a child process and keeps hold of it meanwhile.

`python -m api.worker` runs one for a server that supervises it: it ends when the server does, because the pipe that
is its standard input closes. `run_worker` is the same for whoever brings a thread and an event to stop it.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import structlog

from api.child import Child, ChildLost, Failed, Finished, Progress
from api.planning_state import snapshot
from api.run_errors import run_error
from api.settings import Settings
from data.clock import SortableIds, SystemClock
from data.job_store import Claim, JobStore
from data.repositories import Publication, Scope
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import Contention, LeaseLost, MusterError, Unavailable
from dispatcher.services.state import PlanQuestion

REPORT_SECONDS = 1.0
CANCEL_GRACE_SECONDS = 30.0
_LISTEN_SECONDS = 0.1
_RETRY_SECONDS = 0.5
# A plan that is finished is worth waiting for a database that restarts.
_INSIST_SECONDS = 300.0
# How long an orderly end may take once nobody wants the worker any more.
_END_SECONDS = 5.0
_LOG = structlog.stdlib.get_logger("muster.worker")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Job:
    """What a child is asked, and the versions of the scopes that the answer is about."""

    document: Mapping[str, Any]
    options: Mapping[str, Any]
    scopes: Mapping[Scope, int]


def worker_name() -> str:
    """A name for a worker that no other has: machine, process, and something random for its restarts."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"


def run_worker(settings: Settings, *, name: str, once: bool = False, stop: threading.Event) -> None:
    """Work on runs until told to stop; then the run at hand is given back. `once`: until none waits.

    The schema has to be up to date. What the database refuses for a moment is asked again.
    """
    clock = SystemClock()
    database = Database(settings.database_url, clock=clock, ids=SortableIds(clock))
    worker = _Worker(database, settings, name, stop)
    try:
        while not stop.is_set():
            claim = worker.claim()
            if claim is not None:
                worker.work(claim)
            elif once:
                return
            else:
                stop.wait(settings.poll_seconds)
    finally:
        worker.close()
        database.close()


class _Worker:
    """One worker with its child, which is kept from run to run."""

    def __init__(self, database: Database, settings: Settings, name: str, stop: threading.Event) -> None:
        self._database, self._name, self._stop = database, name, stop
        self._store = JobStore(database, lease_seconds=settings.lease_seconds)
        self._heartbeat_seconds = settings.lease_seconds / 3
        self._child: Child | None = None

    def close(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None

    def claim(self) -> Claim | None:
        """The next run, and those of lost workers back in the line; None while the database does not answer."""
        try:
            expired = self._store.expire()
            if expired:
                _LOG.warning("leases_expired", worker=self._name, runs=expired)
            return self._store.claim(self._name)
        except (Contention, Unavailable) as error:
            _LOG.warning("database", worker=self._name, code=error.code)
            return None

    def work(self, claim: Claim) -> None:
        """A run from its claim to its end, or until it is somebody else's."""
        log = _LOG.bind(worker=self._name, run_id=claim.run_id, attempt=claim.attempt)
        began = time.monotonic()
        log.info("run_begins", kind=claim.kind)
        try:
            outcome = self._outcome(claim)
        except LeaseLost:
            # Somebody else has it now; what the child still finds is nobody's.
            self.close()
            outcome = "lease_lost"
        log.info("run_ends", outcome=outcome, seconds=round(time.monotonic() - began, 1))

    def _outcome(self, claim: Claim) -> str:
        try:
            job = self._insisting(claim, lambda: self._job(claim))
            answer = self._answer(claim, job)
            if isinstance(answer, Finished):
                return self._publish(claim, Publication(job.document, answer.plan, job.scopes))
        except LeaseLost:
            raise
        except ChildLost as error:
            self.close()
            lost = run_error(error)
            return f"process_lost_{self._insisting(claim, lambda: self._store.lose(claim, lost))}"
        except MusterError as error:
            # What is stored allows no such plan; another attempt would find the same.
            return self._fail(claim, error)
        except Exception:
            return self._fail(claim, traceback.format_exc())
        if isinstance(answer, Failed):
            return self._fail(claim, answer.error)
        self.close()
        if self._stop.is_set():
            self._insisting(claim, lambda: self._store.release(claim))
            return "released"
        self._insisting(claim, lambda: self._store.finish_cancelled(claim))
        return "cancelled"

    def _job(self, claim: Claim) -> _Job:
        request = claim.request
        options = request.get("options") or {}
        if claim.kind == "solve":
            return _Job(request["document"], options, {})
        question = PlanQuestion(
            id=f"plan-{claim.run_id}",
            territories=request["territories"],
            dates=[date.fromisoformat(day) for day in request["dates"]],
            travel=request.get("travel"),
            objective=request.get("objective"),
        )
        with self._database.read(Actor(claim.tenant_id, f"worker {self._name}")) as work:
            document, versions = snapshot(work, question)
        return _Job(document, options, versions)

    def _answer(self, claim: Claim, job: _Job) -> Finished | Failed | None:
        """What the child finds; None where nobody waits for it: the worker stops, or a cancel was not obeyed."""
        if self._child is None or not self._child.is_alive:
            self.close()
            self._child = Child()
        child = self._child
        child.begin(job.document, job.options)
        news: Progress | None = None
        next_word = next_beat = time.monotonic() + REPORT_SECONDS
        give_up_at = float("inf")
        while not self._stop.is_set() and time.monotonic() < give_up_at:
            message = child.receive(_LISTEN_SECONDS)
            if isinstance(message, (Finished, Failed)):
                return message
            news = message or news
            now = time.monotonic()
            if now < next_word:
                continue
            next_word = now + REPORT_SECONDS
            beat = news is None or now >= next_beat
            if beat:
                next_beat = now + self._heartbeat_seconds
            if self._tell(claim, news, beat=beat) and give_up_at == float("inf"):
                give_up_at = now + CANCEL_GRACE_SECONDS
                child.cancel()
            news = None
        return None

    def _tell(self, claim: Claim, news: Progress | None, *, beat: bool) -> bool:
        """Renew the lease and report; whether somebody asked to cancel. A database that is away may come back."""
        cancelled = False
        try:
            if beat:
                cancelled = self._store.heartbeat(claim)
            if news is not None:
                cancelled = self._store.report(claim, news.fraction, news.text)
        except (Contention, Unavailable) as error:
            _LOG.warning("database", run_id=claim.run_id, code=error.code)
        return cancelled

    def _publish(self, claim: Claim, publication: Publication) -> str:
        stopped = publication.plan["receipt"]["stopped_by"] == "cancelled"
        finish = self._store.finish_cancelled if stopped else self._store.finish_succeeded
        self._insisting(claim, lambda: finish(claim, publication))
        return "cancelled" if stopped else "succeeded"

    def _fail(self, claim: Claim, error: MusterError | MemoryError | str) -> str:
        if isinstance(error, (MemoryError, str)):
            # Nobody knows in what state it is.
            self.close()
        if isinstance(error, str):
            _LOG.error("unexpected", run_id=claim.run_id, traceback=error)
        failure = run_error(error)
        self._insisting(claim, lambda: self._store.finish_failed(claim, failure))
        return "failed"

    def _insisting(self, claim: Claim, action: Callable[[], Answer]) -> Answer:
        """Do something again while the database is away, or others are at the same rows.

        Raises:
            LeaseLost: if the run is not this worker's any more, or the database stays away.
        """
        began = time.monotonic()
        while True:
            try:
                return action()
            except (Contention, Unavailable) as error:
                patience = _END_SECONDS if self._stop.is_set() else _INSIST_SECONDS
                if time.monotonic() - began > patience:
                    raise LeaseLost(claim.run_id) from error
                time.sleep(_RETRY_SECONDS)


def stop_on_signals() -> threading.Event:
    """An event that SIGTERM and SIGINT set; to be asked for in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _main() -> None:
    from api.http.logs import configure_logs

    settings = Settings()
    configure_logs(settings.log_format)
    stop = stop_on_signals()

    def follow_parent() -> None:
        # The server holds the other end: this returns when it closes it, or is gone.
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.set()
        time.sleep(_END_SECONDS)
        os._exit(1)

    threading.Thread(target=follow_parent, daemon=True).start()
    run_worker(settings, name=worker_name(), stop=stop)


if __name__ == "__main__":
    _main()
