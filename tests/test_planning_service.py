"""Publishing a plan: engine, evaluation, reasons and checker in turn, and nothing that fails its own check."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import pytest

from dispatcher.errors import PlanRefused
from dispatcher.evaluate import Evaluation, Term
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.reasons import Explanation, Reason
from dispatcher.services.planning import PlanRequest, disagreements, make_plan
from dispatcher.verify import Verdict, verify
from tests.small_days import Document, at, day, engineer, order, read, seconds, skill

LIMITS = SearchLimits(2.5, 99, seed=7, threads=3)


class FixedEngine:
    """Hands over what it was given, and remembers what it was asked."""

    name = "fixed"

    def __init__(self, *routes: RouteSequence) -> None:
        self.routes = routes
        self.asked: list[SearchLimits] = []
        self.was_cancelled = False

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool],
        progress: Callable[[float, str], None],
    ) -> SearchResult:
        assert problem.work_orders
        self.asked.append(limits)
        self.was_cancelled = cancelled()
        progress(0.5, "half way")
        return SearchResult(Sequences(self.routes), 12, 0.1234567, "iteration_limit", ("distance",))


DOCUMENT = day([engineer("A")], [order("V"), order("W", required_skills=[skill("crane")])])


def route(*names: str) -> RouteSequence:
    return RouteSequence("A", "day", tuple(Visit(name) for name in names))


def request(engine: FixedEngine, document: Mapping[str, Any] = DOCUMENT, **fields: Any) -> PlanRequest:
    values: Document = {
        "problem": read(DOCUMENT),
        "document": document,
        "engine": engine,
        "limits": LIMITS,
        "explainer": lambda problem, plan, progress: (),
        "software": {"muster": "1.2.3"},
        "created_at": seconds("07:00"),
    }
    return PlanRequest(**{**values, **fields})


def test_the_published_plan_passes_the_checker() -> None:
    plan = make_plan(request(FixedEngine(route("V"))))
    assert verify(DOCUMENT, plan).feasible
    assert plan["problem_id"] == "small-day"
    assert plan["created_at"] == at("07:00")
    assert [item["work_order"] for item in plan["unassigned"]] == ["W"]


def test_the_receipt_says_what_made_the_plan() -> None:
    engine = FixedEngine(route("V"))
    plan = make_plan(request(engine))
    assert engine.asked == [LIMITS]
    assert plan["receipt"] == {
        "engine": "fixed",
        "seed": 7,
        "threads": 3,
        "iterations": 12,
        "elapsed_seconds": 0.123,
        "stopped_by": "iteration_limit",
        "approximated_rules": ["distance"],
        "problem_sha256": read(DOCUMENT).sha256,
        "travel_tier": "matrix",
        "software": {"muster": "1.2.3"},
        "lower_bound": None,
        "gap": None,
    }


def test_the_reasons_of_the_explainer_stand_beside_the_orders_left_undone() -> None:
    def explain(_: Problem, plan: Plan, progress: Callable[[float, str], None]) -> tuple[Explanation, ...]:
        progress(1.0, "explaining")
        return tuple(Explanation(name, (Reason("A", "NO_SHIFT"),)) for name in plan.unassigned)

    plan = make_plan(request(FixedEngine(route("V")), explainer=explain))
    [left] = plan["unassigned"]
    assert [(item["engineer"], item["code"]) for item in left["reasons"]] == [("A", "NO_SHIFT")]


def test_a_plan_that_breaks_a_hard_rule_is_refused_by_name() -> None:
    with pytest.raises(PlanRefused, match=r"qualification SKILL_MISSING at routes\[0\]\.stops\[2\]"):
        make_plan(request(FixedEngine(route("V", "W"))))


def test_a_plan_the_checker_does_not_agree_with_is_refused() -> None:
    with pytest.raises(PlanRefused, match=r"checker: claim PROBLEM_ID at problem_id"):
        make_plan(request(FixedEngine(route("V")), {**DOCUMENT, "id": "another"}))


def test_every_difference_in_cost_is_named_term_by_term() -> None:
    other = {**DOCUMENT, "work_orders": [DOCUMENT["work_orders"][0], {**DOCUMENT["work_orders"][1], "value": 5}]}
    with pytest.raises(PlanRefused) as refused:
        make_plan(request(FixedEngine(route("V")), other))
    text = "\n".join(refused.value.differences)
    assert "unserved: the evaluation says 7200, the checker 5" in text
    assert "total: the evaluation says 8400, the checker 1205" in text


def test_the_whole_way_from_the_engine_to_the_check_is_reported() -> None:
    told: list[tuple[float, str]] = []
    make_plan(request(FixedEngine(route("V"))), progress=lambda fraction, text: told.append((fraction, text)))
    assert told == [(0.5, "half way"), (1.0, "scoring the plan"), (1.0, "checking the plan")]


def test_a_cancel_reaches_the_engine() -> None:
    engine = FixedEngine(route("V"))
    make_plan(request(engine), cancelled=lambda: True)
    assert engine.was_cancelled


def _term(rule: str, amount: int, cost: int) -> tuple[str, Fraction, Fraction]:
    return rule, Fraction(amount), Fraction(cost)


def test_agreement_leaves_nothing_to_say() -> None:
    terms = (Term("travel", "s", 1200, 1_200_000), Term("unserved", "", 5, 5000))
    evaluation = Evaluation(terms, 1205, ())
    agreeing = Verdict(True, (), (_term("travel", 1200, 1200), _term("unserved", 5, 5)), 1205)
    assert disagreements(evaluation, agreeing) == []


def test_a_term_that_only_one_side_has_is_named() -> None:
    evaluation = Evaluation((Term("travel", "s", 1200, 1_200_000),), 1200, ())
    verdict = Verdict(True, (), (_term("overtime", 60, 120),), 120)
    assert disagreements(evaluation, verdict) == [
        "overtime: the evaluation says 0, the checker 60",
        "travel: the evaluation says 1200, the checker 0",
        "total: the evaluation says 1200, the checker 120",
    ]
