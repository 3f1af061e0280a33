"""The engine `ortools`: what OR-Tools is asked is what the rules say, and what comes back keeps every one of them.

Where a test speaks of OR-Tools alone, neither the insertion engine's plan nor its filling of gaps helps: what is
compared with the best plan of all is what OR-Tools itself found.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, permutations, product
from random import Random

import pytest

from api.problems import SolveOptions, build_problem, solve_document
from data.synthetic import DEMO, EVERYTHING, random_problem, synthetic_problem
from dispatcher.errors import EngineRefuses
from dispatcher.evaluate import Evaluation
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.verify import verify
from solver.insertion import InsertionEngine
from solver.ortools_routing import engine as ortools_engine
from solver.ortools_routing import model as ortools_model
from solver.ortools_routing import replay as ortools_replay
from solver.ortools_routing.engine import OrToolsEngine
from tests.small_days import (
    Document,
    at,
    day,
    engineer,
    order,
    plan_of,
    read,
    rest,
    role,
    shift,
    skill,
    starts,
    window,
    with_breaks,
)

SHORT = SearchLimits(time_limit_seconds=None, iteration_limit=60)


def solved(problem: Problem, limits: SearchLimits = SHORT, **hooks: Callable[..., object]) -> SearchResult:
    return OrToolsEngine().solve(problem, limits, **hooks)  # type: ignore[arg-type]


def planned(document: Document) -> tuple[Plan, Evaluation]:
    problem = read(document)
    plan, evaluation = plan_of(problem, solved(problem).sequences)
    assert evaluation.findings == ()
    return plan, evaluation


class _EmptyHanded:
    """A construction engine that places nothing."""

    def solve(self, *_: object, **__: object) -> SearchResult:
        return SearchResult(Sequences(), 0, 0.0, "finished")


class _Idle:
    """A construction that leaves the gaps it is given."""

    def __init__(self, *_: object) -> None:
        pass

    def run(self) -> None:
        pass


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody helps OR-Tools: no plan to start from, no gaps filled behind it."""
    monkeypatch.setattr(ortools_engine, "InsertionEngine", _EmptyHanded)
    monkeypatch.setattr(ortools_replay, "Construction", _Idle)


def every_plan(problem: Problem) -> Iterator[Sequences]:
    """All sequences of all subsets of the orders on all shifts, with breaks at every place."""
    keys = [(person.id, own.id, len(own.breaks)) for person in problem.engineers for own in person.shifts]
    names = [item.id for item in problem.work_orders]
    for owners in product(range(len(keys) + 1), repeat=len(names)):
        routes: list[list[RouteSequence]] = []
        for number, (person, own, breaks) in enumerate(keys):
            mine = [name for name, owner in zip(names, owners, strict=True) if owner == number]
            routes.append(
                [
                    RouteSequence(person, own, visits)
                    for ordered in permutations(mine)
                    for visits in with_breaks([Visit(name) for name in ordered], breaks)
                    if mine
                ]
            )
        for chosen in product(*(choices for choices in routes if choices)):
            yield Sequences(chosen)


def cheapest(problem: Problem) -> int:
    """The total of the best plan there is, by trying all of them."""
    evaluations = (plan_of(problem, sequences)[1] for sequences in every_plan(problem))
    return min(evaluation.total for evaluation in evaluations if evaluation.feasible)


# -- what is modelled --------------------------------------------------------------------------------------------

CRANE = skill("crane")
TWO = [engineer("A"), engineer("B", shifts=[shift(start_location="p60")])]
GRAPH = {
    "skills": [{"id": "crane"}, {"id": "hoist"}],
    "relations": [{"type": "substitutes", "from": "hoist", "to": "crane", "duration_factor": 2, "penalty": 300}],
}
TRIP = [order("V", "p10"), order("W", "p30"), order("X", "p60")]


def weighing(**weights: object) -> Document:
    return {"objective": {"weights": weights}}


