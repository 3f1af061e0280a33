"""What a server does by itself as time passes: promises told, plans repaired or repairs offered, faults linked."""

import threading
import time
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.self_repair import live_policy
from api.watch import Watch
from data.clock import SortableIds
from data.live_records import stored_live_state
from data.session import Database
from data.state_version import state_version
from dispatcher.errors import Unavailable
from dispatcher.live_state import differences
from solver.live.day import LivePolicy
from tests.at_once import at_once
from tests.databases import SetClock
from tests.http_service import Json, client, open_services, sqlite_client, sqlite_database, sqlite_url
from tests.live_service import event, logged, running, seen, tell
from tests.planning_over_http import DAY, accept, at, order, put, shift, store_day
from tests.watching import ANYBODY, URGENT, crowded, following, held, in_force, log, watch

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]


# -- promises --------------------------------------------------------------------------------------------------------


def promised(client: TestClient) -> None:
    put(client, "territories", {"id": "east", "timezone": "UTC"}, {"id": "west", "timezone": "UTC"})
    put(client, "sites", {"id": "S1", "timezone": "UTC", "territory": "west"})
    opened = {"level": "L2", "opened_at": at("07:30")}
    put(client, "work-orders", order("W1", **opened), order("W2", territory=None, **opened))


def test_promises_are_told_as_time_passes_without_anybody_asking(
    client: TestClient, database: Database, clock: SetClock
) -> None:
    promised(client)
    follower = watch(database)
    assert follower.record_promises() == []
    clock.advance(8 * 60)
    told = [(name, item.clock, item.percent) for name, item in follower.record_promises()]
    assert told == [("W1", "respond", 50), ("W2", "respond", 50)]
    assert follower.record_promises() == []
    clock.advance(8 * 60)
    follower.record_promises()
    found = log(database, "sla_near_breach", "sla_breached")
    assert [item.type for item in found].count("sla_breached") == 2
    assert {item.payload["cause"]["code"] for item in found} == {"NOT_ANSWERED"}
    assert {item.principal for item in found} == {"muster"}
    # A server that starts anew, or another one, has nothing to add.
    assert watch(database).record_promises() == []


def test_two_servers_at_once_tell_each_promise_once(
    client: TestClient, database: Database, database_url: str, clock: SetClock
) -> None:
    promised(client)
    other = Database(database_url, clock=clock, ids=SortableIds(clock))
    try:
        followers = [watch(database), watch(other)]
        for _ in range(4):
            clock.advance(4 * 60)
            at_once(*(follower.record_promises for follower in followers))
        found = log(database, "sla_near_breach", "sla_breached")
        keys = [(item.payload["work_order"], item.payload["clock"], item.payload["percent"]) for item in found]
        assert sorted(keys) == [(name, "respond", percent) for name in ("W1", "W2") for percent in (50, 75, 90, 100)]
    finally:
        other.close()


# -- repair ----------------------------------------------------------------------------------------------------------


def test_an_l1_that_nobody_else_feels_is_put_into_the_plan_and_the_log_says_so(
    client: TestClient, database: Database
) -> None:
    store_day(client)
    plan_id = in_force(client, database)
    before = held(client)
    follower = watch(database)
    assert follower.look() == ["nothing"]
    assert tell(client, event("order_opened", order=order("W9", "S2", level="L1"))) == ["applied"]
    assert follower.look(at_all=False) == ["repaired"]
    after = held(client)
    assert {name: after[name] for name in before} == before
    [told] = log(database, "plan_repaired")
    assert (told.principal, told.reason) == ("muster", "nobody is planned for W9 (L1)")
    body = told.payload
    assert (body["plan"], body["reassigned"], body["policy"]["on_change"]) == (plan_id, 0, "insert")
    assert body["total_after"] < body["total_before"]
    [placed] = [item for item in body["orders"] if item["kind"] == "placed"]
    assert (placed["work_order"], placed["engineers_after"]) == ("W9", [after["W9"]])
    assert client.get(f"/v1/plans/{body['proposal']}/record").json()["state"] == "accepted"
    assert client.get(f"/v1/plans/{plan_id}/record").json()["state"] == "superseded"
    assert follower.look() == ["nothing"]


