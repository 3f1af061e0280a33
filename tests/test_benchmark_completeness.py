"""The benchmark's check of completeness finds what a naive try of every place finds, and says when it had no time."""

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.problems import read_checked_problem
from benchmarks import completeness
from benchmarks.completeness import still_placeable
from dispatcher.evaluate import evaluate
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from tests.benchmark_days import flat_day
from tests.small_days import day, engineer, order, read, role, shift


def planned() -> tuple[Problem, Sequences]:
    problem = read_checked_problem(flat_day(orders=14))
    limits = SearchLimits(time_limit_seconds=None, iteration_limit=200)
    engine = InsertionEngine()
    result = engine.solve(problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None)
    return problem, result.sequences


def total(problem: Problem, sequences: Sequences) -> float:
    found = evaluate(problem, build_plan(problem, sequences))
    return found.total if found.feasible else float("inf")


def with_visit(problem: Problem, sequences: Sequences, added: str) -> Iterator[Sequences]:
    """The plan with an order at every place of every shift."""
    driven = {(route.engineer, route.shift): route.visits for route in sequences.routes}
    for person in problem.engineers:
        for worked in person.shifts:
            visits = driven.get((person.id, worked.id), ())
            for position in range(len(visits) + 1):
                longer = (*visits[:position], Visit(added), *visits[position:])
                routes = driven | {(person.id, worked.id): longer}
                yield replace(sequences, routes=tuple(RouteSequence(*key, stops) for key, stops in routes.items()))


def naive(problem: Problem, sequences: Sequences) -> set[str]:
    before = total(problem, sequences)
    undone = build_plan(problem, sequences).unassigned
    return {
        name for name in undone if any(total(problem, tried) < before for tried in with_visit(problem, sequences, name))
    }


def with_all(problem: Problem, sequences: Sequences, orders: list[str]) -> Sequences:
    """The plan with some orders, one after the other where they cost least."""
    for added in orders:
        sequences = min(with_visit(problem, sequences, added), key=lambda tried: total(problem, tried))
    return sequences


@pytest.fixture(autouse=True)
def _shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few orders at a time, so that there is something to share out."""
    monkeypatch.setattr(completeness, "ORDERS_AT_A_TIME", 2)


def test_an_order_taken_out_can_be_placed_again_and_what_found_no_room_cannot() -> None:
    problem, sequences = planned()
    assert len(build_plan(problem, sequences).unassigned) > 1, "the day has more work than hours"
    assert naive(problem, sequences) == set()
    assert still_placeable(problem, sequences) == []
    first, *others = sequences.routes
    left = replace(sequences, routes=(replace(first, visits=first.visits[1:]), *others))
    found = still_placeable(problem, left)
    assert found
    assert set(found) <= naive(problem, left)
    assert naive(problem, with_all(problem, left, found)) == set()


def test_with_what_it_finds_added_an_empty_plan_is_complete() -> None:
    problem, _ = planned()
    empty = Sequences(())
    found = still_placeable(problem, empty)
    assert found
    assert set(found) <= naive(problem, empty)
    assert naive(problem, with_all(problem, empty, found)) == set()


def test_of_orders_with_the_same_gap_one_is_placeable() -> None:
    orders = [order(name, value=9000) for name in ("A", "B", "C")]
    problem = read(day([engineer("E", shifts=[shift(end="09:30")])], orders))
    assert still_placeable(problem, Sequences(())) == ["A"]


def test_what_pays_only_beside_another_order_is_not_placeable_in_the_plan_as_it_is() -> None:
    far, beside = order("far", "p120", value=90000), order("beside", "p120", minutes=10, value=3000)
    problem = read(day([engineer("E")], [far, beside]))
    assert still_placeable(problem, Sequences(())) == ["far"]
    assert naive(problem, with_all(problem, Sequences(()), ["far"])) == {"beside"}


def test_what_waits_for_an_order_goes_in_after_it() -> None:
    later = order("later", minutes=10, depends_on=[{"work_order": "first"}])
    problem = read(day([engineer("E")], [later, order("first")]))
    assert still_placeable(problem, Sequences(())) == ["first", "later"]


def test_teams_count_and_pinned_work_whatever_it_costs() -> None:
    team = order("team", minutes=30, team={"roles": [role("lead"), role("support")]})
    far = order("far", "p120", value=1, pin={"engineer": "E"})
    problem = read(day([engineer("E"), engineer("F")], [far, team]))
    assert set(still_placeable(problem, Sequences(())) or ()) == {"far", "team"}


def test_without_time_it_is_not_known_and_nothing_goes_on() -> None:
    problem, sequences = planned()
    assert still_placeable(problem, sequences, limit_seconds=0.0) is None
    assert multiprocessing.active_children() == []
