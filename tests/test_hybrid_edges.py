"""The engine `hybrid` with hardly any time, with numbers at the edge, and with a plan in force to begin with."""

from dataclasses import replace
from random import Random
from threading import Event
from typing import Any

import pytest
from ortools.sat.python import cp_model

import solver.compile_travel
import solver.day_arrays
import solver.pool
from api.problems import build_problem
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec, random_problem, synthetic_problem
from dispatcher.plan import RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from solver.budget import Budget
from solver.compile_teams import is_searched
from solver.engines import ENGINES, engine_named
from solver.kernel.layout import HAS_MATRIX
from solver.live.running import running_sequences
from solver.pool import RoutePool
from solver.rank import rank_of
from solver.starts import starts as starts_of
from solver.teams_first import place_teams_first
from tests.kernel_plans import load, synthetic_plan
from tests.small_days import Document, at, day, engineer, order, plan_of, read, role, shift, starts

NO_TIME = SearchLimits(time_limit_seconds=0.0)
NO_STEPS = SearchLimits(time_limit_seconds=None, iteration_limit=0)
BRIEF = SearchLimits(time_limit_seconds=None, iteration_limit=300)


def solved(problem: Problem, limits: SearchLimits, engine: str = "hybrid") -> Sequences:
    return (
        engine_named(engine)
        .solve(problem, limits, cancelled=lambda: False, progress=lambda fraction, text: None)
        .sequences
    )


# -- hardly any time -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [NO_TIME, NO_STEPS], ids=["no time", "no steps"])
@pytest.mark.parametrize("engine", ENGINES)
def test_running_and_pinned_work_is_planned_however_little_may_be_used(engine: str, limits: SearchLimits) -> None:
    orders = [
        order("R", "p30", 90, pin={"engineer": "A", "start": at("08:45")}),
        order("P", "p60", pin={"engineer": "B", "start": at("14:00")}),
        *(order(f"W{number}", "p20") for number in range(4)),
    ]
    problem = read(day([engineer("A"), engineer("B")], orders, now=at("10:00")))
    plan, evaluation = plan_of(problem, solved(problem, limits, engine))
    assert {("R", "A"): "08:45", ("P", "B"): "14:00"}.items() <= starts(plan).items()
    assert evaluation.feasible


def test_no_price_keeps_a_pinned_order_out_of_a_plan_that_has_room_for_it() -> None:
    """It only loses by being done."""
    work = [order("V", "p60", value=0, pin={"engineer": "A"}), order("W", value=0)]
    problem = read(day([engineer("A"), engineer("B")], work))
    for limit in range(4):
        plan, _ = plan_of(problem, solved(problem, SearchLimits(None, limit)))
        assert plan.unassigned == ("W",)
    nothing, pinned, broken = (
        rank_of(problem, Sequences(routes))
        for routes in ((), (RouteSequence("A", "day", (Visit("V"),)),), (RouteSequence("B", "day", (Visit("V"),)),))
    )
    assert pinned < nothing < broken
    assert pinned[2] > nothing[2]


def test_a_team_placed_over_and_over_counts_once() -> None:
    """Nobody has the part that it needs, so that each of the rounds is tried."""
    team = order("T", parts={"crane": 1}, team={"roles": [role("x", min=2)]})
    pinned = [order(f"P{number}", minutes=5, pin={"engineer": "A"}) for number in range(5)]
    problem = read(day([engineer("A"), engineer("B")], [team, *pinned]))
    assert not is_searched(problem, problem.order_by_id["T"])
    budget = Budget(SearchLimits(None, 1000), lambda: False)
    place_teams_first(problem, budget, 1)
    assert budget.iterations == len(pinned)


def test_a_part_of_a_run_is_cancelled_with_it() -> None:
    answers = iter([False, True])
    tail = Budget(NO_STEPS, lambda: next(answers)).apart(SearchLimits(time_limit_seconds=None))
    assert [tail.stopped(), tail.stopped()] == [None, "cancelled"]


