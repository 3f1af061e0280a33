"""Promises over HTTP: graded, counted, overruled, linked, planned by, recorded once and reported."""

from datetime import date, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.planning_state import snapshot
from data.event_log import EventLog
from data.repositories import Marks, Repository
from data.session import Database
from dispatcher.actor import Actor
from dispatcher.services.state import PlanQuestion
from tests.databases import SetClock
from tests.http_service import Json, client, sqlite_client, sqlite_database, sqlite_url

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

ANYBODY = Actor("default", "anybody")
DAY = date(2026, 11, 23)
# The clock of these tests stands at 2026-11-23T07:30Z.
OPENED = "2026-11-23T15:00:00+08:00"


def put(client: TestClient, name: str, *records: Json) -> None:
    answer = client.put(f"/v1/{name}", json=list(records))
    assert answer.status_code == 200, answer.text


def order(name: str, **fields: Any) -> Json:
    own = {"id": name, "location": "S1", "territory": "east", "service_seconds": 1800, "opened_at": OPENED}
    return {**own, "level": "L2", **fields}


def store(client: TestClient, *orders: Json) -> None:
    shanghai = {"timezone": "Asia/Shanghai"}
    put(client, "territories", {"id": "east", **shanghai}, {"id": "west", **shanghai})
    put(client, "sites", {"id": "S1", "lat": 31.2, "lon": 121.5, "territory": "east", **shanghai})
    put(client, "customers", {"id": "C1"})
    sla = {"levels": {"L2": {"arrive_seconds": 3600}}, "critical_hours": "business", "red_after_seconds": 600}
    put(
        client,
        "contracts",
        {"id": "K1", "customer": "C1", "sla": sla},
        {"id": "K0", "customer": "C1", "ends_on": "2026-11-22", "sla": sla},
    )
    assets = [{"id": name, "site": "S1", "contract": "K1"} for name in ("crane", "hoist")]
    put(client, "assets", *assets, {"id": "pump", "site": "S1", "contract": "K0"})
    put(client, "asset-relations", {"id": "R1", "type": "part_of", "from": "hoist", "to": "crane"})
    put(client, "engineers", {"id": "E1", "territory": "east"})
    put(client, "work-orders", *orders)


def clocks(client: TestClient, name: str = "W1") -> Json:
    answer = client.get(f"/v1/work-orders/{name}/clocks")
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def one_clock(client: TestClient, clock_name: str, name: str = "W1") -> Json:
    found: Json = next(item for item in clocks(client, name)["clocks"] if item["clock"] == clock_name)
    return found


def problem(database: Database) -> Json:
    with database.read(ANYBODY) as work:
        return snapshot(work, PlanQuestion("plan", ["east"], [DAY]))[0]


def refused(answer: Any) -> list[tuple[str, str]]:
    assert answer.headers["content-type"] == "application/problem+json"
    return [(issue["path"], issue["code"]) for issue in answer.json()["issues"]]


def test_clocks_stand_as_the_contract_says(client: TestClient) -> None:
    store(client, order("W1", asset="crane"), order("W2", asset="pump"), order("W3", opened_at=None))
    found = clocks(client)
    assert (found["level"], found["state"], found["contract"]) == ("L2", "opened", "K1")
    assert [(item["clock"], item["status"], item["elapsed_seconds"], item["due"]) for item in found["clocks"]] == [
        ("respond", "running", 1800, "2026-11-23T07:15:00Z"),
        ("arrive", "running", 1800, "2026-11-23T08:00:00Z"),
    ]
    assert found["deadlines"] == {"arrive_by": "2026-11-23T08:00:00Z"}
    respond = found["clocks"][0]
    assert (respond["remaining_seconds"], respond["breached_at"]) == (-900, "2026-11-23T07:15:01Z")
    assert respond["crossings"][-1]["cause"]["message"] == "nobody has answered yet; opened 2026-11-23 15:00"
    assert found["experience"] == {
        "down_seconds": 1800,
        "felt_seconds": 1800,
        "counted_seconds": None,
        "kept": False,
        "red": True,
        "green_over_red": False,
    }
    # A contract that has ended promises nothing any more.
    assert (clocks(client, "W2")["contract"], one_clock(client, "arrive", "W2")["target_seconds"]) == (None, 7200)
    nothing = clocks(client, "W3")
    assert (nothing["clocks"], nothing["opened_at"], nothing["state"], nothing["experience"]) == ([], None, None, None)
    assert client.get("/v1/work-orders/W9/clocks").status_code == 404


