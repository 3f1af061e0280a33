"""The running day: what is left of the plan in force now, and how another one takes its place."""

from datetime import date

import pytest
from starlette.testclient import TestClient

from api.planning_state import accept_plan
from api.running_day import RunningDay, checked_plan, put_in_force, running_day, store_plan
from data.repositories import Plans, Scope
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.errors import NoPlanInForce, NotFound, ScopeConflict, Stale
from dispatcher.evaluate import evaluate
from dispatcher.plan import RouteSequence, Sequences, Visit
from tests.databases import SetClock
from tests.http_service import client, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import DAY, accept, at, change, order, planned, put, store_day

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

ANYBODY = Actor("default", "dispatcher-1")
MONDAY = date.fromisoformat(DAY)


def routes_of(day: RunningDay) -> dict[str, list[str]]:
    return {
        route.engineer: [stop.work_order for stop in route.stops if stop.work_order is not None]
        for route in day.plan.routes
    }


def all_by(engineer: str, *orders: str) -> Sequences:
    return Sequences((RouteSequence(engineer, DAY, tuple(Visit(name) for name in orders)),))


def in_force(client: TestClient, database: Database) -> str:
    store_day(client)
    plan_id = planned(client, database)
    accept(client, plan_id)
    return plan_id


def read(database: Database) -> RunningDay:
    with database.read(ANYBODY) as work:
        return running_day(work, territory="east", on=MONDAY)


def test_the_running_plan_is_the_accepted_one_while_nothing_happens(client: TestClient, database: Database) -> None:
    plan_id = in_force(client, database)
    day = read(database)
    document = client.get(f"/v1/plans/{plan_id}").json()
    assert (day.plan_id, day.plan_version, day.scopes) == (plan_id, 2, (Scope("east", MONDAY),))
    assert routes_of(day) == {
        route["engineer"]: [stop["work_order"] for stop in route["stops"] if stop["kind"] == "work_order"]
        for route in document["routes"]
    }
    evaluation = evaluate(day.problem, day.plan)
    assert (evaluation.findings, evaluation.total) == ((), document["score"]["total"])


def test_a_new_order_is_in_the_day_and_not_in_its_plan(client: TestClient, database: Database) -> None:
    in_force(client, database)
    put(client, "work-orders", order("W9", level="L1"))
    with database.read(ANYBODY) as work:
        day = running_day(work, work_order="W9")
    assert day.plan.unassigned == ("W9",)


def test_running_work_comes_first_and_done_work_is_gone(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    in_force(client, sqlite_database)
    before = routes_of(read(sqlite_database))
    ((engineer, orders),) = [(name, found) for name, found in before.items() if len(found) > 1][:1]
    visits = {item["work_order"]: item for item in client.get("/v1/visits").json()["items"]}
    last = visits[orders[-1]]
    change(client, f"visits/{last['id']}", status="on_site", started_at=f"{DAY}T07:10:00Z")
    first = visits[orders[0]]
    change(client, f"visits/{first['id']}", status="en_route")
    day = read(sqlite_database)
    assert routes_of(day)[engineer] == [orders[-1], *orders[:-1]]
    assert evaluate(day.problem, day.plan).feasible
    assert day.on_the_way == {orders[0]}
    change(client, f"work-orders/{orders[-1]}", status="done")
    change(client, f"visits/{last['id']}", status="done", ended_at=f"{DAY}T07:20:00Z")
    assert routes_of(read(sqlite_database))[engineer] == orders[:-1]


def test_what_can_no_longer_be_kept_is_left_out_and_nothing_else_moves(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    in_force(client, sqlite_database)
    before = routes_of(read(sqlite_database))
    ((engineer, orders),) = [(name, found) for name, found in before.items() if len(found) > 1][:1]
    # The shift now ends before the work of the route could all be done.
    change(client, f"engineers/{engineer}/shifts/{DAY}", end=at("08:45"), latest_end=at("08:45"))
    day = read(sqlite_database)
    after = routes_of(day)
    assert len(after.get(engineer, [])) == 1
    assert set(day.plan.unassigned) == set(orders) - set(after[engineer])
    assert {name: found for name, found in after.items() if name != engineer} == {
        name: found for name, found in before.items() if name != engineer
    }
    assert evaluate(day.problem, day.plan).feasible


def test_another_plan_takes_the_place_of_the_one_in_force(client: TestClient, database: Database) -> None:
    plan_id = in_force(client, database)
    put(client, "work-orders", order("W9", level="L1"))
    day = read(database)
    with database.write(ANYBODY) as work:
        record = put_in_force(work, day, all_by("E2", "W9", "W1", "W2", "W3"), version=day.plan_version)
    assert (record.state, record.scopes) == ("accepted", day.scopes)
    assert client.get(f"/v1/plans/{plan_id}/record").json()["state"] == "superseded"
    held = {item["work_order"]: item["engineer"] for item in client.get("/v1/visits").json()["items"]}
    assert held == dict.fromkeys(("W1", "W2", "W3", "W9"), "E2")
    assert routes_of(read(database)) == {"E2": ["W9", "W1", "W2", "W3"]}
    run = client.get(f"/v1/runs/{record.run_id}").json()
    assert (run["kind"], run["state"], run["plan_id"]) == ("repair", "succeeded", record.id)


def test_a_plan_that_is_put_in_force_tells_the_reasons_of_what_it_takes_off(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    in_force(sqlite_client, sqlite_database)
    put(sqlite_client, "work-orders", order("W9", level="L1"))
    document = checked_plan(read(sqlite_database), all_by("E2", "W1", "W2"), created_at=0)
    told = {item["work_order"]: bool(item.get("reasons")) for item in document["unassigned"]}
    assert told == {"W3": True, "W9": False}


def test_whoever_comes_second_is_told(sqlite_client: TestClient, sqlite_database: Database) -> None:
    in_force(sqlite_client, sqlite_database)
    day = read(sqlite_database)
    with sqlite_database.write(ANYBODY) as work:
        put_in_force(work, day, all_by("E1", "W1", "W2", "W3"), version=day.plan_version)
    with pytest.raises(Stale), sqlite_database.write(ANYBODY) as work:
        put_in_force(work, day, all_by("E2", "W1", "W2", "W3"), version=day.plan_version)
    # Also where only the scope moved, and not the plan that was read.
    document = checked_plan(day, all_by("E2", "W1", "W2", "W3"), created_at=0)
    with pytest.raises(ScopeConflict), sqlite_database.write(ANYBODY) as work:
        accept_plan(work, store_plan(work, day, document), None)
    assert routes_of(read(sqlite_database)) == {"E1": ["W1", "W2", "W3"]}


def test_without_a_plan_in_force_there_is_no_running_day(sqlite_client: TestClient, sqlite_database: Database) -> None:
    store_day(sqlite_client)
    with sqlite_database.read(ANYBODY) as work:
        with pytest.raises(NoPlanInForce):
            running_day(work, territory="east", on=MONDAY)
        with pytest.raises(NotFound):
            running_day(work, territory="nowhere")
        with pytest.raises(NotFound):
            running_day(work, work_order="nothing")


def test_the_date_is_that_of_the_territory(sqlite_client: TestClient, sqlite_database: Database) -> None:
    plan_id = in_force(sqlite_client, sqlite_database)
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    with sqlite_database.read(ANYBODY) as work:
        assert running_day(work, territory="east").plan_id == plan_id
    clock.advance(24 * 3600)
    with sqlite_database.read(ANYBODY) as work:
        with pytest.raises(NoPlanInForce):
            running_day(work, territory="east")
        assert Plans(work).heads([Scope("west", MONDAY)]) == {}