def test_who_cancels_does_not_wait_for_a_recombination(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = Event()

    class Endless(cp_model.CpSolver):
        def solve(self, *_: object) -> Any:
            ended.wait(60)
            return cp_model.UNKNOWN

        def stop_search(self) -> None:
            ended.set()

    monkeypatch.setattr(cp_model, "CpSolver", Endless)
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    pool = RoutePool(plan.compiled)
    pool.add(plan.searcher)
    assert pool.best_choice(plan.searcher.arrangement(), 600.0, 600.0, 1, lambda: True) is None
    assert ended.is_set()


# -- numbers at the edge -------------------------------------------------------------------------------------------


def test_a_leg_that_no_number_holds_is_never_driven() -> None:
    """As where a router says "no way" by the largest number it has; slow drivers take longer still."""
    document = day([engineer("A", speed_factor=0.9), engineer("B")], [order("far", "p300"), order("near", "p10")])
    matrix = document["travel"]["seconds"]
    far = document["travel"]["location_ids"].index("p300")
    for place in range(len(matrix)):
        if place != far:
            matrix[place][far] = matrix[far][place] = 2**31 - 1
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem, BRIEF))
    assert (plan.unassigned, evaluation.feasible) == (("far",), True)
    loaded = load(problem, Sequences())
    loaded.fill()
    assert loaded.disagreements() == []
    assert loaded.served() == {"near"}


def test_more_stops_than_the_search_holds_are_planned_by_insertion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver.day_arrays, "MOST_STOPS", 3)
    orders = [order(f"P{number}", minutes=5, pin={"engineer": "A"}) for number in range(5)]
    problem = read(day([engineer("A"), engineer("B")], [*orders, order("W")]))
    plan, evaluation = plan_of(problem, solved(problem, BRIEF))
    assert (plan.unassigned, evaluation.feasible) == ((), True)


@pytest.mark.parametrize("spec", [DEMO, HARD_WINDOWS, EVERYTHING], ids=["demo", "hard windows", "everything"])
def test_kernel_and_evaluator_agree_where_no_matrix_fits(spec: FleetSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver.compile_travel, "MOST_MATRIX_BYTES", 0)
    plan = synthetic_plan(replace(spec, matrix=False), 3, orders=18, engineers=5)
    assert plan.case.numbers[HAS_MATRIX] == 0
    for _ in range(5):
        plan.searcher.run(20, 1e6, 1e5)
        assert plan.disagreements() == []


def test_routes_keep_their_teams_when_variants_nobody_needs_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for most in (12_000, 1):
        monkeypatch.setattr(solver.pool, "MOST_VARIANTS", most)
        monkeypatch.setattr(solver.pool, "MOST_ROUTES", 60)
        plan = synthetic_plan(DEMO, 3, orders=18, engineers=5)
        pool = RoutePool(plan.compiled)
        for _ in range(40):
            pool.add(plan.searcher)
            plan.searcher.run(15, 1e7, 1e6)
        found.append(pool.best_choice(plan.searcher.arrangement(), 1.0, 60.0, 1))
    assert found[0] is not None
    assert found[0] == found[1]


# -- a plan in force -----------------------------------------------------------------------------------------------


def shown(problem: Problem, sequences: Sequences) -> Document:
    plan, evaluation = plan_of(problem, sequences)
    return plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)


@pytest.mark.parametrize("spec", [DEMO, HARD_WINDOWS, EVERYTHING], ids=["demo", "hard windows", "everything"])
def test_a_plan_made_with_one_in_force_is_never_dearer_than_that(spec: FleetSpec) -> None:
    document = synthetic_problem(replace(spec, orders=30, engineers=8, current_plan=False))
    problem = build_problem(document)
    good = solved(problem, SearchLimits(None, 4000))
    again = build_problem({**document, "current_plan": shown(problem, good)})
    for limits in (NO_TIME, NO_STEPS, SearchLimits(None, 1), BRIEF):
        _, evaluation = plan_of(again, solved(again, limits))
        assert evaluation.feasible
        assert evaluation.total <= plan_of(again, good)[1].total


