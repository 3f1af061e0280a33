"""The engine `hybrid`: its plans keep every rule, whatever the day, and are never worse than what it began with."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest

import solver.search
import solver.searcher
import solver.starts
from api.problems import SolveOptions, build_problem, solve_document
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec, random_problem, synthetic_problem
from dispatcher.evaluate import Evaluation
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits, SearchResult, StoppedBy
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.verify import verify
from solver.budget import Budget
from solver.compile import Arrangement
from solver.hybrid import HybridEngine
from solver.insertion import InsertionEngine
from solver.kernel import layout as at_column
from solver.kernel.recreate import FIRST_BATCH
from solver.pool import RoutePool
from solver.search import Search
from solver.searcher import BrokenRoute, Searcher
from solver.teams_first import place_teams_first
from tests.kernel_plans import Loaded, load, reload, synthetic_plan
from tests.reference import GoldenCase, golden_cases
from tests.small_days import (
    Document,
    at,
    day,
    engineer,
    order,
    plan_of,
    read,
    role,
    seconds,
    shift,
    skill,
    starts,
    window,
)

SHORT = SearchLimits(time_limit_seconds=None, iteration_limit=600)
FOREVER = SearchLimits(time_limit_seconds=None)
SMALL = {
    "demo": replace(DEMO, orders=40, engineers=8),
    "everything": replace(EVERYTHING, orders=30, engineers=8),
    "hard windows": replace(HARD_WINDOWS, orders=40, engineers=8),
}


def solved(problem: Problem, limits: SearchLimits = SHORT, **hooks: Callable[..., object]) -> SearchResult:
    return HybridEngine().solve(problem, limits, **hooks)  # type: ignore[arg-type]


def checked(document: Document, problem: Problem, sequences: Sequences) -> Evaluation:
    """The evaluation of a plan that the independent checker agrees with."""
    plan, evaluation = plan_of(problem, sequences)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.total == evaluation.total
    return evaluation


def begun_with(problem: Problem, limits: SearchLimits = SHORT) -> Sequences:
    """Running and pinned work, and teams that the kernel cannot hold, before anything is searched."""
    return place_teams_first(problem, Budget(limits, lambda: False), limits.seed)


def planned(document: Document) -> tuple[Plan, Evaluation]:
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem).sequences)
    assert evaluation.findings == ()
    return plan, evaluation


# -- plans -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_the_checker_finds_nothing_in_plans_of_synthetic_fleets_and_the_search_was_worth_it(name: str) -> None:
    document = synthetic_problem(SMALL[name])
    problem = build_problem(document)
    evaluation = checked(document, problem, solved(problem).sequences)
    assert evaluation.total < plan_of(problem, begun_with(problem))[1].total


@pytest.mark.parametrize("case", golden_cases(), ids=lambda case: case.name)
def test_the_checker_finds_nothing_in_plans_of_the_golden_problems(case: GoldenCase) -> None:
    problem = build_problem(case.problem)
    checked(case.problem, problem, solved(problem).sequences)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow][: seed >= 30]) for seed in range(80)])
def test_no_plan_breaks_a_rule_or_is_worse_than_what_the_search_began_with(seed: int) -> None:
    rng = Random(70_000 + seed)
    document = random_problem(rng, orders=rng.randint(0, 14), engineers=rng.randint(0, 6))
    problem = read(document)
    limits = SearchLimits(None, rng.choice((0, 1, 30, 600)), seed=seed)
    evaluation = checked(document, problem, solved(problem, limits).sequences)
    assert evaluation.total <= plan_of(problem, begun_with(problem, limits))[1].total


def test_with_an_order_of_visits_that_matters_the_best_of_all_is_found() -> None:
    """Each to the end of the line and back once; the engineer who starts there takes what is there."""
    people = [engineer("A"), engineer("B", shifts=[shift_from("p120")])]
    orders = [order(f"W{number}", place) for number, place in enumerate(("p30", "p120", "p10", "p120", "p20"))]
    plan, evaluation = planned(day(people, orders))
    assert {name for (name, who) in starts(plan) if who == "B"} == {"W1", "W3"}
    assert evaluation.total == 2 * 30 * 60


def test_an_order_that_does_not_pay_by_itself_is_done_for_one_that_waits_for_it() -> None:
    orders = [order("far", "p120", 10, value=100), order("near", value=100_000, depends_on=[{"work_order": "far"}])]
    plan, _ = planned(day([engineer("E")], orders))
    assert plan.unassigned == ()


def test_what_others_wait_for_is_done_early_enough_although_that_costs_more() -> None:
    """In the afternoon it would be on the way; but what waits for it has to begin at eleven."""
    shifts = [shift("08:00", "12:00", id="am"), shift("13:00", "17:00", id="pm", start_location="p30")]
    first = order("first", "p30", 30, time_windows=[window("08:00", "10:00"), window("13:00", "15:00")])
    waits = order("waits", value=100_000, depends_on=[{"work_order": "first"}], time_windows=[window("11:00", "11:10")])
    plan, _ = planned(day([engineer("E", shifts=shifts), engineer("F")], [first, waits]))
    assert plan.unassigned == ()


def shift_from(place: str) -> Document:
    return {"id": "day", "start": at("08:00"), "end": at("16:00"), "start_location": place, "end_location": place}


def test_a_team_is_kept_together_and_single_orders_are_planned_around_it() -> None:
    team = order("T", "p30", level="L1", team={"roles": [role("lead", skill("crane")), role("support")]})
    people = [engineer("A", skill("crane")), engineer("B"), engineer("C")]
    plan, _ = planned(day(people, [team, *(order(f"W{number}", "p20") for number in range(9))]))
    assert plan.unassigned == ()
    assert len({start for (name, _), start in starts(plan).items() if name == "T"}) == 1


def test_one_who_stands_by_for_more_teams_than_the_kernel_holds_is_left_to_insertion() -> None:
    asked = {"roles": [role("lead", skill("a")), role("backup", skill("b"), presence="standby")]}
    teams = [order(f"T{number}", minutes=20, team=asked) for number in range(at_column.MOST_CALLS + 2)]
    document = day([engineer("E", skill("a")), engineer("G", skill("b"))], teams)
    plan, evaluation = planned(document)
    assert len(plan.teams) == len(teams)
    assert {member.engineer for team in plan.teams for member in team.standby} == {"G"}
    assert evaluation.feasible


def test_running_and_pinned_work_stays_where_it_is() -> None:
    orders = [
        order("R", "p30", 90, pin={"engineer": "A", "start": at("08:45")}),
        order("P", "p60", pin={"engineer": "B", "start": at("14:00")}),
        *(order(f"W{number}", "p20") for number in range(4)),
    ]
    plan, _ = planned(day([engineer("A"), engineer("B")], orders, now=at("10:00")))
    assert {("R", "A"): "08:45", ("P", "B"): "14:00"}.items() <= starts(plan).items()
    assert plan.unassigned == ()


@pytest.mark.parametrize(
    ("people", "orders", "unassigned"),
    [
        ([], [], ()),
        ([engineer("A")], [], ()),
        ([], [order("V"), order("W", allowed_engineers=["A"])], ("V", "W")),
        ([engineer("A", shifts=[])], [order("V", allowed_engineers=["A"])], ("V",)),
        ([engineer("A")], [order("V", required_skills=[skill("crane")])], ("V",)),
    ],
)
def test_a_day_with_nothing_to_do_or_nobody_to_do_it_has_its_plan(
    people: list[Document], orders: list[Document], unassigned: tuple[str, ...]
) -> None:
    for item in orders:
        if not any(person["id"] == "A" for person in people):
            item.pop("allowed_engineers", None)
    plan, _ = planned(day(people, orders))
    assert (plan.routes, plan.unassigned) == ((), unassigned)


def test_numbers_too_fine_for_the_search_are_planned_by_insertion_instead() -> None:
    slow = engineer("A", skill("a"), duration_factors={"a": 1.000000000000001})
    problem = read(day([slow, engineer("B")], [order("V", required_skills=[skill("a")]), order("W", "p60")]))
    result = solved(problem)
    assert result.sequences == InsertionEngine().solve(problem, SHORT).sequences
    assert plan_of(problem, result.sequences)[0].unassigned == ()


# -- limits ------------------------------------------------------------------------------------------------------


def without_times(plan: dict[str, Any]) -> str:
    """The plan document but for what the clock says of the run."""
    kept = {**plan, "receipt": {**plan["receipt"]}}
    kept.pop("created_at")
    assert kept["receipt"].pop("elapsed_seconds") >= 0
    return json.dumps(kept, sort_keys=True)


@pytest.mark.parametrize("spec", SMALL.values(), ids=SMALL)
def test_one_thread_and_an_iteration_limit_give_the_same_document_again(spec: FleetSpec) -> None:
    document = synthetic_problem(spec)
    options = SolveOptions(iteration_limit=3000, seed=5, threads=1, engine="hybrid")
    first, second = (without_times(solve_document(document, options)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("limit", [0, 1, 1700])
@pytest.mark.parametrize("name", ["hard windows", "everything"])
def test_an_iteration_limit_is_kept(name: str, limit: int) -> None:
    problem = build_problem(synthetic_problem(SMALL[name]))
    before = Budget(FOREVER, lambda: False)
    place_teams_first(problem, before, 1)
    limit += before.iterations
    result = solved(problem, SearchLimits(None, limit))
    assert (result.stopped_by, result.iterations) == ("iteration_limit", limit)


def test_a_time_limit_ends_a_run_that_would_never_end() -> None:
    problem = build_problem(synthetic_problem(SMALL["demo"]))
    result = solved(problem, SearchLimits(0.4))
    assert result.stopped_by == "time_limit"
    assert result.elapsed_seconds >= 0.25
    assert plan_of(problem, result.sequences)[1].feasible


def test_a_time_limit_that_is_over_at_once_still_gives_a_plan() -> None:
    problem = build_problem(synthetic_problem(SMALL["everything"]))
    result = solved(problem, SearchLimits(0.0))
    assert result.stopped_by == "time_limit"
    assert plan_of(problem, result.sequences)[1].feasible


@pytest.mark.parametrize("patience", [0, 3, 10])
def test_cancel_gives_the_best_so_far(patience: int) -> None:
    document = synthetic_problem(SMALL["demo"])
    problem = build_problem(document)
    asked = iter(range(1_000_000))
    result = solved(problem, FOREVER, cancelled=lambda: next(asked) >= patience)
    assert result.stopped_by == "cancelled"
    evaluation = checked(document, problem, result.sequences)
    # Even who cancels at once gets what a first plan would serve.
    assert evaluation.total < plan_of(problem, Sequences())[1].total


@pytest.mark.parametrize("spec", [replace(DEMO, orders=0, engineers=4), SMALL["demo"], SMALL["everything"]])
def test_progress_rises_to_one(spec: FleetSpec) -> None:
    told: list[tuple[float, str]] = []
    solved(build_problem(synthetic_problem(spec)), progress=lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1.0
    assert all(text for _, text in told)


def refusing_once(monkeypatch: pytest.MonkeyPatch, refused: Callable[[Arrangement], bool]) -> list[Arrangement]:
    """Makes `Searcher.load` find the first such plan broken; the list tells what was."""
    load_plan = Searcher.load
    told: list[Arrangement] = []

    def load_others(searcher: Searcher, wanted: Arrangement) -> None:
        if not told and refused(wanted):
            told.append(wanted)
            raise BrokenRoute(next(number for number, route in enumerate(wanted.routes) if route))
        load_plan(searcher, wanted)

    monkeypatch.setattr(Searcher, "load", load_others)
    return told


def test_where_a_route_that_was_found_cannot_be_driven_the_others_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build_problem(synthetic_problem(SMALL["hard windows"]))
    run = Search.run
    told: list[Arrangement] = []

    def run_in_vain(search: Search) -> StoppedBy:
        stopped = run(search)
        told.append(search.best)
        refusing_once(monkeypatch, lambda plan: plan is search.best)
        return stopped

    monkeypatch.setattr(Search, "run", run_in_vain)
    # As on large days: nothing is put in afterwards.
    monkeypatch.setattr(solver.starts, "MOST_INSPECTED", 0)
    result = solved(problem)
    plan, evaluation = plan_of(problem, result.sequences)
    assert evaluation.findings == ()
    assert len(plan.unassigned) < len(problem.work_orders) / 2
    [best] = told
    assert {len(route.visits) for route in result.sequences.routes} & {len(route) for route in best.routes if route}


def test_a_plan_with_a_route_that_cannot_be_driven_keeps_the_others_and_what_it_can_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    plan.searcher.run(500, 1e5, 1e3)
    wanted = plan.searcher.arrangement()
    assert plan.searcher.take_up(wanted)
    assert plan.searcher.arrangement() == wanted
    told = refusing_once(monkeypatch, lambda _: True)
    assert not plan.searcher.take_up(wanted)
    assert told == [wanted]
    assert plan.disagreements() == []
    broken = next(number for number, route in enumerate(wanted.routes) if route)
    for number, route in enumerate(wanted.routes):
        assert number == broken or [visit for visit in plan.searcher.routes()[number] if visit in route] == route


def test_a_plan_is_taken_up_without_what_waits_for_work_on_a_route_that_cannot_be_driven(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = synthetic_plan(EVERYTHING, 2, orders=30, engineers=8)
    plan.searcher.run(500, 1e5, 1e3)
    wanted = plan.searcher.arrangement()
    routed = {plan.compiled.work[visit][0] for route in wanted.routes for visit in route}
    assert any(order.depends_on and order.id in routed for order in plan.problem.work_orders)
    refusing_once(monkeypatch, lambda _: True)
    assert not plan.searcher.take_up(wanted)
    assert plan.disagreements() == []
    assert plan_of(plan.problem, plan.searcher.sequences())[1].feasible


def test_a_thread_that_can_drive_only_a_part_of_the_best_keeps_its_own_plan_where_that_is_cheaper(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    other = Searcher(plan.compiled, plan.searcher.given, 2)
    plan.searcher.run(2000, 1e6, 1e3)
    best, own = plan.searcher.best(), other.total
    assert plan.searcher.best_total < own
    monkeypatch.setattr(solver.search, "RECOMBINED_AT", ())
    monkeypatch.setattr(Searcher, "run", lambda *_: 0)
    # What is torn off finds no other place, and costs more undone than the other thread's plan does.
    monkeypatch.setattr(Searcher, "place_all", lambda *_: None)
    told = refusing_once(monkeypatch, lambda wanted: wanted == best)
    limits = SearchLimits(None, 4000, seed=1)
    searchers = [plan.searcher, other]
    Search(plan.compiled, searchers, limits, Budget(limits, lambda: False), lambda *_: None).run()
    assert told
    assert other.total == own


@pytest.mark.parametrize(("most_broken", "is_mended"), [(0, False), (1, True)])
def test_a_plan_with_more_broken_routes_than_are_worth_mending_is_given_up_for_the_own_one(
    monkeypatch: pytest.MonkeyPatch, most_broken: int, is_mended: bool
) -> None:
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    other = Searcher(plan.compiled, plan.searcher.given, 2)
    plan.searcher.run(2000, 1e6, 1e3)
    best, own = plan.searcher.best(), other.total
    monkeypatch.setattr(solver.search, "RECOMBINED_AT", ())
    monkeypatch.setattr(solver.search, "MOST_BROKEN", most_broken)
    monkeypatch.setattr(Searcher, "run", lambda *_: 0)
    told = refusing_once(monkeypatch, lambda wanted: wanted == best)
    limits = SearchLimits(None, 4000, seed=1)
    searchers = [plan.searcher, other]
    Search(plan.compiled, searchers, limits, Budget(limits, lambda: False), lambda *_: None).run()
    assert told
    assert (other.total < own) is is_mended
    assert other.arrangement() == plan.searcher.given or is_mended


def test_a_search_that_stands_still_in_the_cold_is_warmed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=6, engineers=3)
    warmth: list[float] = []
    run = Searcher.run

    def noting(searcher: Searcher, iterations: int, first: float, last: float) -> int:
        warmth.append(last)
        return run(searcher, iterations, first, last)

    monkeypatch.setattr(Searcher, "run", noting)
    limits = SearchLimits(None, 60_000, seed=1)
    Search(plan.compiled, [plan.searcher], limits, Budget(limits, lambda: False), lambda *_: None).run()
    rises = [number for number, (one, other) in enumerate(pairwise(warmth)) if other > 2 * one]
    # Once after the quick descent, and whenever it is frozen; before the end it is left to cool.
    assert len(rises) > 1
    assert rises[-1] < 0.95 * len(warmth)
    assert warmth[-1] < min(warmth[number] for number in rises[1:]) * 2


def test_orders_that_nobody_can_do_are_not_at_stake() -> None:
    document = synthetic_problem(SMALL["hard windows"])
    without = load(read(document), Sequences())
    needless = {**document["work_orders"][0], "id": "nobody", "required_skills": [{"skill": "alchemy", "level": 5}]}
    document["work_orders"].append(needless)
    beside = load(read(document), Sequences())
    for loaded in (without, beside):
        loaded.fill()
    assert beside.searcher.total > without.searcher.total
    assert beside.searcher.at_stake() == without.searcher.at_stake()


@pytest.mark.parametrize("name", SMALL)
def test_two_threads_give_a_plan_that_keeps_every_rule(name: str) -> None:
    document = synthetic_problem(SMALL[name])
    problem = build_problem(document)
    result = solved(problem, SearchLimits(None, 4000, threads=2))
    assert result.iterations >= 4000
    evaluation = checked(document, problem, result.sequences)
    assert evaluation.total < plan_of(problem, begun_with(problem))[1].total


# -- recombination -----------------------------------------------------------------------------------------------


def collected(plan: Loaded, slices: int = 30) -> RoutePool:
    """Routes of a short warm search, and of the plan that it ended with."""
    pool = RoutePool(plan.compiled)
    pool.add(plan.searcher)
    for _ in range(slices):
        plan.searcher.run(15, 1e7, 1e6)
        pool.add(plan.searcher)
    return pool


def searched_plans() -> Iterator[tuple[Loaded, RoutePool]]:
    for number, spec in enumerate((DEMO, HARD_WINDOWS, EVERYTHING, replace(EVERYTHING, dependencies=False))):
        plan = synthetic_plan(spec, number, orders=18, engineers=5)
        yield plan, collected(plan)


def test_the_best_choice_of_known_routes_is_never_worse_than_the_plan_it_begins_from() -> None:
    """Of days without teams: what a team costs may hang on the other routes of its members."""
    gains = 0
    for seed in range(3, 7):
        plan = synthetic_plan(HARD_WINDOWS, seed, orders=18, engineers=5)
        pool = collected(plan)
        hint = plan.searcher.arrangement()
        chosen = pool.best_choice(hint, 1.0, 60.0, 1)
        assert chosen is not None
        before = plan.searcher.total
        plan.searcher.load(chosen)
        assert plan.searcher.total <= before
        gains += plan.searcher.total < before
    assert gains


def test_the_same_routes_give_the_same_choice() -> None:
    for spec in (DEMO, HARD_WINDOWS):
        plan = synthetic_plan(spec, 3, orders=18, engineers=5)
        pool = collected(plan)
        hint = plan.searcher.arrangement()
        chosen = pool.best_choice(hint, 1.0, 60.0, 1)
        assert chosen is not None
        assert pool.best_choice(hint, 1.0, 60.0, 1) == chosen
        plan.searcher.load(chosen)
        assert plan.disagreements() == []


def test_a_choice_of_routes_that_is_worse_is_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the time was enough for any choice at all, and not for a good one."""
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    nothing = Arrangement([[] for _ in plan.compiled.shifts], plan.searcher.arrangement().held)
    plan.searcher.run(500, 1e5, 1e3)
    before = plan.searcher.total
    monkeypatch.setattr(RoutePool, "best_choice", lambda *_: nothing)
    monkeypatch.setattr(solver.search, "RECOMBINED_AT", (0.0,))
    limits = SearchLimits(None, 500, seed=1)
    Search(plan.compiled, [plan.searcher], limits, Budget(limits, lambda: False), lambda *_: None).run()
    assert plan.searcher.total <= before


