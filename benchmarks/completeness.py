"""Whether a plan is complete: which of the orders it leaves undone exact insertion would still add to it.

Every order is first tried by itself, on every route of the plan as it is, by the insertion engine, which shares neither
code nor arrays with the search kernel; a country's day leaves thousands undone, so processes of their own share them
out. Those that have a place are then put in one after the other: hundreds may have nothing but the same gap.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction
from solver.day_state import DayState, Placement

COMPLETION_SECONDS = 1500.0
"""After so long it is not known how many there are."""
ORDERS_AT_A_TIME = 25

_opened: list[DayState] = []
"""In a process of the check: the plan as insertion sees it."""


def still_placeable(
    problem: Problem, sequences: Sequences, *, limit_seconds: float = COMPLETION_SECONDS
) -> list[str] | None:
    """The ids of the orders left undone that insertion would add to a plan, the dearest to leave first; none says that
    the plan is complete, None that there was no time to try them all."""
    until = time.monotonic() + limit_seconds
    undone = build_plan(problem, sequences).unassigned
    parts = [undone[first : first + ORDERS_AT_A_TIME] for first in range(0, len(undone), ORDERS_AT_A_TIME)]
    # Started afresh, not forked: threads of the search may hold locks.
    with ProcessPoolExecutor(_processors(), get_context("spawn"), _open, (problem, sequences)) as pool:
        waiting = [pool.submit(_with_a_place, part) for part in parts]
        try:
            alone = [name for done in as_completed(waiting, until - time.monotonic()) for name in done.result()]
        except TimeoutError:
            pool.shutdown(wait=False, cancel_futures=True)
            return None
    return _added(problem, sequences, alone)


def _open(problem: Problem, sequences: Sequences) -> None:
    _opened.append(_state(problem, sequences))


def _state(problem: Problem, sequences: Sequences) -> DayState:
    return DayState.of_plan(problem, build_plan(problem, sequences))


def _with_a_place(names: Sequence[str]) -> list[str]:
    return [name for name in names if _place_for(_opened[0], name) is not None]


def _added(problem: Problem, sequences: Sequences, names: Sequence[str]) -> list[str]:
    """Of some orders those that are put in one after the other."""
    state = _state(problem, sequences)
    added = []
    for name in sorted(names, key=lambda name: (-state.unserved_cost(problem.order_by_id[name]), name)):
        placement = _place_for(state, name)
        if placement is not None:
            state.commit(placement)
            added.append(name)
    return added


def _place_for(state: DayState, name: str) -> Placement | None:
    """Where insertion would put an order; None where there is no place or it does not pay."""
    unlimited = Budget(SearchLimits(time_limit_seconds=None), lambda: False)
    insertion = Construction(state, unlimited, IN_SEQUENCE, lambda served: None)
    placement = insertion.best_placement(state.problem.order_by_id[name])
    return placement if placement is not None and placement.delta < 0 else None


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
