"""The benchmark's check of completeness finds what a naive try of every place finds, and says when it had no time."""

from collections.abc import Iterator
from dataclasses import replace

from api.problems import read_checked_problem
from benchmarks.completeness import still_placeable
from dispatcher.evaluate import evaluate
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from tests.benchmark_days import flat_day


def planned() -> tuple[Problem, Sequences]:
    problem = read_checked_problem(flat_day(orders=14))
    limits = SearchLimits(time_limit_seconds=None, iteration_limit=200)
    engine = InsertionEngine()
    result = engine.solve(problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None)
    return problem, result.sequences


def total(problem: Problem, sequences: Sequences) -> float:
    found = evaluate(problem, build_plan(problem, sequences))
    return found.total if found.feasible else float("inf")


def with_visit(problem: Problem, sequences: Sequences, order: str) -> Iterator[Sequences]:
    """The plan with an order at every place of every shift."""
    driven = {(route.engineer, route.shift): route.visits for route in sequences.routes}
    for engineer in problem.engineers:
        for shift in engineer.shifts:
            visits = driven.get((engineer.id, shift.id), ())
            for position in range(len(visits) + 1):
                longer = (*visits[:position], Visit(order), *visits[position:])
                routes = driven | {(engineer.id, shift.id): longer}
                yield replace(sequences, routes=tuple(RouteSequence(*key, stops) for key, stops in routes.items()))


def naive(problem: Problem, sequences: Sequences) -> set[str]:
    before = total(problem, sequences)
    undone = build_plan(problem, sequences).unassigned
    return {
        name for name in undone if any(total(problem, tried) < before for tried in with_visit(problem, sequences, name))
    }


def with_all(problem: Problem, sequences: Sequences, orders: list[str]) -> Sequences:
    """The plan with some orders, one after the other where they cost least."""
    for order in orders:
        sequences = min(with_visit(problem, sequences, order), key=lambda tried: total(problem, tried))
    return sequences


def test_an_order_taken_out_can_be_placed_again_and_what_found_no_room_cannot() -> None:
    problem, sequences = planned()
    complete = build_plan(problem, sequences).unassigned
    assert complete, "the day has more work than hours"
    assert still_placeable(problem, sequences) == []
    first, *others = sequences.routes
    taken = first.visits[0]
    assert isinstance(taken, Visit)
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


def test_without_time_it_is_not_known() -> None:
    problem, sequences = planned()
    assert still_placeable(problem, sequences, limit_seconds=0.0) is None
