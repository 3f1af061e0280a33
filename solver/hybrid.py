"""The engine `hybrid`: search on the kernel with recombination, around what has to be kept.

Running and pinned work, and the few teams that the kernel cannot hold, are placed first, by the insertion engine's
means, and then kept; the kernel composes the other teams, puts the single orders in and searches until a limit. At the
end what found no room is tried once more, by exact insertion, or on large days by the kernel. The plan handed over is
the best by the reference evaluation of what was found and what it began with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

from dispatcher.plan import Plan, Sequences
from dispatcher.planning import SearchLimits, SearchResult, StoppedBy
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.compile_travel import CannotCompile
from solver.construction import IN_SEQUENCE, Construction, regret
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.rank import Rank, rank_of
from solver.repair import without_breaches
from solver.teams_first import place_teams_first
from solver.tighten import without_needless_waiting

if TYPE_CHECKING:
    from solver.starts import Start

Progress = Callable[[float, str], None]

LOOK_AROUND_ITERATIONS, LOOK_AROUND_TURN = 1000, 100
"""Cold iterations of each start after which they are compared, and of a turn; at most half of those allowed."""
LOOK_AROUND_SHARE = 0.3
"""Share of the time limit after which they are compared as they are."""
READINGS = 4
"""So many times what reading a result takes is kept for driving, scoring and mending it at the end."""
COMPLETIONS = 2
"""And so many times for putting in what has room then, where orders are too many for exact insertion."""
MOST_RESERVED = 0.3
"""Share of the time limit that may be kept for that."""
TAIL_SECONDS, TAIL_SHARE = 0.3, 0.03
"""What exact insertion at the end may take: so long, and this share of the time limit."""


class HybridEngine:
    """See the module (the port `Engine`)."""

    name = "hybrid"

    def solve(
        self,
        problem: Problem,
        limits: SearchLimits,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Progress = lambda fraction, text: None,
    ) -> SearchResult:
        warm_up(progress)
        budget = Budget(limits, cancelled)
        progress(0.0, "placing running and pinned work")
        given = place_teams_first(problem, budget, limits.seed)
        try:
            sequences, stopped_by = _searched(problem, given, limits, budget, progress)
        except CannotCompile:
            left = limits
            if limits.time_limit_seconds is not None:
                left = replace(limits, time_limit_seconds=max(0.1, limits.time_limit_seconds - budget.elapsed_seconds))
            return InsertionEngine().solve(problem, left, cancelled=cancelled, progress=progress)
        progress(1.0, "search done")
        return SearchResult(sequences, budget.iterations, budget.elapsed_seconds, stopped_by)


def warm_up(progress: Progress = lambda fraction, text: None) -> None:
    """Compile the kernel where this machine has not done so yet; it takes a minute and is not the search's time."""
    from solver.kernel.compiled import is_warm

    if not is_warm():
        progress(0.0, "compiling the search kernel, once on this machine: about a minute")
    _kernel()


@cache
def _kernel() -> None:
    """Run the kernel on next to nothing, so that every function is there."""
    from solver.warm import run_once

    run_once()


