"""The reference evaluation: what a plan costs, term by term, and which hard rules it breaks.

Written to be read. Everything that states a cost (the plan document, explanations, comparisons) takes it from here;
engines compute the same integers in their own way and are tested against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dispatcher.facts import Facts, Finding, read_facts
from dispatcher.model import Exact, round_half_up
from dispatcher.objective import Weights
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from dispatcher.rules import HARD_RULES, SOFT_RULES, SoftRule


@dataclass(frozen=True, slots=True)
class Term:
    """One soft rule of a score: `cost_milli` is the exact cost in thousandths."""

    rule: str
    unit: str
    amount: Exact
    cost_milli: Exact


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Terms with an amount above zero, in the order of the catalogue, and the findings of the hard rules.

    `total` is the sum of the exact costs rounded once; smaller is better. It means something only where the plan
    is feasible.
    """

    terms: tuple[Term, ...]
    total: int
    findings: tuple[Finding, ...]

    @property
    def feasible(self) -> bool:
        return not self.findings


def evaluate(problem: Problem, plan: Plan) -> Evaluation:
    """Judge a plan with times by every rule of the catalogue."""
    facts = read_facts(problem, plan)
    terms = soft_terms(facts)
    return Evaluation(terms, total_of(terms), _findings(facts))


def breaches(problem: Problem, plan: Plan) -> tuple[Finding, ...]:
    """The findings of `evaluate` alone, for who does not ask what the plan costs."""
    return _findings(read_facts(problem, plan))


def _findings(facts: Facts) -> tuple[Finding, ...]:
    return tuple(finding for rule in HARD_RULES for finding in rule.breaches(facts))


def soft_terms(facts: Facts) -> tuple[Term, ...]:
    """The terms with an amount above zero."""
    terms = (_term(rule, facts, facts.problem.weights) for rule in SOFT_RULES)
    return tuple(term for term in terms if term.amount)


def total_of(terms: tuple[Term, ...]) -> int:
    """The total of a score: exact costs summed, rounded half up once."""
    return round_half_up(Fraction(sum((term.cost_milli for term in terms), start=0)) / 1000)


def _term(rule: SoftRule, facts: Facts, weights: Weights) -> Term:
    amounts = rule.measure(facts)
    cost = sum((amount * weights.of(rule.name, level) for level, amount in amounts.items()), start=0)
    return Term(rule.name, rule.unit, sum(amounts.values(), start=0), cost)
