"""What any engine promises: a plan that keeps every rule, in every case, and the same one for the same question."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from api.problems import SolveOptions, build_problem, engine_for, search_limits
from benchmarks.insertion import measure, section
from data.synthetic import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec, random_problem, synthetic_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.errors import UnknownEngine
from dispatcher.evaluate import Evaluation
from dispatcher.plan import Plan, Sequences
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.verify import verify
from solver.engines import DEFAULT_ENGINE, ENGINES, engine_named
from solver.insertion import InsertionEngine
from tests.small_days import (
    Document,
    at,
    day,
    engineer,
    order,
    plan_of,
    read,
    role,
    shift,
    skill,
    starts,
    window,
)

NO_LIMIT = SearchLimits(time_limit_seconds=None)
LIMITS = {"hybrid": SearchLimits(None, 300), "insertion": NO_LIMIT, "ortools": SearchLimits(None, 3)}
"""By engine, enough for a small day: one searches until a limit."""
RANDOM_DAYS = {"hybrid": 40, "insertion": 150, "ortools": 8}
"""By engine, as many random days as its tests may take the time for; two of them have more in files of their own."""
QUICK_DAYS = {"hybrid": 15, "insertion": 75, "ortools": 4}
"""So many of them, unless all tests are run."""
SMALL_DEMO = replace(DEMO, orders=40, engineers=8)


@pytest.fixture(params=sorted(ENGINES))
def engine_name(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def solved(
    problem: Problem, limits: SearchLimits | None = None, *, by: str = InsertionEngine.name, **hooks: Callable[..., Any]
) -> SearchResult:
    return engine_named(by).solve(problem, limits or LIMITS[by], **hooks)


def planned(document: Document, by: str = InsertionEngine.name) -> tuple[Plan, Evaluation]:
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem, by=by).sequences)
    assert evaluation.findings == ()
    return plan, evaluation


# -- which engine ------------------------------------------------------------------------------------------------


def test_engines_are_found_by_their_name() -> None:
    assert engine_named("insertion").name == "insertion"
    assert {name: engine_named(name).name for name in ENGINES} == {name: name for name in ENGINES}


def test_an_unknown_engine_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownEngine, match=r"'genie'.*insertion"):
        engine_named("genie")


def test_an_engine_of_another_version_falls_back_to_the_default_and_says_so() -> None:
    assert engine_for({"solve": {"engine": "from-the-future"}}, SolveOptions()) == (DEFAULT_ENGINE, "from-the-future")
    assert engine_for({"solve": {"engine": "insertion"}}, SolveOptions()) == ("insertion", None)
    assert engine_for({}, SolveOptions()) == (DEFAULT_ENGINE, None)
    assert engine_for({"solve": {"engine": "from-the-future"}}, SolveOptions(engine="x")) == ("x", None)


# -- limits ------------------------------------------------------------------------------------------------------


def test_limits_come_from_the_option_then_the_document_then_the_default() -> None:
    document = {"solve": {"time_limit_seconds": 3, "iteration_limit": 7, "seed": 5, "threads": 4}}
    assert search_limits(document, SolveOptions()) == SearchLimits(3.0, 7, 5, 4)
    assert search_limits(document, SolveOptions(1.5, 2, 9, 1)) == SearchLimits(1.5, 2, 9, 1)
    assert search_limits({}, SolveOptions()).time_limit_seconds == 10.0


def test_an_iteration_limit_alone_lifts_the_time_limit() -> None:
    assert search_limits({"solve": {"iteration_limit": 7}}, SolveOptions()).time_limit_seconds is None
    assert search_limits({"solve": {"time_limit_seconds": 3}}, SolveOptions(iteration_limit=7)) == SearchLimits(None, 7)


def test_of_every_engine_an_iteration_limit_is_kept(engine_name: str) -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    for limit in (0, 1, 3):
        result = solved(problem, SearchLimits(None, limit), by=engine_name)
        assert (result.stopped_by, result.iterations) == ("iteration_limit", limit)
        assert plan_of(problem, result.sequences)[1].feasible


@pytest.mark.parametrize("limit", [0, 1, 7, 25])
def test_an_iteration_limit_is_kept_and_the_plan_made_so_far_is_feasible(limit: int) -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    result = solved(problem, SearchLimits(None, limit))
    plan, evaluation = plan_of(problem, result.sequences)
    assert (result.stopped_by, result.iterations) == ("iteration_limit", limit)
    assert evaluation.findings == ()
    assert len(plan.unassigned) >= len(problem.work_orders) - limit


def test_a_time_limit_that_is_over_at_once_still_gives_a_plan(engine_name: str) -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    result = solved(problem, SearchLimits(0.0), by=engine_name)
    assert result.stopped_by == "time_limit"
    assert plan_of(problem, result.sequences)[1].feasible


def test_a_time_limit_ends_a_run_that_would_take_longer(engine_name: str) -> None:
    problem = build_problem(synthetic_problem(DEMO))
    result = solved(problem, SearchLimits(1.0), by=engine_name)
    assert result.stopped_by == "time_limit"
    # An engine that works in rounds ends where no further round fits.
    assert result.elapsed_seconds >= 0.3
    assert plan_of(problem, result.sequences)[1].feasible


def test_cancel_gives_the_best_so_far() -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    asked = iter(range(1_000_000))
    result = solved(problem, cancelled=lambda: next(asked) >= 12)
    plan, evaluation = plan_of(problem, result.sequences)
    assert result.stopped_by == "cancelled"
    assert evaluation.findings == ()
    assert 0 < len(problem.work_orders) - len(plan.unassigned) <= 12


def test_every_engine_ends_with_a_plan_when_it_is_cancelled_at_once(engine_name: str) -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    result = solved(problem, NO_LIMIT, by=engine_name, cancelled=lambda: True)
    assert result.stopped_by == "cancelled"
    assert plan_of(problem, result.sequences)[1].feasible


def test_the_search_of_the_default_engine_is_cancelled_while_it_runs() -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    told: list[str] = []
    result = solved(
        problem,
        NO_LIMIT,
        by=DEFAULT_ENGINE,
        cancelled=lambda: any("iterations, cost" in text for text in told),
        progress=lambda fraction, text: told.append(text),
    )
    assert result.stopped_by == "cancelled"
    assert result.iterations > 0
    assert plan_of(problem, result.sequences)[1].feasible


def test_a_cancelled_later_ordering_does_not_lose_the_plan_of_an_earlier_one() -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    for patience in (60, 100, 160):
        asked = iter(range(1_000_000))
        result = solved(problem, cancelled=lambda asked=asked, patience=patience: next(asked) >= patience)
        assert len(plan_of(problem, result.sequences)[0].unassigned) <= len(problem.work_orders) // 4


def test_more_time_never_makes_the_plan_worse() -> None:
    problem = build_problem(synthetic_problem(replace(EVERYTHING, orders=30, engineers=8)))
    results = [solved(problem, SearchLimits(None, limit)) for limit in (5, 20, 60, 120, 500)]
    totals = [plan_of(problem, result.sequences)[1].total for result in results]
    assert totals == sorted(totals, reverse=True)


# -- progress ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("orders", [0, 1, 40])
def test_progress_rises_to_one(engine_name: str, orders: int) -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=orders, engineers=8)))
    told: list[tuple[float, str]] = []
    solved(problem, by=engine_name, progress=lambda fraction, text: told.append((fraction, text)))
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)
    assert fractions[0] >= 0
    assert fractions[-1] == 1.0
    assert all(text for _, text in told)


# -- the same question, the same plan ----------------------------------------------------------------------------


@pytest.mark.parametrize("spec", [SMALL_DEMO, replace(EVERYTHING, orders=16), replace(HARD_WINDOWS, orders=40)])
def test_the_same_problem_gives_the_same_plan(engine_name: str, spec: FleetSpec) -> None:
    document = synthetic_problem(spec)
    first, second = (solved(build_problem(document), by=engine_name) for _ in range(2))
    assert first.sequences == second.sequences
    assert first.iterations == second.iterations


def test_the_seed_and_the_threads_do_not_change_what_is_deterministic() -> None:
    problem = build_problem(synthetic_problem(SMALL_DEMO))
    first = solved(problem, SearchLimits(None, None, seed=1, threads=1))
    assert solved(problem, SearchLimits(None, None, seed=77, threads=8)).sequences == first.sequences


# -- always feasible ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "seed"),
    [
        pytest.param(name, seed, marks=[pytest.mark.slow][: seed >= QUICK_DAYS[name]])
        for name in ENGINES
        for seed in range(RANDOM_DAYS[name])
    ],
)
def test_no_plan_breaks_a_rule_and_the_checker_agrees_on_its_cost(engine: str, seed: int) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(0, 12), engineers=rng.randint(0, 6))
    problem = read_problem(document, problem_travel)
    result = solved(problem, by=engine)
    plan, evaluation = plan_of(problem, result.sequences)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.total == evaluation.total
    if all(item.pin is None for item in problem.work_orders):
        assert evaluation.total <= plan_of(problem, Sequences())[1].total


def test_a_day_without_orders_has_an_empty_plan(engine_name: str) -> None:
    plan, evaluation = planned(day([engineer("A")], []), engine_name)
    assert (plan, evaluation.total) == (Plan(), 0)


def test_a_day_without_engineers_leaves_everything(engine_name: str) -> None:
    plan, evaluation = planned(day([], [order("V"), order("W", level="L1")]), engine_name)
    assert plan == Plan(unassigned=("V", "W"))
    assert evaluation.total == 7200 + 360_000


def test_engineers_without_a_shift_serve_nothing(engine_name: str) -> None:
    plan, _ = planned(day([engineer("A", shifts=[])], [order("V")]), engine_name)
    assert plan.unassigned == ("V",)


def test_work_that_costs_more_than_it_is_worth_is_left_undone(engine_name: str) -> None:
    plan, _ = planned(day([engineer("A")], [order("near", "p10"), order("far", "p120", value=13_199)]), engine_name)
    assert plan.unassigned == ("far",)
    plan, _ = planned(day([engineer("A")], [order("near", "p10"), order("far", "p120", value=13_201)]), engine_name)
    assert plan.unassigned == ()


def test_work_that_is_worth_more_goes_first_where_not_all_can_be_done(engine_name: str) -> None:
    orders = [order(f"W{level}", "p30", 300, level=level) for level in ("L4", "L3", "L1", "L2")]
    plan, _ = planned(day([engineer("A")], orders), engine_name)
    assert "WL1" not in plan.unassigned
    assert len(plan.unassigned) == 3


# -- pins and running work ---------------------------------------------------------------------------------------


def test_pinned_work_is_served_whatever_it_costs(engine_name: str) -> None:
    pinned = order("W", "p120", value=0, pin={"engineer": "A"})
    plan, _ = planned(day([engineer("A"), engineer("B", shifts=[shift(start_location="p120")])], [pinned]), engine_name)
    assert starts(plan) == {("W", "A"): "10:00"}


def test_a_pinned_start_is_kept_to_the_second(engine_name: str) -> None:
    pinned = order("W", pin={"engineer": "A", "start": at("11:11:11")})
    plan, _ = planned(day([engineer("A")], [pinned, *(order(f"V{number}") for number in range(4))]), engine_name)
    assert starts(plan)[("W", "A")] == "11:11:11"


def test_what_a_pinned_order_waits_for_is_served_too(engine_name: str) -> None:
    first = order("first", "p120", value=0)
    second = order("second", "p60", value=0, depends_on=[{"work_order": "first"}])
    pinned = order("W", depends_on=[{"work_order": "second"}], pin={"engineer": "A"})
    plan, _ = planned(day([engineer("A"), engineer("B")], [pinned, second, first]), engine_name)
    assert plan.unassigned == ()


def test_of_two_pins_that_exclude_each_other_one_is_kept(engine_name: str) -> None:
    pins = [order(name, pin={"engineer": "A", "start": at("10:00")}) for name in ("V", "W")]
    plan, _ = planned(day([engineer("A")], pins), engine_name)
    assert len(plan.unassigned) == 1


@pytest.mark.parametrize(
    "impossible",
    [
        {"pin": {"engineer": "A", "start": at("08:09")}},  # ten minutes' drive
        {"pin": {"engineer": "A", "start": at("15:30")}},  # not back in time
        {"pin": {"engineer": "A"}, "required_skills": [skill("crane")]},
        {"pin": {"engineer": "A"}, "time_windows": [window("05:00", "06:00")]},
        {"pin": {"engineer": "A"}, "parts": {"seal": 1}},
        {"pin": {"engineer": "A"}, "depends_on": [{"work_order": "never"}]},
    ],
)
def test_pinned_work_is_left_only_where_no_plan_could_have_it(engine_name: str, impossible: Document) -> None:
    never = order("never", required_skills=[skill("flying")])
    plan, _ = planned(day([engineer("A"), engineer("B")], [order("W", **impossible), never, order("V")]), engine_name)
    assert set(plan.unassigned) == {"W", "never"}


def test_pinned_work_is_left_only_where_its_engineer_cannot_do_it_even_alone() -> None:
    """On random days: whatever pinned order is left, its engineer cannot do it beside the other pinned ones."""
    left = 0
    for seed in range(70):
        rng = Random(seed)
        document = random_problem(rng, orders=rng.randint(2, 8), engineers=rng.randint(1, 4))
        problem = read_problem(document, problem_travel)
        plan, _ = plan_of(problem, solved(problem).sequences)
        for name in plan.unassigned:
            if problem.order_by_id[name].pin is None:
                continue
            left += 1
            document["work_orders"] = [item for item in document["work_orders"] if item.get("pin")]
            for item in document["work_orders"]:
                item.pop("related_to", None)
            if any(item.get("depends_on") for item in document["work_orders"]):
                continue
            alone = read_problem({**document, "current_plan": None}, problem_travel)
            assert name in plan_of(alone, solved(alone).sequences)[0].unassigned
    assert left > 0


def test_running_work_stays_and_the_rest_of_the_day_is_planned_around_it(engine_name: str) -> None:
    running = order("R", "p30", 90, pin={"engineer": "A", "start": at("08:45")}, required_skills=[skill("crane")])
    document = day([engineer("A"), engineer("B")], [order("V", "p20"), running], now=at("10:00"))
    plan, _ = planned(document, engine_name)
    assert starts(plan) == {("R", "A"): "08:45", ("V", "A"): "10:25"}
    [route] = plan.routes
    assert route.stops[0].location == "p30"


def test_running_work_is_on_the_shift_that_is_under_way(engine_name: str) -> None:
    shifts = [shift("06:00", "08:00"), shift("08:00", "16:00", id="second")]
    running = order("R", "p30", 30, pin={"engineer": "A", "start": at("08:30")})
    plan, _ = planned(day([engineer("A", shifts=shifts)], [running], now=at("08:40")), engine_name)
    assert [route.shift for route in plan.routes] == ["second"]


def test_a_current_plan_is_kept_where_nothing_speaks_against_it() -> None:
    document = day([engineer("A"), engineer("B")], [order(f"W{number}", "p20") for number in range(6)])
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem).sequences)
    current = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    again, evaluated = planned({**document, "current_plan": current})
    assert {term.rule for term in evaluated.terms if term.amount and term.rule.startswith("change")} == set()
    assert starts(again) == starts(plan)


def test_a_team_and_the_work_around_it_are_planned_together(engine_name: str) -> None:
    team = order("T", "p30", level="L1", team={"roles": [role("lead", skill("crane")), role("support")]})
    people = [engineer("A", skill("crane")), engineer("B"), engineer("C")]
    plan, _ = planned(day(people, [team, *(order(f"W{number}", "p20") for number in range(9))]), engine_name)
    assert plan.unassigned == ()
    assert starts(plan)[("T", "A")] == min(start for (name, _), start in starts(plan).items() if name == "T")


def test_the_benchmark_measures_plans_that_the_checker_accepts() -> None:
    row = measure("demo", replace(DEMO, orders=12, engineers=4))
    assert (row.orders, row.engineers, row.verdict) == (12, 4, "feasible")
    assert row.total <= row.first_total
    assert f"| {' | '.join(row.cells())} |" in section([row])
