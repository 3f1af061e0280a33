"""Taking out waiting that serves nothing: a team held back where it could start at once."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.collector import collector_paused
from dispatcher.evaluate import evaluate
from dispatcher.plan import Rest, Sequences
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget


@collector_paused()
def without_needless_waiting(
    problem: Problem, sequences: Sequences, budget: Budget, trial_seconds: float = 0.0
) -> Sequences:
    """The sequences with the holds of teams taken off wherever the plan keeps its rules and costs no more.

    All holds at once where that works; else one team after the other; while the budget lasts for another trial, which
    takes `trial_seconds` or as long as one took.
    """
    held = {
        visit.work_order
        for route in sequences.routes
        for visit in route.visits
        if not isinstance(visit, Rest) and visit.not_before is not None
    }
    if not held or not budget.lasts(2 * trial_seconds):
        return sequences
    total = evaluate(problem, build_plan(problem, sequences)).total
    began = budget.elapsed_seconds
    everything = _released(sequences, held)
    if _is_as_good(problem, everything, total):
        return everything
    for order in sorted(held):
        trial_seconds, began = max(trial_seconds, budget.elapsed_seconds - began), budget.elapsed_seconds
        if budget.stopped() is not None or not budget.lasts(trial_seconds):
            break
        trial = _released(sequences, {order})
        if _is_as_good(problem, trial, total):
            sequences = trial
    return sequences


def _is_as_good(problem: Problem, sequences: Sequences, total: int) -> bool:
    evaluation = evaluate(problem, build_plan(problem, sequences))
    return evaluation.feasible and evaluation.total <= total


def _released(sequences: Sequences, orders: set[str]) -> Sequences:
    """The same sequences without a hold on the starts of these orders."""
    routes = tuple(
        replace(
            route,
            visits=tuple(
                visit if isinstance(visit, Rest) or visit.work_order not in orders else replace(visit, not_before=None)
                for visit in route.visits
            ),
        )
        for route in sequences.routes
    )
    return replace(sequences, routes=routes)
