"""A demo day under way, an L1 at 10:40: ways to send a team, one accepted, a member who drops out, and refusals."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from api.running_day import put_in_force, running_day
from api.team_accepting import RecentTeams
from data.session import Database
from data.synthetic import synthetic_problem
from dispatcher.actor import Actor
from dispatcher.facts import Service, read_facts
from dispatcher.reasons import REASONS
from solver.teams import sequences_of
from tests.databases import SetClock, open_database
from tests.http_service import application, open_services
from tests.planning_over_http import change as change_record
from tests.running_demo import DAY, demo_spec, live_until, store_and_plan

Json = dict[str, Any]
NOW = f"{DAY}T10:40:00+08:00"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A database with the day under way and the new order in it, to be copied."""
    path = tmp_path_factory.mktemp("day") / "muster.db"
    path.write_bytes(sqlite_template.read_bytes())
    document = synthetic_problem(demo_spec(orders=70, engineers=14, seed=7))
    with opened(path, SetClock()) as (client, database):
        store_and_plan(client, database, document)
        live_until(client, database, NOW)
        open_l1(client, document)
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@contextmanager
def opened(path: Path, clock: SetClock) -> Iterator[tuple[TestClient, Database]]:
    url = f"sqlite:///{path}"
    database = open_database(url, clock)
    with TestClient(application(open_services(database, url))) as client:
        yield client, database
    database.close()


@pytest.fixture
def service(started: Path, tmp_path: Path) -> Iterator[tuple[TestClient, Database]]:
    path = tmp_path / "muster.db"
    path.write_bytes(started.read_bytes())
    clock = SetClock()
    clock.advance((datetime.fromisoformat(NOW) - clock.now()).total_seconds())
    with opened(path, clock) as pair:
        yield pair


def open_l1(client: TestClient, document: Json) -> None:
    """A line stops at a place the city knows, and nobody has said who should come."""
    like = next(o for o in document["work_orders"] if o["level"] == "L2" and not o.get("team"))
    order = {
        "id": "NEW",
        "location": like["location"],
        "territory": like.get("territory") or "default",
        "level": "L1",
        "service_seconds": 12600,
        "required_skills": like["required_skills"],
        "deadlines": {"arrive_by": f"{DAY}T12:10:00+08:00", "restore_by": f"{DAY}T15:00:00+08:00"},
    }
    answer = client.put("/v1/work-orders", json=[order])
    assert answer.status_code == 200, answer.text


def running(database: Database) -> dict[str, Service]:
    """How every order that is still to be done is served by the plan in force, as of now."""
    with database.read(Actor("default", "test")) as work:
        day = running_day(work, work_order="NEW")
    return dict(read_facts(day.problem, day.plan).services)


def times(service: Service) -> set[tuple[Any, ...]]:
    return {(stop.engineer.id, stop.arrival, stop.start, stop.end) for stop in service.stops}


def moved(before: dict[str, Service], after: dict[str, Service]) -> set[str]:
    return {n for n in before if n != "NEW" and (n not in after or times(before[n]) != times(after[n]))}


def ask(client: TestClient, **question: Any) -> Json:
    answer = client.post("/v1/work-orders/NEW/team-options", json=question)
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == f'"{answer.json()["plan_version"]}"'
    found: Json = answer.json()
    return found


def accept(client: TestClient, asked: Json, option: Json, *, version: int | None = None, **question: Any) -> Response:
    return client.post(
        f"/v1/work-orders/NEW/team-options/{option['id']}/accept",
        json=question,
        headers={"If-Match": f'"{version or asked["plan_version"]}"'},
    )


def people(option: Json) -> set[str]:
    """Everybody whose day an option changes."""
    found = {member["engineer"] for member in option["members"]}
    for change in option["changes"]:
        found |= set(change["before"]["engineers"]) | set((change["after"] or {"engineers": ()})["engineers"])
    return found


