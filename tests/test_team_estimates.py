"""What estimates say of a running day: where displaced work could go, and who is worth calling."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pytest

from dispatcher.model import WorkOrder
from dispatcher.problem import Problem
from solver.route_state import Insertion, RouteState
from solver.stint import FAR_FUTURE, Stint, unserved_cost
from solver.team_options.composer import Choice, EmergencyComposer
from solver.team_options.elsewhere import cheapest_place, plain_stint, ranked_routes
from solver.team_options.gaps import DELAYS, IMPOSSIBLE, _late, _late_alone, between
from solver.team_options.options import changes_between
from solver.team_options.warm_day import WarmDay, warm_day
from solver.teams import team_options
from tests.small_days import day, order, read, window
from tests.test_teams import FITTER, NOW, crew, day_under_way, emergency, running


def day_without_shared_rules(seed: int) -> tuple[Problem, WarmDay]:
    """With rules over all routes a price is only true for the present state, and nothing is kept."""
    _, problem, plan = day_under_way(seed)
    flat = {**problem.weights.flat, "worst_lateness": 0, "fairness": 0}
    problem = replace(problem, weights=replace(problem.weights, flat=flat))
    return problem, warm_day(problem, plan)


def places_to_ask(problem: Problem, warm: WarmDay) -> Iterator[tuple[WorkOrder, tuple[int, int], Stint, int]]:
    """(order, bounds, stint, route) of every single order on every route that could take it."""
    for item in problem.work_orders:
        bounds = warm.state.bounds(item)
        if item.team is not None or bounds is None:
            continue
        for _, index in ranked_routes(warm, warm.state, item, bounds):
            stint = plain_stint(warm, warm.state, item, index, bounds)
            if stint is not None:
                yield item, bounds, stint, index


@pytest.mark.parametrize("seed", range(4))
def test_an_estimate_names_only_routes_whose_people_may_do_the_work(seed: int) -> None:
    _, problem, plan = day_under_way(seed)
    warm = warm_day(problem, plan)
    for item in problem.work_orders:
        if item.team is None:
            bounds = warm.state.bounds(item)
            for _, index in ranked_routes(warm, warm.state, item, bounds) if bounds is not None else ():
                engineer = warm.state.routes[index].engineer
                assert item.admits(engineer.id)
                assert problem.holds(engineer, item.required_skills, problem.now)
                assert index not in warm.state.served.get(item.id, ())


@pytest.mark.parametrize("seed", range(4))
def test_a_place_that_was_found_before_is_the_one_that_would_be_found_again(seed: int) -> None:
    problem, warm = day_without_shared_rules(seed)
    assert not warm.state.has_shared_rules
    for _, bounds, stint, index in places_to_ask(problem, warm):
        route = warm.state.routes[index]
        price = warm.state.price_for(index) or partial(_dearer_by, route)
        driven = route.best_insertion(stint, price=price)
        for below in (0, *(() if driven is None else (driven[0], driven[0] + 1, driven[0] - 1)), 10**12):
            found = cheapest_place(warm, warm.state, stint, index, bounds, below)
            assert found == (driven if driven is not None and driven[0] < below else None)
    assert warm.kept.places


def test_on_a_route_that_has_changed_no_place_from_before_is_taken() -> None:
    problem, warm = day_without_shared_rules(1)
    differing = 0
    for item, bounds, stint, index in places_to_ask(problem, warm):
        others = [one.order for one in warm.state.routes[index].stints if one.order.team is None]
        if item in others or not others or problem.is_running(others[-1]):
            continue
        before = cheapest_place(warm, warm.state, stint, index, bounds, 10**12)
        changed = warm.state.fork()
        changed.take_out([others[-1].id])
        route = changed.routes[index]
        driven = route.best_insertion(stint, price=changed.price_for(index) or partial(_dearer_by, route))
        found = cheapest_place(warm, changed, stint, index, bounds, 10**12)
        assert found == (driven if driven is not None and driven[0] < 10**12 else None)
        differing += found != before
    assert differing


def _dearer_by(route: RouteState, found: Insertion) -> int:
    return found.label.cost - route.cost


def test_a_stop_costs_its_detour_where_there_is_time_and_cannot_be_where_the_window_is_over() -> None:
    early = order("E", "p30", 30, time_windows=[window("08:00", "10:00")])
    late = order("L", "p60", 30)
    problem = read(day([*crew(a="p30", b="p60")], [early, late, order("X", "p30", 30)], **NOW))
    warm = warm_day(problem, running(problem, a="X"))
    everybody = np.ones(len(warm.state.routes), dtype=np.bool_)
    over, free = (
        warm.gaps.cost_by_route(problem.order_by_id[name], (problem.now, problem.end), everybody) for name in "EL"
    )
    assert (over >= IMPOSSIBLE).all()
    by_route = {route.engineer.id: cost for route, cost in zip(warm.state.routes, free, strict=True)}
    assert by_route["b"] == 0
    assert 0 < by_route["a"] < IMPOSSIBLE


def test_a_table_is_read_on_straight_lines_between_its_delays_and_beyond_them() -> None:
    rng = np.random.default_rng(1)
    table = np.cumsum(rng.integers(0, 1000, (5, len(DELAYS))), axis=1).astype(np.float64)
    table[:, 0] = 0
    rows = rng.integers(0, 5, (200, 3))
    delays = np.where(rng.random((200, 3)) < 0.2, 0.0, rng.integers(0, 30_000, (200, 3)))
    found = between(table, rows, delays)
    for row, delay, cost in zip(rows.ravel(), delays.ravel(), found.ravel(), strict=True):
        slope = (table[row, -1] - table[row, -2]) / (DELAYS[-1] - DELAYS[-2])
        beyond = max(0.0, delay - DELAYS[-1]) * slope
        assert cost == pytest.approx(np.interp(delay, DELAYS, table[row]) + beyond)


def test_lateness_of_one_order_costs_what_the_table_of_all_says_whatever_is_due_of_it() -> None:
    rng = np.random.default_rng(2)
    times = rng.uniform(0, 27_400, (3, 50))
    for due in product((FAR_FUTURE, 5_000), repeat=3):
        terms = (*due, *rng.integers(0, 9_000, 6).tolist())
        table = _late(np.array(terms, dtype=np.float64)[:, None], times)
        alone = _late_alone(terms, (times[0], times[1], times[2]))
        assert (np.zeros(50) + alone == table).all()


@pytest.mark.parametrize("seed", range(2))
def test_an_order_in_another_version_has_its_own_cost_of_being_left_undone(seed: int) -> None:
    _, problem, plan = day_under_way(seed)
    warm = warm_day(problem, plan)
    for item in problem.work_orders[:5]:
        before = warm.state.unserved_cost(item)
        dearer = replace(item, value=item.value + 1)
        orders = tuple(dearer if other is item else other for other in problem.work_orders)
        other = warm.state.fork(replace(problem, work_orders=orders))
        assert other.unserved_cost(dearer) == unserved_cost(other.problem, dearer) > before
        assert warm.state.unserved_cost(item) == before == unserved_cost(problem, item)
        assert warm.state.fork().unserved_cost(item) == before


def test_an_order_whose_deadline_alone_was_changed_is_named_as_changed() -> None:
    due = order("X", "p30", 30, deadlines={"arrive_by": window("08:00", "09:00")["end"]})
    problem = read(day([*crew(a="p30")], [due, order("Y", "p30", 30)], **NOW))
    warm = warm_day(problem, running(problem, a="XY"))
    before = warm.facts.services
    late = replace(before["X"].order, deadlines=replace(before["X"].order.deadlines, arrive_by=problem.now + 86_400))
    after = {**before, "X": replace(before["X"], order=late)}
    assert [change.work_order for change in changes_between(before, after, apart_from="", displaced=frozenset())] == [
        "X"
    ]
    assert changes_between(before, dict(before), apart_from="", displaced=frozenset()) == ()


def test_whoever_may_come_in_two_roles_comes_at_the_times_of_each_role_asked_alone() -> None:
    compared = shared = 0
    for seed in range(4):
        _, problem, plan = day_under_way(seed)
        warm = warm_day(problem, plan)
        span = (problem.now + 3600, problem.now + 3600)
        for item in problem.work_orders:
            state = warm.state.fork()
            state.take_out(state.bound_with([item.id]))
            if item.team is None or problem.is_running(item) or state.bounds(item) is None:
                continue
            together = EmergencyComposer(warm, state, item, may_displace=True)
            on_site = [role for role in item.team.roles if role.presence == "on_site"]
            for engineer, role, size in product(problem.engineers[:6], on_site, (2, 3)):
                alone = EmergencyComposer(warm, state, item, may_displace=True)
                known = len(together._insertions)
                ways = together._ways_of(engineer, role, size, span)
                assert [_times_of(way) for way in ways] == [
                    _times_of(way) for way in alone._ways_of(engineer, role, size, span)
                ]
                assert all(way.role is role and way.stint.role == role.name for way in ways)
                compared += len(ways)
                shared += bool(ways) and len(together._insertions) == known
    assert compared
    assert shared


def _times_of(way: Choice) -> tuple[object, ...]:
    return way.delta, way.harm, way.displaced, way.made.arrival, way.made.start, way.made.end, way.insertion.position


def test_a_question_leaves_the_collector_of_garbage_as_it_was() -> None:
    problem = read(
        day([*crew(A="p30", b="p30")], [emergency(), order("X", "p30", 60, required_skills=[FITTER])], **NOW)
    )
    warm = warm_day(problem, running(problem, A="X"))
    assert gc.isenabled()
    assert team_options(warm, "NEW").options
    assert gc.isenabled()
    gc.disable()
    try:
        assert team_options(warm, "NEW").options
        assert not gc.isenabled()
    finally:
        gc.enable()