def planned_before(name: str, place: str, start: str, end: str, back: str) -> Document:
    """A current plan of one order served by one engineer, driven from the depot."""
    minutes = int(place[1:])
    work = {"kind": "work_order", "work_order": name, "role": None, "location": place, "travel_seconds": 60 * minutes}
    return {
        "version": 1,
        "routes": [
            {
                "engineer": "A",
                "shift": "day",
                "stops": [
                    {"kind": "start", "location": "p0", "end": at("08:00")},
                    {**work, "arrival": at(start), "start": at(start), "end": at(end)},
                    {"kind": "end", "location": "p0", "travel_seconds": 60 * minutes, "arrival": at(back)},
                ],
            }
        ],
        "unassigned": [],
    }


DAYS: dict[str, Document] = {
    "travel": day(TWO, TRIP),
    "distance": day(TWO, TRIP, **weighing(distance=1, travel=0)),
    "speed": day([engineer("A", speed_factor=0.5), engineer("B")], TRIP),
    "value": day([engineer("A")], [order("V", "p30", 300), order("W", "p60", 200, value=9000)]),
    "not worth it": day([engineer("A")], [order("V", "p10"), order("W", "p300", value=100)]),
    "duration": day([engineer("A", CRANE, duration_factors={"crane": 2}), engineer("B", CRANE)],
                    [order(name, "p10", 170, required_skills=[CRANE]) for name in "VWX"]),
    "window": day(TWO, [order("V", "p10", time_windows=[window("14:00", "14:30")]), *TRIP[1:]]),
    "windows": day([engineer("A")], [
        order("V", "p10", 90, time_windows=[window("08:00", "08:30"), window("13:00", "13:10")]),
        order("W", "p30", 90, time_windows=[window("08:00", "08:40"), window("11:00", "11:10")]),
        order("X", "p10", 90, time_windows=[window("09:00", "10:00")])]),
    "latest end": day([engineer("A")], [order("V", "p120", 200), order("W", "p120", 40), order("X", "p10", 100)]),
    "overtime": day([engineer("A", shifts=[shift("08:00", "10:00", "14:00")]), engineer("B")],
                    [order("V", "p10", 90), order("W", "p20", 90)]),
    "open route": day([engineer("A", shifts=[shift(end_location=None)]), engineer("B")], TRIP),
    "break": day([engineer("A", shifts=[shift(breaks=[rest("12:00", "12:30", 60)])])],
                 [order(name, "p10", 130) for name in "VWX"]),
    "skills": day([engineer("A"), engineer("B", CRANE)], [order("Y", "p60", required_skills=[CRANE]), *TRIP[:2]]),
    "certificate": day([engineer("A", skill("crane", 1, "10:00")), engineer("B", shifts=[shift("08:00", "09:00")])],
                       [order("V", "p10", 120, required_skills=[CRANE]), order("W", "p10", 120),
                        order("X", "p10", 120, required_skills=[CRANE])]),
    "substitution": day([engineer("A", skill("hoist")), engineer("B", CRANE, shifts=[shift(start_location="p20")])],
                        [order("V", "p10", 30, required_skills=[CRANE]), order("W", "p30", required_skills=[CRANE])],
                        skill_graph=GRAPH),
    "late start": day([engineer("A")], [order(name, "p10", 60, deadlines={"start_by": at(by)}) for name, by in
                                        (("V", "10:40"), ("W", "08:10"), ("X", "09:20"))],
                      **weighing(late_start=5, late_start_once=0)),
    "late restore": day([engineer("A")], [order(name, "p10", minutes, deadlines={"restore_by": at("10:00")})
                                          for name, minutes in (("V", 50), ("W", 70), ("X", 20))],
                        **weighing(late_restore=3, late_restore_once=0)),
    "allowed": day(TWO, [order("V", "p10", allowed_engineers=["B"]), order("W", "p60", excluded_engineers=["B"])]),
    "preferred": day(TWO, [order("V", "p30", preferred_engineers=["A"]), order("W", "p60")],
                     **weighing(preference=900)),
    "repeat visit": day([engineer("A", CRANE, fix_probability={"crane": 0.5}), engineer("B", CRANE)],
                        [order("V", "p10", 90, required_skills=[CRANE]), order("W", "p60")],
                        **weighing(repeat_visit=2)),
    "pin": day(TWO, [order("V", "p10", pin={"engineer": "B"}), order("W", "p20", pin={"engineer": "A"})]),
    "pinned start": day([engineer("A")], [order("V", "p10", pin={"engineer": "A", "start": at("11:11")}), *TRIP[1:]]),
    "depends on": day(TWO, [order("V", "p60"), order("W", "p10", depends_on=[
        {"work_order": "V", "min_gap_seconds": 1800, "max_gap_seconds": 7200}]), order("X", "p30", 200)]),
    "completed": day([engineer("A")], [order("V", "p10", 30, depends_on=[
        {"completed_at": at("07:00"), "min_gap_seconds": 10800}]), *TRIP[1:]], now=at("07:30")),
    "parts": day([engineer("A", parts={"seal": 1}), engineer("B", parts={"seal": 1, "hose": 1},
                                                             shifts=[shift(start_location="p60")])],
                 [order("V", "p10", parts={"seal": 1}), order("W", "p10", parts={"seal": 1}),
                  order("X", "p10", parts={"hose": 1, "seal": 1}, value=20000)]),
    "shifts": day([engineer("A", shifts=[shift("08:00", "10:00", id="am"), shift("13:00", "16:00", id="pm")])],
                  [order("V", "p10", 90), order("W", "p20", 90), order("X", "p10", 30)]),
    "max work orders": day([engineer("A", shifts=[shift(max_work_orders=1)]), *TWO[1:]], TRIP),
    "setup": day([engineer("A")], [order(name, place, 40, setup_seconds=3600) for name, place in
                                   (("V", "p10"), ("W", "p20"), ("X", "p10"))]),
    "related": day(TWO, [order("V", "p20", related_to=["W"]), order("W", "p60"), order("X", "p10")],
                   **weighing(association=9000)),
    "engineers used": day(TWO, TRIP, **weighing(engineers_used=9000)),
    "change": day([engineer("A"), engineer("B", shifts=[shift(start_location="p60")])],
                  [order("V", "p30"), order("W", "p60")],
                  current_plan=planned_before("W", "p60", "09:00", "10:00", "11:00")),
    "now": day(TWO, TRIP, now=at("12:00")),
}  # fmt: skip


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("name", DAYS)
def test_ortools_alone_finds_the_best_plan_of_a_day_that_turns_on_one_rule(name: str) -> None:
    problem = read(DAYS[name])
    result = solved(problem)
    evaluation = plan_of(problem, result.sequences)[1]
    assert evaluation.findings == ()
    assert evaluation.total == cheapest(problem)


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("seed", range(12))
def test_ortools_alone_finds_the_best_plan_of_plain_random_days(seed: int) -> None:
    rng = Random(seed)
    places = ("p10", "p20", "p30", "p60", "p120")
    orders = [
        order(f"W{number}", rng.choice(places), rng.randrange(20, 200), value=rng.randrange(1000, 30000))
        | ({"time_windows": [window("09:00", "11:00")]} if rng.random() < 0.4 else {})
        for number in range(4)
    ]
    problem = read(day([engineer("A"), engineer("B", shifts=[shift("10:00", "14:00", "15:00")])], orders))
    assert plan_of(problem, solved(problem).sequences)[1].total == cheapest(problem)


