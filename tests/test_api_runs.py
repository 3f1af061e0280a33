"""Runs over HTTP: a plan at once or a run to follow, once per key, told until its end, and cancelled."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.problems import SolveOptions, solve_document
from api.run_errors import RUN_ERROR_CODES
from data.job_store import JobStore
from data.session import Database
from data.synthetic import FleetSpec, synthetic_problem
from tests.http_service import Json, client, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import QUESTION, planned, store_day, work_off

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

PROBLEM: Json = {**synthetic_problem(FleetSpec(orders=6, engineers=2)), "solve": {"iteration_limit": 30}}
ASYNC = {"Prefer": "respond-async"}


def ask(client: TestClient, key: str | None = None) -> Json:
    headers = ASYNC | ({} if key is None else {"Idempotency-Key": key})
    answer = client.post("/v1/solve", json=PROBLEM, headers=headers)
    assert answer.status_code == 202, answer.text
    run: Json = answer.json()
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    return run


def code(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def events(client: TestClient, run_id: str, **headers: str) -> list[tuple[str, Json]]:
    """The name and the data of every event until the end of the stream."""
    text = client.get(f"/v1/runs/{run_id}/events", headers=headers).text
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if fields:
            data = json.loads(fields["data"])
            assert fields["id"] == str(data["version"])
            found.append((fields["event"], data))
    return found


# Both databases


def test_a_key_stands_for_one_run(client: TestClient, database: Database) -> None:
    first, again = (ask(client, "k1") for _ in range(2))
    assert first["id"] == again["id"]
    other = client.post("/v1/solve", json={**PROBLEM, "id": "other"}, headers=ASYNC | {"Idempotency-Key": "k1"})
    assert code(other) == (409, "IDEMPOTENCY_CONFLICT")
    work_off(database)
    assert ask(client, "k1")["state"] == "succeeded"
    assert [run["id"] for run in client.get("/v1/runs").json()["items"]] == [first["id"]]


def test_a_run_is_followed_to_its_end(client: TestClient, database: Database) -> None:
    store_day(client)
    run_id = client.post("/v1/plans", json=QUESTION).json()["id"]
    told: list[tuple[str, Json]] = []
    follower = threading.Thread(target=lambda: told.extend(events(client, run_id)))
    follower.start()
    store = JobStore(database)
    claim = store.claim("worker-1")
    assert claim is not None
    store.report(claim, 0.5, "half of it")
    # Longer than between two looks at the run.
    time.sleep(1)
    store.finish_failed(claim, {"code": "NO_RESULT", "message": "none", "params": {}})
    follower.join()
    assert [name for name, _ in told][-2:] == ["progress", "ended"]
    assert told[-2][1]["progress_text"] == "half of it"
    assert (told[-1][1]["state"], told[-1][1]["error"]["code"]) == ("failed", "NO_RESULT")


# One is enough


def test_a_document_is_planned_at_once_as_it_is_planned_elsewhere(sqlite_client: TestClient) -> None:
    answer = sqlite_client.post("/v1/solve", json=PROBLEM)
    assert answer.status_code == 200
    here = solve_document(PROBLEM, SolveOptions())
    for plan in (here, found := answer.json()):
        plan["created_at"] = plan["receipt"]["elapsed_seconds"] = None
    assert found == here
    invalid = sqlite_client.post("/v1/solve", json={**PROBLEM, "timezone": "Mars/Olympus"})
    assert code(invalid) == (422, "INVALID_INPUT")
    assert [issue["code"] for issue in invalid.json()["issues"]] == ["BAD_TIMEZONE"]
    assert sqlite_client.get("/v1/runs").json()["items"] == []


def test_a_long_search_becomes_a_run(sqlite_client: TestClient) -> None:
    answer = sqlite_client.post("/v1/solve", json={**PROBLEM, "solve": {"time_limit_seconds": 3600}})
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")


def test_an_invalid_document_makes_no_run(sqlite_client: TestClient) -> None:
    answer = sqlite_client.post("/v1/solve", json={**PROBLEM, "horizon": None}, headers=ASYNC)
    assert code(answer) == (422, "INVALID_INPUT")
    assert sqlite_client.get("/v1/runs").json()["items"] == []


def test_a_run_that_has_ended_is_told_at_once(sqlite_client: TestClient, sqlite_database: Database) -> None:
    run_id = ask(sqlite_client)["id"]
    work_off(sqlite_database)
    ((name, run),) = events(sqlite_client, run_id)
    assert (name, run["state"]) == ("ended", "succeeded")
    # Somebody who takes a broken stream up again must not wait for ever.
    assert events(sqlite_client, run_id, **{"Last-Event-ID": str(run["version"])}) == [(name, run)]


def test_a_run_shows_its_problem_and_its_best(sqlite_client: TestClient, sqlite_database: Database) -> None:
    run = ask(sqlite_client)
    path = f"/v1/runs/{run['id']}"
    nothing = {"total": None, "served": None, "unassigned": None}
    assert sqlite_client.get(f"{path}/problem").json() == PROBLEM
    assert sqlite_client.get(f"{path}/best").json() == {
        "run_id": run["id"],
        "state": "queued",
        "plan_id": None,
        **nothing,
    }
    work_off(sqlite_database)
    plan_id = sqlite_client.get(path).json()["plan_id"]
    plan = sqlite_client.get(f"/v1/plans/{plan_id}").json()
    best = sqlite_client.get(f"{path}/best").json()
    assert (best["total"], best["served"] + best["unassigned"]) == (plan["score"]["total"], 6)


def test_the_problem_of_a_plan_is_there_with_the_plan(sqlite_client: TestClient, sqlite_database: Database) -> None:
    store_day(sqlite_client)
    run_id = sqlite_client.post("/v1/plans", json=QUESTION).json()["id"]
    assert code(sqlite_client.get(f"/v1/runs/{run_id}/problem")) == (404, "NOT_FOUND")
    work_off(sqlite_database)
    assert sqlite_client.get(f"/v1/runs/{run_id}/problem").json()["id"] == f"plan-{run_id}"


def test_a_waiting_run_is_cancelled_at_once_and_an_ended_one_stays(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    run_id = ask(sqlite_client)["id"]
    assert sqlite_client.post(f"/v1/runs/{run_id}/cancel").json()["state"] == "cancelled"
    assert sqlite_client.post(f"/v1/runs/{run_id}/cancel").json()["state"] == "cancelled"
    store_day(sqlite_client)
    planned(sqlite_client, sqlite_database)
    ended = sqlite_client.get("/v1/runs", params={"state": "succeeded"}).json()["items"][0]
    assert sqlite_client.post(f"/v1/runs/{ended['id']}/cancel").json() == ended


def test_runs_are_listed_the_newest_first_in_pages(sqlite_client: TestClient) -> None:
    made = [ask(sqlite_client)["id"] for _ in range(3)]
    first = sqlite_client.get("/v1/runs", params={"limit": 2}).json()
    rest = sqlite_client.get("/v1/runs", params={"limit": 2, "after": first["next"]}).json()
    assert [run["id"] for run in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None


def test_a_filter_that_does_not_exist_is_refused(sqlite_client: TestClient) -> None:
    for path in ("/v1/runs", "/v1/plans"):
        assert code(sqlite_client.get(path, params={"status": "failed"})) == (422, "INVALID_INPUT")


def test_every_code_of_a_failed_run_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "api-runs.md").read_text(encoding="utf-8")
    rows = "\n".join(line for line in page.splitlines() if line.startswith("| `"))
    assert [name for name in RUN_ERROR_CODES if f"`{name}`" not in rows] == []


@pytest.mark.parametrize("part", ["", "/best", "/problem", "/events"])
def test_runs_that_there_are_not_are_not_found(sqlite_client: TestClient, part: str) -> None:
    assert code(sqlite_client.get(f"/v1/runs/01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB{part}")) == (404, "NOT_FOUND")
