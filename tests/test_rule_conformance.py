"""Every rule of the catalogue has all its parts: measure, meaning, row, weight, clause in the checker, test of its own.

A new rule fails here until each of them is there.
"""

import re

import pytest

from dispatcher.model import LEVELS
from dispatcher.objective import PROFILES, RULES_BY_LEVEL, make_weights
from dispatcher.rules import HARD_RULES, SOFT_RULES, HardRule, SoftRule
from tests import rule_cases_routes, rule_cases_soft, rule_cases_teams
from tests.rule_cases import HARD_CASES, SOFT_CASES
from tests.rule_page import PAGE, with_tables

CASE_MODULES = {module.__name__ for module in (rule_cases_routes, rule_cases_teams, rule_cases_soft)}
HARD = pytest.mark.parametrize("rule", HARD_RULES, ids=lambda rule: rule.name)
SOFT = pytest.mark.parametrize("rule", SOFT_RULES, ids=lambda rule: rule.name)


def explained_on_the_page() -> set[str]:
    """The rules that a paragraph of docs/rules.md begins with."""
    starts = re.findall(r"^- \*\*([a-z_, ]+)\.\*\*", PAGE.read_text(encoding="utf-8"), re.M)
    return {name for start in starts for name in start.split(", ")}


def test_a_name_stands_for_one_thing() -> None:
    """`travel` alone is two rules: that a leg takes what it takes, and what it costs."""
    hard, soft = [rule.name for rule in HARD_RULES], [rule.name for rule in SOFT_RULES]
    assert len(set(hard)) == len(hard)
    assert len(set(soft)) == len(soft)
    assert set(hard) & set(soft) == {"travel"}


def test_the_tables_of_the_page_are_those_of_the_catalogue() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert with_tables(page) == page, "write them anew: python -m tests.rule_page"


def test_the_page_explains_no_rule_that_does_not_exist() -> None:
    assert explained_on_the_page() == {rule.name for rule in HARD_RULES} | {rule.name for rule in SOFT_RULES}


def test_cases_are_of_rules_that_exist() -> None:
    assert {case.rule for case in HARD_CASES} == {rule.name for rule in HARD_RULES}
    assert {case.rule for case in SOFT_CASES} == {rule.name for rule in SOFT_RULES}
    makers = [*(case.break_it for case in HARD_CASES), *(case.make for case in SOFT_CASES)]
    assert {maker.__module__ for maker in makers} == CASE_MODULES


@HARD
def test_a_hard_rule_is_measured_explained_and_checked(rule: HardRule) -> None:
    assert rule.meaning
    cases = [case for case in HARD_CASES if case.rule == rule.name]
    assert cases, f"a one-rule case is missing for {rule.name}"
    for case in cases:
        day = case.base()
        case.break_it(day)
        assert rule.name in {finding.rule for finding in day.evaluate().findings}
        messages = [finding.message for finding in day.verify().findings if finding.rule == rule.name]
        assert messages
        assert all(messages)


@SOFT
def test_a_soft_rule_is_measured_explained_weighed_and_checked(rule: SoftRule) -> None:
    assert rule.meaning
    assert rule.unit
    cases = [case for case in SOFT_CASES if case.rule == rule.name]
    assert any(case.amount for case in cases), f"a one-rule case is missing for {rule.name}"
    for case in cases:
        day = case.make()
        ours = {term.rule: term.amount for term in day.evaluate().terms}
        theirs = {name: amount for name, amount, _ in day.verify().terms}
        assert ours.get(rule.name, 0) == theirs.get(rule.name, 0) == case.amount


@SOFT
@pytest.mark.parametrize("profile", PROFILES)
def test_a_soft_rule_has_a_weight_in_every_profile(rule: SoftRule, profile: str) -> None:
    weights = make_weights(profile)
    for level in LEVELS if rule.name in RULES_BY_LEVEL else (None,):
        assert weights.of(rule.name, level) >= 0


def test_weights_are_of_rules_that_exist() -> None:
    weights = make_weights()
    assert {*weights.flat, *weights.by_level} == {rule.name for rule in SOFT_RULES}


@SOFT
def test_a_term_left_out_of_a_stated_score_is_missed(rule: SoftRule) -> None:
    case = next(case for case in SOFT_CASES if case.rule == rule.name and case.amount)
    day = case.make()
    verdict = day.verify()
    terms = [
        {"rule": name, "amount": float(amount), "cost": float(cost)}
        for name, amount, cost in verdict.terms
        if name != rule.name
    ]
    day.plan["score"] = {"total": verdict.total, "terms": terms}
    findings = day.verify().findings
    assert [(finding.rule, finding.code, finding.params["rule"]) for finding in findings] == [
        ("score", "TERM_MISSING", rule.name)
    ]