# -- what stays --------------------------------------------------------------------------------------------------


def test_running_work_stays_where_it_is_and_saves_the_setup_of_the_next() -> None:
    running = order("R", "p30", 90, setup_seconds=600, pin={"engineer": "A", "start": at("08:45")})
    orders = [running, order("V", "p30", setup_seconds=1200), order("W", "p20")]
    plan, _ = planned(day([engineer("A")], orders, now=at("10:00")))
    assert starts(plan) == {("R", "A"): "08:45", ("V", "A"): "10:25", ("W", "A"): "11:35"}


def test_a_team_keeps_its_start_and_its_members_and_the_rest_is_planned_around_it() -> None:
    team = order("T", "p30", level="L1", team={"roles": [role("lead", CRANE), role("support")]})
    people = [engineer("A", CRANE), engineer("B"), engineer("C")]
    document = day(people, [team, *(order(f"W{number}", "p20", 100) for number in range(9))])
    problem = read(document)
    before = plan_of(problem, InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None)).sequences)[0]
    plan, _ = planned(document)
    assert plan.teams == before.teams
    assert plan.unassigned == ()


def test_remote_members_are_not_given_other_work_meanwhile() -> None:
    advice = {"roles": [role("lead"), role("expert", CRANE, presence="remote")]}
    team = order("T", "p30", 240, level="L1", team=advice)
    plan, evaluation = planned(day([engineer("A"), engineer("B", CRANE)], [team, *TRIP]))
    assert evaluation.findings == ()
    assert ("T", "B") in starts(plan)


