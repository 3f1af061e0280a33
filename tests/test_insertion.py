"""Best insertion is exact: it finds what trying every place with the reference rules finds."""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.model import WorkOrder
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from solver.day_state import DayState, Placed, Placement
from solver.route_state import RouteState
from solver.stint import make_stint
from solver.team_insertion import TeamComposer
from tests.small_days import Document, at, cost_milli, order, plan_of, read, rest, shift, skill, window

CLOCKS = ("08:00", "08:20", "09:00", "09:45", "10:30", "11:10", "12:00", "13:30", "15:00")


def one_route_day(rng: Random) -> Document:
    """A day of one engineer with up to five orders and whatever binds a single route.

    Left out is what makes a later start cheaper (a current plan, certificates that run out where another skill
    substitutes): there a route's labels keep the earliest and the cheapest way, not all between.
    """

    def chance(probability: float) -> bool:
        return rng.random() < probability

    places = [f"p{number}" for number in range(rng.randint(2, 4))]
    breaks = []
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        first, last = sorted(rng.choices(CLOCKS, k=2))
        breaks.append(rest(first, last, rng.choice((0, 15, 45))))
    fields: dict[str, Any] = {"start_location": places[0], "breaks": breaks}
    if chance(0.3):
        fields["end_location"] = None
    if chance(0.2):
        fields["max_work_orders"] = rng.randint(1, 4)
    now = rng.choice(("07:00", "07:00", "09:10", "10:30"))
    orders = [_random_order(rng, f"W{number}", rng.choice(places)) for number in range(rng.randint(1, 5))]
    if now != "07:00" and chance(0.4):
        begun = rng.choice(("07:30", "08:45", "09:09"))
        rng.choice(orders)["pin"] = {"engineer": "E", "start": at(begun)}
    return {
        "version": 1,
        "id": "one-route",
        "timezone": "UTC",
        "now": at(now),
        "horizon": {"start": at("00:00"), "end": at("23:59")},
        "locations": {place: {} for place in places},
        "engineers": [
            {
                "id": "E",
                "skills": [skill("a", 3, rng.choice((None, "09:30", "11:00"))), skill("b", 2)],
                "shifts": [
                    shift("08:00", rng.choice(("11:00", "13:00", "16:00")), rng.choice(("16:00", "17:30")), **fields)
                ],
                "speed_factor": rng.choice((1, 1, 0.8, 1.37)),
                "duration_factors": rng.choice(({}, {"a": 1.15})),
            }
        ],
        "work_orders": orders,
        "travel": _random_travel(rng, places),
        "objective": {
            "profile": rng.choice(("balanced", "sla_first", "cost_first")),
            "weights": rng.choice(({}, {"distance": 0.25}, {"worst_lateness": 3, "fairness": 1})),
        },
    }


def _random_order(rng: Random, name: str, place: str) -> Document:
    fields: Document = {"level": rng.choice(("L1", "L2", "L3", "L4"))}
    if rng.random() < 0.3:
        fields["setup_seconds"] = rng.choice((60, 600, 3000))
    if rng.random() < 0.4:
        pairs = [sorted(rng.choices(CLOCKS, k=2)) for _ in range(rng.randint(1, 2))]
        fields["time_windows"] = [window(first, last) for first, last in pairs]
    if rng.random() < 0.5:
        kinds = rng.sample(("arrive_by", "start_by", "restore_by"), rng.randint(1, 3))
        fields["deadlines"] = {kind: at(rng.choice(CLOCKS)) for kind in kinds}
    if rng.random() < 0.3:
        fields["required_skills"] = [skill(rng.choice("ab"), rng.choice((1, 2)))]
    return order(name, place, rng.choice((0, 10, 40, 90)), **fields)


def _random_travel(rng: Random, places: Sequence[str]) -> Document:
    """An asymmetric matrix in which a detour may be shorter than the direct way, with or without traffic."""
    travel: Document = {"kind": "matrix", "location_ids": list(places)}
    for key, largest in (("seconds", 3000), ("meters", 40_000)):
        travel[key] = [[0 if a == b else rng.randrange(largest) for b in places] for a in places]
    if rng.random() < 0.4:
        travel["traffic"] = [
            {"from": "08:30", "to": "09:20", "factor": 1.6},
            {"from": "09:20", "to": "11:00", "factor": rng.choice((0.5, 1.15))},
        ]
    return travel


def with_breaks(visits: Sequence[Visit], breaks: int) -> Iterator[tuple[Visit | Rest, ...]]:
    """The visits with every choice of breaks at every place between them."""
    for count in range(breaks + 1):
        for taken in permutations(range(breaks), count):
            for places in combinations(range(len(visits) + count), count):
                rests, stops = iter(taken), iter(visits)
                yield tuple(
                    Rest(next(rests)) if place in places else next(stops) for place in range(len(visits) + count)
                )