def test_what_cannot_wait_is_told_from_what_can(sqlite_client: TestClient, sqlite_database: Database) -> None:
    store_day(sqlite_client)
    in_force(sqlite_client, sqlite_database)
    follower = watch(sqlite_database)
    follower.look()
    tell(sqlite_client, event("order_opened", order=order("W8", level="L3")))
    assert follower.look(at_all=False) == []
    put(sqlite_client, "work-orders", order("W9", level="L2"))
    assert follower.look(at_all=False) == ["repaired"]
    assert {"W9"} <= held(sqlite_client).keys()


def test_what_comes_in_with_facts_is_graded_dispatched_and_rebuilt_from_the_log(
    client: TestClient, database: Database
) -> None:
    store_day(client)
    follower = following(client, database)
    core = {"machines_down": 3, "machines_total": 40, "core": True}
    opened = event("order_opened", order=order("W9", grading=core))
    assert tell(client, opened, opened) == ["applied", "known"]
    assert client.get("/v1/work-orders/W9").json()["level"] == "L1"
    assert follower.look(at_all=False) == ["repaired"]
    assert "W9" in held(client)
    # The facts were wrong: the level follows them, until somebody sets one.
    edited = event("order_edited", "07:31", work_order="W9", changes={"grading": {"planned": True}})
    assert tell(client, edited, edited) == ["applied", "known"]
    assert client.get("/v1/work-orders/W9").json()["level"] == "L3"
    by_hand = event("order_regraded", "07:32", work_order="W9", level="L2", reason="the customer insists")
    again = event("order_edited", "07:33", work_order="W9", changes={"grading": core})
    named = event("order_opened", "07:33", order=order("W8", level="L4", grading=core))
    assert tell(client, by_hand, again, named) == ["applied"] * 3
    assert [client.get(f"/v1/work-orders/{name}").json()["level"] for name in ("W9", "W8")] == ["L2", "L4"]
    with database.read(ANYBODY) as work:
        assert differences(seen(logged(client)), stored_live_state(work)) == []