def test_somebody_near_enough_stands_by_when_the_one_who_did_is_sent_away() -> None:
    watched = {"roles": [role("lead", CRANE), role("backup", presence="standby")]}
    team = order("T", "p10", 60, level="L1", team=watched)
    far = [order(f"F{number}", "p120", 30, value=40000, time_windows=[window("10:00", "10:30")]) for number in range(2)]
    people = [engineer("A", CRANE), engineer("B"), engineer("C"), engineer("D", shifts=[shift(start_location="p20")])]
    plan, evaluation = planned(day(people, [team, *far]))
    assert evaluation.findings == ()
    assert plan.unassigned == ()
    assert len(plan.teams[0].standby) == 1


def test_work_that_a_kept_team_waits_for_is_kept_too() -> None:
    team = order("T", "p10", level="L1", depends_on=[{"work_order": "V"}], team={"roles": [role("lead", CRANE)]})
    plan, _ = planned(day([engineer("A", CRANE), engineer("B")], [team, *TRIP]))
    assert plan.unassigned == ()


# -- what is promised --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", range(4))
def test_no_plan_of_a_random_day_breaks_a_rule_and_the_checker_agrees_on_its_cost(block: int) -> None:
    for seed in range(10 * block, 10 * block + 10):
        rng = Random(seed)
        document = random_problem(rng, orders=rng.randint(1, 14), engineers=rng.randint(1, 6))
        problem = build_problem(document)
        limits = SearchLimits(time_limit_seconds=0.12)
        plan, evaluation = plan_of(problem, solved(problem, limits).sequences)
        published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
        verdict = verify(document, published)
        assert [finding.message for finding in verdict.findings] == [], seed
        assert verdict.total == evaluation.total


@pytest.mark.parametrize("seed", range(6))
def test_a_run_of_few_iterations_is_never_worse_than_the_insertion_engine(seed: int) -> None:
    rng = Random(1000 + seed)
    problem = build_problem(random_problem(rng, orders=rng.randint(4, 16), engineers=rng.randint(1, 6)))
    insertion = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None))
    assert _judged(problem, solved(problem, SearchLimits(None, 10))) <= _judged(problem, insertion)


def _judged(problem: Problem, result: SearchResult) -> tuple[int, int]:
    """Pinned orders left undone, and the total: what an engine makes as small as it can, in this order."""
    plan, evaluation = plan_of(problem, result.sequences)
    assert evaluation.feasible
    return sum(problem.order_by_id[name].pin is not None for name in plan.unassigned), evaluation.total


def test_on_a_day_of_many_orders_it_improves_on_insertion() -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=30, engineers=6)))
    insertion = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None))
    before, after = (
        plan_of(problem, found)[1] for found in (insertion.sequences, solved(problem, SearchLimits(None, 12)).sequences)
    )
    assert after.findings == ()
    assert after.total < before.total


def test_the_same_number_of_iterations_gives_the_same_plan_whatever_the_seed() -> None:
    problem = build_problem(synthetic_problem(replace(EVERYTHING, orders=24, engineers=8)))
    first = solved(problem, SearchLimits(None, 12, seed=1, threads=1))
    again = solved(problem, SearchLimits(None, 12, seed=7, threads=4))
    assert (first.sequences, first.iterations, first.stopped_by) == (
        again.sequences,
        again.iterations,
        again.stopped_by,
    )
    assert first.iterations <= 12


def test_without_iterations_it_is_the_plan_it_starts_from() -> None:
    problem = read(DAYS["setup"])
    result = solved(problem, SearchLimits(None, 0))
    assert (result.iterations, result.stopped_by) == (0, "iteration_limit")
    assert result.sequences == InsertionEngine().solve(problem, SearchLimits(None)).sequences


@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.8])
def test_the_time_limit_ends_the_run(seconds: float) -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=40, engineers=8)))
    result = solved(problem, SearchLimits(time_limit_seconds=seconds))
    assert result.stopped_by == "time_limit"
    assert plan_of(problem, result.sequences)[1].feasible


