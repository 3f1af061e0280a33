"""The evaluator and the checker, which share no code, judge random plans alike.

Problems have every feature of the format in odd company; plans come from the insertion engine and are then changed at
random, together with what the problem asks of them. What they must agree on: whether a plan is feasible, which hard
rules it breaks, and, where it is feasible, the amount and the cost of every term and the total.
"""

import copy
from collections import Counter
from dataclasses import dataclass
from functools import cache
from random import Random

import pytest

from api.documents import check_problem
from data.synthetic import random_problem
from data.travel import problem_travel
from dispatcher.documents import read_plan, read_problem
from dispatcher.evaluate import evaluate
from dispatcher.planning import SearchLimits
from dispatcher.publish import plan_document
from dispatcher.rules import HARD_RULES, SOFT_RULES
from dispatcher.schedule import build_plan
from dispatcher.services.planning import disagreements
from dispatcher.verify import verify
from solver.insertion import InsertionEngine
from tests import mutations_of_plans, mutations_of_problems
from tests.mutations import MUTATIONS, Document, Draft, mutate, without_claims

BATCHES = range(16)
PROBLEMS_PER_BATCH = 10
PLANS_PER_PROBLEM = 10
HIDES_OTHER_RULES = "structure"
"""Nothing can be said about a route that cannot be read, and each says what it can about the rest."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One plan under both judgements. `differences` say where they disagree; empty where they do not."""

    label: str
    feasible: bool
    rules: frozenset[str]
    terms: frozenset[str]
    changed: frozenset[str]
    differences: tuple[str, ...]


@cache
def batch(number: int) -> tuple[Judged, ...]:
    rng = Random(number)
    judged = []
    for turn in range(PROBLEMS_PER_BATCH):
        problem = random_problem(rng, orders=rng.randint(1, 12), engineers=rng.randint(1, 6))
        plan = planned(problem)
        for copies in range(PLANS_PER_PROBLEM):
            draft = Draft(rng, copy.deepcopy(problem), copy.deepcopy(plan))
            chosen = rng.sample(sorted(MUTATIONS), rng.choice((0, 1, 1, 2, 2, 3)) if copies else 0)
            mutate(draft, chosen)
            # A problem that is refused has no plans.
            if check_problem(draft.problem) == []:
                judged.append(judge(f"batch {number}, problem {turn}, plan {copies}: {chosen}", draft, chosen))
    return tuple(judged)


def planned(document: Document) -> Document:
    """What the insertion engine makes of a problem, as a tool would write it that states no score."""
    problem = read_problem(document, problem_travel)
    plan = build_plan(problem, InsertionEngine().solve(problem, SearchLimits(time_limit_seconds=None)).sequences)
    evaluation = evaluate(problem, plan)
    published = plan_document(
        problem, plan, evaluation, explanations=[], receipt={"problem_sha256": problem.sha256}, created_at=problem.now
    )
    assert disagreements(evaluation, verify(document, published)) == []
    return without_claims(published)


def judge(label: str, draft: Draft, chosen: list[str]) -> Judged:
    evaluation = evaluate(read_problem(draft.problem, problem_travel), read_plan(draft.plan))
    verdict = verify(draft.problem, draft.plan)
    ours = {finding.rule for finding in evaluation.findings}
    theirs = {finding.rule for finding in verdict.findings}
    differences: list[str] = []
    if evaluation.feasible != verdict.feasible:
        differences.append(f"feasible: the evaluation says {evaluation.feasible}, the checker {verdict.feasible}")
    if evaluation.feasible and verdict.feasible:
        differences += disagreements(evaluation, verdict)
    if (HIDES_OTHER_RULES in ours) != (HIDES_OTHER_RULES in theirs) or (
        HIDES_OTHER_RULES not in ours and ours != theirs
    ):
        differences.append(f"rules: the evaluation says {sorted(ours)}, the checker {sorted(theirs)}")
    terms = frozenset(term.rule for term in evaluation.terms) if evaluation.feasible else frozenset[str]()
    return Judged(label, evaluation.feasible, frozenset(ours & theirs), terms, frozenset(chosen), tuple(differences))


def everything() -> list[Judged]:
    return [judged for number in BATCHES for judged in batch(number)]


@pytest.mark.parametrize("number", BATCHES)
def test_evaluator_and_checker_agree(number: int) -> None:
    assert {judged.label: judged.differences for judged in batch(number) if judged.differences} == {}


def test_more_than_a_thousand_plans_were_judged_feasible_and_not_and_every_rule_was_hit() -> None:
    judged = everything()
    feasible = [item for item in judged if item.feasible]
    assert len(judged) >= 1000
    assert len(feasible) >= 400
    assert len(judged) - len(feasible) >= 400
    assert sum(bool(item.changed) for item in feasible) >= 200
    broken = Counter(rule for item in judged for rule in item.rules)
    assert {rule.name: broken[rule.name] for rule in HARD_RULES if broken[rule.name] < 3} == {}
    priced = Counter(rule for item in judged for rule in item.terms)
    assert {rule.name: priced[rule.name] for rule in SOFT_RULES if priced[rule.name] < 3} == {}


def test_every_mutation_was_made() -> None:
    modules = {mutations_of_plans.__name__, mutations_of_problems.__name__}
    assert {mutation.__module__ for mutation in MUTATIONS.values()} == modules
    assert {name for judged in everything() for name in judged.changed} == set(MUTATIONS)