def test_an_l1_gets_a_team_and_every_promise_that_moves_was_named(service: tuple[TestClient, Database]) -> None:
    client, database = service
    before = running(database)
    asked = ask(client)
    assert (asked["as_of"], asked["no_team"], asked["not_allowed"]) == (NOW, None, [])
    options = asked["options"]
    assert 2 <= len(options) <= 4
    assert {"fastest", "least_harm", "cheapest"} <= {goal for option in options for goal in option["best_for"]}
    assert [o["total_change"] for o in options] == sorted(o["total_change"] for o in options)
    fastest = next(option for option in options if "fastest" in option["best_for"])
    assert all(fastest["restored_at"] <= option["restored_at"] for option in options)
    assert [member["role"] for member in fastest["members"]] == ["lead", "support", "support"]
    assert "2 by workload" in fastest["why_this_team"]

    chosen = max(options, key=lambda option: len(people(option)))
    assert len(people(chosen)) >= 4
    answer = accept(client, asked, chosen)
    assert answer.status_code == 200, answer.text
    after = running(database)
    named = {change["work_order"]: change for change in chosen["changes"]}
    assert moved(before, after) == named.keys()
    told = {change["work_order"]: change["why_unassigned"] for change in answer.json()["changes"]}
    assert told == {name: change["why_unassigned"] for name, change in named.items()}
    for name, change in named.items():
        came = change["after"] and set(change["after"]["engineers"])
        assert (came or set()) == (set(after[name].engineers) if name in after else set())
    assert {(stop.engineer.id, stop.role) for stop in after["NEW"].stops} == {
        (member["engineer"], member["role"]) for member in chosen["members"]
    }
    routes_changed = {
        engineer
        for name in named.keys() | {"NEW"}
        for services in (before, after)
        if name in services
        for engineer in services[name].engineers
    }
    assert routes_changed == people(chosen)
    # What the policy composed is now what the order needs.
    assert client.get("/v1/work-orders/NEW").json()["team"] == chosen["team"]
    record = client.get(f"/v1/plans/{answer.json()['plan']['id']}/record").json()
    assert (record["state"], record["total"]) == ("accepted", answer.json()["plan"]["total"])


def test_an_option_is_found_again_by_another_process_and_some_minutes_later(
    service: tuple[TestClient, Database],
) -> None:
    client, database = service
    asked = ask(client, most=1)
    assert len(asked["options"]) == 1
    client.app.state.recent_teams = RecentTeams()  # type: ignore[attr-defined]
    clock = database.clock
    assert isinstance(clock, SetClock)
    clock.advance(40)
    answer = accept(client, asked, asked["options"][0], most=1)
    assert answer.status_code == 200, answer.text
    # Once is enough.
    again = accept(client, asked, asked["options"][0], most=1)
    assert (again.status_code, again.json()["code"]) == (409, "OPTION_GONE")


def test_an_option_is_not_accepted_in_another_plan_even_if_that_has_the_same_version(
    service: tuple[TestClient, Database],
) -> None:
    client, database = service
    asked = ask(client)
    with database.write(Actor("default", "test")) as work:
        day = running_day(work, work_order="NEW")
        other = put_in_force(work, day, sequences_of(day.problem, day.plan), version=day.plan_version)
    assert (other.version, other.id != asked["plan_id"]) == (asked["plan_version"], True)
    before = running(database)
    # Some of them are the same in the other plan, and still belong to the one they were asked of.
    for option in asked["options"]:
        answer = accept(client, asked, option)
        assert (answer.status_code, answer.json()["code"]) == (409, "OPTION_GONE")
    assert moved(before, running(database)) == set()


def test_an_option_of_another_plan_or_another_day_is_refused(service: tuple[TestClient, Database]) -> None:
    client, _ = service
    asked = ask(client)
    option = asked["options"][0]
    stale = accept(client, asked, option, version=asked["plan_version"] + 7)
    assert (stale.status_code, stale.json()["code"]) == (412, "STALE_VERSION")
    gone = accept(client, asked, {"id": option["id"][:-12] + "0" * 12})
    assert (gone.status_code, gone.json()["code"]) == (409, "OPTION_GONE")
    future = accept(client, asked, {"id": "99999999999-" + option["id"][-12:]})
    assert (future.status_code, future.json()["code"]) == (409, "OPTION_GONE")
    missing = client.post(f"/v1/work-orders/NEW/team-options/{option['id']}/accept", json={})
    assert missing.status_code == 428


def test_what_changed_since_makes_an_option_gone(service: tuple[TestClient, Database]) -> None:
    client, _ = service
    asked = ask(client)
    option = asked["options"][0]
    lead = option["members"][0]
    [shift] = [
        item
        for item in client.get("/v1/shifts", params={"limit": 1000}).json()["items"]
        if item["engineer"] == lead["engineer"]
    ]
    end = datetime.fromisoformat(lead["start"]).isoformat()
    change_record(client, f"engineers/{lead['engineer']}/shifts/{shift['id']}", end=end, latest_end=end, breaks=[])
    answer = accept(client, asked, option)
    assert (answer.status_code, answer.json()["code"]) == (409, "OPTION_GONE")
    # Nothing has changed by it, not even the order.
    assert client.get("/v1/work-orders/NEW").json().get("team") is None


