"""The engine `insertion`: exact best insertion, deterministic, the best of a few orderings.

The first construction takes the orders in sequence and is there within a second or two; the others follow while time
is left, and the cheapest plan by the reference evaluation is kept. It is the product's baseline; searching is the job
of other engines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits, SearchResult, StoppedBy
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, ORDERINGS, Construction, Ordering
from solver.day_state import DayState
from solver.rank import Rank, rank_of
from solver.repair import without_breaches
from solver.tighten import without_needless_waiting

Progress = Callable[[float, str], None]


class InsertionEngine:
    """See the module (the port `Engine`)."""

    name = "insertion"

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Progress = lambda fraction, text: None,
    ) -> SearchResult:
        budget = Budget(limits, cancelled)
        best: _Candidate | None = None
        for number, ordering in enumerate(ORDERINGS):
            report = _progress_of(number, len(problem.work_orders), progress)
            candidate, stopped_by = _construct(problem, DayState(problem), budget, ordering, report)
            if best is None or candidate.rank < best.rank:
                best = candidate
            if stopped_by != "finished":
                break
        assert best is not None
        while stopped_by == "finished":
            # The earliest schedule of all routes together may leave room that the bounds of the routes hid.
            state = DayState.of_plan(problem, build_plan(problem, best.sequences))
            candidate, stopped_by = _construct(problem, state, budget, IN_SEQUENCE, lambda served: None)
            if candidate.rank >= best.rank:
                break
            best = candidate
        sequences = without_needless_waiting(problem, best.sequences, budget)
        progress(1.0, "all orderings tried")
        return SearchResult(sequences, budget.iterations, budget.elapsed_seconds, stopped_by)


@dataclass(frozen=True, slots=True)
class _Candidate:
    sequences: Sequences
    rank: Rank


def _construct(
    problem: Problem, state: DayState, budget: Budget, ordering: Ordering, progress: Callable[[int], None]
) -> tuple[_Candidate, StoppedBy]:
    """Place what a state leaves open; whatever stopped it, the result keeps every hard rule."""
    stopped_by = Construction(state, budget, ordering, progress).run()
    sequences = without_breaches(problem, state.sequences())
    return _Candidate(sequences, rank_of(problem, sequences)), stopped_by


def _progress_of(number: int, orders: int, progress: Progress) -> Callable[[int], None]:
    """Progress of one ordering among all: the fraction done and how many orders it has placed."""

    def report(served: int) -> None:
        fraction = (number + served / orders) / len(ORDERINGS)
        progress(fraction, f"ordering {number + 1} of {len(ORDERINGS)}: {served} of {orders} orders placed")

    return report
