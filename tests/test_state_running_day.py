"""What events leave behind in the snapshot: who comes later, what runs longer, roads that are slow for today."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_problem
from api.problems import build_problem
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.schedule import build_plan
from dispatcher.services.state import PlanQuestion, StoredState, problem_document
from dispatcher.services.state_visits import next_visits
from dispatcher.validate_values import instant
from tests.stored_states import MONDAY, Values, at, engineer, order, shift, site, territory, visit

NOW = at(10)
QUESTION = PlanQuestion("day", ["north"], [MONDAY])


def document(question: PlanQuestion = QUESTION, **records: Any) -> dict[str, Any]:
    """A valid problem of one engineer and these records, at ten."""
    known: dict[str, Any] = {
        "territories": [territory()],
        "sites": [site("depot"), site("S1")],
        "engineers": [engineer("E1")],
        "shifts": [shift("E1")],
    }
    found = problem_document(StoredState(**{**known, **records}), question, NOW)
    assert check_problem(found) == []
    return found


def one_shift(**fields: Any) -> Values:
    found = document(shifts=[{**shift("E1"), **fields}])["engineers"][0]["shifts"]
    return dict(found[0]) if found else {}


def test_a_shift_begins_when_its_engineer_is_there() -> None:
    assert instant(one_shift(available_from=at(11))["start"]) == at(11).timestamp()
    assert one_shift(available_from=at(7)) == one_shift(available_from=None) == one_shift()


def test_who_comes_after_the_shift_has_what_overtime_it_allows() -> None:
    late = one_shift(available_from=at(16.5))
    times = [instant(late[name]) for name in ("start", "end", "latest_end")]
    assert times == [at(16.5).timestamp(), at(16.5).timestamp() + 1, at(17).timestamp()]
    assert one_shift(available_from=at(17)) == {}


def test_work_that_runs_longer_ends_when_its_engineer_says() -> None:
    skills = [{"skill": "pumps"}]
    slow = {**engineer("E1"), "body": {"skills": skills, "duration_factors": {"pumps": 2}}}
    work = order("W1", "in_progress", required_skills=skills, setup_seconds=600)
    running = visit("V1", "W1", "E1", "on_site", arrived_at=at(9), paused_seconds=600, expected_end=at(12.5))
    found = document(engineers=[slow], work_orders=[work], visits=[running], skills=[{"external_id": "pumps"}])
    problem = build_problem(found)
    assert problem.order_by_id["W1"].pin is not None
    plan = build_plan(problem, Sequences((RouteSequence("E1", "mon", (Visit("W1"),)),)))
    (stop,) = (stop for route in plan.routes for stop in route.stops if stop.kind == "work_order")
    assert stop.end == at(12.5).timestamp()


def test_work_that_should_be_over_holds_its_engineer_until_now() -> None:
    running = visit("V1", "W1", "E1", "on_site", arrived_at=at(9), expected_end=at(9.5))
    (work,) = document(work_orders=[order("W1", "in_progress")], visits=[running])["work_orders"]
    assert work["service_seconds"] == 3600


def slow(until: float, factor: float = 1.5, question: PlanQuestion = QUESTION, zone: str = "UTC") -> Any:
    home = {**territory(timezone=zone), "travel_factor": factor, "travel_factor_until": at(until)}
    return document(question, territories=[home])["travel"].get("traffic")


def test_slow_roads_are_traffic_from_now_until_it_ends() -> None:
    assert slow(12) == [{"from": "10:00", "to": "12:00", "factor": 1.5}]
    assert slow(12.001) == [{"from": "10:00", "to": "12:01", "factor": 1.5}]
    assert slow(36) == [{"from": "10:00", "to": "24:00", "factor": 1.5}]
    assert slow(12, zone="Asia/Shanghai") == [{"from": "18:00", "to": "20:00", "factor": 1.5}]
    assert slow(10) is None


@pytest.mark.parametrize("days", [[1], [0, 1]])
def test_roads_are_not_slow_on_other_days(days: list[int]) -> None:
    question = PlanQuestion("days", ["north"], [MONDAY + timedelta(days=day) for day in days])
    assert slow(12, question=question) is None


def test_slow_roads_and_the_traffic_asked_for_multiply() -> None:
    asked = [
        {"from": "07:00", "to": "10:30", "factor": 1.6},
        {"from": "11:00", "to": "13:00", "factor": 0.5},
        {"from": "15:00", "to": "16:00", "factor": 2},
    ]
    travel = {"kind": "geodesic", "speed_kmh": 35, "detour_factor": 1.3, "traffic": asked}
    question = PlanQuestion("day", ["north"], [MONDAY], travel=travel)
    assert slow(12, 1.1, question) == [
        {"from": "07:00", "to": "10:00", "factor": 1.6},
        {"from": "10:00", "to": "10:30", "factor": 1.76},
        {"from": "10:30", "to": "11:00", "factor": 1.1},
        {"from": "11:00", "to": "12:00", "factor": 0.55},
        {"from": "12:00", "to": "13:00", "factor": 0.5},
        {"from": "15:00", "to": "16:00", "factor": 2},
    ]


def test_the_next_visit_is_the_one_under_way_then_the_one_planned_first() -> None:
    visits = [
        visit("V1", "W1", "E1", planned_start=at(12)),
        visit("V2", "W2", "E1", "paused", planned_start=at(8)),
        visit("V3", "W3", "E1", "accepted", planned_start=at(11)),
        visit("V4", "W4", "E1", "en_route", planned_start=at(13)),
        visit("V5", "W5", "E1", planned_start=at(11)),
    ]
    assert [item["external_id"] for item in next_visits(visits)] == ["V4", "V2", "V3", "V5", "V1"]


@given(st.integers(0, 12 * 60), st.integers(1, 40 * 60), st.floats(0.01, 100))
def test_slow_roads_at_any_time_make_a_valid_problem(begins: int, lasts: int, factor: float) -> None:
    home = {**territory(), "travel_factor": factor, "travel_factor_until": at((begins + lasts) / 60)}
    late = {**shift("E1"), "available_from": at(begins / 60)}
    document(territories=[home], shifts=[late])
