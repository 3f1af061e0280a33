"""Sequences found elsewhere, as an engine hands them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatcher.plan import Plan, Sequences
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.reasons import Explanation
from solver.reasons import explain_unassigned

MOST_EXPLAINED = 5
"""Unassigned orders of a live plan that are explained with it; who wants to know about another asks for it."""


@dataclass(frozen=True, slots=True)
class Handed:
    """The port `Engine` for what was found already: it searches nothing."""

    name: str
    sequences: Sequences
    elapsed_seconds: float = 0.0

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float, str], None] = lambda fraction, text: None,
    ) -> SearchResult:
        return SearchResult(self.sequences, 0, self.elapsed_seconds, "finished")


def explain_some(
    problem: Problem, plan: Plan, progress: Callable[[float, str], None] = lambda fraction, text: None
) -> tuple[Explanation, ...]:
    """Reasons of the unassigned orders that matter most (the port `Explainer`): a live plan cannot wait for all."""
    ranked = sorted(plan.unassigned, key=lambda name: (problem.order_by_id[name].level, name))
    return explain_unassigned(problem, replace(plan, unassigned=tuple(ranked[:MOST_EXPLAINED])), progress)
