"""Small running plans to ask about: days of single orders with a plan, and every way to put one order more into it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from data.synthetic import FleetSpec, synthetic_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Plan, Rest, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem, ShiftKey
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from tests.small_days import Document, cost_milli, plan_of, read, with_breaks

SMALL = FleetSpec(
    orders=11,
    engineers=4,
    tightness=0.9,
    level_mix={"L1": 0.1, "L2": 0.3, "L3": 0.3, "L4": 0.3},
    skill_graph=True,
    deadlines=True,
    breaks=True,
    overtime=True,
    setup=True,
    duration_factors=True,
    associations=True,
)


@cache
def small_document(seed: int, orders: int = 11) -> Document:
    return synthetic_problem(replace(SMALL, seed=seed, orders=orders))


@cache
def planned_day(seed: int, orders: int = 11) -> tuple[Problem, Sequences]:
    """A problem and what the insertion engine makes of it."""
    problem = read(small_document(seed, orders))
    found = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None, iteration_limit=60))
    return problem, found.sequences


def routes_of(sequences: Sequences) -> dict[ShiftKey, list[str]]:
    """The orders of each route, breaks left out."""
    return {
        (route.engineer, route.shift): [visit.work_order for visit in route.visits if isinstance(visit, Visit)]
        for route in sequences.routes
    }


def without(sequences: Sequences, *orders: str) -> Sequences:
    routes = [
        replace(route, visits=tuple(v for v in route.visits if isinstance(v, Rest) or v.work_order not in orders))
        for route in sequences.routes
    ]
    return replace(sequences, routes=tuple(r for r in routes if any(isinstance(v, Visit) for v in r.visits)))


def best_total(
    problem: Problem, sequences: Sequences, key: ShiftKey, orders: list[str]
) -> tuple[int, Sequences] | None:
    """The cheapest exact total with a route of these orders, over all places of its breaks; None if none will do."""
    others = [route for route in sequences.routes if (route.engineer, route.shift) != key]
    breaks = len(problem.shift_by_key[key].breaks)
    best: tuple[int, Sequences] | None = None
    for visits in with_breaks([Visit(name) for name in orders], breaks) if orders else [()]:
        changed = [*others, RouteSequence(*key, visits)] if visits else others
        trial = replace(sequences, routes=tuple(changed))
        _, evaluation = plan_of(problem, trial)
        if evaluation.feasible and (best is None or cost_milli(evaluation) < best[0]):
            best = cost_milli(evaluation), trial
    return best


def insertions(problem: Problem, sequences: Sequences, order: str) -> Iterator[tuple[ShiftKey, int, Sequences]]:
    """(shift, total, sequences) of the best way to put an order into each route, as trying all of them finds it."""
    routes = routes_of(sequences)
    for key in problem.shift_by_key:
        known = routes.get(key, [])
        found = [
            best_total(problem, sequences, key, [*known[:place], order, *known[place:]])
            for place in range(len(known) + 1)
        ]
        best = min((item for item in found if item is not None), key=lambda item: item[0], default=None)
        if best is not None:
            yield key, *best


def exact_total(problem: Problem, plan: Plan) -> int:
    return cost_milli(evaluate(problem, plan))


def driven(problem: Problem, sequences: Sequences) -> Plan:
    return build_plan(problem, sequences)
