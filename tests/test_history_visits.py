"""Visits that are over become resolved orders, and the service answers what they say about engineers."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.routers.skill_history import HISTORY_EXAMPLE, SkillHistory
from dispatcher.services.state_history import PastWork, resolved_orders
from skills import Relation, ResolvedOrder, SkillGraph
from tests.http_service import Json, client, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import put
from tests.stored_states import at, engineer, order, visit

__all__ = ["client", "sqlite_client", "sqlite_database", "sqlite_url"]

PUMPS, OIL = {"skill": "pumps", "level": 2}, {"skill": "oil", "level": 1}
WHEN = int(at(10).timestamp())


def done(name: str = "V1", by: str = "E1", of: str = "W1", **fields: Any) -> dict[str, Any]:
    return visit(name, of, by, **{"status": "done", "started_at": at(9), "ended_at": at(10), **fields})


def resolved(*visits: dict[str, Any], graph: SkillGraph | None = None, **parts: Any) -> list[ResolvedOrder]:
    given: dict[str, Any] = {
        "orders": [order("W1", "done", required_skills=[PUMPS])],
        "engineers": [engineer("E1", skills=[PUMPS]), engineer("E2", skills=[OIL])],
        "assets": [],
        "asset_models": [],
        "graph": graph or SkillGraph(),
        **parts,
    }
    return resolved_orders(PastWork(visits=visits, **given))


def test_a_visit_that_is_done_tells_its_pace_without_pauses_and_that_it_was_fixed() -> None:
    assert resolved(done(paused_seconds=600)) == [ResolvedOrder("E1", "pumps", WHEN, None, True, 3000, 3600)]
    arrived = done(started_at=None, arrived_at=at(9.5))
    assert resolved(arrived) == [ResolvedOrder("E1", "pumps", WHEN, None, True, 1800, 3600)]


def test_a_visit_that_failed_fixed_nothing_and_tells_no_pace() -> None:
    assert resolved(done(status="failed")) == [ResolvedOrder("E1", "pumps", WHEN, None, False)]


@pytest.mark.parametrize(
    "fields",
    [{"started_at": None}, {"started_at": at(10)}, {"paused_seconds": 4000}],
    ids=["no beginning", "no time", "all pauses"],
)
def test_without_a_clock_that_can_tell_there_is_no_pace(fields: dict[str, Any]) -> None:
    assert resolved(done(**fields)) == [ResolvedOrder("E1", "pumps", WHEN, None, True)]


def test_visits_without_an_end_or_without_their_order_say_nothing() -> None:
    assert resolved(done(ended_at=None), done(of="W9")) == []


def test_every_required_skill_counts_for_the_fix_and_the_first_for_the_pace() -> None:
    orders = [order("W1", "done", required_skills=[PUMPS, OIL], setup_seconds=400)]
    assert resolved(done(), orders=orders) == [
        ResolvedOrder("E1", "pumps", WHEN, None, True, 3600, 4000),
        ResolvedOrder("E1", "oil", WHEN, None, True),
    ]


def test_what_the_machine_needs_counts_with_its_model() -> None:
    orders = [{**order("W1", "done"), "asset": "A1"}]
    assets = [{"external_id": "A1", "asset_model": "M1"}]
    models = [{"external_id": "M1", "body": {"required_skills": [OIL]}}]
    assert resolved(done(), orders=orders, assets=assets, asset_models=models) == [
        ResolvedOrder("E1", "oil", WHEN, "M1", True, 3600, 3600)
    ]


def test_the_factor_of_a_substitution_is_in_the_estimate() -> None:
    graph = SkillGraph([], [Relation("substitutes", "oil", "pumps", 0, Fraction("1.5"), Fraction(5))])
    held = [engineer("E1", skills=[{"skill": "oil", "level": 2}])]
    [found] = resolved(done(), graph=graph, engineers=held)
    assert (found.actual_seconds, found.estimated_seconds) == (3600, 5400)
    [unqualified] = resolved(done(), graph=graph, engineers=[])
    assert unqualified.estimated_seconds == 3600
    [nothing] = resolved(done(), orders=[order("W1", "done", required_skills=[PUMPS], service_seconds=0)])
    assert nothing.estimated_seconds is None


def team_of(*roles: dict[str, Any]) -> list[dict[str, Any]]:
    team = {"roles": list(roles), "service_seconds_by_size": {"2": 2400}}
    return [order("W1", "done", team=team)]


def test_of_a_team_the_lead_answers_for_the_fix_and_each_for_their_pace() -> None:
    orders = team_of(
        {"role": "lead", "required_skills": [PUMPS]},
        {"role": "support", "required_skills": [OIL]},
        {"role": "expert", "presence": "remote", "required_skills": [OIL], "service_seconds": 600},
    )
    found = resolved(
        done("V1", role="lead"), done("V2", "E2", role="support"), done("V3", "E3", role="expert"), orders=orders
    )
    assert found == [
        ResolvedOrder("E1", "pumps", WHEN, None, True, 3600, 2400),
        ResolvedOrder("E2", "oil", WHEN, None, None, 3600, 2400),
        ResolvedOrder("E3", "oil", WHEN, None, None, 3600, 600),
    ]


def test_of_a_team_without_a_lead_everybody_answers_for_the_fix() -> None:
    orders = team_of({"role": "pair", "min": 2, "required_skills": [PUMPS]})
    found = resolved(done("V1", role="pair"), done("V2", "E2", role="pair"), orders=orders)
    assert [item.first_time_fix for item in found] == [True, True]


# Over HTTP


def crew(service: TestClient) -> None:
    put(service, "territories", {"id": "east", "timezone": "UTC"}, {"id": "west", "timezone": "UTC"})
    put(service, "sites", {"id": "S1", "timezone": "UTC", "territory": "east"})
    put(service, "skills", {"id": "pumps"}, {"id": "oil"})
    put(service, "skill-relations", {"id": "R1", "type": "implies", "from": "oil", "to": "pumps", "level_loss": 1})
    put(service, "asset-models", {"id": "M1", "required_skills": [PUMPS]})
    put(service, "assets", {"id": "A1", "site": "S1", "asset_model": "M1"})
    people = {"E1": "east", "E2": "east", "E3": "west"}
    put(
        service,
        "engineers",
        *({"id": name, "territory": home, "skills": [{"skill": "oil", "level": 4}]} for name, home in people.items()),
    )
    work: Json = {"location": "S1", "asset": "A1", "territory": "east", "service_seconds": 3600, "status": "done"}
    put(service, "work-orders", *({"id": f"W{number}", **work} for number in range(7)))
    times: Json = {"started_at": "2026-11-20T09:00:00Z", "ended_at": "2026-11-20T09:45:00Z", "status": "done"}
    visits = [{"id": f"V{n}", "work_order": f"W{n}", "engineer": "E1", **times} for n in range(4)]
    visits.append({"id": "V4", "work_order": "W4", "engineer": "E1", **times, "status": "failed"})
    visits.append({"id": "V5", "work_order": "W5", "engineer": "E3", **times})
    old = {"started_at": "2024-01-01T09:00:00Z", "ended_at": "2024-01-01T11:00:00Z"}
    visits.append({"id": "V6", "work_order": "W6", "engineer": "E1", **times, **old})
    put(service, "visits", *visits)


def test_the_service_tells_what_the_visits_of_a_territory_say(client: TestClient) -> None:
    crew(client)
    answer = client.get("/v1/skills/history", params={"territory": "east"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    SkillHistory.model_validate(found)
    assert (found["territory"], found["visits"]) == ("east", 5)
    [own] = found["experiences"]
    assert (own["engineer"], own["skill"]) == ("E1", "pumps")
    assert 0.5 < own["duration_factor"]["low"] < own["duration_factor"]["value"] < 1
    assert 0.5 < own["fix_probability"]["value"] < 0.85
    assert own["fix_probability"]["orders"] == pytest.approx(5, abs=0.1)
    first, newcomer = found["engineers"]
    assert first["fix_probability"] == {"pumps": own["fix_probability"]["value"]}
    assert newcomer == {
        "id": "E2",
        "duration_factors": {"pumps": found["groups"][0]["duration_factor"]["value"]},
        "fix_probability": {"pumps": found["groups"][0]["fix_probability"]["value"]},
    }


def test_the_fields_told_can_be_stored_with_the_engineers(sqlite_client: TestClient) -> None:
    crew(sqlite_client)
    found = sqlite_client.get("/v1/skills/history", params={"territory": "east", "days": 3650}).json()
    assert found["visits"] == 6
    held: Json = {"territory": "east", "skills": [{"skill": "oil", "level": 4}]}
    put(sqlite_client, "engineers", *({**held, **fields} for fields in found["engineers"]))
    stored = sqlite_client.get("/v1/engineers/E2").json()
    assert stored["fix_probability"] == found["engineers"][1]["fix_probability"]


def test_a_question_that_cannot_be_answered_is_refused(sqlite_client: TestClient) -> None:
    assert sqlite_client.get("/v1/skills/history", params={"territory": "east"}).json()["code"] == "UNKNOWN_REFERENCE"
    crew(sqlite_client)
    assert sqlite_client.get("/v1/skills/history", params={"territory": "west"}).json()["visits"] == 1
    refused: tuple[dict[str, str | int], ...] = ({"days": 0}, {"half_life_days": 0}, {"date": "2026-11-23"})
    for wrong in refused:
        asked = {"territory": "east", **wrong}
        assert sqlite_client.get("/v1/skills/history", params=asked).status_code == 422
    put(sqlite_client, "skill-relations", {"id": "R2", "type": "implies", "from": "pumps", "to": "oil"})
    answer = sqlite_client.get("/v1/skills/history", params={"territory": "east"})
    assert answer.status_code == 422
    assert Counter(issue["code"] for issue in answer.json()["issues"]) == {"SKILL_CYCLE": 1}


def test_the_example_is_an_answer() -> None:
    SkillHistory.model_validate(HISTORY_EXAMPLE)
