"""Every hard rule by itself: on a tiny day that is right, one thing is broken, and exactly its rule is reported."""

import pytest

from api.documents import check_problem
from tests import rule_cases_routes, rule_cases_teams
from tests.days import Base, guided, one, open_ended, pair, rested, two, underway
from tests.rule_cases import HARD_CASES, HardCase

BASES = [one, two, rested, pair, guided, underway, open_ended]


@pytest.mark.parametrize("base", BASES, ids=lambda base: base.__name__)
def test_the_days_that_are_broken_are_right_before(base: Base) -> None:
    day = base()
    assert check_problem(day.problem) == []
    evaluation, verdict = day.evaluate(), day.verify()
    assert evaluation.findings == ()
    assert verdict.findings == ()
    assert evaluation.total == verdict.total


def test_every_case_starts_from_one_of_these_days() -> None:
    assert {case.base for case in HARD_CASES} == set(BASES)
    modules = {rule_cases_routes.__name__, rule_cases_teams.__name__}
    assert {case.break_it.__module__ for case in HARD_CASES} == modules


@pytest.mark.parametrize("case", HARD_CASES, ids=lambda case: f"{case.rule}-{case.name}")
def test_a_broken_rule_is_reported_by_evaluator_and_checker_and_no_other_rule_is(case: HardCase) -> None:
    day = case.base()
    case.break_it(day)
    assert check_problem(day.problem) == []
    evaluation, verdict = day.evaluate(), day.verify()
    assert {(finding.rule, finding.code) for finding in evaluation.findings} == {(case.rule, case.code)}
    assert {finding.rule for finding in verdict.findings} == {case.rule}
    assert not evaluation.feasible
    assert not verdict.feasible
    assert verdict.total is None
