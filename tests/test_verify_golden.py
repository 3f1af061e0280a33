"""The checker agrees with every golden case, term by term."""

from fractions import Fraction

import pytest

from dispatcher.verify import verify
from tests.reference import GoldenCase, golden_cases

CASES = golden_cases()
GOOD = [case for case in CASES if case.expected["feasible"]]
BROKEN = [case for case in CASES if not case.expected["feasible"]]


def name(case: GoldenCase) -> str:
    return case.name


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_good_golden_plan_has_no_findings(case: GoldenCase) -> None:
    verdict = verify(case.problem, case.plan)
    assert [finding.message for finding in verdict.findings] == []
    assert verdict.feasible


@pytest.mark.parametrize("case", GOOD, ids=name)
def test_golden_total_and_terms_are_recomputed_exactly(case: GoldenCase) -> None:
    verdict = verify(case.problem, case.plan)
    expected = {
        term["rule"]: (Fraction(repr(term["amount"])), Fraction(repr(term["cost"])))
        for term in case.expected["terms"]
        if term["amount"] != 0
    }
    assert {rule: (amount, cost) for rule, amount, cost in verdict.terms} == expected
    assert verdict.total == case.expected["total"]


@pytest.mark.parametrize("case", BROKEN, ids=name)
def test_broken_golden_plan_is_infeasible_and_has_no_total(case: GoldenCase) -> None:
    verdict = verify(case.problem, case.plan)
    assert not verdict.feasible
    assert verdict.total is None


@pytest.mark.parametrize(
    ("case_name", "rules"),
    [
        ("10-broken-break", {"break"}),
        ("11-broken-travel", {"travel"}),
        ("12-broken-standby", {"standby"}),
        ("13-broken-running", {"pin", "travel"}),
    ],
)
def test_broken_golden_plan_breaks_the_rule_it_is_named_after(case_name: str, rules: set[str]) -> None:
    chosen = [case for case in CASES if case.name == case_name]
    if not chosen:
        pytest.skip("no reference data")
    assert {finding.rule for finding in verify(chosen[0].problem, chosen[0].plan).findings} >= rules
