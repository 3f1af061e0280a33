"""Engines send whoever is more likely to fix it at once, as far as a repeat visit has a price."""

import pytest

from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from solver.insertion import InsertionEngine
from tests.days import Day
from tests.kernel_plans import load
from tests.small_days import Document, cost_milli, day, engineer, order, plan_of, read, role, shift, skill

LIMITS = SearchLimits(time_limit_seconds=None, iteration_limit=100)


def person(name: str, chance: float | None = None, place: str = "p0") -> Document:
    given = {} if chance is None else {"fix_probability": {"a": chance}}
    return engineer(name, skill("a"), shifts=[shift(start_location=place)], **given)


def crew_of(weight: float, *orders: Document, people: list[Document]) -> Document:
    return day(people, orders, objective={"weights": {"repeat_visit": weight}})


def served_by(document: Document) -> dict[str, set[str]]:
    """The engineers of each order in the insertion engine's plan, the lead's name alone where there is one."""
    problem = read(document)
    plan, evaluation = plan_of(problem, InsertionEngine().solve(problem, LIMITS).sequences)
    assert evaluation.feasible
    found: dict[str, set[str]] = {}
    for route in plan.routes:
        for stop in route.stops:
            if stop.work_order is not None and stop.role in (None, "lead"):
                found.setdefault(stop.work_order, set()).add(route.engineer)
    return found


@pytest.mark.parametrize(("weight", "who"), [(0, "near"), (1, "near"), (3, "far")])
def test_the_surer_engineer_comes_from_as_far_as_the_price_reaches(weight: float, who: str) -> None:
    """One visit in two of an hour's work is 1800 seconds at stake; the other engineer is 3600 seconds farther."""
    people = [person("near", 0.5, "p30"), person("far", 1, "p60")]
    work = order("W", "p30", required_skills=[skill("a")])
    assert served_by(crew_of(weight, work, people=people)) == {"W": {who}}


def test_a_lead_likely_to_fix_it_is_found_behind_many_who_are_nearer() -> None:
    """Candidates for a role are the cheapest to send; the surest is one of them, too."""
    near = [person(f"N{number:02}", 0.1, "p30") for number in range(20)]
    team = {"roles": [role("lead", skill("a")), role("support", skill("a"))]}
    people = [*near, person("surest", 1, "p120")]
    work = order("T", "p30", minutes=300, level="L1", team=team)
    assert served_by(crew_of(9, work, people=people)) == {"T": {"surest"}}
    assert served_by(crew_of(0, work, people=people)) == {"T": {"N00"}}


def test_the_kernel_prices_orders_of_one_skill_by_how_long_each_takes() -> None:
    orders = [order(f"W{minutes}", "p10", minutes, required_skills=[skill("a")]) for minutes in (20, 50, 90)]
    people = [person("E", 0.333), person("F", 0.8), person("G")]
    document = crew_of(1.5, *orders, people=people)
    problem = read(document)
    for sequence in (("E", "W20", "W50"), ("F", "W50", "W90"), ("G", "W90", "W20", "W50")):
        name, *work = sequence
        route = RouteSequence(name, "day", tuple(Visit(item) for item in work))
        loaded = load(problem, Sequences((route,)))
        assert loaded.disagreements() == []
        assert loaded.constant == 0
        assert loaded.searcher.total == cost_milli(plan_of(problem, Sequences((route,)))[1])


def test_a_plan_without_anybody_who_answers_for_the_fix_costs_nothing_more() -> None:
    document = crew_of(5, order("W"), people=[person("E", 0)])
    made = Day(document, {"version": 1, "routes": [], "teams": [], "unassigned": [{"work_order": "W"}]})
    assert {term.rule for term in made.evaluate().terms} == {"unserved"}
    assert {rule for rule, _, _ in made.verify().terms} == {"unserved"}