def test_a_thread_begins_with_as_much_of_the_present_plan_as_can_be_driven(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = synthetic_plan(HARD_WINDOWS, 3, orders=18, engineers=5)
    again = plan.searcher.fork(7)
    assert again.routes() == plan.searcher.routes()
    longest = max(range(len(plan.compiled.shifts)), key=lambda number: len(plan.route(number)))
    broken = plan.searcher.arrangement()
    # All the work of one route, and that of the longest twice.
    broken.routes[longest] = broken.routes[longest] * 2
    monkeypatch.setattr(Searcher, "arrangement", lambda _: broken)
    other = plan.searcher.fork(7)
    monkeypatch.undo()
    for number, route in enumerate(plan.searcher.routes()):
        assert number == longest or [visit for visit in other.routes()[number] if visit in route] == route


def test_recombination_leaves_every_locked_visit_on_its_shift_and_serves_nothing_twice() -> None:
    locked = 0
    for plan, pool in searched_plans():
        before = plan.searcher.routes()
        chosen = pool.best_choice(plan.searcher.arrangement(), 1.0, 60.0, 1)
        assert chosen is not None
        visits = [visit for route in chosen.routes for visit in route]
        assert len(visits) == len(set(visits))
        for number, route in enumerate(before):
            kept = {visit for visit in route if plan.case.visits[visit, at_column.LOCKED]}
            assert kept <= set(chosen.routes[number])
            locked += len(kept)
    assert locked


def test_members_of_a_team_stay_who_they_are_even_among_engineers_who_are_alike() -> None:
    """Only F may be on the team, which nothing but the order's own list says."""
    pin = {"engineer": "F"}
    team = order("T", "p30", allowed_engineers=["F"], pin=pin, team={"roles": [role("lead")]})
    plan = load(
        read(day([engineer("E"), engineer("F"), engineer("G")], [team, order("X")])),
        Sequences((RouteSequence("F", "day", (Visit("T", "lead", seconds("09:00")),)),)),
    )
    chosen = collected(plan).best_choice(plan.searcher.arrangement(), 1.0, 60.0, 1)
    assert chosen is not None
    assert plan.case.shifts[:, at_column.TWIN].tolist() == [0, 1, 0]
    assert plan.compiled.shift_kinds == 1
    assert [visit for visit in chosen.routes[1] if plan.case.visits[visit, at_column.LOCKED]]


def test_a_closed_route_is_no_room_for_the_routes_of_others_who_are_alike() -> None:
    held = RouteSequence("E", "day", (Visit("A", leave_not_before=seconds("09:00")),))
    orders = [order("A"), order("X", "p20", 200), order("Y", "p30", 200)]
    plan = load(read(day([engineer("E"), engineer("F")], orders)), Sequences((held,)))
    plan.fill()
    pool = RoutePool(plan.compiled)
    pool.add(plan.searcher)
    before = plan.searcher.arrangement()
    chosen = pool.best_choice(before, 1.0, 60.0, 1)
    assert chosen is not None
    assert chosen.routes[0] == before.routes[0]
    assert chosen.routes == before.routes


def test_a_first_plan_ends_early_only_where_hardly_any_order_finds_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = build_problem(synthetic_problem(replace(HARD_WINDOWS, orders=3 * FIRST_BATCH, engineers=6)))
    monkeypatch.setattr(solver.searcher, "PLACED_AT_ONCE", FIRST_BATCH)

    def served(goes_on: bool) -> int:
        searcher = load(problem, Sequences()).searcher
        searcher.place_all(lambda: goes_on)
        return sum(map(len, searcher.routes()))

    whole = served(True)
    monkeypatch.setattr(solver.searcher, "PAYING_SHARE", 0.0)
    assert served(False) == whole
    monkeypatch.setattr(solver.searcher, "PAYING_SHARE", 2.0)
    assert 0 < served(False) < whole


def test_nothing_has_room_in_a_plan_that_was_completed() -> None:
    """Two routes of plans to which nothing could be added have lost some of their single orders."""
    returned = new = 0
    for spec in (HARD_WINDOWS, EVERYTHING):
        for seed in range(4):
            plan = load(build_problem(synthetic_problem(replace(spec, orders=80, engineers=8, seed=seed))), Sequences())
            plan.searcher.place_all()
            before, left_out = plan.searcher.arrangement(), set(plan.bank())
            thinned = [list(route) for route in before.routes]
            for route in sorted(thinned, key=len)[-2:]:
                is_seat = plan.case.visits[route, at_column.TEAM] >= 0
                route[:] = [visit for place, visit in enumerate(route) if place % 2 or is_seat[place]]
            again = reload(plan, thinned)
            gaps = set(again.bank()) - left_out
            again.searcher.complete(before, lambda: True)
            completed = again.searcher.routes()
            returned += len(gaps - set(again.bank()))
            new += len(left_out - set(again.bank()))
            assert again.disagreements() == []
            assert (again.day.routes[again.open_shifts(), at_column.MOST_ROOM] > at_column.FAR_PAST).all()
            again.searcher.place_all()
            assert again.searcher.routes() == completed
    assert returned > 20
    assert new > 2


def test_completing_a_plan_never_makes_it_dearer() -> None:
    """Everybody who has work costs more than two orders left undone."""
    document = synthetic_problem(replace(HARD_WINDOWS, orders=40, engineers=8))
    document["objective"] = {"weights": {"engineers_used": 10**9}}
    plan = load(build_problem(document), Sequences())
    plan.searcher.place_all()
    before = plan.searcher.arrangement()
    assert sum(map(bool, before.routes)) > 1
    longest = max(before.routes, key=len)
    again = reload(plan, [route if route is longest else [] for route in before.routes])
    total = again.searcher.total
    again.searcher.complete(before, lambda: True)
    assert again.searcher.total <= total
    assert again.disagreements() == []
