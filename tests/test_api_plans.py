"""Plans over HTTP: asked for, read, accepted with all that follows, and an engineer's route of the day."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from data.event_log import EventLog
from data.session import Database
from dispatcher.actor import Actor
from tests.http_service import Json, client, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import DAY, QUESTION, accept, change, order, planned, put, shift, store_day, work_off

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

TUESDAY = "2026-11-24"
ANYBODY = Actor("default", "anybody")


def statuses(client: TestClient) -> dict[str, str]:
    return {item["id"]: item["status"] for item in client.get("/v1/work-orders").json()["items"]}


def visits(client: TestClient) -> dict[str, tuple[str, str]]:
    """The engineer and the status of the one visit of each order."""
    items = client.get("/v1/visits").json()["items"]
    assert len({item["work_order"] for item in items}) == len(items)
    return {item["work_order"]: (item["engineer"], item["status"]) for item in items}


def code(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def route(client: TestClient, engineer: str = "E1", day: str = DAY, **headers: str) -> Any:
    return client.get(f"/v1/engineers/{engineer}/route", params={"date": day}, headers=headers)


# Both databases


def test_an_accepted_plan_gives_its_orders_their_visits(client: TestClient, database: Database) -> None:
    store_day(client)
    plan_id = planned(client, database)
    assert set(statuses(client).values()) == {"open"}
    accepted = accept(client, plan_id)
    assert (accepted["state"], accepted["version"]) == ("accepted", 2)
    assert accepted["scopes"] == [{"territory": "east", "date": DAY}]
    assert statuses(client) == {"W1": "planned", "W2": "planned", "W3": "planned", "W4": "open"}
    plan = client.get(f"/v1/plans/{plan_id}").json()
    on_routes = {
        stop["work_order"]: (item["engineer"], "planned")
        for item in plan["routes"]
        for stop in item["stops"]
        if stop["kind"] == "work_order"
    }
    assert visits(client) == on_routes


def test_the_next_plan_moves_visits_and_opens_what_it_leaves_out(client: TestClient, database: Database) -> None:
    store_day(client)
    accept(client, planned(client, database))
    before = {item["work_order"]: item["id"] for item in client.get("/v1/visits").json()["items"]}
    # E2 does everything from now on, but for W3, which nobody may do.
    change(client, f"engineers/E1/shifts/{DAY}", status="cancelled")
    change(client, "work-orders/W3", excluded_engineers=["E2"])
    accept(client, planned(client, database))
    assert visits(client) == {"W1": ("E2", "planned"), "W2": ("E2", "planned")}
    assert statuses(client) == {"W1": "planned", "W2": "planned", "W3": "open", "W4": "open"}
    after = {item["work_order"]: item["id"] for item in client.get("/v1/visits").json()["items"]}
    assert after.items() <= before.items()
    with database.read(ANYBODY) as work:
        events = EventLog(work).read()
    assert [(event.type, event.payload["unassigned"]) for event in events if event.type == "plan_accepted"] == [
        ("plan_accepted", 0),
        ("plan_accepted", 1),
    ]


def test_of_two_plans_for_the_same_scope_one_is_accepted(client: TestClient, database: Database) -> None:
    store_day(client)
    first, second = planned(client, database), planned(client, database)
    accept(client, second)
    answer = client.post(f"/v1/plans/{first}/accept", headers={"If-Match": '"1"'})
    assert code(answer) == (409, "SCOPE_CONFLICT")
    assert client.get(f"/v1/plans/{first}/record").json()["state"] == "published"


def test_a_phone_fetches_its_route_once_while_it_stays_the_same(client: TestClient, database: Database) -> None:
    store_day(client)
    put(client, "work-orders", order("W5", allowed_engineers=["E1"]))
    first = planned(client, database)
    assert route(client).json() == {"date": DAY, "engineer": "E1", "plan_id": None, "routes": []}
    accept(client, first)
    answer = route(client)
    assert answer.json()["plan_id"] == first
    assert answer.json()["routes"] == [
        item for item in client.get(f"/v1/plans/{first}").json()["routes"] if item["engineer"] == "E1"
    ]
    tag = answer.headers["etag"]
    assert (route(client, **{"If-None-Match": tag}).status_code, route(client).headers["etag"]) == (304, tag)
    change(client, "work-orders/W5", allowed_engineers=["E2"])
    change(client, f"engineers/E1/shifts/{DAY}", status="cancelled")
    accept(client, planned(client, database))
    assert route(client, **{"If-None-Match": tag}).json()["routes"] == []


# One is enough


def test_a_plan_that_would_leave_work_of_another_territory_to_nobody_is_not_accepted(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    store_day(client)
    accept(client, planned(client, sqlite_database))
    before = visits(client)
    change(client, "work-orders/W1", territory="west")
    plan_id = planned(client, sqlite_database)
    answer = client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": '"1"'})
    assert code(answer) == (409, "WRONG_STATE")
    assert "W1" in answer.json()["detail"]
    assert visits(client) == before


def test_what_changed_since_a_plan_was_made_can_forbid_to_accept_it(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    store_day(client)
    put(client, "shifts", shift("E1", TUESDAY), shift("E2", TUESDAY))
    monday = planned(client, sqlite_database)
    tuesday = planned(client, sqlite_database, {**QUESTION, "dates": [TUESDAY]})
    accept(client, monday)
    before = visits(client)
    # Both plans serve the same orders, which the other date has now.
    answer = client.post(f"/v1/plans/{tuesday}/accept", headers={"If-Match": '"1"'})
    assert code(answer) == (409, "WRONG_STATE")
    assert answer.json()["params"]["kind"] == "work_order"
    assert (visits(client), route(client, day=TUESDAY).json()["plan_id"]) == (before, None)
    again = planned(client, sqlite_database)
    change(client, "work-orders/W1", status="cancelled")
    assert code(client.post(f"/v1/plans/{again}/accept", headers={"If-Match": '"1"'})) == (409, "WRONG_STATE")


def test_orders_of_another_dates_plan_are_not_planned_twice(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    store_day(client)
    put(client, "shifts", shift("E1", TUESDAY))
    accept(client, planned(client, sqlite_database))
    tuesday = planned(client, sqlite_database, {**QUESTION, "dates": [TUESDAY]})
    problem = client.get(f"/v1/plans/{tuesday}/problem").json()
    assert problem["attributes"]["left_out"] == dict.fromkeys(("W1", "W2", "W3"), "in_other_hands")
    accept(client, tuesday)
    assert statuses(client)["W1"] == "planned"


def test_work_that_has_begun_stays_as_it_is(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store_day(client)
    accept(client, planned(client, sqlite_database))
    begun = next(item for item in client.get("/v1/visits").json()["items"] if item["work_order"] == "W1")
    change(client, f"visits/{begun['id']}", status="on_site", started_at=f"{DAY}T07:10:00Z")
    change(client, "work-orders/W1", status="in_progress")
    following = planned(client, sqlite_database)
    problem = client.get(f"/v1/plans/{following}/problem").json()
    pin = problem["work_orders"][0]["pin"]
    assert pin == {"engineer": begun["engineer"], "start": f"{DAY}T07:10:00+00:00"}
    in_force = {stop.get("work_order") for item in problem["current_plan"]["routes"] for stop in item["stops"]}
    assert in_force == {None, "W1", "W2", "W3"}
    accept(client, following)
    after = client.get(f"/v1/visits/{begun['id']}").json()
    assert (after["status"], after["version"]) == ("on_site", 2)
    assert statuses(client)["W1"] == "in_progress"


def test_accepting_needs_the_version_that_was_read(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store_day(client)
    plan_id = planned(client, sqlite_database)
    path = f"/v1/plans/{plan_id}/accept"
    assert code(client.post(path)) == (428, "PRECONDITION_REQUIRED")
    assert code(client.post(path, headers={"If-Match": '"9"'})) == (412, "STALE_VERSION")
    assert client.post(path, headers={"If-Match": "*"}).status_code == 200
    assert code(client.post(path, headers={"If-Match": '"2"'})) == (409, "WRONG_STATE")
    assert code(client.post("/v1/plans/01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB/accept", headers={"If-Match": '"1"'})) == (
        404,
        "NOT_FOUND",
    )


def test_a_plan_of_a_document_cannot_be_accepted(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store_day(client)
    problem = client.get(f"/v1/plans/{planned(client, sqlite_database)}/problem").json()
    briefly = {**problem, "solve": {"iteration_limit": 20}}
    asked = client.post("/v1/solve", json=briefly, headers={"Prefer": "respond-async"})
    work_off(sqlite_database)
    plan_id = client.get(asked.headers["location"]).json()["plan_id"]
    answer = client.post(f"/v1/plans/{plan_id}/accept", headers={"If-Match": '"1"'})
    assert code(answer) == (409, "WRONG_STATE")


def test_plans_are_listed_by_scope(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store_day(client)
    plan_id = planned(client, sqlite_database)
    for params, found in (
        ({"territory": "east", "date": DAY}, [plan_id]),
        ({"territory": "west", "date": DAY}, []),
        ({"state": "accepted"}, []),
        ({}, [plan_id]),
    ):
        items = client.get("/v1/plans", params=params).json()["items"]
        assert [item["id"] for item in items] == found
    assert code(client.get("/v1/plans", params={"territory": "east"})) == (422, "INVALID_INPUT")


def test_a_plan_is_read_again_only_when_it_changed(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store_day(client)
    path = f"/v1/plans/{planned(client, sqlite_database)}"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"territories": []}, (422, "INVALID_INPUT")),
        ({"territories": ["nowhere"]}, (422, "UNKNOWN_REFERENCE")),
        ({"dates": ["2026-02-30"]}, (422, "INVALID_INPUT")),
        ({"dates": ["2026-01-01", "2029-01-01"]}, (422, "INVALID_INPUT")),
        ({"options": {"engine": "oracle"}}, (422, "UNKNOWN_ENGINE")),
        ({"options": {"time_limit_seconds": -1}}, (422, "INVALID_INPUT")),
        ({"speed": 5}, (422, "INVALID_INPUT")),
        ({"travel": {"kind": "matrix"}}, (422, "INVALID_INPUT")),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused_at_once(
    sqlite_client: TestClient, change: Json, expected: tuple[int, str]
) -> None:
    store_day(sqlite_client)
    assert code(sqlite_client.post("/v1/plans", json={**QUESTION, **change})) == expected
    assert sqlite_client.get("/v1/runs").json()["items"] == []


def test_the_route_of_nobody_is_not_found(sqlite_client: TestClient) -> None:
    assert code(route(sqlite_client, "E9")) == (404, "NOT_FOUND")
    assert code(route(sqlite_client, day="23.11.2026")) == (422, "INVALID_INPUT")
