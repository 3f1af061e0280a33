"""Teams for the running plan of another date than today: asked for, put in force, a member replaced."""

from typing import Any

from starlette.testclient import TestClient

from api.team_accepting import RecentTeams
from data.session import Database
from tests.databases import SetClock
from tests.http_service import Json, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import QUESTION, accept, order, planned, put, shift, store_day

__all__ = ["sqlite_client", "sqlite_database", "sqlite_url"]

TOMORROW = "2026-11-24"
FAULT = "/v1/work-orders/W9"


def planned_for_tomorrow(client: TestClient, database: Database) -> str:
    """The plan in force of tomorrow; today there is none. W9 comes in for it, and three could go."""
    store_day(client)
    put(client, "skills", {"id": "pump"})
    held = [{"skill": "pump", "level": 4}]
    put(client, "engineers", *({"id": name, "territory": "east", "skills": held} for name in ("E1", "E2", "E3")))
    put(client, "shifts", *(shift(name, TOMORROW) for name in ("E1", "E2", "E3")))
    plan_id = planned(client, database, {**QUESTION, "dates": [TOMORROW]})
    accept(client, plan_id)
    put(client, "work-orders", order("W9", "S2", level="L2", required_skills=[{"skill": "pump", "level": 3}]))
    return plan_id


def asked(client: TestClient, path: str, body: Json, **params: Any) -> Json:
    answer = client.post(f"{FAULT}/{path}", json=body, params=params)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_a_team_is_asked_for_and_sent_in_the_plan_of_another_date(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    plan_id = planned_for_tomorrow(client, sqlite_database)
    today = client.post(f"{FAULT}/team-options", json={})
    assert (today.status_code, today.json()["code"]) == (409, "NO_PLAN_IN_FORCE")

    found = asked(client, "team-options", {}, date=TOMORROW)
    assert found["plan_id"] == plan_id
    option = found["options"][0]
    assert option["restored_at"].startswith(TOMORROW)
    condition = {"If-Match": f'"{found["plan_version"]}"'}
    accepting = f"{FAULT}/team-options/{option['id']}/accept"
    without = client.post(accepting, json={}, headers=condition)
    assert (without.status_code, without.json()["code"]) == (409, "NO_PLAN_IN_FORCE")
    sent = client.post(accepting, json={}, headers=condition, params={"date": TOMORROW})
    assert sent.status_code == 200, sent.text
    held = {item["engineer"] for item in client.get("/v1/visits", params={"work_order": "W9"}).json()["items"]}
    assert held == {member["engineer"] for member in option["members"]}

    lost = option["members"][-1]["engineer"]
    instead = asked(client, "substitute", {"engineer": lost}, date=TOMORROW)
    assert instead["options"]
    assert all(lost != member["engineer"] for found in instead["options"] for member in found["members"])


def test_an_option_of_another_date_is_found_again_when_nobody_remembers_it(
    sqlite_client: TestClient, sqlite_database: Database
) -> None:
    client = sqlite_client
    planned_for_tomorrow(client, sqlite_database)
    found = asked(client, "team-options", {"most": 1}, date=TOMORROW)
    client.app.state.recent_teams = RecentTeams()  # type: ignore[attr-defined]
    clock = sqlite_database.clock
    assert isinstance(clock, SetClock)
    clock.advance(20)
    sent = client.post(
        f"{FAULT}/team-options/{found['options'][0]['id']}/accept",
        json={"most": 1},
        headers={"If-Match": "*"},
        params={"date": TOMORROW},
    )
    assert sent.status_code == 200, sent.text