def test_a_dispatcher_overrules_a_level_with_a_reason_that_stays(client: TestClient, database: Database) -> None:
    facts = {"machines_down": 1, "machines_total": 40}
    store(client, order("W1", grading=facts))
    etag = client.get("/v1/work-orders/W1/clocks").headers["etag"]
    body = {"level": "L1", "reason": "the ship leaves at noon"}
    path = "/v1/work-orders/W1/level"
    assert client.put(path, json=body).status_code == 428
    assert client.put(path, json=body, headers={"If-Match": '"7"'}).status_code == 412
    assert refused(client.put(path, json={"level": "L1"}, headers={"If-Match": etag})) == [("reason", "MISSING_FIELD")]
    answer = client.put(path, json=body, headers={"If-Match": etag, "X-Principal": "d.lead"})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    found = answer.json()
    override = {"level": "L1", "by": "d.lead", "at": "2026-11-23T07:30:00Z", "reason": "the ship leaves at noon"}
    assert (found["override"], found["grade"]["override"], found["grade"]["computed"]) == (override, override, "L2")
    assert found["grade"]["reasons"][0]["message"] == "d.lead set L1 where the rules give L2: the ship leaves at noon"
    assert client.get("/v1/work-orders/W1").json()["level"] == "L1"
    # What was promised before is not forgotten, and a consultation is promised from now on.
    assert one_clock(client, "respond")["breached_at"] == "2026-11-23T07:15:01Z"
    assert one_clock(client, "consult")["due"] == "2026-11-23T08:00:00Z"
    with database.read(ANYBODY) as work:
        kinds = [event.type for event in EventLog(work).read(limit=1000)]
    assert kinds.count("sla_breached") == 1
    put(client, "work-orders", order("W1", level="L1", status="done"))
    done = client.put(path, json=body, headers={"If-Match": '"3"'})
    assert (done.status_code, done.json()["code"]) == (409, "WRONG_STATE")


@pytest.mark.parametrize("facts", [{"machines_down": 9, "machines_total": 40, "core": True}, None])
def test_a_level_that_was_set_with_a_reason_outlives_orders_that_are_written_anew(
    facts: dict[str, Any] | None, sqlite_client: TestClient
) -> None:
    client = sqlite_client
    store(client, order("W1"))
    body = {"level": "L3", "reason": "a spare machine runs"}
    client.put("/v1/work-orders/W1/level", json=body, headers={"If-Match": '"1"', "X-Principal": "d.lead"})
    anew = {name: value for name, value in order("W1", grading=facts, service_seconds=7200).items() if name != "level"}
    anew = {name: value for name, value in anew.items() if value is not None}
    put(client, "work-orders", anew)
    one = {name: value for name, value in anew.items() if name != "id"}
    changed = client.put(
        "/v1/work-orders/W1", json={**one, "service_seconds": 5400}, headers={"If-Match": "*", "X-Principal": "crm"}
    )
    assert (changed.json()["level"], changed.json()["service_seconds"]) == ("L3", 5400)
    override = client.get("/v1/work-orders/W1/clocks").json()["override"]
    assert (override["level"], override["by"], override["reason"]) == ("L3", "d.lead", "a spare machine runs")
    # Whoever writes a level means it.
    put(client, "work-orders", {**anew, "level": "L2"})
    assert client.get("/v1/work-orders/W1/clocks").json()["override"] is None


def test_what_is_told_stops_and_rests_clocks(sqlite_client: TestClient) -> None:
    client = sqlite_client
    store(client, order("W1", level="L3"))
    path = "/v1/work-orders/W1/states"
    answered = {"state": "accepted", "at": "2026-11-23T07:10:00Z"}
    for _ in range(2):
        assert client.post(path, json=answered).status_code == 200
    respond = one_clock(client, "respond")
    assert (respond["status"], respond["elapsed_seconds"], respond["stopped_at"]) == (
        "met",
        600,
        "2026-11-23T07:10:00Z",
    )
    waiting = client.post(path, json={"state": "waiting_for_parts", "reason": "a valve"}).json()
    assert (waiting["state"], waiting["deadlines"]) == ("waiting_for_parts", {})
    assert one_clock(client, "restore")["status"] == "paused"
    assert refused(client.post(path, json={"state": "asleep"})) == [("state", "UNKNOWN_VALUE")]
    late = {"state": "restored", "at": "2026-11-23T07:31:00Z"}
    assert refused(client.post(path, json=late)) == [("at", "OUT_OF_RANGE")]


def test_a_state_that_no_policy_could_name_is_refused(sqlite_client: TestClient) -> None:
    store(sqlite_client, order("W1"))
    answer = sqlite_client.post("/v1/work-orders/W1/states", json={"state": "Waiting*"})
    assert answer.status_code == 422
    assert refused(answer) == [("state", "UNKNOWN_VALUE")]


