"""Best insertion is exact: it finds what trying every place with the reference rules finds."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.model import WorkOrder
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from solver.day_state import DayState, Placed, Placement
from solver.route_state import RouteState
from solver.stint import make_stint
from solver.team_insertion import TeamComposer
from tests.small_days import (
    Document,
    at,
    cost_milli,
    day,
    engineer,
    order,
    plan_of,
    read,
    rest,
    shift,
    skill,
    starts,
    window,
    with_breaks,
)

CLOCKS = ("08:00", "08:20", "09:00", "09:45", "10:30", "11:10", "12:00", "13:30", "15:00")


def one_route_day(rng: Random, *, later_may_be_cheaper: bool = False) -> Document:
    """A day of one engineer with up to five orders and whatever binds a single route.

    With `later_may_be_cheaper` it may have what asks for a break where the route by itself is not over soonest and
    cheapest: breaks beside traffic (a drive may miss it), and rules over all routes (worst lateness, fairness).
    """

    def chance(probability: float) -> bool:
        return rng.random() < probability

    traffic = chance(0.3)
    places = [f"p{number}" for number in range(rng.randint(2, 4))]
    breaks = []
    for _ in range(0 if traffic and not later_may_be_cheaper else rng.choice((0, 1, 1, 2))):
        first, last = sorted(rng.choices(CLOCKS, k=2))
        breaks.append(rest(first, last, rng.choice((0, 15, 45))))
    fields: dict[str, Any] = {"start_location": places[0], "breaks": breaks}
    if chance(0.3):
        fields["end_location"] = None
    if chance(0.2):
        fields["max_work_orders"] = rng.randint(1, 4)
    weights: list[Document] = [{}, {"distance": 0.25}]
    if later_may_be_cheaper:
        weights.append({"worst_lateness": 3, "fairness": 1})
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
        "travel": _random_travel(rng, places, traffic=traffic),
        "objective": {
            "profile": rng.choice(("balanced", "sla_first", "cost_first")),
            "weights": rng.choice(weights),
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


def _random_travel(rng: Random, places: Sequence[str], *, traffic: bool) -> Document:
    """An asymmetric matrix in which a detour may be shorter than the direct way, with or without traffic."""
    travel: Document = {"kind": "matrix", "location_ids": list(places)}
    for key, largest in (("seconds", 3000), ("meters", 40_000)):
        travel[key] = [[0 if a == b else rng.randrange(largest) for b in places] for a in places]
    if traffic:
        travel["traffic"] = [
            {"from": "08:30", "to": "09:20", "factor": 1.6},
            {"from": "09:20", "to": "11:00", "factor": rng.choice((0.5, 1.15))},
        ]
    return travel


def cheapest(problem: Problem, names: Sequence[str]) -> int | None:
    """The least cost (thousandths) of the only route with these orders in this sequence; None if none is feasible."""
    if not names:
        return cost_milli(plan_of(problem, Sequences())[1])
    shift_of = problem.engineers[0].shifts[0]
    costs = []
    for visits in with_breaks([Visit(name) for name in names], len(shift_of.breaks)):
        _, evaluation = plan_of(problem, Sequences((RouteSequence(problem.engineers[0].id, "day", visits),)))
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


def day_with_a_feasible_route(rng: Random, *, later_may_be_cheaper: bool = False) -> tuple[Problem, list[str], int]:
    """A day, a sequence of orders that is feasible without the last, and what that costs (thousandths)."""
    while True:
        problem = read(one_route_day(rng, later_may_be_cheaper=later_may_be_cheaper))
        names = [item.id for item in problem.work_orders]
        names.sort(key=lambda name: not problem.is_running(problem.order_by_id[name]))
        while names:
            cost = cheapest(problem, names[:-1])
            if cost is not None:
                return problem, names, cost
            names.pop(rng.randrange(len(names)))


def cheapest_with(problem: Problem, placed: Sequence[str], new: str) -> int | None:
    """The least cost of a route with one more order, wherever it stands."""
    places = range(len(placed) + 1)
    costs = (cheapest(problem, [*placed[:place], new, *placed[place:]]) for place in places)
    return min((cost for cost in costs if cost is not None), default=None)


def assert_exact(problem: Problem, placed: Sequence[str], new: str) -> None:
    """The best insertion changes the total by as much as the best of all places and all places of the breaks."""
    before, after = cheapest(problem, placed), cheapest_with(problem, placed, new)
    assert before is not None
    stint = make_stint(problem, problem.engineers[0], problem.order_by_id[new])
    found = None if stint is None else route_with(problem, placed).best_insertion(stint)
    if after is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] - DayState(problem).unserved_cost(problem.order_by_id[new]) == after - before


@given(seed=st.integers(0, 2**32))
def test_best_insertion_finds_the_best_of_every_place_and_every_place_of_the_breaks(seed: int) -> None:
    problem, names, _ = day_with_a_feasible_route(Random(seed))
    *placed, new = names
    assert_exact(problem, placed, new)


@given(seed=st.integers(0, 2**32))
def test_a_place_is_found_exactly_where_there_is_one(seed: int) -> None:
    problem, names, _ = day_with_a_feasible_route(Random(seed), later_may_be_cheaper=True)
    *placed, new = names
    state = DayState(problem)
    state.routes[0] = route_with(problem, placed)
    stint = make_stint(problem, problem.engineers[0], problem.order_by_id[new])
    found = None if stint is None else state.routes[0].best_insertion(stint, price=state.price_for(0))
    assert (found is None) == (cheapest_with(problem, placed, new) is None)


@given(seed=st.integers(0, 2**32))
def test_a_bound_on_the_price_leaves_out_nothing_cheaper(seed: int) -> None:
    problem, names, _ = day_with_a_feasible_route(Random(seed))
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
    state = DayState(problem)
    undone = sum(state.unserved_cost(item) for item in problem.work_orders if item.id not in placed)
    assert route_with(problem, placed).cost == cost - undone


def best_single(state: DayState, item: WorkOrder) -> Placement | None:
    """The cheapest way to place an order without a team, over all routes."""
    bounds = state.bounds(item)
    if bounds is None:
        return None
    best: Placement | None = None
    for person in state.engineers_for(item):
        stint = make_stint(state.problem, person, item)
        if stint is None or (item.pin is not None and item.pin.engineer != person.id):
            continue
        stint = stint.held(not_before=bounds[0], not_after=bounds[1])
        for index in state.routes_of[person.id]:
            if not state.has_parts(item, (index,)):
                continue
            found = state.routes[index].best_insertion(stint, price=state.price_for(index))
            if found is None:
                continue
            company = state.company_cost(item, (person.id,), (person.id,))
            delta = found[0] + company - state.unserved_cost(item)
            if best is None or delta < best.delta:
                best = Placement(item, delta, (Placed(index, found[1].position, stint),))
    return best


@pytest.mark.parametrize("seed", range(150))
def test_a_placement_changes_the_total_by_exactly_its_delta(seed: int) -> None:
    """With any feature of the document but two: a predecessor placed elsewhere may let its successors start earlier,
    and a member of a team that has promised an arrival may move a break once the others' arrivals are known.
    """
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(4, 12), engineers=rng.randint(1, 6))
    for item in document["work_orders"]:
        item.pop("depends_on", None)
        if item.get("team"):
            (item.get("deadlines") or {}).pop("arrive_by", None)
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


def test_running_work_is_put_at_the_head_of_a_route_that_has_work() -> None:
    document = day(
        [engineer("A")],
        [order("later", "p30"), order("running", "p10", pin={"engineer": "A", "start": at("08:30")})],
        now=at("09:00"),
    )
    problem = read(document)
    state = DayState(problem)
    for name in ("later", "running"):
        placement = best_single(state, problem.order_by_id[name])
        assert placement is not None
        state.commit(placement)
    plan, evaluation = plan_of(problem, state.sequences())
    assert evaluation.findings == ()
    assert starts(plan) == {("running", "A"): "08:30", ("later", "A"): "09:50"}


def test_the_place_that_saves_the_longest_setup_is_found_behind_one_that_saves_a_short_one() -> None:
    late = {"restore_by": at("08:00")}
    orders = [
        order("first", "p0", setup_seconds=60, deadlines=late),
        order("between", "p10"),
        order("last", "p0", setup_seconds=3600, deadlines=late),
        order("new", "p0", 0),
    ]
    assert_exact(read(day([engineer("A")], orders)), ["first", "between", "last"], "new")


def test_the_place_that_shortens_the_way_most_is_found_behind_one_that_shortens_it_little() -> None:
    """A matrix is taken as given: a detour over p20 may be faster than the direct way."""
    places = ["p0", "p10", "p20", "p30"]
    minutes = [[0, 60, 5, 60], [60, 0, 5, 60], [60, 50, 0, 5], [10, 60, 60, 0]]
    travel = {"kind": "matrix", "location_ids": places, "seconds": [[60 * cell for cell in row] for row in minutes]}
    late: Document = {"level": "L1", "deadlines": {"restore_by": at("08:00")}}
    orders = [order("first", "p10", **late), order("last", "p30", **late), order("new", "p20", 0)]
    locations: Document = {place: {} for place in places}
    assert_exact(read(day([engineer("A")], orders, travel=travel, locations=locations)), ["first", "last"], "new")