def test_who_is_pinned_since_takes_the_room_of_what_was_planned() -> None:
    """And what waits for that goes with it; the others stay where they are, though B would be as good for X."""
    crew = [engineer("A"), engineer("B"), engineer("C")]
    orders = [order("V", minutes=300), order("X", "p20"), order("Y", depends_on=[{"work_order": "V"}])]
    routes = {"A": ["V"], "B": ["Y"], "C": ["X"]}
    current = shown(
        read(day(crew, orders)),
        Sequences(tuple(RouteSequence(who, "day", tuple(map(Visit, names))) for who, names in routes.items())),
    )
    pinned = order("W", minutes=400, pin={"engineer": "A"})
    problem = read(day(crew, [*orders, pinned], current_plan=current))
    budget = Budget(NO_STEPS, lambda: False)
    kept = place_teams_first(problem, budget, 1)
    _, proposed = starts_of(problem, kept, NO_STEPS, budget)
    assert starts(plan_of(problem, proposed[1][1])[0]).keys() == {("W", "A"), ("X", "C")}
    plan, evaluation = plan_of(problem, solved(problem, NO_STEPS))
    assert (plan.unassigned, evaluation.feasible) == ((), True)


def test_of_a_plan_in_force_only_what_still_holds_is_kept() -> None:
    """People, shifts, orders and roles of yesterday, an order twice, and one that somebody else is pinned to."""
    crew = [engineer("A"), engineer("B", shifts=[shift(end="12:00")])]
    orders = [order("V"), order("W", pin={"engineer": "B"}), order("T", team={"roles": [role("x", min=2)]})]

    def stop(name: str, clock: str, **fields: Any) -> Document:
        done = {"arrival": at(clock), "start": at(clock), "end": at(clock), "travel_seconds": 600}
        return {"kind": "work_order", "work_order": name, "location": "p10", **done, **fields}

    def route(who: str, *stops: Document, name: str = "day") -> Document:
        first = {"kind": "start", "location": "p0", "end": at("08:00")}
        return {"engineer": who, "shift": name, "stops": [first, *stops]}

    current = {
        "version": 1,
        "routes": [
            route("A", stop("V", "08:10"), stop("V", "09:10"), stop("W", "10:10"), stop("T", "11:10", role="gone")),
            route("A", stop("T", "11:10", role="gone"), stop("V", "12:10", role="x")),
            route("B", stop("gone", "08:10"), stop("T", "11:10", role="x")),
            route("B", stop("V", "08:10"), name="night"),
            route("gone", stop("V", "08:10")),
        ],
        "teams": [
            {
                "work_order": "T",
                "start": at("11:10"),
                "members": [{"engineer": "B", "role": "x"}, {"engineer": "gone", "role": "x"}],
                "standby": [{"engineer": "gone", "role": "backup"}],
            }
        ],
        "unassigned": [],
    }
    problem = read(day(crew, orders, current_plan=current))
    running = running_sequences(problem, problem.current_routes, problem.current_teams)
    assert starts(plan_of(problem, running)[0]).keys() == {("V", "A")}
    assert running.standby == {}
    for limits in (NO_STEPS, BRIEF):
        plan, evaluation = plan_of(problem, solved(problem, limits))
        assert evaluation.feasible
        assert "W" not in plan.unassigned


def test_plans_in_force_of_other_days_do_no_harm() -> None:
    for seed in range(40):
        rng = Random(seed)
        document, other = (random_problem(rng, orders=8, engineers=4) for _ in range(2))
        made = build_problem(other)
        current = shown(made, solved(made, BRIEF))
        problem = build_problem({**document, "current_plan": current})
        assert plan_of(problem, solved(problem, NO_STEPS))[1].feasible
