"""What is left of a plan while nothing happens: everything, where and when it was."""

from random import Random
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from solver.insertion import InsertionEngine
from solver.live.running import running_sequences
from tests.small_days import at, day, engineer, order, plan_of, read, rest, role, shift


def orders_of(sequences: Sequences) -> dict[tuple[str, str], list[str]]:
    return {
        (route.engineer, route.shift): [visit.work_order for visit in route.visits if isinstance(visit, Visit)]
        for route in sequences.routes
    }


@given(seed=st.integers(0, 2**32))
def test_a_plan_read_back_while_nothing_happens_is_whole(seed: int) -> None:
    rng = Random(seed)
    document = random_problem(rng, orders=rng.randint(1, 14), engineers=rng.randint(1, 6))
    problem = read_problem(document, problem_travel)
    # What somebody has begun comes first on their route, planned there or not.
    assume(not any(problem.is_running(order) for order in problem.work_orders))
    planned = InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None)).sequences
    plan = build_plan(problem, planned)
    evaluation = evaluate(problem, plan)
    shown = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)
    again = running_sequences(problem, shown["routes"], shown["teams"])
    assert orders_of(again) == orders_of(planned)
    assert again.standby == planned.standby


def shown_plan(problem: Problem, sequences: Sequences) -> dict[str, Any]:
    plan, evaluation = plan_of(problem, sequences)
    assert evaluation.feasible
    return plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=0)


def test_a_break_is_not_put_where_a_team_would_have_to_wait_for_it() -> None:
    crew = [
        engineer("A", shifts=[shift(breaks=[rest("09:00", "14:00", 60)])]),
        engineer("B", shifts=[shift(end="12:00", latest_end="12:00")]),
    ]
    work = [order("T", "p10", 120, team={"roles": [role("x", min=2)]}), order("W", "p10", 60)]
    problem = read(day(crew, work))
    planned = Sequences(
        (
            RouteSequence("A", "day", (Visit("W"), Visit("T", "x"), Rest(0))),
            RouteSequence("B", "day", (Visit("T", "x"),)),
        )
    )
    shown = shown_plan(problem, planned)
    again = running_sequences(problem, shown["routes"], shown["teams"])
    assert orders_of(again) == orders_of(planned)
    assert build_plan(problem, again).teams == build_plan(problem, planned).teams


def test_a_team_of_which_nobody_on_site_is_left_is_left_undone() -> None:
    far = [role("lead", presence="remote"), role("hands")]
    crew = [engineer("A"), engineer("B")]
    problem = read(day(crew, [order("T", team={"roles": far}), order("W", "p20")]))
    visits = (Visit("T", "lead"), Visit("W"))
    shown = shown_plan(
        problem, Sequences((RouteSequence("A", "day", visits), RouteSequence("B", "day", (Visit("T", "hands"),))))
    )
    without = read(day(crew[:1], [order("T", team={"roles": far}), order("W", "p20")]))
    assert orders_of(running_sequences(without, shown["routes"], shown["teams"])) == {("A", "day"): ["W"]}


def test_work_begun_without_its_parts_leaves_everybody_elses_day_alone() -> None:
    crew = [engineer("A", parts={"valve": 1}), engineer("B", parts={"valve": 1})]
    done = order("run", "p10", 60, parts={"valve": 2}, pin={"engineer": "A", "start": at("08:30")})
    problem = read(day(crew, [done, order("W1"), order("W2", "p20", parts={"valve": 1})], now=at("09:00")))
    planned = Sequences((RouteSequence("A", "day", (Visit("W1"),)), RouteSequence("B", "day", (Visit("W2"),))))
    shown = shown_plan(problem, planned)
    again = running_sequences(problem, shown["routes"], shown["teams"])
    assert orders_of(again) == orders_of(planned)
