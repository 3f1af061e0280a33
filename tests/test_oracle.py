"""An exact model as the oracle: its optimum is a plan our rules agree with, and no engine ever goes below it."""

import pytest

from api.documents import check_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.schedule import build_plan
from dispatcher.verify import verify
from solver.engines import engine_named
from tests.cpsat_oracle import NotModelled, optimum
from tests.oracle_days import oracle_document
from tests.small_days import Document, at, day, engineer, order, read

FAST_DAYS = range(10)
SLOW_DAYS = range(200)
LEAST_SHARE = 0.98
LIMITS = SearchLimits(time_limit_seconds=20.0, iteration_limit=30_000, seed=1)


def total_by_hybrid(problem: Problem) -> int:
    result = engine_named("hybrid").solve(problem, LIMITS, cancelled=lambda: False, progress=lambda share, text: None)
    return feasible_total(problem, result.sequences)


def feasible_total(problem: Problem, sequences: Sequences) -> int:
    evaluation = evaluate(problem, build_plan(problem, sequences))
    assert evaluation.feasible
    return evaluation.total


def checked_total(document: Document, problem: Problem, sequences: Sequences) -> int:
    """The total by the independent checker, which must find nothing."""
    plan = build_plan(problem, sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(problem, plan, evaluation, explanations=(), receipt={}, created_at=problem.now)
    verdict = verify(document, published)
    assert verdict.feasible, verdict.findings
    assert verdict.total is not None
    return verdict.total


@pytest.mark.parametrize("seed", FAST_DAYS)
def test_the_optimum_is_a_plan_that_costs_what_the_model_says_and_hybrid_never_goes_below_it(seed: int) -> None:
    document = oracle_document(seed)
    problem = read(document)
    best = optimum(problem)
    assert best.proven
    assert checked_total(document, problem, best.sequences) == best.total
    assert total_by_hybrid(problem) >= best.total


@pytest.mark.slow
def test_hybrid_reaches_the_proven_optimum_of_nearly_every_small_day_with_teams() -> None:
    reached, below = 0, []
    for seed in SLOW_DAYS:
        document = oracle_document(seed)
        problem = read(document)
        best = optimum(problem)
        assert best.proven, seed
        assert checked_total(document, problem, best.sequences) == best.total, seed
        found = total_by_hybrid(problem)
        reached += found == best.total
        if found < best.total:
            below.append(seed)
    assert below == []
    assert reached >= LEAST_SHARE * len(SLOW_DAYS), f"{reached} of {len(SLOW_DAYS)}"


def test_the_days_of_the_oracle_are_valid_and_have_every_feature_it_models() -> None:
    documents = [oracle_document(seed) for seed in SLOW_DAYS]
    assert [issue for document in documents for issue in check_problem(document)] == []
    assert all(1 <= sum("team" in order for order in document["work_orders"]) <= 2 for document in documents)
    text = str(documents)
    for feature in (
        *("standby", "remote", "staggered", "lead_first", "collective_skills", "service_seconds_by_size"),
        *("breaks", "max_work_orders", "latest_end", "'end_location': None", "setup_seconds", "parts"),
        *("depends_on", "max_gap_seconds", "related_to", "preferred_engineers", "allowed_engineers"),
        *("arrive_by", "start_by", "restore_by", "time_windows", "substitutes", "speed_factor", "duration_factors"),
    ):
        assert feature in text, feature


def test_what_the_oracle_does_not_model_is_refused_rather_than_left_out() -> None:
    pinned = order("W1", pin={"engineer": "A"})
    with pytest.raises(NotModelled):
        optimum(read(day([engineer("A")], [pinned])))
    jam = {"traffic": [{"from": "07:00", "to": "09:30", "factor": 1.6}]}
    document = day([engineer("A")], [order("W1")])
    document["travel"] |= jam
    with pytest.raises(NotModelled):
        optimum(read(document))


def test_an_order_is_left_where_serving_it_costs_more_than_its_value() -> None:
    # Half an hour there and back is 3600 seconds of travel.
    for value, total, left in ((3599, 3599, 1), (3601, 3600, 0)):
        problem = read(day([engineer("A")], [order("W1", "p30", value=value)]))
        best = optimum(problem)
        assert (best.total, len(build_plan(problem, best.sequences).unassigned)) == (total, left)


def test_lateness_is_weighed_by_the_level_against_the_road() -> None:
    # An L1 promise for 08:20 at a place thirty minutes away: 600 s late at 10 each, and once 36000.
    late = order("W1", "p30", level="L1", deadlines={"start_by": at("08:20")})
    assert optimum(read(day([engineer("A")], [late]))).total == 3600 + 6000 + 36000
