"""What must not matter does not: names, the week, and restrictions that restrict nothing."""

import copy
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.documents import check_problem
from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.model import LEAD
from dispatcher.planning import SearchLimits
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from tests.mutations import Document, without_claims

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
WEEK = timedelta(days=7)
SEEDS = range(40)


def planned(document: Document) -> tuple[Document, Evaluation]:
    """What the insertion engine makes of a problem, and what that costs."""
    problem = read_problem(document, problem_travel)
    plan = build_plan(problem, InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None)).sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(problem, plan, evaluation, explanations=[], receipt={}, created_at=problem.now)
    return without_claims(published), evaluation


def judged(problem: Document, plan: Document) -> Evaluation:
    return evaluate(read_problem(problem, problem_travel), read_plan(plan))


def a_problem(seed: int) -> Document:
    rng = Random(seed)
    return random_problem(rng, orders=rng.randint(1, 9), engineers=rng.randint(1, 5))


# Names


def renamed(value: Any, key: str = "") -> Any:
    """A document with every id changed, each in a way that keeps the ids in their order."""
    if isinstance(value, dict):
        named_by_id = key in ("locations", "duration_factors", "fix_probability", "parts")
        return {_new(name) if named_by_id else name: renamed(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [renamed(item, key) for item in value]
    if not isinstance(value, str):
        return value
    if key == "role":
        # `lead` is the one role the format knows by name; the others stay on their side of it.
        return value if value == LEAD else f"{'a' if value < LEAD else 'm'}-{value}"
    return _new(value) if key in ID_FIELDS else value


ID_FIELDS = {
    *("engineer", "work_order", "shift", "skill", "location", "start_location", "end_location", "id"),
    *("from", "to", "allowed_engineers", "excluded_engineers", "preferred_engineers", "related_to", "location_ids"),
}


def _new(name: str) -> str:
    return f"q{name}"


def problem_renamed(document: Document) -> Document:
    """All ids but the problem's own; clock times of the traffic are no ids."""
    new: Document = renamed(document)
    new["id"] = document["id"]
    if document["travel"].get("traffic"):
        new["travel"]["traffic"] = document["travel"]["traffic"]
    return new


@pytest.mark.parametrize("seed", SEEDS)
def test_names_of_things_change_neither_the_plan_nor_its_price(seed: int) -> None:
    document = a_problem(seed)
    other = problem_renamed(document)
    assert check_problem(other) == []
    plan, evaluation = planned(document)
    assert judged(other, renamed(plan)) == evaluation
    assert planned(other) == (renamed(plan), evaluation)


# The week


def moved_by_a_week(value: Any, zone: ZoneInfo) -> Any:
    if isinstance(value, dict):
        return {name: moved_by_a_week(item, zone) for name, item in value.items()}
    if isinstance(value, list):
        return [moved_by_a_week(item, zone) for item in value]
    if isinstance(value, str) and INSTANT.match(value):
        return (datetime.fromisoformat(value) + WEEK).astimezone(zone).isoformat()
    return value


def problems_of_zones_without_summer_time(count: int) -> list[Document]:
    found: list[Document] = []
    seed = 1000
    while len(found) < count:
        document = a_problem(seed)
        if document["timezone"].startswith("Asia/"):
            found.append(document)
        seed += 1
    return found


@pytest.mark.parametrize(
    "document", problems_of_zones_without_summer_time(len(SEEDS)), ids=lambda problem: problem["id"]
)
def test_a_week_later_the_same_work_is_planned_the_same_way_at_the_same_price(document: Document) -> None:
    zone = ZoneInfo(document["timezone"])
    other = moved_by_a_week(document, zone)
    assert check_problem(other) == []
    plan, evaluation = planned(document)
    # Findings name instants, and there are none; terms and total do not.
    assert evaluation.feasible
    assert judged(other, moved_by_a_week(plan, zone)) == evaluation
    assert planned(other) == (moved_by_a_week(plan, zone), evaluation)


# Restrictions that restrict nothing


def open_all_day(document: Document) -> None:
    """Every shift lies inside the horizon, so service always starts there."""
    for order in document["work_orders"]:
        if not order.get("time_windows"):
            order["time_windows"] = [dict(document["horizon"])]


def open_all_day_twice(document: Document) -> None:
    open_all_day(document)
    for order in document["work_orders"]:
        order["time_windows"] = [*order["time_windows"], *copy.deepcopy(order["time_windows"])]


def everybody_allowed(document: Document) -> None:
    everybody = [engineer["id"] for engineer in document["engineers"]]
    for order in document["work_orders"]:
        if not order.get("allowed_engineers"):
            order["allowed_engineers"] = list(everybody)


def nobody_left_out_by_number(document: Document) -> None:
    for engineer in document["engineers"]:
        for shift in engineer["shifts"]:
            if not shift.get("max_work_orders"):
                shift["max_work_orders"] = len(document["work_orders"]) + 1


def more_parts_than_anybody_needs(document: Document) -> None:
    for engineer in document["engineers"]:
        engineer["parts"] = {**(engineer.get("parts") or {}), "spare": 1000}
    for order in document["work_orders"]:
        order["parts"] = {**(order.get("parts") or {}), "spare": 1}


def waiting_for_what_was_done_long_ago(document: Document) -> None:
    for order in document["work_orders"]:
        waits = {"completed_at": document["horizon"]["start"], "min_gap_seconds": 0}
        order["depends_on"] = [*(order.get("depends_on") or []), waits]


def a_skill_everybody_has(document: Document) -> None:
    """Last in the list, so that the factor is still that of the first; alone, nobody has a factor for it."""
    if document.get("skill_graph"):
        document["skill_graph"]["skills"].append({"id": "breathing"})
    for engineer in document["engineers"]:
        engineer["skills"] = [*(engineer.get("skills") or []), {"skill": "breathing", "level": 1}]
    for order in document["work_orders"]:
        if order.get("required_skills"):
            order["required_skills"] = [*order["required_skills"], {"skill": "breathing"}]


REDUNDANT: list[Callable[[Document], None]] = [
    open_all_day,
    open_all_day_twice,
    everybody_allowed,
    nobody_left_out_by_number,
    more_parts_than_anybody_needs,
    waiting_for_what_was_done_long_ago,
    a_skill_everybody_has,
]


@pytest.mark.parametrize("restrict", REDUNDANT, ids=lambda restrict: restrict.__name__)
def test_a_restriction_that_restricts_nothing_changes_neither_the_plan_nor_its_price(
    restrict: Callable[[Document], None],
) -> None:
    for seed in range(2000, 2015):
        document = a_problem(seed)
        other = copy.deepcopy(document)
        restrict(other)
        assert check_problem(other) == []
        plan, evaluation = planned(document)
        assert judged(other, plan) == evaluation
        assert planned(other) == (plan, evaluation)
