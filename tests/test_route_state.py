"""Routes under construction: the times and costs they hold are those of the reference rules."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.route_state import Insertion, RouteState
from solver.stint import Stint, make_stint
from tests.small_days import (
    Document,
    at,
    clock,
    cost_milli,
    day,
    engineer,
    order,
    plan_of,
    read,
    rest,
    role,
    seconds,
    shift,
    skill,
    window,
)


def stint_of(problem: Problem, name: str, role_name: str | None = None) -> Stint:
    stint = make_stint(problem, problem.engineers[0], problem.order_by_id[name], role_name)
    assert stint is not None
    return stint


def route_of(problem: Problem, *names: str) -> RouteState:
    person = problem.engineers[0]
    return RouteState.of(problem, person, person.shifts[0], [stint_of(problem, name) for name in names])


def timetable(route: RouteState) -> list[tuple[str, str, str]]:
    """(order or "break", start, end) along a route."""
    return [
        (made.stint.order.id if made.stint else "break", clock(made.start), clock(made.end)) for made in route.made()
    ]


def planned(seed: int) -> tuple[Problem, DayState]:
    """A random problem and the state of the day that stands for the plan the engine makes of it."""
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(1, 12), engineers=rng.randint(1, 6))
    problem = read_problem(document, problem_travel)
    result = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None))
    return problem, DayState.of_plan(problem, plan_of(problem, result.sequences)[0])


@given(seed=st.integers(0, 2**32))
def test_the_state_of_a_plan_keeps_every_rule_and_costs_no_more(seed: int) -> None:
    problem, state = planned(seed)
    plan, evaluation = plan_of(problem, state.sequences())
    assert evaluation.findings == ()
    result = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None))
    assert cost_milli(evaluation) <= cost_milli(plan_of(problem, result.sequences)[1])
    assert set(state.served) == {stop.work_order for route in plan.routes for stop in route.stops if stop.work_order}


@given(seed=st.integers(0, 2**32))
def test_a_route_has_the_times_the_reference_schedule_has(seed: int) -> None:
    problem, state = planned(seed)
    routes = {(route.engineer, route.shift): route for route in plan_of(problem, state.sequences())[0].routes}
    for route in state.routes:
        if not route.stints:
            assert route.key not in routes
            continue
        expected = [
            (s.work_order, s.start, s.end) for s in routes[route.key].stops if s.kind in ("work_order", "break")
        ]
        assert [(m.stint.order.id if m.stint else None, m.start, m.end) for m in route.made()] == expected


@given(seed=st.integers(0, 2**32))
def test_taking_a_stop_out_and_putting_it_back_changes_nothing(seed: int) -> None:
    _, state = planned(seed)
    for route in state.routes:
        cost, made = route.cost, route.made()
        for position in range(len(route.stints)):
            route.insert(position, route.remove(position))
            assert (route.cost, route.made()) == (cost, made)


@given(seed=st.integers(0, 2**32))
def test_a_route_driven_again_behind_a_change_is_the_route_driven_as_a_whole(seed: int) -> None:
    problem, state = planned(seed)
    for route in state.routes:
        as_a_whole = replace(route.shift)  # a shift that is not the same object is driven from the start
        for left_out in range(len(route.stints)):
            stints = route.stints[:left_out] + route.stints[left_out + 1 :]
            behind, whole = route.varied(route.shift, stints), route.varied(as_a_whole, stints)
            assert (behind.label, behind.made(), behind.end()) == (whole.label, whole.made(), whole.end())
            for item in problem.work_orders:
                stint = make_stint(problem, route.engineer, item)
                if item.team is None and stint is not None and stint.running_since is None:
                    assert behind.best_insertion(stint) == whole.best_insertion(stint)


@given(seed=st.integers(0, 2**32), instant=st.floats(0, 1))
def test_no_place_is_lost_where_a_break_is_said_not_to_fit_beside_a_stop(seed: int, instant: float) -> None:
    problem, state = planned(seed)
    for route in state.routes:
        start = route.shift.start + int(instant * (route.shift.end - route.shift.start))
        for item in problem.work_orders:
            stint = make_stint(problem, route.engineer, item)
            if item.team is None and stint is not None and stint.running_since is None:
                held = replace(stint, windows=(), not_before=start, not_after=start)
                emptied = route.varied(route.shift, [own for own in route.stints if own.running_since is not None])
                if not route.can_rest_beside(held):
                    assert route.best_insertion(held) is None
                    assert emptied.best_insertion(held) is None


def test_a_break_fits_beside_a_stop_that_leaves_time_before_or_behind_it() -> None:
    problem = read(day([engineer("A", shifts=[shift(breaks=[rest("11:30", "12:30", 30)])])], [order("W", "p10", 120)]))
    route, stint = route_of(problem), stint_of(problem, "W")

    def fits(start: str) -> bool:
        instant = seconds(start)
        return route.can_rest_beside(replace(stint, not_before=instant, not_after=instant))

    assert [fits(start) for start in ("10:30", "10:31", "11:59", "12:00")] == [True, False, False, True]


@given(seed=st.integers(0, 2**32))
def test_testing_an_insertion_leaves_the_route_as_it_is(seed: int) -> None:
    problem, state = planned(seed)
    for route in state.routes:
        before = (route.cost, route.made(), route.end(), list(route.stints))
        for item in problem.work_orders:
            stint = make_stint(problem, route.engineer, item)
            if item.team is None and stint is not None:
                route.best_insertion(stint)
        assert (route.cost, route.made(), route.end(), list(route.stints)) == before


@given(seed=st.integers(0, 2**32), share=st.floats(0, 1.5))
def test_the_cheapest_place_is_found_without_driving_every_one(seed: int, share: float) -> None:
    problem, state = planned(seed)
    for work in problem.work_orders:
        role_name = None if work.team is None else work.team.roles[0].name
        for route in state.routes:
            stint = make_stint(problem, route.engineer, work, role_name)
            if stint is None or work.id in {other.order.id for other in route.stints}:
                continue

            def dearer_by(found: Insertion, before: int = route.cost) -> int:
                return found.label.cost - before

            driven = route.best_insertion(stint, price=dearer_by)
            assert route.best_insertion(stint) == driven
            if driven is not None:
                below = int(driven[0] * share) + 1
                found = route.best_insertion(stint, below=below)
                assert found == driven if driven[0] < below else found is None or found[0] >= below


def test_an_empty_route_costs_nothing_and_is_feasible() -> None:
    route = route_of(read(day([engineer("A")], [])))
    assert (route.cost, route.made(), route.feasible, route.worst_lateness) == (0, [], True, 0)


def test_a_break_is_taken_where_the_route_is_cheapest() -> None:
    """Before the first leg the break would make the stop late; behind it, it costs nothing."""
    noon = rest("08:00", "11:00", 60)
    late = {"arrive_by": at("08:30")}
    problem = read(day([engineer("A", shifts=[shift(breaks=[noon])])], [order("W", "p30", deadlines=late)]))
    assert timetable(route_of(problem, "W")) == [("W", "08:30", "09:30"), ("break", "09:30", "10:30")]


def test_a_break_that_would_be_too_late_behind_the_stop_is_taken_before_it() -> None:
    problem = read(day([engineer("A", shifts=[shift(breaks=[rest("08:00", "09:00")])])], [order("W", "p30")]))
    assert timetable(route_of(problem, "W")) == [("break", "08:00", "08:30"), ("W", "09:00", "10:00")]


def test_two_breaks_are_taken_in_the_order_that_fits() -> None:
    breaks = [rest("12:00", "12:00"), rest("08:00", "08:45", 15)]
    problem = read(day([engineer("A", shifts=[shift(breaks=breaks)])], [order("W", "p30", 180)]))
    assert timetable(route_of(problem, "W")) == [
        ("break", "08:00", "08:15"),
        ("W", "08:45", "11:45"),
        ("break", "12:00", "12:30"),
    ]


def test_a_break_that_fits_nowhere_makes_the_route_infeasible() -> None:
    problem = read(day([engineer("A", shifts=[shift(breaks=[rest("13:00", "13:00")])])], [order("W", minutes=400)]))
    route = route_of(problem)
    assert route.best_insertion(stint_of(problem, "W")) is None
    route.insert(0, stint_of(problem, "W"))
    assert not route.feasible


def test_setup_is_paid_by_the_first_of_consecutive_stops_at_one_place() -> None:
    fields = {"setup_seconds": 900}
    orders = [order("V", "p10", 60, **fields), order("W", "p10", 60, **fields), order("X", "p20", 60, **fields)]
    problem = read(day([engineer("A", shifts=[shift(breaks=[rest("08:30", "10:00")])])], orders))
    assert timetable(route_of(problem, "V", "W", "X")) == [
        ("V", "08:10", "09:25"),
        ("break", "09:25", "09:55"),
        ("W", "09:55", "10:55"),
        ("X", "11:05", "12:20"),
    ]


def test_a_remote_stop_costs_no_way_and_keeps_the_engineer_where_they_are() -> None:
    team = {"roles": [role("lead", presence="remote"), role("hands")]}
    orders = [order("V", "p10"), order("T", "p120", 30, team=team), order("W", "p20")]
    problem = read(day([engineer("A")], orders))
    route = route_of(problem, "V")
    route.insert(1, stint_of(problem, "T", "lead"))
    route.insert(2, stint_of(problem, "W"))
    assert timetable(route) == [("V", "08:10", "09:10"), ("T", "09:10", "09:40"), ("W", "09:50", "10:50")]
    assert route.end() == (seconds("11:10"), 1200)
    assert route.busy_seconds == 60 * (10 + 60 + 30 + 10 + 60 + 20)


def test_an_open_route_ends_after_its_last_stop() -> None:
    problem = read(day([engineer("A", shifts=[shift(end_location=None)])], [order("W", "p30")]))
    assert route_of(problem, "W").end() == (seconds("09:30"), 0)


@pytest.mark.parametrize(
    ("bounds", "start"),
    [
        ({"not_before": seconds("10:00")}, "10:00"),
        ({"not_after": seconds("08:30")}, "08:30"),
        ({"not_after": seconds("08:30") - 1}, None),
        ({"end_by": seconds("09:30")}, "08:30"),
        ({"end_by": seconds("09:30") - 1}, None),
    ],
)
def test_bounds_on_the_start_and_the_end_are_inclusive(bounds: dict[str, Any], start: str | None) -> None:
    problem = read(day([engineer("A")], [order("W", "p30")]))
    route = route_of(problem)
    stint = replace(stint_of(problem, "W"), **bounds)
    found = route.best_insertion(stint)
    assert (found is None) == (start is None)
    if found is not None:
        route.insert(found[1].position, stint)
        assert timetable(route)[0][1] == start


@pytest.mark.parametrize(
    ("windows", "start"),
    [
        ([("08:00", "08:30")], "08:30"),
        ([("07:00", "08:29")], None),
        ([("07:00", "08:29"), ("11:00", "11:00")], "11:00"),
        ([("12:00", "13:00"), ("09:00", "10:00")], "09:00"),
        ([("08:00", "09:00"), ("08:45", "12:00")], "08:30"),
    ],
)
def test_the_first_window_that_is_not_over_is_waited_for(windows: list[tuple[str, str]], start: str | None) -> None:
    spans = [window(*span) for span in windows]
    problem = read(day([engineer("A")], [order("W", "p30", time_windows=spans)]))
    route = route_of(problem)
    found = route.best_insertion(stint_of(problem, "W"))
    assert (found is None) == (start is None)
    if found is not None:
        route.insert(0, stint_of(problem, "W"))
        assert timetable(route)[0][1] == start


def test_a_full_shift_and_a_closed_one_take_no_more() -> None:
    problem = read(day([engineer("A", shifts=[shift(max_work_orders=1)])], [order("V"), order("W")]))
    route = route_of(problem)
    assert route.best_insertion(stint_of(problem, "V")) is not None
    route.insert(0, stint_of(problem, "V"))
    assert route.best_insertion(stint_of(problem, "W")) is None
    closed = route_of(problem)
    closed.is_closed = True
    assert closed.best_insertion(stint_of(problem, "W")) is None


def test_a_successor_never_stands_before_what_it_waits_for() -> None:
    orders = [order("V", "p30"), order("W", "p10", depends_on=[{"work_order": "V"}])]
    problem = read(day([engineer("A")], orders))
    found = route_of(problem, "V").best_insertion(stint_of(problem, "W"))
    assert found is not None
    assert found[1].position == 1


def test_a_certificate_holds_up_to_its_last_second_and_then_not() -> None:
    def insertion(until: str) -> object:
        wanted = [skill("crane")]
        document = day([engineer("A", skill("crane", until=until))], [order("W", "p30", required_skills=wanted)])
        problem = read(document)
        return route_of(problem).best_insertion(stint_of(problem, "W"))

    assert insertion("08:30") is not None
    assert insertion("08:29:59") is None


def test_a_price_may_refuse_a_place_and_the_next_best_is_taken() -> None:
    problem = read(day([engineer("A")], [order("V", "p30"), order("W", "p30")]))
    route = route_of(problem, "V")
    stint = stint_of(problem, "W")
    best = route.best_insertion(stint)
    assert best is not None
    refused = best[1].position
    other = route.best_insertion(stint, price=lambda found: None if found.position == refused else found.label.cost)
    assert other is not None
    assert other[1].position != refused
    assert route.best_insertion(stint, price=lambda found: None) is None


def running_day(**fields: Any) -> Document:
    pinned = order("R", "p30", 60, pin={"engineer": "A", "start": at("08:40")})
    return day([engineer("A", shifts=[shift(**fields)])], [pinned, order("W", "p10", 60)], now=at("09:00"))


def test_running_work_stays_where_and_when_it_is_and_the_rest_follows() -> None:
    problem = read(running_day())
    route = route_of(problem, "R")
    found = route.best_insertion(stint_of(problem, "W"))
    assert found is not None
    route.insert(found[1].position, stint_of(problem, "W"))
    assert timetable(route) == [("R", "08:40", "09:40"), ("W", "10:00", "11:00")]
    assert route.start_place() == problem.location_index["p30"]


def test_a_break_that_was_over_before_running_work_ends_is_not_due() -> None:
    problem = read(running_day(breaks=[rest("08:00", "09:39"), rest("09:00", "09:40", 15)]))
    assert timetable(route_of(problem, "R")) == [("R", "08:40", "09:40"), ("break", "09:40", "09:55")]