def test_visits_tell_the_clocks_what_happened(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    store(client, order("W1", level="L3"))
    visit = {"id": "V1", "work_order": "W1", "engineer": "E1", "status": "done", "accepted_at": "2026-11-23T07:05:00Z"}
    times = {"arrived_at": "2026-11-23T07:10:00Z", "ended_at": "2026-11-23T07:20:00Z"}
    put(client, "visits", {**visit, **times})
    put(client, "work-orders", order("W1", level="L3", status="done"))
    found = clocks(client)
    assert [(item["clock"], item["status"], item["elapsed_seconds"]) for item in found["clocks"]] == [
        ("respond", "met", 300),
        ("restore", "met", 1200),
    ]
    # What a visit told stays when the visit goes.
    assert client.delete("/v1/visits/V1", headers={"If-Match": '"1"'}).status_code == 204
    assert clocks(client)["clocks"] == found["clocks"]
    with sqlite_database.read(ANYBODY) as work:
        assert len(Marks(work).of(["W1"])["W1"]) == 4


def test_planning_is_told_what_clocks_ask_for(sqlite_client: TestClient, sqlite_database: Database) -> None:
    own = {"arrive_by": "2026-11-23T20:00:00+08:00"}
    store(
        sqlite_client,
        order("W1", asset="crane", grading={"core": True}),
        order("W2", deadlines=own),
        order("W3", opened_at=None),
    )
    found = {item["id"]: item.get("deadlines") for item in problem(sqlite_database)["work_orders"]}
    assert found == {"W1": {"arrive_by": "2026-11-23T16:00:00+08:00"}, "W2": own, "W3": None}


def test_orders_of_one_fault_are_linked_and_set_apart_again(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    store(
        client,
        order("W1", asset="crane", level="L4"),
        order("W2", asset="hoist", opened_at="2026-11-23T15:20:00+08:00"),
        order("W3", asset="pump"),
    )
    east = {"territory": "east"}
    proposed = client.get("/v1/sla/links", params=east).json()["links"]
    assert [(link["child"], link["parent"]) for link in proposed] == [("W2", "W1")]
    assert proposed[0]["reason"]["message"] == "hoist is part of crane; reported 20 min apart"
    assert client.post("/v1/sla/links", params=east).json()["links"] == proposed
    assert client.get("/v1/sla/links", params=east).json()["links"] == []
    assert clocks(client, "W2")["parent"] == "W1"
    document = problem(sqlite_database)
    # The parent keeps what was promised for its child too.
    assert {
        item["id"]: item["deadlines"]["arrive_by"][11:16] for item in document["work_orders"] if item["id"] == "W1"
    } == {"W1": "16:20"}
    assert document["attributes"]["left_out"] == {"W2": "linked"}
    assert refused(client.put("/v1/work-orders/W3/parent", json={"parent": "W2"})) == [("parent", "CYCLE")]
    assert refused(client.put("/v1/work-orders/W1/parent", json={"parent": "W3"})) == [("parent", "CYCLE")]
    assert refused(client.put("/v1/work-orders/W1/parent", json={"parent": "W1"})) == [("parent", "SELF_REFERENCE")]
    assert client.put("/v1/work-orders/W1/parent", json={"parent": "W9"}).status_code == 422
    apart = client.put("/v1/work-orders/W2/parent", json={"parent": None, "reason": "another cable"})
    assert (apart.status_code, apart.json()["parent"]) == (200, None)
    assert client.post("/v1/sla/links", params=east).json()["links"] == []
    assert "attributes" not in problem(sqlite_database)


def test_a_parent_is_as_urgent_as_the_gravest_order_that_waits_with_it(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    store(sqlite_client, order("W1", asset="crane", level="L4"), order("W2", asset="hoist", level="L1"))
    assert sqlite_client.put("/v1/work-orders/W2/parent", json={"parent": "W1"}).status_code == 200
    assert [(item["id"], item["level"]) for item in problem(sqlite_database)["work_orders"]] == [("W1", "L1")]
    put(sqlite_client, "work-orders", order("W2", asset="hoist", level="L1", status="done"))
    assert [(item["id"], item["level"]) for item in problem(sqlite_database)["work_orders"]] == [("W1", "L4")]


def test_a_child_is_dispatched_when_its_parent_is_done(sqlite_client: TestClient, sqlite_database: Database) -> None:
    store(sqlite_client, order("W1", asset="crane"), order("W2", asset="crane"))
    sqlite_client.post("/v1/sla/links", params={"territory": "east"})
    assert [item["id"] for item in problem(sqlite_database)["work_orders"]] == ["W1"]
    put(sqlite_client, "work-orders", order("W1", asset="crane", status="done"))
    assert [item["id"] for item in problem(sqlite_database)["work_orders"]] == ["W2"]


def test_the_promises_at_risk_come_by_the_time_to_breach(sqlite_client: TestClient) -> None:
    client = sqlite_client
    store(
        client,
        order("W1"),
        order("W2", opened_at="2026-11-23T06:20:00Z"),
        order("W3", opened_at="2026-11-23T07:29:00Z"),
        order("W4", opened_at="2026-11-23T07:29:00Z", level="L3"),
        order("W5", status="done"),
    )
    for name in ("W1", "W3"):
        client.post(f"/v1/work-orders/{name}/states", json={"state": "accepted"})
    plan = {"planned_start": "2026-11-23T10:29:00Z", "planned_end": "2026-11-23T11:00:00Z"}
    put(client, "visits", {"id": "V3", "work_order": "W3", "engineer": "E1", **plan})
    answer = client.get("/v1/sla/at-risk", params={"territory": "east"})
    rows = answer.json()["items"]
    assert [(row["work_order"], row["clock"], row["seconds_to_breach"], row["reached_percent"]) for row in rows] == [
        ("W2", "respond", -3300, 100),
        ("W2", "arrive", 3000, 50),
        ("W3", "arrive", 7140, 0),
    ]
    assert (rows[2]["planned_at"], rows[2]["late_by_seconds"]) == ("2026-11-23T10:29:00Z", 3600)
    assert rows[1]["cause"]["code"] == "NOBODY_PLANNED"
    assert client.get("/v1/sla/at-risk", params={"territory": "north"}).status_code == 422


def test_each_broken_or_nearly_broken_promise_is_recorded_once(client: TestClient, database: Database) -> None:
    store(client, order("W1"), order("W2", territory=None, opened_at="2026-11-23T06:20:00Z", level="L3"))
    first = client.post("/v1/sla/crossings", params={"territory": "east"}).json()["recorded"]
    assert [(item["work_order"], item["clock"], item["percent"], item["at"]) for item in first] == [
        ("W2", "respond", 50, "2026-11-23T06:50:00Z"),
        ("W2", "respond", 75, "2026-11-23T07:05:00Z"),
        ("W1", "respond", 50, "2026-11-23T07:07:30Z"),
        ("W1", "respond", 75, "2026-11-23T07:11:15Z"),
        ("W1", "respond", 90, "2026-11-23T07:13:30Z"),
        ("W2", "respond", 90, "2026-11-23T07:14:00Z"),
        ("W1", "respond", 100, "2026-11-23T07:15:01Z"),
        ("W2", "respond", 100, "2026-11-23T07:20:01Z"),
    ]
    assert client.post("/v1/sla/crossings", params={"territory": "east"}).json()["recorded"] == []
    with database.read(ANYBODY) as work:
        told = [event for event in EventLog(work).read(limit=1000) if event.type.startswith("sla_")]
    assert [event.type for event in told].count("sla_breached") == 2
    assert {event.payload["cause"]["code"] for event in told} == {"NOT_ANSWERED"}
    # What is told late of the past makes no second event.
    client.post("/v1/work-orders/W1/states", json={"state": "accepted", "at": "2026-11-23T07:01:00Z"})
    assert client.post("/v1/sla/crossings", params={"territory": "east"}).json()["recorded"] == []


def test_a_report_puts_what_was_felt_beside_what_was_kept(sqlite_client: TestClient) -> None:
    client = sqlite_client
    store(
        client,
        order("W1", asset="crane", level="L3"),
        order("W2", level="L3", opened_at="2026-11-23T05:00:00Z"),
        order("W3", level="L3", opened_at="2026-11-22T05:00:00Z"),
        order("W4", level="L3", territory="west"),
    )
    told = {
        "accepted": "2026-11-23T07:05:00Z",
        "waiting_for_parts": "2026-11-23T07:06:00Z",
        "restored": "2026-11-23T07:29:00Z",
    }
    for state, at in told.items():
        client.post("/v1/work-orders/W1/states", json={"state": state, "at": at})
    query = {"territory": "east", "from": "2026-11-23", "to": "2026-11-23"}
    found = client.get("/v1/sla/report", params=query).json()
    assert found["attainment"] == [
        {"level": "L3", "clock": "respond", "in_time": 1, "broken": 1, "open": 0, "attainment_percent": 50.0},
        {"level": "L3", "clock": "restore", "in_time": 1, "broken": 0, "open": 1, "attainment_percent": 100.0},
    ]
    assert found["experience"] == {
        "orders": 2,
        "down_seconds": 1740 + 9000,
        "felt_seconds": 1740 + 9000,
        "counted_seconds": 360 + 9000,
        "red": 1,
        "green_over_red_count": 1,
        "green_over_red": ["W1"],
    }
    assert refused(client.get("/v1/sla/report", params={**query, "to": "2026-11-22"})) == [("to", "ORDER")]


def test_facts_are_graded_by_the_policy_that_is_asked_for(sqlite_client: TestClient) -> None:
    client = sqlite_client
    put(client, "customers", {"id": "C1"})
    put(client, "contracts", {"id": "K1", "customer": "C1", "sla": {"grading": {"severe_above_percent": 2}}})
    facts = {"machines_down": 1, "machines_total": 40, "core": True}
    house = client.post("/v1/sla/grade", json={"facts": facts}).json()
    contract = client.post("/v1/sla/grade", json={"facts": facts, "contract": "K1"}).json()
    assert (house["level"], contract["level"]) == ("L2", "L1")
    assert contract["reasons"][1]["message"] == "2.5 % of capacity is lost, more than 2 %"
    assert client.post("/v1/sla/grade", json={"facts": facts, "contract": "K9"}).status_code == 422
    wrong = client.post("/v1/sla/grade", json={"facts": {"capacity_lost_percent": 101, "kore": True}})
    assert refused(wrong) == [("facts.capacity_lost_percent", "OUT_OF_RANGE"), ("facts.kore", "UNKNOWN_FIELD")]


@pytest.mark.parametrize(
    ("sla", "path", "code"),
    [
        ({"levels": {"L1": {"respond_seconds": 0}}}, "[0].sla.levels.L1.respond_seconds", "OUT_OF_RANGE"),
        ({"levels": {"L1": {"calendar": "shop"}}}, "[0].sla.levels.L1.calendar", "NOT_FOUND"),
        ({"calendars": {"n": {"timezone": "Mars"}}}, "[0].sla.calendars.n.timezone", "BAD_TIMEZONE"),
    ],
)
def test_a_contract_that_cannot_be_meant_is_refused(sqlite_client: TestClient, sla: Json, path: str, code: str) -> None:
    put(sqlite_client, "customers", {"id": "C1"})
    answer = sqlite_client.put("/v1/contracts", json=[{"id": "K1", "customer": "C1", "sla": sla}])
    assert refused(answer) == [(path, code)]


def test_a_machine_is_not_related_to_itself(sqlite_client: TestClient) -> None:
    relation = {"id": "R1", "type": "feeds", "from": "crane", "to": "crane"}
    assert refused(sqlite_client.put("/v1/asset-relations", json=[relation])) == [("[0].to", "SELF_REFERENCE")]


def test_marks_go_with_their_order(database: Database, client: TestClient, clock: SetClock) -> None:
    store(client, order("W1", asset="crane"), order("W2", asset="crane"))
    client.post("/v1/sla/links", params={"territory": "east"})
    clock.advance(timedelta(hours=1).total_seconds())
    version = client.get("/v1/work-orders/W1").headers["etag"]
    assert client.delete("/v1/work-orders/W1", headers={"If-Match": version}).status_code == 204
    assert clocks(client, "W2")["parent"] is None
    with database.read(ANYBODY) as work:
        assert [mark for marks in Marks(work).of(["W1", "W2"]).values() for mark in marks] == []
        assert Repository(work, "work_order").get("W2").version == 1


def test_what_comes_in_with_facts_and_without_a_level_is_graded(sqlite_client: TestClient) -> None:
    client, facts = sqlite_client, {"machines_down": 3, "machines_total": 40, "core": True}
    given = order("W1", level=None, grading=facts)
    store(client, given, order("W2", level="L3", grading=facts), order("W3", level=None, grading={}))
    levels = {item["id"]: item["level"] for item in client.get("/v1/work-orders").json()["items"]}
    assert levels == {"W1": "L1", "W2": "L3", "W3": "L4"}
    lower = {"level": "L2", "reason": "a spare machine runs"}
    client.put("/v1/work-orders/W1/level", json=lower, headers={"If-Match": '"1"'})
    put(client, "work-orders", given)
    assert client.get("/v1/work-orders/W1").json()["level"] == "L2"
    # Whoever writes a level means it.
    put(client, "work-orders", {**given, "level": "L4"})
    assert client.get("/v1/work-orders/W1").json()["level"] == "L4"
    nowhere = client.put("/v1/work-orders", json=[{**given, "id": "W4", "location": "S9", "asset": "none"}])
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "UNKNOWN_REFERENCE")