def test_an_order_that_was_changed_since_is_not_overwritten(
    service: tuple[TestClient, Database],
) -> None:
    client, _ = service
    asked = ask(client)
    wanted = client.get("/v1/work-orders/NEW").json()["required_skills"]
    harder = [{**wanted[0], "level": wanted[0]["level"] - 1}, *wanted[1:]]
    change_record(client, "work-orders/NEW", required_skills=harder)
    answer = accept(client, asked, asked["options"][0])
    assert (answer.status_code, answer.json()["code"]) == (409, "OPTION_GONE")
    assert client.get("/v1/work-orders/NEW").json()["required_skills"] == harder


def test_a_team_that_would_be_late_by_now_is_not_sent(service: tuple[TestClient, Database]) -> None:
    client, database = service
    asked = ask(client)
    option = next(option for option in asked["options"] if not option["late_seconds"])
    deadlines = client.get("/v1/work-orders/NEW").json()["deadlines"]
    change_record(client, "work-orders/NEW", deadlines={**deadlines, "arrive_by": asked["as_of"]})
    before = running(database)
    answer = accept(client, asked, option)
    assert (answer.status_code, answer.json()["code"]) == (409, "OPTION_GONE")
    assert "too late" in answer.json()["detail"]
    assert moved(before, running(database)) == set()


def test_nobody_moves_for_an_order_that_was_cancelled_since(service: tuple[TestClient, Database]) -> None:
    client, database = service
    asked = ask(client)
    before = running(database)
    cancelled = {
        "client_id": "c1",
        "kind": "order_cancelled",
        "occurred_at": asked["as_of"],
        "body": {"work_order": "NEW"},
    }
    [told] = client.post("/v1/events", json={"events": [cancelled]}).json()["events"]
    assert told["outcome"] == "applied"
    answer = accept(client, asked, asked["options"][0])
    assert (answer.status_code, answer.json()["code"]) == (409, "OPTION_GONE")
    assert moved(before, running(database)) == set()


def test_who_drops_out_gets_a_substitute_and_the_others_stay(service: tuple[TestClient, Database]) -> None:
    client, database = service
    asked = ask(client)
    assert accept(client, asked, asked["options"][-1]).status_code == 200
    before = running(database)
    lost = asked["options"][-1]["members"][-1]["engineer"]
    answer = client.post("/v1/work-orders/NEW/substitute", json={"engineer": lost})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    stay = {(stop.engineer.id, stop.role) for stop in before["NEW"].stops if stop.engineer.id != lost}
    assert found["options"]
    for option in found["options"]:
        people = {(member["engineer"], member["role"]) for member in option["members"]}
        assert stay <= people
        assert lost not in {engineer for engineer, _ in people}
    chosen = accept(client, found, found["options"][0], instead_of=lost)
    assert chosen.status_code == 200, chosen.text
    after = running(database)
    assert moved(before, after) == {change["work_order"] for change in found["options"][0]["changes"]}


def test_when_nobody_qualifies_the_answer_says_why_and_what_it_would_take(
    service: tuple[TestClient, Database],
) -> None:
    client, _ = service
    found = ask(client, rule={"lead": {"levels_above": 4}, "support": {"minimum": 1}})
    assert found["options"] == []
    engineers = {item["id"] for item in client.get("/v1/engineers", params={"limit": 1000}).json()["items"]}
    reasons = found["no_team"]["reasons"]
    assert {reason["engineer"] for reason in reasons} == engineers
    assert {reason["code"] for reason in reasons} <= REASONS.keys()
    for option in found["not_allowed"]:
        assert not option["allowed"]
        assert all(short["level"] - short["has"] == 1 for short in option["short_of"])


def test_questions_that_have_no_answer_are_refused(service: tuple[TestClient, Database]) -> None:
    client, _ = service

    def refused(path: str, body: Json, status: int, code: str) -> None:
        answer = client.post(f"/v1/work-orders/{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text

    refused("NOBODY-KNOWS/team-options", {}, 404, "NOT_FOUND")
    refused("NEW/team-options", {"most": 9}, 422, "INVALID_INPUT")
    refused("NEW/team-options", {"instead_of": "E001"}, 422, "INVALID_INPUT")
    refused("NEW/substitute", {}, 422, "INVALID_INPUT")
    refused("NEW/substitute", {"engineer": "E001"}, 404, "NOT_FOUND")
    under_way = next(
        v for v in client.get("/v1/visits", params={"limit": 1000}).json()["items"] if v["status"] == "on_site"
    )
    refused(f"{under_way['work_order']}/team-options", {}, 409, "WRONG_STATE")
    plain = next(
        item
        for item in client.get("/v1/work-orders", params={"limit": 1000}).json()["items"]
        if item["level"] == "L4" and item["status"] == "planned" and not item.get("team")
    )
    refused(f"{plain['id']}/team-options", {}, 409, "WRONG_STATE")
