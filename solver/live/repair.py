"""A running plan repaired after a change, with as little of everybody's day turned over as pays.

First every order in question is placed at once (`solver.live.instant`); then the kernel searches in the routes around
them. Running work, what is driven to and what starts soon stays, but for urgent orders that will be late; every change
of an engineer has the price of the rule `change`, every start moved that of `change_shift`, and a change budget bounds
how many orders get others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dispatcher.collector import collector_paused
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.facts import read_facts
from dispatcher.model import URGENT, WorkOrder
from dispatcher.plan import Plan, Sequences, Visit
from dispatcher.planning import SearchLimits
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.budget import Budget
from solver.day_state import DayState
from solver.live.day import LiveDay
from solver.live.instant import Inserter, Instant
from solver.live.near import NearRoutes
from solver.live.neighbourhood import Neighbourhood, neighbourhood, prefixes
from solver.live.promises import urgent_breaches
from solver.stint import lateness_cost

ROUTES_AROUND = 12
"""Routes near each order in question that the search may change."""
MOST_ROUTES = 40
"""And so many in all."""
MOST_UNASKED = 30
"""So many orders that are undone, and so many that will be late, may be placed on the way."""
STEADY, STEADY_SHARE = 8, 1 / 3
"""How many times dearer a change is in a second search, where the first one goes beyond the change budget; and the
share of the time that is kept for that."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """A plan for now: its sequences, times and judgement, and how many served orders get others, or nobody any more.

    `over_budget` says that the change budget was exceeded because an L1 or L2 order would have suffered.
    """

    sequences: Sequences
    plan: Plan
    evaluation: Evaluation
    reassigned: int
    over_budget: bool = False


class Repairer:
    """Repairs one running plan; `seconds` is what the search may take, 0 for none."""

    def __init__(self, day: LiveDay, *, near: NearRoutes | None = None, seed: int = 1) -> None:
        self._day = day
        self._near = NearRoutes(day.state) if near is None else near
        self._seed = seed
        self._before = _engineers_of(day.state.sequences())
        self._kept: Repaired | None = None

    @property
    def kept(self) -> Repaired:
        """The plan as it is."""
        if self._kept is None:
            self._kept = self.judged(self._day.state.sequences())
        return self._kept

    @collector_paused()
    def repair(self, names: Sequence[str] = (), *, seconds: float = 0.6) -> Repaired:
        """The best plan found with these orders placed, and those that are undone where that pays.

        Orders that are served already are looked at for a better place; so are, where a search follows, L1 and L2
        orders that will be late, and the search also looks around those whose promise has no margin left. It holds
        these promises a margin earlier, so of two plans it may take the safer one. Never worse than the plan as it is.
        Placing takes at most half of `seconds`, but for the orders asked for; with 0 seconds no search follows.

        Raises:
            NotFound: if the day has no such order.
            WrongState: for the work of teams, running work, and what other orders wait for.
        """
        began = time.monotonic()
        wanted = self._gravest({self._day.order(name).id for name in names})
        undone = [name for name in self.undone() if name not in wanted]
        if seconds <= 0:
            return self.better(self.kept, self.judged(self._placed(wanted, undone, None).sequences()))
        late = [name for name in self._gravest(self._day.late) if name not in wanted][:MOST_UNASKED]
        state = self._placed(wanted, [*undone, *late], began + seconds / 2)
        unasked = [*undone, *self._gravest(self._day.threatened)]
        near = list(dict.fromkeys([*self._around(wanted), *self._around(unasked)]))[:MOST_ROUTES]
        left = seconds - (time.monotonic() - began)
        is_bounded = self._day.policy.change_budget is not None
        found = self._searched(state, near, left * (1 - STEADY_SHARE) if is_bounded else left)
        if found is not None and found.over_budget:
            steady = self._searched(state, near, left * STEADY_SHARE, STEADY)
            found = found if steady is None else self.better(found, steady)
        best = self.kept if found is None else self.better(self.kept, found)
        return best if best is found else self.better(best, self.judged(state.sequences()))

    def _gravest(self, names: Iterable[str]) -> list[str]:
        """Orders, those first that cost most to leave."""
        return sorted(names, key=lambda name: (-self._day.state.unserved_cost(self._day.order(name)), name))

    def insert(self, names: Sequence[str]) -> Repaired:
        """The plan as it is, with these orders at their best places; nothing is ejected for them, nothing else tried.

        Raises:
            NotFound, WrongState: as `repair`.
        """
        return self.better(self.kept, self.judged(self._placed(list(names), (), None, ejects=False).sequences()))

    @collector_paused()
    def improve(self, routes: Iterable[int], *, seconds: float) -> Repaired:
        """The best plan found by searching in these routes alone, never worse than the plan as it is."""
        found = self._searched(self._day.state, sorted(routes)[:MOST_ROUTES], seconds)
        return self.kept if found is None else self.better(self.kept, found)

    def undone(self) -> list[str]:
        """Orders without a team that nobody serves, those first that cost most to leave."""
        singles = [name for name in self._day.plan.unassigned if self._day.order(name).team is None]
        return self._gravest(singles)[:MOST_UNASKED]

    # -- placing -----------------------------------------------------------------------------------------------

    def _placed(
        self, wanted: Sequence[str], unasked: Sequence[str], until: float | None, *, ejects: bool = True
    ) -> DayState:
        """A state with orders at their best places, those asked for first; others make room for what matters.

        `until` (of the monotonic clock) ends the placing of orders that nobody asked for.
        """
        state, changes = self._day.state.fork(), 0
        budget = self._day.policy.change_budget
        awaited = {d.work_order for name in wanted for d in self._day.order(name).depends_on}
        for name in (*wanted, *unasked):
            if name not in wanted and until is not None and time.monotonic() >= until:
                break
            order = self._day.order(name)
            if name in state.served and name in awaited:
                continue
            # Refuses what cannot be placed by itself, the work of teams above all.
            self._day.without(order)
            without = state.without(order) if name in state.served else state
            matters = order.level in URGENT or (name in wanted and (budget is None or changes < budget))
            found = Inserter(self._day, without, self._near).best(name, depth=1 if matters and ejects else 0)
            if found.delta >= 0 or (name in state.served and not self._pays(state, without, order, found)):
                continue
            moved = _reassigned(state, found)
            if name not in wanted and budget is not None and changes + moved > budget and not self._saves(found):
                continue
            changes += moved
            state = _applied(without, found)
        return state

    def _pays(self, state: DayState, without: DayState, order: WorkOrder, found: Instant) -> bool:
        """Whether a served order is better off elsewhere than where it is."""
        (index,) = state.served[order.id]
        engineer = state.routes[index].engineer.id
        now = state.routes[index].cost - without.routes[index].cost
        now += without.company_cost(order, (engineer,), (engineer,)) - without.unserved_cost(order)
        return found.delta < now

    def _saves(self, found: Instant) -> bool:
        """Whether an urgent order would be in time, which is worth going beyond the change budget."""
        order, option = found.steps[0].order, found.option
        if order.level not in URGENT or option is None:
            return False
        late, made = lateness_cost(self._day.problem, order), option.made
        return late is None or late.of(made.arrival, made.start, made.end) == 0

    # -- searching ---------------------------------------------------------------------------------------------

    def _around(self, names: Sequence[str]) -> list[int]:
        """The routes near the orders in question, the nearest of each first."""
        ranked = [self._near.ranked(self._day.order(name))[:ROUTES_AROUND] for name in names]
        found: dict[int, None] = {}
        for place in range(ROUTES_AROUND):
            found |= {routes[place]: None for routes in ranked if place < len(routes)}
        return list(found)[:MOST_ROUTES]

    def _searched(self, state: DayState, routes: Sequence[int], seconds: float, steady: int = 1) -> Repaired | None:
        undone = [order for order in map(self._day.order, self.undone()) if order.id not in state.served]
        part = neighbourhood(self._day, state, routes, undone)
        if not part.problem.engineers or not part.problem.work_orders:
            return None
        flat = part.problem.weights.flat
        held = replace(
            part.problem,
            work_orders=tuple(map(self._day.margins.held, part.problem.work_orders)),
            weights=replace(part.problem.weights, flat={**flat, "change": steady * flat["change"]}),
        )
        found = _search(held, part.given, seconds, self._seed)
        if found is None:
            return None
        found = _safest(part, found)
        sequences = part.back(state.sequences(), found)
        return self.judged(sequences) if self._keeps_first(sequences) else None

    def _keeps_first(self, sequences: Sequences) -> bool:
        """Whether running work and what is driven to is still first."""
        routes = {
            (route.engineer, route.shift): [visit.work_order for visit in route.visits if isinstance(visit, Visit)]
            for route in sequences.routes
        }
        return all(tuple(routes.get(key, ())[: len(first)]) == first for key, first in prefixes(self._day).items())

    # -- judging -----------------------------------------------------------------------------------------------

    def judged(self, sequences: Sequences) -> Repaired:
        """Any sequences of the day, driven, evaluated and compared with the plan as it is."""
        plan = build_plan(self._day.problem, sequences)
        evaluation = evaluate(self._day.problem, plan)
        now = _engineers_of(sequences)
        reassigned = sum(1 for name, before in self._before.items() if now.get(name) != before)
        budget = self._day.policy.change_budget
        return Repaired(sequences, plan, evaluation, reassigned, budget is not None and reassigned > budget)

    def better(self, one: Repaired, other: Repaired) -> Repaired:
        """The cheaper one that keeps the rules and the change budget; going beyond it has to save an urgent order."""
        if not other.evaluation.feasible:
            return one
        if not one.evaluation.feasible:
            return other
        if one.over_budget != other.over_budget:
            within, beyond = (other, one) if one.over_budget else (one, other)
            saves = self._breaches(beyond.plan) < self._breaches(within.plan)
            return beyond if saves and beyond.evaluation.total < within.evaluation.total else within
        return other if other.evaluation.total < one.evaluation.total else one

    def _breaches(self, plan: Plan) -> int:
        """How many L1 and L2 orders are late or left out."""
        return len(urgent_breaches(read_facts(self._day.problem, plan)))


def _engineers_of(sequences: Sequences) -> dict[str, frozenset[str]]:
    """Who is a member for each served order."""
    found: dict[str, set[str]] = {}
    for route in sequences.routes:
        for visit in route.visits:
            if isinstance(visit, Visit):
                found.setdefault(visit.work_order, set()).add(route.engineer)
    return {name: frozenset(engineers) for name, engineers in found.items()}


def _reassigned(state: DayState, found: Instant) -> int:
    """How many orders that somebody has would go to others, or be left undone."""
    count = 0
    for step in found.steps:
        for index in state.served.get(step.order.id, ()):
            count += step.option is None or step.option.engineer is not state.routes[index].engineer
    return count


def _applied(state: DayState, found: Instant) -> DayState:
    """The state with an answer carried out; what is ejected leaves before what comes in its place."""
    for place, step in enumerate(found.steps):
        if place + 1 < len(found.steps):
            state = state.without(found.steps[place + 1].order)
        if step.option is not None:
            state.commit(step.option.placement(state.unserved_cost(step.order)))
    return state


def _safest(part: Neighbourhood, found: Sequences) -> Sequences:
    """What was found with margins; where it breaks more urgent promises than what was given, the cheaper of the two."""
    plans = [build_plan(part.problem, sequences) for sequences in (part.given, found)]
    given_breaks, found_breaks = (len(urgent_breaches(read_facts(part.problem, plan))) for plan in plans)
    if found_breaks <= given_breaks:
        return found
    given_total, found_total = (evaluate(part.problem, plan).total for plan in plans)
    return found if found_total < given_total else part.given


def _search(problem: Problem, given: Sequences, seconds: float, seed: int) -> Sequences | None:
    """The kernel's best sequences of a part of a day, from those given; None where its arrays cannot hold it."""
    # The kernel is compiled or loaded here, not when the service starts.
    from solver.compile import arrangement_of, compile_problem
    from solver.compile_travel import CannotCompile
    from solver.hybrid import warm_up
    from solver.search import Search
    from solver.searcher import BrokenRoute, Searcher

    warm_up()
    began = time.monotonic()
    limits = SearchLimits(time_limit_seconds=seconds, seed=seed)
    budget = Budget(limits, lambda: False)
    plan = build_plan(problem, given)
    closed: frozenset[int] = frozenset()
    try:
        while True:
            compiled = compile_problem(problem, given, plan, closed=closed, teams_stay=True)
            try:
                searcher = Searcher(compiled, arrangement_of(compiled, given), seed)
                break
            except BrokenRoute as broken:
                closed |= {broken.shift}
    except CannotCompile:
        return None
    searcher.place_all(lambda: time.monotonic() - began < seconds)
    if time.monotonic() - began < seconds:
        search = Search(compiled, [searcher], limits, budget, lambda fraction, text: None)
        search.run()
        searcher.take_up(search.best)
    return searcher.sequences()
