"""What accepting a plan changes: every order that is served has its visits, every other one has none that waits."""

from collections import Counter
from datetime import datetime
from typing import Any

from hypothesis import given

from api.problems import SolveOptions, solve_document
from dispatcher.services.acceptance import Consequences, assignments, consequences
from dispatcher.services.state import PlanQuestion, StoredState, problem_document
from dispatcher.services.state_visits import IN_HAND, WAITING
from tests.stored_states import stored_states

Values = dict[str, Any]


def elsewhere(stored: StoredState, question: PlanQuestion, now: datetime) -> frozenset[tuple[str, str]]:
    homes = {item["external_id"]: item["territory"] for item in stored.engineers}
    return frozenset(
        (item["engineer"], item["external_id"])
        for item in stored.shifts
        if item["status"] in ("planned", "active")
        and item["latest_end"] >= now
        and not (homes[item["engineer"]] in question.territories and item["local_date"] in question.dates)
    )


def applied(stored: StoredState, found: Consequences) -> tuple[dict[str, Values], list[Values]]:
    """The orders by id and the visits as they are afterwards."""
    orders = {item["external_id"]: dict(item) for item in stored.work_orders}
    for name, status in found.orders.items():
        orders[name]["status"] = status
    visits = {item["external_id"]: dict(item) for item in stored.visits if item["external_id"] not in found.dropped}
    visits |= {item["external_id"]: item for item in found.visits}
    new = [{**item, "external_id": f"new-{number}"} for number, item in enumerate(found.new_visits)]
    return orders, [*visits.values(), *new]


@given(stored_states())
def test_orders_and_visits_agree_with_the_plan_that_was_accepted(
    drawn: tuple[StoredState, PlanQuestion, datetime],
) -> None:
    stored, question, now = drawn
    problem = problem_document(stored, question, now)
    plan = solve_document(problem, SolveOptions(iteration_limit=20, engine="insertion"))
    away = elsewhere(stored, question, now)
    by_id = {item["external_id"]: item for item in stored.work_orders}
    orders, visits = applied(stored, consequences(problem, plan, by_id, stored.visits, away))
    served = assignments(plan)
    in_hand = {item["work_order"] for item in visits if item["status"] in IN_HAND}
    for item in problem["work_orders"]:
        name = item["id"]
        if name in in_hand:
            assert orders[name]["status"] == by_id[name]["status"]
            continue
        waiting = Counter(
            (visit["engineer"], visit["shift"], visit["role"])
            for visit in visits
            if visit["work_order"] == name and visit["status"] in WAITING
        )
        assert waiting == Counter((stay.engineer, stay.shift, stay.role) for stay in served.get(name, ()))
        assert orders[name]["status"] == ("planned" if name in served else "open")
    # Accepted once more, it would change nothing.
    again = consequences(problem, plan, orders, visits, away)
    assert (again.orders, again.new_visits, again.dropped) == ({}, [], [])
    before = {item["external_id"]: item for item in visits}
    assert all(before[item["external_id"]] == item for item in again.visits)
