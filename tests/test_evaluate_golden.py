"""The reference evaluation agrees with every golden case, and publishes what the checker accepts."""

from fractions import Fraction

import pytest

from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import evaluate
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from dispatcher.publish import plan_document
from dispatcher.services.planning import disagreements
from dispatcher.verify import verify
from tests.reference import GoldenCase, golden_cases

CASES = golden_cases()
GOOD = [case for case in CASES if case.expected["feasible"]]
BROKEN = [case for case in CASES if not case.expected["feasible"]]


def name(case: GoldenCase) -> str:
    return case.name


def read(case: GoldenCase) -> tuple[Problem, Plan]:
    return read_problem(case.problem, problem_travel), read_plan(case.plan)


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_a_good_golden_plan_breaks_no_rule_and_costs_what_it_should_term_by_term(case: GoldenCase) -> None:
    evaluation = evaluate(*read(case))
    assert evaluation.findings == ()
    found = {term.rule: (Fraction(term.amount), Fraction(term.cost_milli) / 1000) for term in evaluation.terms}
    expected = {
        term["rule"]: (Fraction(repr(term["amount"])), Fraction(repr(term["cost"])))
        for term in case.expected["terms"]
        if term["amount"]
    }
    assert found == expected
    assert evaluation.total == case.expected["total"]


@pytest.mark.parametrize("case", BROKEN, ids=name)
def test_a_broken_golden_plan_is_found_to_break_the_rules_the_checker_names(case: GoldenCase) -> None:
    evaluation = evaluate(*read(case))
    assert not evaluation.feasible
    named = {finding.rule for finding in verify(case.problem, case.plan).findings} - {"claim", "score"}
    assert {finding.rule for finding in evaluation.findings} == named


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_a_golden_plan_published_again_passes_the_checker_with_the_same_score(case: GoldenCase) -> None:
    problem, plan = read(case)
    evaluation = evaluate(problem, plan)
    receipt = {"engine": "golden", "problem_sha256": problem.sha256}
    document = plan_document(problem, plan, evaluation, explanations=[], receipt=receipt, created_at=problem.now)
    verdict = verify(case.problem, document)
    assert [finding.message for finding in verdict.findings] == []
    assert disagreements(evaluation, verdict) == []
    assert document["score"]["total"] == case.expected["total"]
    assert read_plan(document) == plan
