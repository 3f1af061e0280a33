"""Questions about the running plan over HTTP, and a repair that is proposed, accepted and then in force."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from data.session import Database
from tests.databases import SetClock
from tests.http_service import Json, client, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import DAY, accept, at, change, order, planned, put, store_day

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]


def running(client: TestClient, database: Database) -> str:
    store_day(client)
    plan_id = planned(client, database)
    accept(client, plan_id)
    return plan_id


def got(client: TestClient, path: str, **params: Any) -> Json:
    answer = client.get(f"/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def asked(client: TestClient, path: str, body: Json) -> Json:
    answer = client.post(f"/v1/{path}", json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def code(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_a_new_order_is_asked_about_repaired_and_in_force(client: TestClient, database: Database) -> None:
    plan_id = running(client, database)
    put(client, "work-orders", order("W9", "S2", level="L1"))
    found = got(client, "work-orders/W9/candidates")
    assert (found["plan_id"], found["plan_version"], found["unserved_cost"]) == (plan_id, 2, 360000)
    assert {candidate["engineer"] for candidate in found["candidates"]} == {"E1", "E2"}
    best = found["candidates"][0]
    answer = asked(client, f"plans/{plan_id}/repair", {"work_orders": ["W9"], "mode": "instant"})
    proposal = answer["proposal"]
    assert (proposal["state"], proposal["version"], answer["reassigned"]) == ("published", 1, 0)
    [placed] = [item for item in answer["difference"]["orders"] if item["kind"] == "placed"]
    assert (placed["work_order"], placed["engineers_after"]) == ("W9", [best["engineer"]])
    before, after = answer["difference"]["total_before"], answer["difference"]["total_after"]
    assert after - before == best["cost"] - found["unserved_cost"]
    # A proposal changes nothing until it is accepted, and then the running plan has the order.
    assert got(client, f"plans/{plan_id}/record")["state"] == "accepted"
    accept(client, proposal["id"])
    explained = got(client, "work-orders/W9/explanation")
    assert explained["plan_id"] == proposal["id"]
    assert [said["code"] for said in explained["who"]] == ["CHEAPEST"]
    assert [said["code"] for said in explained["when"]] != []
    compared = got(client, f"plans/{plan_id}/diff/{proposal['id']}")
    [added] = [item for item in compared["orders"] if item["work_order"] == "W9"]
    assert (added["kind"], [why["code"] for why in added["why"]]) == ("added", ["NEW_ORDER"])


def test_work_of_somebody_who_is_gone_is_found_a_new_place(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    routes = got(client, f"plans/{plan_id}")["routes"]
    sick = max(routes, key=lambda route: len(route["stops"]))["engineer"]
    change(client, f"engineers/{sick}/shifts/{DAY}", status="cancelled")
    answer = asked(client, f"plans/{plan_id}/repair", {"seconds": 0.2})
    other = "E2" if sick == "E1" else "E1"
    placed = {item["work_order"]: item["engineers_after"] for item in answer["difference"]["orders"]}
    assert set(map(tuple, placed.values())) == {(other,)}
    accept(client, answer["proposal"]["id"])
    compared = got(client, f"plans/{plan_id}/diff/{answer['proposal']['id']}")
    gone = [why["code"] for item in compared["orders"] for why in item["why"] if item["kind"] == "reassigned"]
    assert "SHIFT_GONE" in gone
    held = {item["work_order"]: item["engineer"] for item in client.get("/v1/visits").json()["items"]}
    assert held == dict.fromkeys(("W1", "W2", "W3"), other)


def test_a_repair_that_comes_too_late_is_refused(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    put(client, "work-orders", order("W9", level="L1"))
    proposals = [asked(client, f"plans/{plan_id}/repair", {"mode": "instant"})["proposal"] for _ in range(2)]
    accept(client, proposals[0]["id"])
    late = client.post(f"/v1/plans/{proposals[1]['id']}/accept", headers={"If-Match": '"1"'})
    assert code(late) == (409, "SCOPE_CONFLICT")
    assert code(client.post(f"/v1/plans/{plan_id}/repair", json={})) == (409, "NO_PLAN_IN_FORCE")


def test_nobody_is_sent_to_what_another_has_begun_since(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    [visit] = [item for item in client.get("/v1/visits").json()["items"] if item["work_order"] == "W1"]
    change(client, "work-orders/W1", excluded_engineers=[visit["engineer"]])
    proposal = asked(client, f"plans/{plan_id}/repair", {"mode": "instant"})["proposal"]
    change(client, f"visits/{visit['id']}", status="en_route")
    refused = client.post(f"/v1/plans/{proposal['id']}/accept", headers={"If-Match": '"1"'})
    assert code(refused) == (409, "WRONG_STATE")
    assert got(client, f"plans/{plan_id}/record")["state"] == "accepted"
    held = [item["engineer"] for item in client.get("/v1/visits").json()["items"] if item["work_order"] == "W1"]
    assert held == [visit["engineer"]]


def test_a_repair_that_would_search_longer_than_a_request_may_is_refused(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    for mode in ("repair", "background"):
        answer = client.post(f"/v1/plans/{plan_id}/repair", json={"mode": mode, "seconds": 1.5})
        assert code(answer) == (422, "INVALID_INPUT")
        [issue] = answer.json()["issues"]
        assert (issue["path"], issue["code"], issue["params"]) == ("seconds", "OUT_OF_RANGE", {"limit": 1.0})
        assert issue["remedy"]


def test_a_plan_that_needs_no_repair_stays(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    for mode in ("instant", "background"):
        answer = asked(client, f"plans/{plan_id}/repair", {"mode": mode, "seconds": 0.1})
        if answer["proposal"] is None:
            assert answer["difference"] | {"total_before": 0, "total_after": 0} == {
                "total_before": 0,
                "total_after": 0,
                "reassigned": 0,
                "orders": [],
                "engineers": [],
                "terms": [],
            }
        else:
            assert answer["difference"]["total_after"] < answer["difference"]["total_before"]


def test_what_if_says_what_would_be_different_and_what_would_break(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    routes = got(client, f"plans/{plan_id}")["routes"]
    on = {stop["work_order"]: route["engineer"] for route in routes for stop in route["stops"] if "work_order" in stop}
    other = "E2" if on["W1"] == "E1" else "E1"
    move = {"move": "assign", "work_order": "W1", "engineer": other}
    answer = asked(client, f"plans/{plan_id}/what-if", {"moves": [move]})
    assert (answer["feasible"], answer["broken_rules"]) == (True, [])
    [moved] = [item for item in answer["difference"]["orders"] if item["work_order"] == "W1"]
    assert (moved["kind"], moved["engineers_after"]) == ("reassigned", [other])
    assert answer["difference"]["total_after"] > answer["difference"]["total_before"]
    change(client, "work-orders/W1", excluded_engineers=[other])
    answer = asked(client, f"plans/{plan_id}/what-if", {"moves": [move]})
    assert (answer["feasible"], [rule["rule"] for rule in answer["broken_rules"]]) == (False, ["allowed_engineers"])
    removed = asked(client, f"plans/{plan_id}/what-if", {"moves": [{"move": "remove", "work_order": "W1"}]})
    assert [item["kind"] for item in removed["difference"]["orders"] if item["work_order"] == "W1"] == ["dropped"]
    assert got(client, f"plans/{plan_id}/record")["version"] == 2


@pytest.mark.parametrize(
    ("move", "expected"),
    [
        ({"move": "remove", "work_order": "W9"}, (422, "INVALID_INPUT")),
        ({"move": "remove", "work_order": "nothing"}, (404, "NOT_FOUND")),
        ({"move": "assign", "work_order": "W1"}, (422, "INVALID_INPUT")),
        ({"move": "assign", "work_order": "W1", "engineer": "nobody"}, (404, "NOT_FOUND")),
        ({"move": "assign", "work_order": "W1", "engineer": "E1", "shift": "no"}, (404, "NOT_FOUND")),
        ({"move": "assign", "work_order": "W1", "engineer": "E1", "position": 99}, (422, "INVALID_INPUT")),
        ({"move": "swap", "work_order": "W1"}, (422, "INVALID_INPUT")),
        ({"move": "swap", "work_order": "W1", "other": "W9"}, (422, "INVALID_INPUT")),
        ({"move": "fly", "work_order": "W1"}, (422, "INVALID_INPUT")),
    ],
)
def test_a_move_that_makes_no_sense_is_refused(
    sqlite_client: TestClient, sqlite_database: Database, move: Json, expected: tuple[int, str]
) -> None:
    plan_id = running(sqlite_client, sqlite_database)
    put(sqlite_client, "work-orders", order("W9"))
    assert code(sqlite_client.post(f"/v1/plans/{plan_id}/what-if", json={"moves": [move]})) == expected


def test_windows_are_offered_with_what_they_cost(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    running(client, sqlite_database)
    put(client, "work-orders", order("W9", "S2"))
    found = got(client, "work-orders/W9/slots", hours=4)["slots"]
    costs = [slot["cost"] for slot in found if slot["cost"] is not None]
    assert costs == sorted(costs)
    assert {slot["start"][11:16] for slot in found} == {"08:00", "12:00"}
    later = got(client, "work-orders/W9/slots", hours=2, since=at("12:00"), limit=2)["slots"]
    assert len(later) == 2
    few = got(client, "work-orders/W9/slots", hours=4, limit=1)
    assert (len(few["slots"]), few["slots_left_out"]) == (1, len(found) - 1)
    assert all(slot["start"] >= f"{DAY}T12:00" for slot in later)


def test_what_is_not_part_of_the_running_day_is_told_why(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client = sqlite_client
    plan_id = running(client, sqlite_database)
    visit = next(item for item in client.get("/v1/visits").json()["items"] if item["work_order"] == "W1")
    change(client, f"visits/{visit['id']}", status="on_site", started_at=f"{DAY}T07:10:00Z")
    running_work = client.get("/v1/work-orders/W1/candidates")
    assert code(running_work) == (409, "WRONG_STATE")
    explained = got(client, "work-orders/W1/explanation")
    assert [said["code"] for said in explained["who"]] == ["UNDER_WAY"]
    change(client, "work-orders/W2", status="cancelled")
    refused = client.get("/v1/work-orders/W2/candidates")
    assert code(refused) == (409, "WRONG_STATE")
    assert refused.json()["detail"] == (
        "work order W2 is cancelled, and no part of the running plan: it is not possible to ask about it there"
    )
    put(
        client,
        "work-orders",
        order("W8", time_windows=[{"start": "2026-11-25T08:00:00Z", "end": "2026-11-25T12:00:00Z"}]),
    )
    refused = client.get("/v1/work-orders/W8/candidates")
    assert code(refused) == (409, "WRONG_STATE")
    assert refused.json()["detail"] == (
        "work order W8 is outside the dates of the plan, by its time windows: it is not possible to ask about it there"
    )
    assert code(client.get("/v1/work-orders/nothing/candidates")) == (404, "NOT_FOUND")
    assert code(client.get("/v1/work-orders/W3/candidates", params={"date": "2026-11-24"})) == (
        409,
        "NO_PLAN_IN_FORCE",
    )
    assert code(client.get("/v1/work-orders/W4/candidates")) == (409, "NO_PLAN_IN_FORCE")
    unknown = "01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"
    assert code(client.get(f"/v1/plans/{plan_id}/diff/{unknown}")) == (404, "NOT_FOUND")
    assert code(client.post(f"/v1/plans/{unknown}/repair", json={})) == (404, "NOT_FOUND")


def test_an_answer_is_never_older_than_what_is_stored_or_than_a_minute(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    running(client, sqlite_database)
    first = got(client, "work-orders/W1/candidates")
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    clock.advance(30)
    assert got(client, "work-orders/W1/candidates") == first
    change(client, "work-orders/W1", service_seconds=3600)
    changed = got(client, "work-orders/W1/candidates")
    assert changed["now"] > first["now"]
    assert changed["candidates"] != first["candidates"]
    clock.advance(61)
    assert got(client, "work-orders/W1/candidates")["now"] > changed["now"]