def test_cancelling_ends_a_run_without_limits_with_the_best_so_far() -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=30, engineers=6)))
    calls: list[str] = []
    result = solved(
        problem,
        SearchLimits(time_limit_seconds=None),
        cancelled=lambda: len(calls) > 3,
        progress=lambda fraction, text: calls.append(text),
    )
    assert result.stopped_by == "cancelled"
    assert plan_of(problem, result.sequences)[1].feasible


@pytest.mark.parametrize("limits", [SearchLimits(0.6), SearchLimits(None, 8)])
def test_progress_rises_to_one(limits: SearchLimits) -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=20, engineers=5)))
    seen: list[float] = []
    solved(problem, limits, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert 0 <= seen[0] < seen[-1] == 1.0


def test_an_error_of_the_caller_comes_through() -> None:
    problem = build_problem(synthetic_problem(replace(DEMO, orders=20, engineers=5)))
    began = time.monotonic()

    def cancelled() -> bool:
        if time.monotonic() - began > 0.4:
            raise RuntimeError("the caller has gone")
        return False

    with pytest.raises(RuntimeError, match="the caller has gone"):
        solved(problem, SearchLimits(time_limit_seconds=30), cancelled=cancelled)


@pytest.mark.parametrize("document", [day([], []), day([], TRIP), day(TWO, []), day([engineer("A", shifts=[])], TRIP)])
def test_an_empty_day_has_an_empty_plan(document: Document) -> None:
    plan, _ = planned(document)
    assert plan.routes == ()


# -- what is said ------------------------------------------------------------------------------------------------


def test_steps_and_shared_rules_are_named_as_approximated() -> None:
    late = [order("V", deadlines={"start_by": at("09:00")})]
    assert "late_start_once" in solved(read(day(TWO, late))).approximated_rules
    assert solved(read(day(TWO, late, **weighing(late_start_once=0)))).approximated_rules == ()
    assert solved(read(day(TWO, TRIP, **weighing(fairness=1, worst_lateness=1)))).approximated_rules == (
        "worst_lateness",
        "fairness",
    )


def test_traffic_is_named_as_approximated_and_the_plan_is_exact_all_the_same() -> None:
    travel = day([], [])["travel"] | {"traffic": [{"from": "07:00", "to": "09:00", "factor": 3}]}
    document = day(TWO, [*TRIP, order("Y", "p20")], travel=travel)
    problem = read(document)
    result = solved(problem)
    assert "travel" in result.approximated_rules
    assert plan_of(problem, result.sequences)[1].feasible


def test_a_problem_too_large_for_its_matrices_is_refused_with_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ortools_model, "REFUSED_CELLS", 40)
    with pytest.raises(EngineRefuses, match=r"rule travel: .*another engine") as refusal:
        solved(read(DAYS["speed"]))
    assert refusal.value.rule == "travel"


def test_engineers_are_merged_where_their_matrices_would_be_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ortools_model, "MATRIX_CELLS", 40)
    problem = read(DAYS["preferred"])
    result = solved(problem)
    assert "preference" in result.approximated_rules
    assert plan_of(problem, result.sequences)[1].feasible


def test_it_plans_a_document_by_name() -> None:
    plan = solve_document(DAYS["travel"], SolveOptions(iteration_limit=20, engine="ortools"))
    assert plan["receipt"]["engine"] == "ortools"
    assert plan["unassigned"] == []


def test_nothing_of_ortools_is_loaded_or_said_until_it_is_used() -> None:
    code = "import sys, solver.engines; assert not [name for name in sys.modules if name.startswith('ortools')]"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=os.environ, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ortools_itself_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    problem = read(DAYS["pin"])
    solved(problem)
    solved(problem, SearchLimits(time_limit_seconds=0.2))
    assert capfd.readouterr() == ("", "")


def test_every_pair_of_orders_can_be_told_apart_by_the_days_above() -> None:
    """The days are no use if their best plan is the empty one."""
    for name, document in DAYS.items():
        problem = read(document)
        assert cheapest(problem) < plan_of(problem, Sequences())[1].total, name
    assert all(one != other for one, other in combinations(DAYS.values(), 2))