def _searched(
    problem: Problem, given: Sequences, limits: SearchLimits, budget: Budget, progress: Progress
) -> tuple[Sequences, StoppedBy]:
    """The best sequences around what a plan has to keep, and why the search ended."""
    # The kernel is compiled or loaded here, not when the engines are listed.
    from solver.search import Search
    from solver.starts import MOST_INSPECTED, starts

    begun, proposed = starts(problem, given, limits, budget)
    if len(begun) > 1:
        _look_around(begun, limits, budget)
        # Scoring a plan of thousands of orders takes longer than much of the search.
        begun.sort(key=lambda start: rank_of(problem, start.searcher.sequences())[1:])
    compiled, first = begun[0].compiled, begun[0].searcher
    began = time.monotonic()
    found = first.sequences()
    rank = rank_of(problem, found)
    reading_seconds = time.monotonic() - began
    before: list[tuple[Rank, Sequences]] = []
    is_large = len(problem.work_orders) > MOST_INSPECTED
    reserved = _reserved(limits, (READINGS + COMPLETIONS * is_large) * reading_seconds)
    budget.change(reserved)
    stopped_by: StoppedBy | None = budget.stopped()
    # A search that could hardly begin is not worth a second reading.
    if stopped_by is None:
        searchers = [first, *(first.fork(limits.seed + number) for number in range(1, limits.threads))]
        search = Search(compiled, searchers, reserved, budget, progress)
        first_plan = search.best
        stopped_by = search.run()
        budget.change(limits)
        before.append((rank, found))
        # Of a plan that cannot be driven as a whole, all the same, the part that can.
        first.take_up(search.best, lambda: budget.stopped() is None)
        if is_large:
            goes_on = partial(_has_time, budget, READINGS * reading_seconds)
            if goes_on():
                first.complete(first_plan, goes_on)
        found = first.sequences()
        rank = rank_of(problem, found)
    else:
        budget.change(limits)
    ranked = [(rank, found), *before, *proposed]
    if rank[0]:
        mended = without_breaches(problem, found)
        ranked.append((rank_of(problem, mended), mended))
    sequences = min(ranked, key=lambda pair: pair[0])[1]
    if len(problem.work_orders) <= MOST_INSPECTED:
        sequences = _with_left_outs(problem, sequences, limits, budget)
    return without_needless_waiting(problem, sequences, budget, reading_seconds), stopped_by or "time_limit"


def _look_around(begun: list[Start], limits: SearchLimits, budget: Budget) -> None:
    """Search a little from each start, cold, in turns, so that they can be compared."""
    rounds = LOOK_AROUND_ITERATIONS // LOOK_AROUND_TURN
    if limits.iteration_limit is not None:
        left = max(0, limits.iteration_limit - budget.iterations)
        rounds = min(rounds, left // 2 // (len(begun) * LOOK_AROUND_TURN))
    for _ in range(rounds):
        if budget.stopped() is not None or budget.is_share_used(LOOK_AROUND_SHARE):
            return
        for start in begun:
            start.searcher.run(LOOK_AROUND_TURN, 1000.0, 1000.0)
            budget.iterations += LOOK_AROUND_TURN


def _has_time(budget: Budget, seconds: float) -> bool:
    """Whether something that takes so long may still begin, however many iterations there were."""
    return budget.stopped() in (None, "iteration_limit") and budget.lasts(seconds)


def _reserved(limits: SearchLimits, seconds: float) -> SearchLimits:
    """The limits without what comes after the search, as far as that may be kept for it."""
    if limits.time_limit_seconds is None:
        return limits
    reserved = min(seconds, MOST_RESERVED * limits.time_limit_seconds)
    return replace(limits, time_limit_seconds=limits.time_limit_seconds - reserved)


def _with_left_outs(problem: Problem, sequences: Sequences, limits: SearchLimits, budget: Budget) -> Sequences:
    """Orders still open, teams among them, put in by exact insertion where that pays: on routes the kernel leaves
    alone, and at times of breaks it does not look at."""
    plan: Plan = build_plan(problem, sequences)
    if not plan.unassigned:
        return sequences
    seconds = limits.time_limit_seconds
    tail = SearchLimits(time_limit_seconds=None if seconds is None else min(TAIL_SECONDS, TAIL_SHARE * seconds))
    state = DayState.of_plan(problem, plan)
    # Of a team that is left all starts are tried.
    is_team_left = any(problem.order_by_id[name].team is not None for name in plan.unassigned)
    ordering = regret if is_team_left else IN_SEQUENCE
    Construction(state, budget.apart(tail), ordering, lambda served: None).run()
    better = without_breaches(problem, state.sequences())
    return min((sequences, better), key=lambda candidate: rank_of(problem, candidate))
