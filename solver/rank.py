"""Which of two plans is the better one."""

from __future__ import annotations

from dispatcher.collector import collector_paused
from dispatcher.evaluate import evaluate
from dispatcher.plan import Sequences
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan

Rank = tuple[bool, int, int]
"""(whether a hard rule is broken, pinned orders left undone, total in units of the score); the smaller is better."""


@collector_paused()
def rank_of(problem: Problem, sequences: Sequences) -> Rank:
    """The rank of the plan that sequences make, by the reference evaluation.

    No price is high enough for a pinned order to be left where the hard rules have room for it, so these count first.
    """
    plan = build_plan(problem, sequences)
    evaluation = evaluate(problem, plan)
    pinned = sum(problem.order_by_id[name].pin is not None for name in plan.unassigned)
    return not evaluation.feasible, pinned, evaluation.total
