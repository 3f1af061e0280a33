"""Whether a plan is complete: which of the orders it leaves undone exact insertion, not the kernel, would still add.

Every order is first tried by itself on the plan as it is; a country's day leaves thousands undone, so processes of
their own share them out. Those that have a place are then put in one after the other, with what waits for them:
hundreds may have nothing but the same gap.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Sequence

from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.construction import IN_SEQUENCE, Construction, pinned_first, regret
from solver.day_state import DayState, Placement

COMPLETION_SECONDS = 1200.0
"""After so long it is not known how many there are."""
ORDERS_AT_A_TIME = 25
PARTS_OF_A_PROCESS = 50
"""After so many a process begins anew: every order tried leaves rows of travel times behind."""


def still_placeable(
    problem: Problem, sequences: Sequences, *, limit_seconds: float = COMPLETION_SECONDS
) -> list[str] | None:
    """The ids of orders that have a place in a plan and go in one after the other; none says that the plan is
    complete, None that there was no time to try them all.

    What has no place in the plan as it is, but would pay once another order is in, is not among them. Single orders
    are tried on every route; teams at the starts and with the people that composing them looks at.
    """
    until = time.monotonic() + limit_seconds
    undone = build_plan(problem, sequences).unassigned
    parts = [undone[first : first + ORDERS_AT_A_TIME] for first in range(0, len(undone), ORDERS_AT_A_TIME)]
    alone: list[str] = []
    # Started afresh, not forked: threads of the search may hold locks.
    processes = multiprocessing.get_context("spawn").Pool(
        min(_processors(), max(1, len(parts))), _open, (problem, sequences), PARTS_OF_A_PROCESS
    )
    with processes:
        answers = processes.imap_unordered(_with_a_place, parts)
        try:
            for _ in parts:
                alone += answers.next(max(0.0, until - time.monotonic()))
        except multiprocessing.TimeoutError:
            return None
    return _added(_Insertion(problem, sequences), alone, until)


class _Insertion:
    """Exact insertion into a plan as it is."""

    def __init__(self, problem: Problem, sequences: Sequences) -> None:
        self.problem = problem
        self.state = DayState.of_plan(problem, build_plan(problem, sequences))
        self._pinned = {order.id for order in pinned_first(problem)}
        self._renew()

    def _renew(self) -> None:
        """Forget the prices of places: they hold for the state they were asked in."""
        unlimited = Budget(SearchLimits(time_limit_seconds=None), lambda: False)
        self._of_orders = Construction(self.state, unlimited, IN_SEQUENCE, lambda served: None)
        self._of_teams = Construction(self.state, unlimited, regret, lambda served: None)

    def place_for(self, name: str) -> Placement | None:
        """Where an order would go; None where there is no place, or it does not pay. Pinned work goes in at any
        cost."""
        order = self.problem.order_by_id[name]
        construction = self._of_orders if order.team is None else self._of_teams
        placement = construction.best_placement(order)
        if placement is None or (placement.delta >= 0 and name not in self._pinned):
            return None
        return placement

    def put_in(self, placement: Placement) -> None:
        self.state.commit(placement)
        self._renew()


_opened: list[_Insertion] = []
"""In a process of the check: the plan it tries orders on."""


def _open(problem: Problem, sequences: Sequences) -> None:
    _opened.append(_Insertion(problem, sequences))


def _with_a_place(names: Sequence[str]) -> list[str]:
    return [name for name in names if _opened[0].place_for(name) is not None]


def _added(insertion: _Insertion, names: Sequence[str], until: float) -> list[str] | None:
    """Those that go in one after the other, the dearest to leave first, then what waits for them; None where there was
    no time for all."""
    problem, state = insertion.problem, insertion.state
    waiting = sorted(names, key=lambda name: (-state.unserved_cost(problem.order_by_id[name]), name))
    added: list[str] = []
    while waiting:
        if time.monotonic() > until:
            return None
        name = waiting.pop(0)
        placement = None if name in state.served else insertion.place_for(name)
        if placement is not None:
            insertion.put_in(placement)
            added.append(name)
            waiting += [o.id for o in problem.work_orders if any(d.work_order == name for d in o.depends_on)]
    return added


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
