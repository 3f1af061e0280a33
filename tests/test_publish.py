"""The published plan says what is true of it: claims, score, reasons and receipt, in the problem's own zone."""

from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.documents import check_plan
from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import instant, read_plan, read_problem
from dispatcher.evaluate import evaluate
from dispatcher.planning import SearchLimits
from dispatcher.publish import number, plan_document
from dispatcher.reasons import Explanation, Fix, Reason
from dispatcher.schedule import build_plan
from dispatcher.verify import verify
from solver.insertion import InsertionEngine
from tests.days import Day, guided, one, pair, rested, two, underway
from tests.small_days import Document, at


def published(day: Day, *explanations: Explanation) -> Document:
    problem = read_problem(day.problem, problem_travel)
    plan = read_plan(day.plan)
    return plan_document(
        problem,
        plan,
        evaluate(problem, plan),
        explanations=explanations,
        receipt={"engine": "none", "problem_sha256": problem.sha256},
        created_at=instant(at("07:00")),
    )


def stops_of(document: Document, name: str) -> list[Document]:
    found: list[Document] = next(route["stops"] for route in document["routes"] if route["engineer"] == name)
    return found


@pytest.mark.parametrize("day", [one(), two(), rested(), pair(), guided(), underway()], ids=range(6))
def test_a_published_plan_is_well_formed_true_and_reads_back_as_it_was(day: Day) -> None:
    document = published(day)
    assert check_plan(document) == []
    assert verify(day.problem, document).findings == ()
    assert read_plan(document) == read_plan(day.plan)


def test_stops_state_what_belongs_to_their_kind() -> None:
    begin, visit, pause, _, home = stops_of(published(rested()), "E")
    assert begin == {"kind": "start", "location": "p0", "end": at("08:00")}
    assert visit == {
        "kind": "work_order",
        "work_order": "A",
        "role": None,
        "location": "p10",
        "travel_seconds": 600,
        "travel_meters": 10_000,
        "arrival": at("08:10"),
        "start": at("08:10"),
        "end": at("09:10"),
        "late_arrival_seconds": 0,
        "late_start_seconds": 0,
        "late_restore_seconds": 0,
        "pinned": False,
    }
    assert pause == {"kind": "break", "start": at("09:10"), "end": at("09:40")}
    assert home == {
        "kind": "end",
        "location": "p0",
        "travel_seconds": 1200,
        "travel_meters": 20_000,
        "arrival": at("11:10"),
    }


def test_every_stop_states_its_own_lateness_and_remote_members_are_never_late() -> None:
    day = guided()
    day.order("T")["deadlines"] = {"arrive_by": at("08:29"), "start_by": at("08:28"), "restore_by": at("09:20")}
    document = published(day)
    late = ("late_arrival_seconds", "late_start_seconds", "late_restore_seconds")
    assert [stops_of(document, "E")[1][key] for key in late] == [60, 120, 600]
    assert [stops_of(document, "R")[1][key] for key in late] == [0, 0, 0]
    assert verify(day.problem, document).findings == ()


def test_only_the_stop_of_the_pinned_engineer_is_pinned() -> None:
    day = pair()
    day.order("T")["pin"] = {"engineer": "F"}
    document = published(day)
    assert [stops_of(document, name)[1]["pinned"] for name in "EF"] == [False, True]


def test_a_matrix_without_meters_states_none() -> None:
    day = one()
    del day.problem["travel"]["meters"]
    for stop in day.stops("E"):
        stop.pop("travel_meters", None)
    document = published(day)
    assert all("travel_meters" not in stop for stop in stops_of(document, "E"))
    assert "distance" not in {term["rule"] for term in document["score"]["terms"]}


def test_instants_are_written_in_the_zone_of_the_problem() -> None:
    day = one()
    day.problem["timezone"] = "Asia/Shanghai"
    document = published(day)
    assert stops_of(document, "E")[0]["end"] == "2026-11-23T16:00:00+08:00"
    assert document["created_at"] == "2026-11-23T15:00:00+08:00"


def test_the_score_lists_the_terms_above_zero_in_the_order_of_the_catalogue() -> None:
    day = one()
    day.order("A").update(level="L1", deadlines={"start_by": at("08:09")}, preferred_engineers=["X"])
    day.problem["engineers"].append({"id": "X"})
    day.problem["objective"] = {"weights": {"late_start": 0.0625, "engineers_used": 1}}
    score = published(day)["score"]
    assert score == {
        "total": 36000 + 1200 + 600 + 1 + 4,
        "terms": [
            {"rule": "late_start", "amount": 60, "unit": "s", "cost": 3.78},
            {"rule": "late_start_once", "amount": 1, "unit": "orders", "cost": 36000},
            {"rule": "travel", "amount": 1200, "unit": "s", "cost": 1200},
            {"rule": "distance", "amount": 20000, "unit": "m", "cost": 0},
            {"rule": "preference", "amount": 1, "unit": "orders", "cost": 600},
            {"rule": "worst_lateness", "amount": 60, "unit": "s", "cost": 0},
            {"rule": "engineers_used", "amount": 1, "unit": "engineers", "cost": 1},
        ],
    }


@pytest.mark.parametrize(
    ("value", "written"), [(3, 3), (Fraction(4, 2), 2), (Fraction(5, 2), 2.5), (Fraction(1, 8), 0.125)]
)
def test_amounts_are_whole_numbers_where_they_are_whole(value: Any, written: float) -> None:
    assert number(value) == written
    assert type(number(value)) is type(written)


def test_what_is_left_undone_is_listed_with_its_reasons_and_the_cheapest_fix() -> None:
    day = two()
    day.plan["routes"] = []
    day.plan["unassigned"] = [{"work_order": "A"}, {"work_order": "B"}]
    reasons = (Reason("E", "SKILL_LEVEL", {"skill": "a", "level": 3, "best_level": 2}), Reason("F", "NO_SHIFT"))
    fix = Fix("E", "SKILL_LEVEL", 7200, {"skill": "a"})
    document = published(day, Explanation("B", reasons, fix))
    bare, explained = document["unassigned"]
    assert bare == {"work_order": "A", "reasons": [], "cheapest_fix": None}
    assert [(reason["engineer"], reason["code"]) for reason in explained["reasons"]] == [
        ("E", "SKILL_LEVEL"),
        ("F", "NO_SHIFT"),
    ]
    assert explained["reasons"][0]["params"] == {"skill": "a", "level": 3, "best_level": 2}
    assert [reason["message"] for reason in explained["reasons"]] == [reason.message for reason in reasons]
    assert explained["cheapest_fix"] == {
        "code": "SKILL_LEVEL",
        "engineer": "E",
        "amount_seconds": 7200,
        "params": {"skill": "a"},
        "message": fix.message,
    }
    assert check_plan(document) == []


def test_teams_are_listed_with_their_start_their_members_and_their_standby() -> None:
    assert published(pair())["teams"] == pair().plan["teams"]


@given(st.integers(0, 10**6))
def test_whatever_the_engine_plans_is_published_well_formed_and_true(seed: int) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(0, 8), engineers=rng.randint(0, 5))
    problem = read_problem(document, problem_travel)
    plan = build_plan(problem, InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None)).sequences)
    evaluation = evaluate(problem, plan)
    receipt = {"engine": "insertion", "problem_sha256": problem.sha256}
    made = plan_document(problem, plan, evaluation, explanations=(), receipt=receipt, created_at=problem.now)
    assert check_plan(made) == []
    assert read_plan(made) == plan
    verdict = verify(document, made)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.total == evaluation.total
