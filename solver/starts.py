"""What a search may begin with, and a searcher that has taken it up.

The kernel searches best where no route is closed to it. So of a plan that is nothing but a proposal, whatever the
kernel cannot take up is left to the search instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.collector import collector_paused
from dispatcher.plan import Rest, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem, ShiftKey
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.compile import Compiled, arrangement_of, compile_problem
from solver.construction import IN_SEQUENCE, Construction, pinned_first
from solver.day_state import DayState
from solver.insertion import InsertionEngine
from solver.live.running import running_sequences
from solver.rank import Rank, rank_of
from solver.repair import served_by, without_breaches, without_orders
from solver.searcher import BrokenRoute, Searcher

INSERTION_SHARE, INSERTION_SECONDS = 0.15, 0.3
"""Share of the time limit for the insertion engine's plan, where there are teams, and at most so long: beyond that time
is worth more as search."""
NO_INSERTION_AFTER = 0.3
"""Share of the time limit after which it is not asked: it places running and pinned work once more."""
SHARE_OF_PLACING = 0.9
"""Share of the time limit after which a first plan of many orders is read back once hardly any more find a place."""
MOST_INSPECTED = 1500
"""Up to so many orders exact insertion helps: with a start of its own, and with what is left undone at the end."""


@dataclass(frozen=True, slots=True)
class Start:
    """The problem compiled around what the kernel takes up of a proposal, and a searcher with the rest placed."""

    compiled: Compiled
    searcher: Searcher


def starts(
    problem: Problem, kept: Sequences, limits: SearchLimits, budget: Budget
) -> tuple[list[Start], list[tuple[Rank, Sequences]]]:
    """What to begin with, and plans that stand for choice at the end: around what has to be kept nothing else; on days
    of not too many orders also what can be kept of the plan in force, and where there are teams the plan of the
    insertion engine, as far as that gets."""
    found, proposed = [_start(problem, kept, kept, limits.seed, budget)], [kept]
    if len(problem.work_orders) <= MOST_INSPECTED:
        # Reading a plan takes no step of a search, and hardly any time.
        if problem.previous and not budget.is_cancelled():
            proposed += _in_force(problem, kept, budget.apart(_quick(problem, limits)))
        has_teams = any(order.team is not None for order in problem.work_orders)
        if has_teams and budget.stopped() is None and not budget.is_share_used(NO_INSERTION_AFTER):
            engine, quick = InsertionEngine(), _quick(problem, limits)
            proposed.append(engine.solve(problem, quick, cancelled=lambda: budget.stopped() is not None).sequences)
        for sequences in proposed[1:]:
            if budget.stopped() in (None, "iteration_limit"):
                found.append(_start(problem, sequences, kept, limits.seed, budget))
    return found, [(rank_of(problem, sequences), sequences) for sequences in proposed]


def _in_force(problem: Problem, kept: Sequences, budget: Budget) -> list[Sequences]:
    """What can be kept of the plan in force, with running and pinned work beside it; nothing where that has no room."""
    firm = {order.id for order in pinned_first(problem)} & served_by(kept)
    running = running_sequences(problem, problem.current_routes, problem.current_teams)
    missing = [problem.order_by_id[name] for name in firm - served_by(running)]
    crowded = {order.pin.engineer for order in missing if order.pin is not None}
    routes = tuple(route for route in running.routes if route.engineer in crowded)
    in_the_way = served_by(replace(running, routes=routes)) - firm
    for loose in (set(), in_the_way) if in_the_way else (set(),):
        found = without_breaches(problem, without_orders(running, loose)) if loose else running
        if missing:
            state = DayState.of_plan(problem, build_plan(problem, found))
            Construction(state, budget, IN_SEQUENCE, lambda served: None).place_teams([])
            found = without_breaches(problem, state.sequences())
        if firm <= served_by(found):
            return [found]
    return []


def _quick(problem: Problem, limits: SearchLimits) -> SearchLimits:
    """The part of the limits that a plan to begin with may take."""
    seconds = limits.time_limit_seconds
    return SearchLimits(
        time_limit_seconds=None if seconds is None else min(INSERTION_SECONDS, INSERTION_SHARE * seconds),
        iteration_limit=len(problem.work_orders) if seconds is None else None,
    )


@collector_paused()
def _start(problem: Problem, proposed: Sequences, kept: Sequences, seed: int, budget: Budget) -> Start:
    """Take up a proposal, with those of its orders left out, or their routes closed, that the kernel would drive
    otherwise; and put in the others while there is time."""
    sequences = _leaving_at_once(proposed, kept)
    closed: frozenset[int] = frozenset()
    while True:
        plan = build_plan(problem, sequences)
        compiled = compile_problem(problem, sequences, plan, closed=closed)
        try:
            searcher = Searcher(compiled, arrangement_of(compiled, sequences), seed)
        except BrokenRoute as broken:
            loose = _loose(problem, sequences, kept, compiled.shifts[broken.shift])
            if loose:
                sequences = without_orders(sequences, loose)
            else:
                closed |= {broken.shift}
            continue
        searcher.place_all(lambda: not budget.is_share_used(SHARE_OF_PLACING))
        return Start(compiled, searcher)


def _loose(problem: Problem, sequences: Sequences, kept: Sequences, shift: ShiftKey) -> set[str]:
    """What need not be kept of that for which a shift stands by, else of its route; with all that waits for it."""
    firm = served_by(kept)
    called = {order for order, members in sequences.standby.items() if any(m.engineer == shift[0] for m in members)}
    on_route = {
        visit.work_order
        for route in sequences.routes
        for visit in route.visits
        if isinstance(visit, Visit) and (route.engineer, route.shift) == shift
    }
    loose = called - firm or on_route - firm
    while True:
        waiting = {o.id for o in problem.work_orders if loose.intersection(d.work_order for d in o.depends_on)}
        if waiting <= loose:
            return loose - firm
        loose |= waiting


def _leaving_at_once(sequences: Sequences, kept: Sequences) -> Sequences:
    """The same without waiting before departures, where the kernel sees to that itself."""
    firm = served_by(kept)
    routes = tuple(
        replace(
            route,
            visits=tuple(
                visit if isinstance(visit, Rest) or visit.work_order in firm else replace(visit, leave_not_before=None)
                for visit in route.visits
            ),
        )
        for route in sequences.routes
    )
    return replace(sequences, routes=routes)