def cheapest(problem: Problem, names: Sequence[str]) -> int | None:
    """The least cost (thousandths) of the only route with these orders in this sequence; None if none is feasible."""
    if not names:
        return cost_milli(plan_of(problem, Sequences())[1])
    shift_of = problem.engineers[0].shifts[0]
    costs = []
    for visits in with_breaks([Visit(name) for name in names], len(shift_of.breaks)):
        _, evaluation = plan_of(problem, Sequences((RouteSequence("E", "day", visits),)))
        if evaluation.feasible:
            costs.append(cost_milli(evaluation))
    return min(costs, default=None)


def route_with(problem: Problem, names: Sequence[str]) -> RouteState:
    stints = []
    for name in names:
        stint = make_stint(problem, problem.engineers[0], problem.order_by_id[name])
        assert stint is not None
        stints.append(stint)
    return RouteState.of(problem, problem.engineers[0], problem.engineers[0].shifts[0], stints)


def day_with_a_feasible_route(rng: Random) -> tuple[Problem, list[str], int]:
    """A day, the sequence of its orders but the last that is feasible, and what that costs (thousandths)."""
    while True:
        problem = read(one_route_day(rng))
        names = [item.id for item in problem.work_orders]
        names.sort(key=lambda name: not problem.is_running(problem.order_by_id[name]))
        while names:
            cost = cheapest(problem, names[:-1])
            if cost is not None:
                return problem, names, cost
            names.pop(rng.randrange(len(names)))


@given(seed=st.integers(0, 2**32))
def test_best_insertion_finds_the_best_of_every_place_and_every_place_of_the_breaks(seed: int) -> None:
    rng = Random(seed)
    problem, names, before = day_with_a_feasible_route(rng)
    *placed, new = names
    tried = [cheapest(problem, [*placed[:place], new, *placed[place:]]) for place in range(len(names))]
    after = min((cost for cost in tried if cost is not None), default=None)

    state = DayState(problem)
    state.routes[0] = route_with(problem, placed)
    stint = make_stint(problem, problem.engineers[0], problem.order_by_id[new])
    found = None if stint is None else state.routes[0].best_insertion(stint, price=state.price_for(0))
    if after is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] - state.unserved_cost(problem.order_by_id[new]) == after - before


@given(seed=st.integers(0, 2**32))
def test_a_bound_on_the_price_leaves_out_nothing_cheaper(seed: int) -> None:
    rng = Random(seed)
    problem, names, _ = day_with_a_feasible_route(rng)
    *placed, new = names
    route = route_with(problem, placed)
    stint = make_stint(problem, problem.engineers[0], problem.order_by_id[new])
    if stint is None:
        return
    best = route.best_insertion(stint)
    if best is None:
        assert route.best_insertion(stint, below=0) is None
        return
    assert route.best_insertion(stint, below=best[0] + 1) == best
    bounded = route.best_insertion(stint, below=best[0] - 1)
    assert bounded is None or bounded[0] >= best[0]


@given(seed=st.integers(0, 2**32))
def test_a_route_costs_what_the_evaluation_says(seed: int) -> None:
    problem, names, cost = day_with_a_feasible_route(Random(seed))
    *placed, _ = names
    if any(problem.weights.of(rule) for rule in ("worst_lateness", "fairness")):
        return
    state = DayState(problem)
    undone = sum(state.unserved_cost(item) for item in problem.work_orders if item.id not in placed)
    assert route_with(problem, placed).cost == cost - undone


def best_single(state: DayState, item: WorkOrder) -> Placement | None:
    """The cheapest way to place an order without a team, over all routes."""
    bounds = state.bounds(item)
    if bounds is None:
        return None
    best: Placement | None = None
    for engineer in state.engineers_for(item):
        stint = make_stint(state.problem, engineer, item)
        if stint is None or (item.pin is not None and item.pin.engineer != engineer.id):
            continue
        stint = stint.held(not_before=bounds[0], not_after=bounds[1])
        for index in state.routes_of[engineer.id]:
            if not state.has_parts(item, (index,)):
                continue
            found = state.routes[index].best_insertion(stint, price=state.price_for(index))
            if found is None:
                continue
            company = state.company_cost(item, (engineer.id,), (engineer.id,))
            delta = found[0] + company - state.unserved_cost(item)
            if best is None or delta < best.delta:
                best = Placement(item, delta, (Placed(index, found[1].position, stint),))
    return best


@pytest.mark.parametrize("seed", range(150))
def test_a_placement_changes_the_total_by_exactly_its_delta(seed: int) -> None:
    """With any feature of the document but dependencies, where placing one order lets others start earlier."""
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(4, 12), engineers=rng.randint(1, 6))
    for item in document["work_orders"]:
        item.pop("depends_on", None)
    problem = read_problem(document, problem_travel)
    state = DayState(problem)
    _, before = plan_of(problem, state.sequences())
    todo = sorted(problem.work_orders, key=lambda item: (not problem.is_running(item), rng.random()))
    for item in todo:
        placement = best_single(state, item) if item.team is None else TeamComposer(state, item).best()
        if placement is None:
            continue
        state.commit(placement)
        _, after = plan_of(problem, state.sequences())
        assert after.findings == ()
        assert cost_milli(after) - cost_milli(before) == placement.delta
        before = after
