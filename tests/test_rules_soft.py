"""Every soft rule by itself: on a tiny day that is right, the amount and the cost worked out by hand."""

from collections.abc import Iterable
from fractions import Fraction

import pytest

from api.documents import check_problem
from tests import rule_cases_soft
from tests.rule_cases import SOFT_CASES, SoftCase

Terms = dict[str, tuple[Fraction, Fraction]]


def terms(triples: Iterable[tuple[str, Fraction | int, Fraction | int]]) -> Terms:
    """(amount, cost) by rule."""
    return {rule: (Fraction(amount), Fraction(cost)) for rule, amount, cost in triples}


@pytest.mark.parametrize("case", SOFT_CASES, ids=lambda case: f"{case.rule}-{case.name}")
def test_amount_and_cost_are_those_worked_out_by_hand(case: SoftCase) -> None:
    assert case.make.__module__ == rule_cases_soft.__name__
    day = case.make()
    assert check_problem(day.problem) == []
    evaluation, verdict = day.evaluate(), day.verify()
    assert evaluation.findings == ()
    assert verdict.findings == ()
    ours = terms((term.rule, term.amount, Fraction(term.cost_milli) / 1000) for term in evaluation.terms)
    theirs = terms(verdict.terms)
    nothing = (Fraction(0), Fraction(0))
    assert ours.get(case.rule, nothing) == (case.amount, case.cost)
    assert theirs.get(case.rule, nothing) == (case.amount, case.cost)
    assert ours == theirs
    assert evaluation.total == verdict.total


def test_a_term_without_an_amount_is_left_out() -> None:
    free = [case for case in SOFT_CASES if not case.amount]
    assert free
    for case in free:
        assert case.rule not in {term.rule for term in case.make().evaluate().terms}
