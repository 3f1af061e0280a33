"""Sequences found elsewhere, as an engine hands them over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatcher.collector import collector_paused
from dispatcher.plan import Plan, Sequences
from dispatcher.planning import SearchLimits, SearchResult
from dispatcher.problem import Problem
from dispatcher.reasons import Explainer, Explanation
from solver.reasons import explain_unassigned

MOST_EXPLAINED = 5
"""Orders that a change leaves undone and that are explained with it; who wants to know about another asks for it."""


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


def explain_left_by(before: Plan) -> Explainer:
    """Reasons of what a plan leaves undone and the one before it did not, those first that matter most.

    A live plan cannot wait for the reasons of all: on a day of 3,000 orders those of a team take a third of a second.
    """

    @collector_paused()
    def explain(
        problem: Problem, plan: Plan, progress: Callable[[float, str], None] = lambda fraction, text: None
    ) -> tuple[Explanation, ...]:
        left = set(plan.unassigned).difference(before.unassigned)
        ranked = sorted(left, key=lambda name: (problem.order_by_id[name].level, name))[:MOST_EXPLAINED]
        # Even without anything to explain the day would be gone through.
        return explain_unassigned(problem, replace(plan, unassigned=tuple(ranked)), progress) if ranked else ()

    return explain
