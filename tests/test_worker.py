"""The worker on real databases, with real processes: every run ends once, whatever happens to who works on it."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.problems import SolveOptions, solve_document
from api.settings import Settings
from api.worker import run_worker
from data.clock import SortableIds, SystemClock
from data.job_store import JobStore, RunRecord, Runs
from data.repositories import Plans, Scope
from data.session import Database
from data.synthetic import FleetSpec, synthetic_problem
from tests.databases import ACTOR
from tests.service_process import environment
from tests.stored_fleet import MONDAY, store, store_fleet

SMALL = {**synthetic_problem(FleetSpec(orders=6, engineers=2)), "solve": {"engine": "insertion"}}
# An engine that searches as long as it may.
LONG = {
    **synthetic_problem(FleetSpec(orders=6, engineers=2)),
    "solve": {"engine": "ortools", "time_limit_seconds": 900},
}
PATIENCE_SECONDS = 120.0


@pytest.fixture
def url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copyfile(sqlite_template, tmp_path / "muster.db")
    return f"sqlite:///{tmp_path}/muster.db"


@contextmanager
def opened(url: str) -> Iterator[Database]:
    clock = SystemClock()
    database = Database(url, clock=clock, ids=SortableIds(clock))
    try:
        yield database
    finally:
        database.close()


def settings(url: str) -> Settings:
    return Settings(database_url=url, lease_seconds=5, poll_seconds=0.05)


def ask(database: Database, document: object, kind: str = "solve", max_attempts: int = 3, **options: Any) -> str:
    request = {"document": document, "options": options} if kind == "solve" else document
    assert isinstance(request, dict)
    with database.write(ACTOR) as work:
        return Runs(work).enqueue(kind, request, max_attempts=max_attempts).id


def run_of(database: Database, run_id: str) -> RunRecord:
    with database.read(ACTOR) as work:
        return Runs(work).get(run_id)


def plan_of(database: Database, run_id: str) -> dict[str, Any]:
    plan_id = run_of(database, run_id).plan_id
    assert plan_id is not None
    with database.read(ACTOR) as work:
        return Plans(work).document(plan_id)


def work_off(url: str) -> None:
    run_worker(settings(url), name="worker-1", once=True, stop=threading.Event())


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not found():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


@contextmanager
def working(url: str) -> Iterator[threading.Event]:
    """A worker beside the test, stopped at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=run_worker, args=(settings(url),), kwargs={"name": "worker-1", "stop": stop})
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()


def is_searching(database: Database, run_id: str) -> bool:
    return run_of(database, run_id).progress_text != ""


