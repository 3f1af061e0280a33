"""Whether a plan is complete: how many of the orders it leaves undone exact insertion would still add to it.

Every order is tried by itself, on every route of the plan as it is, by the insertion engine, which shares neither code
nor arrays with the search kernel. A country's day leaves thousands undone, so processes of their own share them out.
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
from solver.day_state import DayState

COMPLETION_SECONDS = 1500.0
"""After so long it is not known how many there are."""
ORDERS_AT_A_TIME = 25

_opened: list[tuple[Problem, DayState]] = []
"""In a process of the check: the day, and the plan as insertion sees it."""


def still_placeable(
    problem: Problem, sequences: Sequences, *, limit_seconds: float = COMPLETION_SECONDS
) -> list[str] | None:
    """The ids of the orders left undone that insertion would add to a plan, each by itself; none says that the plan is
    complete, None that there was no time to try them all."""
    until = time.monotonic() + limit_seconds
    undone = build_plan(problem, sequences).unassigned
    parts = [undone[first : first + ORDERS_AT_A_TIME] for first in range(0, len(undone), ORDERS_AT_A_TIME)]
    # Started afresh, not forked: threads of the search may hold locks.
    with ProcessPoolExecutor(_processors(), get_context("spawn"), _open, (problem, sequences)) as pool:
        waiting = [pool.submit(_placeable, part) for part in parts]
        try:
            return [name for done in as_completed(waiting, until - time.monotonic()) for name in done.result()]
        except TimeoutError:
            pool.shutdown(wait=False, cancel_futures=True)
            return None


def _open(problem: Problem, sequences: Sequences) -> None:
    _opened.append((problem, DayState.of_plan(problem, build_plan(problem, sequences))))


def _placeable(names: Sequence[str]) -> list[str]:
    problem, state = _opened[0]
    unlimited = Budget(SearchLimits(time_limit_seconds=None), lambda: False)
    insertion = Construction(state, unlimited, IN_SEQUENCE, lambda served: None)
    placements = {name: insertion.best_placement(problem.order_by_id[name]) for name in names}
    return [name for name, placement in placements.items() if placement is not None and placement.delta < 0]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
