"""Questions about skills over HTTP: a stored crew, its coverage by the hour, and its gaps."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from api.skill_schemas import COVERAGE_EXAMPLE, GAPS_EXAMPLE, SkillCoverage, SkillGaps
from data.session import Database
from tests.http_service import Json, refusing, sqlite_client, sqlite_database, sqlite_url
from tests.planning_over_http import DAY, accept, at, change, order, planned, put, shift

__all__ = ["refusing", "sqlite_client", "sqlite_database", "sqlite_url"]

EAST = {"territory": "east", "date": DAY}


def held(skill: str, level: int, until: str | None = None) -> Json:
    return {"skill": skill, "level": level} | ({"valid_until": until} if until else {})


@pytest.fixture
def crew(sqlite_client: TestClient) -> TestClient:
    """Two who know pumps, one of them better and with a longer day, and one of the west."""
    client = sqlite_client
    put(client, "territories", *({"id": name, "timezone": "Europe/Berlin"} for name in ("east", "west")))
    put(client, "sites", {"id": "depot", "timezone": "UTC"}, {"id": "S1", "timezone": "UTC", "territory": "east"})
    put(client, "skills", {"id": "pumps"}, {"id": "oil"})
    put(client, "skill-relations", {"id": "R1", "type": "implies", "from": "oil", "to": "pumps", "level_loss": 1})
    put(
        client,
        "engineers",
        {"id": "E1", "territory": "east", "skills": [held("oil", 4)]},
        {"id": "E2", "territory": "east", "skills": [held("pumps", 2)]},
        {"id": "E3", "territory": "west", "skills": [held("pumps", 5)]},
    )
    put(client, "shifts", shift("E1"), shift("E2", end=at("12:00")), shift("E3"))
    window = {"start": at("08:00"), "end": at("14:00")}
    pumps: Json = {"required_skills": [held("pumps", 3)], "time_windows": [window]}
    put(client, "work-orders", order("W1", **pumps), order("W2", **pumps | {"territory": None}))
    return client


def asked(client: TestClient, name: str, **params: str) -> Json:
    answer = client.get(f"/v1/skills/{name}", params=params or EAST)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def test_coverage_counts_a_territory_by_hours_of_its_own_clock(crew: TestClient) -> None:
    found = asked(crew, "coverage")
    SkillCoverage.model_validate(found)
    assert (found["timezone"], found["engineers"]) == ("Europe/Berlin", 2)
    hours = [hour["start"][11:16] for hour in found["hours"]]
    assert hours == ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00", "16:00"]
    assert found["hours"][0]["start"].endswith("+01:00")
    assert [hour["on_shift"] for hour in found["hours"]] == [2, 2, 2, 2, 1, 1, 1, 1]
    [row] = found["rows"]
    assert (row["skill"], row["level"], row["orders"]) == ("pumps", 3, 2)
    assert row["on_shift"] == [1] * 8
    assert row["needed"] == [1] * 6 + [0] * 2
    assert row["work_seconds"] == [600] * 6 + [0] * 2
    assert (found["single_points"], found["short"]) == (6, 0)


def test_an_order_asks_for_its_skills_whoever_it_is_planned_for(crew: TestClient, sqlite_database: Database) -> None:
    places = {"depot": 13.40, "S1": 13.42}
    for name, lon in places.items():
        change(crew, f"sites/{name}", lat=52.5, lon=lon)
    for name in ("W1", "W2"):
        change(crew, f"work-orders/{name}", allowed_engineers=["E3"])
    before = asked(crew, "coverage")
    plan_id = planned(crew, sqlite_database, {"territories": ["east", "west"], "dates": [DAY]})
    accept(crew, plan_id)
    held_by = {item["work_order"]: item["engineer"] for item in crew.get("/v1/visits").json()["items"]}
    assert held_by == {"W1": "E3", "W2": "E3"}
    for found in (before, asked(crew, "coverage")):
        assert [row["orders"] for row in found["rows"]] == [2]


def test_gaps_name_who_is_alone_who_is_nearly_there_and_whom_to_train(crew: TestClient) -> None:
    found = asked(crew, "gaps")
    SkillGaps.model_validate(found)
    [point] = found["single_points"]
    assert (point["engineers"], point["orders"], point["hours"]) == (["E1"], ["W1", "W2"], 6)
    assert (point["start"], point["end"]) == (f"{DAY}T09:00:00+01:00", f"{DAY}T15:00:00+01:00")
    [shortage] = found["shortages"]
    assert (shortage["able"], shortage["people"], shortage["missing"]) == (["E1"], 1, 0)
    assert [(near["engineer"], near["reached"]) for near in shortage["nearly"]] == [("E2", 2)]
    [training] = found["trainings"]
    assert (training["engineer"], training["skill"], training["from_level"], training["to_level"]) == (
        "E2",
        "pumps",
        2,
        3,
    )
    # E2 goes home at noon (13:00 over there): what comes later is nobody's to end.
    assert (training["ends"], training["left"]) == (4, 2)
    assert [item["hours"] for item in training["single_points"]] == [4]
    assert found["uncovered"] == []


def test_hours_with_work_for_nobody_on_shift_are_told_with_their_orders(crew: TestClient) -> None:
    change(crew, f"engineers/E1/shifts/{DAY}", status="cancelled")
    found = asked(crew, "gaps")
    assert [(item["skill"], item["hours"], item["orders"]) for item in found["uncovered"]] == [
        ("pumps", 4, ["W1", "W2"])
    ]
    assert [(item["missing"], item["able"]) for item in found["shortages"]] == [(1, [])]
    assert found["single_points"] == found["trainings"] == []


def test_a_day_without_shifts_and_orders_has_no_hours(crew: TestClient) -> None:
    for date in ("2026-11-27", "2020-01-01"):
        found = asked(crew, "coverage", territory="west", date=date)
        assert (found["hours"], found["rows"]) == ([], [])


def test_coverage_needs_no_coordinates_but_a_skill_graph_that_can_be_searched(crew: TestClient) -> None:
    names = [f"s{number}" for number in range(10)]
    put(crew, "skills", *({"id": name} for name in names))
    relations = [
        {"id": f"{a}-{b}", "type": "substitutes", "from": a, "to": b, "duration_factor": 0.9}
        for a in names
        for b in names
        if a != b
    ]
    put(crew, "skill-relations", *relations)
    answer = crew.get("/v1/skills/coverage", params=EAST)
    assert answer.status_code == 422
    assert [issue["code"] for issue in answer.json()["issues"]] == ["SKILL_GRAPH_TANGLED"]


@pytest.mark.parametrize("name", ["coverage", "gaps"])
@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"territory": "nowhere", "date": DAY}, "UNKNOWN_REFERENCE"),
        ({"territory": "east"}, "INVALID_INPUT"),
        ({"territory": "east", "date": "monday"}, "INVALID_INPUT"),
        ({"territory": "east", "date": DAY, "skill": "pumps"}, "INVALID_INPUT"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(refusing: TestClient, name: str, params: Json, code: str) -> None:
    answer = refusing.get(f"/v1/skills/{name}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize(("model", "example"), [(SkillCoverage, COVERAGE_EXAMPLE), (SkillGaps, GAPS_EXAMPLE)])
def test_the_examples_of_the_description_are_answers(model: Any, example: Json) -> None:
    assert model.model_validate(example).model_dump() == example