def children_of(pid: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def without_chance(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan without what differs from run to run."""
    receipt = {name: value for name, value in plan["receipt"].items() if name != "elapsed_seconds"}
    return {**plan, "created_at": None, "receipt": receipt}


# What a run ends with


def test_a_run_ends_with_its_plan_or_with_what_stood_against_it(database_url: str) -> None:
    with opened(database_url) as database:
        good = ask(database, SMALL)
        invalid = ask(database, {**SMALL, "timezone": "Mars/Olympus"})
        unknown = ask(database, SMALL, engine="oracle")
        work_off(database_url)
        assert run_of(database, good).state == "succeeded"
        assert plan_of(database, good)["problem_id"] == SMALL["id"]
        for run_id, code in ((invalid, "INVALID_INPUT"), (unknown, "UNKNOWN_ENGINE")):
            run = run_of(database, run_id)
            assert (run.state, run.plan_id, run.attempts) == ("failed", None, 1)
            assert run.error is not None
            assert run.error["code"] == code
        error = run_of(database, invalid).error
        assert error is not None
        assert [issue["code"] for issue in error["params"]["issues"]] == ["BAD_TIMEZONE"]


def test_a_run_over_what_is_stored_publishes_the_snapshot_with_its_scopes(database_url: str) -> None:
    with opened(database_url) as database:
        store_fleet(database)
        depot = {"external_id": "depot", "timezone": "Asia/Shanghai", "latitude": 31.25, "longitude": 121.45}
        with database.write(ACTOR) as work:
            store(work, "site", **depot)
        run_id = ask(
            database, {"territories": ["east"], "dates": ["2026-11-23"], "options": {"engine": "insertion"}}, "plan"
        )
        work_off(database_url)
        plan_id = run_of(database, run_id).plan_id
        assert plan_id is not None
        with database.read(ACTOR) as work:
            assert Plans(work).get(plan_id).scopes == (Scope("east", MONDAY),)
            assert [order["id"] for order in Plans(work).problem(plan_id)["work_orders"]] == ["W1"]


def test_contradictions_of_what_is_stored_are_the_error_of_the_run(url: str) -> None:
    with opened(url) as database:
        store_fleet(database)  # its depot has no coordinates
        run_id = ask(database, {"territories": ["east"], "dates": ["2026-11-23"]}, "plan")
        gone = ask(database, {"territories": ["nowhere"], "dates": ["2026-11-23"]}, "plan")
        work_off(url)
        error, lost = run_of(database, run_id).error, run_of(database, gone).error
        assert error is not None
        assert lost is not None
        assert {issue["path"] for issue in error["params"]["issues"]} == {"locations.depot.lat", "locations.depot.lon"}
        assert lost["code"] == "UNKNOWN_REFERENCE"


def test_the_same_document_has_the_same_plan_in_a_run_and_in_this_process(url: str) -> None:
    document = {**SMALL, "solve": {"iteration_limit": 50, "seed": 3}}
    with opened(url) as database:
        run_id = ask(database, document)
        work_off(url)
        assert without_chance(plan_of(database, run_id)) == without_chance(solve_document(document, SolveOptions()))


# While it runs


def test_a_cancelled_run_ends_with_its_best_so_far(url: str) -> None:
    with opened(url) as database, working(url):
        run_id = ask(database, LONG)
        until(lambda: is_searching(database, run_id))
        with database.write(ACTOR) as work:
            Runs(work).request_cancel(run_id)
        until(lambda: run_of(database, run_id).state != "running")
        assert run_of(database, run_id).state == "cancelled"
        assert plan_of(database, run_id)["receipt"]["stopped_by"] == "cancelled"


def test_a_worker_that_is_told_to_stop_gives_its_run_back(url: str) -> None:
    with opened(url) as database:
        with working(url) as stop:
            run_id = ask(database, LONG)
            until(lambda: run_of(database, run_id).state == "running")
            stop.set()
        run = run_of(database, run_id)
        assert (run.state, run.attempts) == ("queued", 0)


@pytest.mark.slow
def test_a_lost_planning_process_costs_an_attempt_and_the_last_one_fails_the_run(url: str) -> None:
    with opened(url) as database, working(url):
        again, last = ask(database, LONG, max_attempts=2), ask(database, LONG, max_attempts=1)
        for run_id, attempts in ((again, 1), (again, 2), (last, 1)):

            def searches(run_id: str = run_id, attempts: int = attempts) -> bool:
                return is_searching(database, run_id) and run_of(database, run_id).attempts == attempts

            until(searches)
            (child,) = multiprocessing.active_children()
            child.kill()
        until(lambda: run_of(database, last).state != "running")
        for run_id in (again, last):
            run = run_of(database, run_id)
            assert run.state == "failed"
            assert run.error is not None
            assert (run.error["code"], run.error["params"]) == ("PROCESS_LOST", {"exit_code": -signal.SIGKILL})


@pytest.mark.slow
def test_a_run_that_was_taken_away_is_left_alone(url: str) -> None:
    with opened(url) as database, working(url):
        run_id = ask(database, LONG, max_attempts=1)
        until(lambda: is_searching(database, run_id))
        # The lease ends for somebody whose clock is far ahead.
        clock = SystemClock()
        ahead = type("Ahead", (), {"now": lambda self: clock.now().replace(year=2100)})()
        other = Database(url, clock=ahead, ids=SortableIds(clock))
        assert JobStore(other).expire() == 1
        other.close()
        # The worker goes on with the next one.
        following = ask(database, SMALL)
        until(lambda: run_of(database, following).state == "succeeded")
        assert run_of(database, run_id).state == "failed"


# Processes


@pytest.fixture
def process(url: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as a server starts it."""
    env = environment(MUSTER_DATABASE_URL=url, MUSTER_LEASE_SECONDS="5", MUSTER_POLL_SECONDS="0.05")
    with subprocess.Popen(
        [sys.executable, "-m", "api.worker"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
    ) as started:
        yield started
        started.kill()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_the_planning_process_of_a_killed_worker_goes_with_it(url: str, process: subprocess.Popen[bytes]) -> None:
    with opened(url) as database:
        run_id = ask(database, LONG)
        until(lambda: is_searching(database, run_id))
        children = children_of(process.pid)
        assert children
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not any(is_running(child) for child in children))


@pytest.mark.slow
def test_a_worker_ends_in_order_when_its_server_is_gone(url: str, process: subprocess.Popen[bytes]) -> None:
    with opened(url) as database:
        run_id = ask(database, LONG)
        until(lambda: run_of(database, run_id).state == "running")
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0
        assert run_of(database, run_id).state == "queued"