def test_whatever_changes_in_a_territory_is_a_reason_to_look_at_its_plan(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    store_day(client)
    in_force(client, sqlite_database)
    follower = watch(sqlite_database)
    assert follower.look() == ["nothing"]
    assert follower.look() == []
    for change in (
        lambda: put(client, "territories", {"id": "east", "timezone": "UTC", "name": "East"}),
        lambda: put(client, "shifts", shift("E1", end=at("17:00"))),
        lambda: put(client, "work-orders", order("W1", service_seconds=1900)),
        lambda: tell(client, event("travel_slower", territory="east", factor=1.1, until=at("15:00"))),
        lambda: tell(client, event("engineer_late", engineer="E1", shift=DAY, expected_at=at("08:05"))),
    ):
        change()
        assert follower.look() == ["nothing"]
    tell(client, event("order_opened", order=order("W8", territory="west", level="L1")))
    tell(client, event("engineer_position", engineer="E1", lat=52.5, lon=13.4))
    assert follower.look() == []


def test_an_l1_opened_at_two_servers_is_dispatched_once(
    client: TestClient, database: Database, database_url: str, clock: SetClock
) -> None:
    store_day(client)
    in_force(client, database)
    other = Database(database_url, clock=clock, ids=SortableIds(clock))
    try:
        followers = [watch(database), watch(other)]
        for follower in followers:
            follower.look()
        tell(client, event("order_opened", order=order("W9", level="L1")))
        at_once(*(follower.look for follower in followers))
        for follower in followers:
            follower.look()
        assert len(log(database, "plan_repaired")) == 1
        visits = [item for item in client.get("/v1/visits").json()["items"] if item["work_order"] == "W9"]
        assert len(visits) == 1
    finally:
        other.close()


def test_the_work_of_somebody_who_fell_ill_goes_to_others(client: TestClient, database: Database) -> None:
    store_day(client)
    follower = following(client, database)
    sick = held(client)["W1"]
    other = "E2" if sick == "E1" else "E1"
    tell(client, event("engineer_off_sick", engineer=sick, shift=DAY))
    assert follower.look(at_all=False) == ["repaired"]
    assert held(client) == dict.fromkeys(("W1", "W2", "W3"), other)


def test_a_repair_that_others_would_feel_is_offered_and_not_put_in_force(
    client: TestClient, database: Database
) -> None:
    crowded(client)
    plan_id = in_force(client, database)
    follower = watch(database)
    follower.look()
    tell(client, event("order_opened", order=URGENT))
    assert follower.look() == ["proposed"]
    assert held(client) == {"W1": "E1"}
    [told] = log(database, "repair_proposed")
    assert (told.payload["plan"], told.payload["needs"][0]["code"]) == (plan_id, "UNSERVED")
    # Looked at again after something else, also by another server: the same is not offered twice.
    tell(client, event("order_edited", work_order="W1", changes={"setup_seconds": 0}))
    assert follower.look() == ["known"]
    assert watch(database).look() == ["known"]
    accept(client, told.payload["proposal"])
    assert held(client) == {"W1": "E1", "W9": "E1"}


def test_of_two_that_come_in_the_one_that_nobody_feels_is_put_in_force(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client, database = sqlite_client, sqlite_database
    crowded(client)
    follower = following(client, database)
    later = order("W8", "S2", level="L2", deadlines={"arrive_by": at("12:00")})
    tell(client, event("order_opened", order=URGENT), event("order_opened", order=later))
    assert [*follower.look(at_all=False), *follower.look(at_all=False)] == ["repaired", "proposed"]
    assert held(client) == {"W1": "E1", "W8": "E1"}
    assert log(database, "repair_proposed")[0].payload["needs"][0]["work_order"] == "W9"


def test_the_policy_decides_what_happens_by_itself(sqlite_client: TestClient, sqlite_database: Database) -> None:
    client, database = sqlite_client, sqlite_database
    crowded(client)
    in_force(client, database)
    tell(client, event("order_opened", order=URGENT))
    assert watch(database, on_change="off").look() == []
    assert watch(database, on_change="propose").look() == ["proposed"]
    assert held(client) == {"W1": "E1"}
    assert watch(database, on_change="apply").look() == ["repaired"]
    assert held(client) == {"W1": "E1", "W9": "E1"}


def test_a_job_that_runs_long_gives_what_would_be_late_to_others(
    sqlite_client: TestClient,
    sqlite_database: Database,
) -> None:
    client, database = sqlite_client, sqlite_database
    crowded(client)
    put(client, "engineers", {"id": "E2", "territory": "east"})
    put(client, "work-orders", order("W1", deadlines=None, preferred_engineers=["E1"]))
    put(
        client, "work-orders", order("W2", level="L2", preferred_engineers=["E1"], deadlines={"arrive_by": at("11:00")})
    )
    in_force(client, database)
    put(client, "shifts", shift("E2"))
    clock = database.clock
    assert isinstance(clock, SetClock)
    clock.advance(60 * 60)
    begun = [event(kind, "08:25", work_order="W1", engineer="E1", shift=DAY) for kind in ("visit_arrived",)]
    assert tell(client, *begun) == ["applied"]
    follower = watch(database)
    assert follower.look() == ["nothing"]
    longer = event("visit_running_longer", "08:26", work_order="W1", engineer="E1", expected_end=at("13:00"))
    assert tell(client, longer) == ["applied"]
    assert follower.look() == ["proposed"]
    [told] = log(database, "repair_proposed")
    assert [need["message"] for need in told.payload["needs"]] == ["W2 (L2) would be 2 h late"]
    [moved] = [item for item in told.payload["orders"] if item["kind"] == "reassigned"]
    assert (moved["work_order"], moved["engineers_after"]) == ("W2", ["E2"])


def test_what_stays_in_a_repair_is_the_policy_of_the_house_unless_somebody_asks_otherwise(
    sqlite_url: str, sqlite_database: Database
) -> None:
    house = open_services(sqlite_database, sqlite_url, freeze_seconds=60, diverts=True, change_budget=0)
    assert live_policy(house.settings) == LivePolicy(60, frozenset({"L1"}), True, 0)
    with TestClient(create_app(house)) as client:
        crowded(client)
        put(client, "engineers", {"id": "E2", "territory": "east"})
        put(client, "work-orders", order("W1", level="L3", deadlines={"arrive_by": at("08:20")}))
        plan_id = in_force(client, sqlite_database)
        put(client, "shifts", shift("E2"))
        tell(client, event("engineer_late", engineer="E1", shift=DAY, expected_at=at("12:00")))
        question: Json = {"mode": "instant", "work_orders": ["W1"]}
        path = f"/v1/plans/{plan_id}/repair"
        assert client.post(path, json=question).json()["proposal"] is None
        assert client.post(path, json={**question, "change_budget": 1}).json()["reassigned"] == 1


def test_positions_that_phones_tell_leave_a_warm_day_warm(sqlite_client: TestClient, sqlite_database: Database) -> None:
    store_day(sqlite_client)

    def version() -> str:
        with sqlite_database.read(ANYBODY) as work:
            return state_version(work)

    before = version()
    assert tell(sqlite_client, event("engineer_position", engineer="E1", lat=52.5, lon=13.4)) == ["applied"]
    assert version() == before
    put(sqlite_client, "work-orders", order("W9"))
    assert version() != before


# -- one fault -------------------------------------------------------------------------------------------------------


def one_fault(client: TestClient, **fields: Any) -> None:
    store_day(client)
    put(client, "assets", {"id": "crane", "site": "S1"})
    for name in ("F1", "F2"):
        put(client, "work-orders", order(name, asset="crane", opened_at=at("07:20"), **{"level": "L2", **fields}))


def parent_of(client: TestClient, name: str) -> str | None:
    found: str | None = client.get(f"/v1/work-orders/{name}/clocks").json()["parent"]
    return found


def test_a_second_report_of_a_fault_is_linked_before_anybody_is_sent(client: TestClient, database: Database) -> None:
    store_day(client)
    follower = following(client, database)
    one_fault(client)
    assert follower.look(at_all=False) == ["repaired"]
    assert follower.look() == ["nothing"]
    assert (parent_of(client, "F1"), parent_of(client, "F2")) == (None, "F1")
    assert "F1" in held(client)
    assert "F2" not in held(client)
    [told] = log(database, "order_linked")
    assert told.payload["reason"]["message"] == "both are about crane; reported 0 min apart"
    # Set apart by a dispatcher it is an order like any other, and the log has that too.
    assert client.put("/v1/work-orders/F2/parent", json={"parent": None}).status_code == 200
    assert log(database, "order_linked")[-1].payload == {"work_order": "F2", "parent": None, "reason": None}
    assert follower.look(at_all=False) == ["repaired"]
    assert "F2" in held(client)
    assert parent_of(client, "F2") is None


def test_orders_that_look_like_one_fault_are_only_offered_where_the_policy_says_so(
    client: TestClient, database: Database
) -> None:
    one_fault(client)
    for _ in range(2):
        watch(database, link_faults="propose").look()
    assert [item.payload["parent"] for item in log(database, "link_proposed")] == ["F1"]
    assert parent_of(client, "F2") is None
    watch(database, link_faults="off").look()
    assert len(log(database, "link_proposed")) == 1


def test_who_is_more_urgent_than_what_it_hangs_on_is_not_linked_by_itself(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    one_fault(client)
    put(client, "assets", {"id": "hoist", "site": "S1"})
    put(client, "asset-relations", {"id": "R1", "type": "part_of", "from": "hoist", "to": "crane"})
    put(client, "work-orders", order("F3", asset="hoist", opened_at=at("07:25"), level="L1"))
    watch(sqlite_database).look()
    assert (parent_of(client, "F2"), parent_of(client, "F3")) == ("F1", None)
    assert [item.payload["work_order"] for item in log(sqlite_database, "link_proposed")] == ["F3"]


# -- in a server -----------------------------------------------------------------------------------------------------


def until(condition: Any) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_watches_by_itself_and_outlives_what_goes_wrong(
    sqlite_url: str, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = [Unavailable(), RuntimeError("a defect")]
    promises = Watch.record_promises

    def failing(self: Watch) -> Any:
        if failures:
            raise failures.pop()
        return promises(self)

    monkeypatch.setattr(Watch, "record_promises", failing)
    monkeypatch.setattr("api.watch.FOLLOW_SECONDS", 0.05)
    services = open_services(sqlite_database, sqlite_url, watch_seconds=0.05)
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    with running(services) as address, httpx.Client(base_url=address) as http:
        promised(http)  # type: ignore[arg-type]
        with http.stream("GET", "/v1/events/stream", params={"after": 0}) as stream:
            clock.advance(8 * 60)
            lines = (line for line in stream.iter_lines() if line.startswith("event: sla"))
            assert next(lines) == "event: sla_near_breach"
    assert failures == []
    assert not any(thread.name == "watch" for thread in threading.enumerate())
