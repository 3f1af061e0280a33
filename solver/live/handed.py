"""Sequences found elsewhere, as an engine hands them over."""

from __future__ import annotations

from collections.abc import Callable, Collection
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

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Callable[[float, str], None] = lambda fraction, text: None,
    ) -> SearchResult:
        return SearchResult(self.sequences, 0, 0.0, "finished")


def explain_left_of(planned: Collection[str]) -> Explainer:
    """Reasons of what a plan leaves undone of the orders planned before, those first that matter most.

    A live plan cannot wait for the reasons of all that is undone, nor for what would help: who asks is told.
    """

    @collector_paused()
    def explain(
        problem: Problem, plan: Plan, progress: Callable[[float, str], None] = lambda fraction, text: None
    ) -> tuple[Explanation, ...]:
        left = [name for name in plan.unassigned if name in planned]
        ranked = sorted(left, key=lambda name: (problem.order_by_id[name].level, name))[:MOST_EXPLAINED]
        # Even without anything to explain the day would be gone through.
        if not ranked:
            return ()
        return explain_unassigned(problem, replace(plan, unassigned=tuple(ranked)), progress, seeks_fixes=False)

    return explain
