"""The one-rule cases of the catalogue, by rule: the conformance suite fails for a rule without a case.

The cases themselves are in `rule_cases_routes` and `rule_cases_teams` (hard rules) and in `rule_cases_soft`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from tests.days import Base, Day, one

Break = Callable[[Day], None]


@dataclass(frozen=True, slots=True)
class HardCase:
    """`break_it` turns the day of `base` into one that breaks the rule, which the evaluator calls `code`."""

    rule: str
    code: str
    base: Base
    break_it: Break

    @property
    def name(self) -> str:
        return self.break_it.__name__


@dataclass(frozen=True, slots=True)
class SoftCase:
    """What a rule measures on a day, and what that costs, both worked out by hand."""

    rule: str
    amount: Fraction
    cost: Fraction
    make: Base

    @property
    def name(self) -> str:
        return self.make.__name__


HARD_CASES: list[HardCase] = []
SOFT_CASES: list[SoftCase] = []


def breaks(rule: str, code: str, base: Base = one) -> Callable[[Break], Break]:
    """Registers a way to break a hard rule under its function's name."""

    def register(break_it: Break) -> Break:
        HARD_CASES.append(HardCase(rule, code, base, break_it))
        return break_it

    return register


def costs(rule: str, amount: int | str, cost: int | str) -> Callable[[Base], Base]:
    """Registers a right day under its function's name, with a soft rule's amount and cost (decimals as texts)."""

    def register(make: Base) -> Base:
        SOFT_CASES.append(SoftCase(rule, Fraction(amount), Fraction(cost), make))
        return make

    return register
