"""What the checker says about a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

Term = tuple[str, Fraction, Fraction]

STATEMENT_RULES = frozenset({"claim", "score"})
"""Rules about what a plan says of itself; every other rule is about what it would have people do."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One breach of a hard rule, or one false claim.

    `rule` is a rule's name, `code` says which part of it, `path` leads to the place in the plan document,
    `params` holds the values behind `message` (instants as ISO 8601, numbers as JSON numbers).
    """

    rule: str
    code: str
    path: str
    params: Mapping[str, Any]
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checker's judgement of one plan.

    `feasible` only without any finding. `terms` are (rule, amount, cost) of every rule whose amount is not
    zero, in the order of the planning document's table, recomputed and exact; empty where a route cannot be
    read. `total` is the recomputed score, None as soon as a hard rule is broken.
    """

    feasible: bool
    findings: tuple[Finding, ...]
    terms: tuple[Term, ...]
    total: int | None


@dataclass(slots=True)
class Findings:
    """Collects every finding, so that all are reported at once."""

    all: list[Finding] = field(default_factory=list)

    def add(self, rule: str, code: str, path: str, template: str, /, **params: Any) -> None:
        """`template` names its `params` in braces."""
        self.all.append(Finding(rule, code, path, params, template.format(**params)))
