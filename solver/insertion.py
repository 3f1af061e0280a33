"""The engine `insertion`: exact best insertion with regret, deterministic, in one pass.

Running and pinned work goes first, then teams by what leaving them undone would cost, then single orders by regret
(Potvin and Rousseau 1993): always the order that would lose most if its best route were taken by another. It is the
product's baseline and answers within seconds; searching is the job of other engines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dispatcher.evaluate import evaluate
from dispatcher.model import WorkOrder
from dispatcher.plan import Sequences
from dispatcher.planning import SearchLimits, SearchResult, StoppedBy
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan
from solver.day_state import DayState, Placed, Placement, Price
from solver.repair import without_breaches
from solver.route_state import Insertion
from solver.stint import Stint, make_stint
from solver.team_insertion import TeamComposer

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
        run = _Run(problem, limits, cancelled, progress)
        stopped_by = run.construct()
        sequences = without_breaches(problem, run.state.sequences())
        while stopped_by == "finished":
            # The earliest schedule of all routes together may leave room that the bounds of the routes hid.
            run.state = DayState.of_plan(problem, build_plan(problem, sequences))
            placed = len(run.state.served)
            stopped_by = run.construct()
            if len(run.state.served) == placed:
                break
            improved = without_breaches(problem, run.state.sequences())
            if _total(problem, improved) >= _total(problem, sequences):
                break
            sequences = improved
        return SearchResult(sequences, run.iterations, time.monotonic() - run.began, stopped_by)


def _total(problem: Problem, sequences: Sequences) -> int:
    return evaluate(problem, build_plan(problem, sequences)).total


@dataclass(slots=True)
class _Option:
    """The best place for an order in one route; `delta` without the rules about who serves it."""

    delta: int
    insertion: Insertion
    stint: Stint


@dataclass(slots=True)
class _OpenOrder:
    """A single order not yet placed: its stints and options by route, and the two best of them."""

    order: WorkOrder
    unserved_cost: int
    stints: dict[int, Stint]
    options: dict[int, _Option] = field(default_factory=dict)
    best: tuple[int, int] | None = None
    second: tuple[int, int] | None = None

    @property
    def regret(self) -> int:
        """What is lost if the best route is taken by another; leaving the order undone is always the last resort."""
        if self.best is None:
            return 0
        second = 0 if self.second is None else min(0, self.second[0])
        return second - self.best[0]


class _Run:
    """One construction: the state of the day and the options of every open order."""

    def __init__(
        self, problem: Problem, limits: SearchLimits, cancelled: Callable[[], bool], progress: Progress
    ) -> None:
        self.began = time.monotonic()
        self.iterations = 0
        self.state = DayState(problem)
        self._problem = problem
        self._limits = limits
        self._cancelled = cancelled
        self._progress = progress
        self._prices: dict[int, Price | None] = {}
        self._company_varies = bool(problem.weights.of("engineers_used"))

    def construct(self) -> StoppedBy:
        """Place what can be placed; ends early at a limit with what there is."""
        problem = self._problem
        pinned = [order for order in problem.work_orders if order.pin is not None]
        pinned.sort(key=lambda o: (not problem.is_running(o), o.pin is None or o.pin.start is None))
        teams = [order for order in problem.work_orders if order.team is not None and order.pin is None]
        teams.sort(key=lambda order: -self.state.unserved_cost(order))
        singles = [order for order in problem.work_orders if order.team is None and order.pin is None]
        while True:
            placed = len(self.state.served)
            stopped = (
                self._place_each(pinned, at_any_cost=True)
                or self._place_each(teams, at_any_cost=False)
                or self._place_by_regret(singles)
            )
            # Orders that wait for others become possible once those are placed: go round until nothing moves.
            if stopped is not None:
                return stopped
            if len(self.state.served) == placed:
                return "finished"

    def _place_each(self, orders: list[WorkOrder], *, at_any_cost: bool) -> StoppedBy | None:
        """One after the other at its best place; pinned work whatever it costs, other work where it pays."""
        for order in orders:
            if order.id in self.state.served:
                continue
            stopped = self._stopped()
            if stopped is not None:
                return stopped
            placement = self._best_placement(order)
            if placement is not None and (at_any_cost or placement.delta < 0):
                self._commit(placement)
        return None

    def _best_placement(self, order: WorkOrder) -> Placement | None:
        if order.team is not None:
            return TeamComposer(self.state, order).best()
        entry = self._open(order)
        if entry is None:
            return None
        for route in entry.stints:
            self._test(entry, route)
            if entry.options and self._problem.is_running(order):
                break  # running work belongs to the first shift that can hold it
        self._rank(entry)
        return None if entry.best is None else self._placement(entry)

    def _place_by_regret(self, orders: list[WorkOrder]) -> StoppedBy | None:
        open_orders: dict[str, _OpenOrder] = {}
        self._open_ready(orders, open_orders)
        while True:
            stopped = self._stopped()
            if stopped is not None:
                return stopped
            chosen: _OpenOrder | None = None
            for entry in open_orders.values():
                if entry.best is not None and entry.best[0] < 0 and (chosen is None or entry.regret > chosen.regret):
                    chosen = entry
            if chosen is None:
                return None
            if self.state.has_shared_rules and not self._still_pays(chosen):
                continue
            del open_orders[chosen.order.id]
            placement = self._placement(chosen)
            changed = self._commit(placement)
            for entry in list(open_orders.values()):
                if self._waits_for_a_change(entry.order, changed):
                    del open_orders[entry.order.id]
                else:
                    self._update(entry, changed, chosen.order)
            if any(order.depends_on for order in orders):
                self._open_ready(orders, open_orders)

    def _still_pays(self, entry: _OpenOrder) -> bool:
        """Price an order again before it is placed: rules over all routes may have moved since it was tested."""
        for route in entry.stints:
            self._test(entry, route)
        self._rank(entry)
        return entry.best is not None and entry.best[0] < 0

    def _waits_for_a_change(self, order: WorkOrder, changed: set[int]) -> bool:
        """Whether the order's bounds are out of date: a predecessor lies on a route that changed."""
        return any(
            not changed.isdisjoint(self.state.served.get(dependency.work_order or "", ()))
            for dependency in order.depends_on
        )

    def _open_ready(self, orders: list[WorkOrder], open_orders: dict[str, _OpenOrder]) -> None:
        """Open the orders whose predecessors are all placed, with an option for every route."""
        for order in orders:
            if order.id in self.state.served or order.id in open_orders:
                continue
            entry = self._open(order)
            if entry is not None:
                open_orders[order.id] = entry
                for route in entry.stints:
                    self._test(entry, route)
                self._rank(entry)

    # -- options -----------------------------------------------------------------------------------------------

    def _open(self, order: WorkOrder) -> _OpenOrder | None:
        bounds = self.state.bounds(order)
        if bounds is None:
            return None
        stints: dict[int, Stint] = {}
        pin = order.pin
        for engineer in self.state.engineers_for(order):
            if pin is not None and pin.engineer != engineer.id:
                continue
            stint = make_stint(self._problem, engineer, order)
            if stint is not None:
                if order.depends_on:
                    stint = stint.held(not_before=bounds[0], not_after=bounds[1])
                stints.update(dict.fromkeys(self.state.routes_of[engineer.id], stint))
        return _OpenOrder(order, self.state.unserved_cost(order), stints)

    def _test(self, entry: _OpenOrder, route: int) -> None:
        """The best place for an order in one route as it is now."""
        entry.options.pop(route, None)
        if not self.state.has_parts(entry.order, (route,)):
            return
        if route not in self._prices:
            self._prices[route] = self.state.price_for(route)
        stint = entry.stints[route]
        found = self.state.routes[route].best_insertion(stint, price=self._prices[route])
        if found is not None:
            entry.options[route] = _Option(found[0], found[1], stint)

    def _update(self, entry: _OpenOrder, changed: set[int], placed: WorkOrder) -> None:
        """Test the changed routes again, and rank again where that may change the two best."""
        stale = self._company_varies or placed.id in entry.order.related_to or entry.order.id in placed.related_to
        for route in changed:
            if route not in entry.stints:
                continue
            self._test(entry, route)
            option = entry.options.get(route)
            if any(ranked is not None and ranked[1] == route for ranked in (entry.best, entry.second)) or (
                option is not None and (entry.second is None or option.delta - entry.unserved_cost < entry.second[0])
            ):
                stale = True
        if stale:
            self._rank(entry)

    def _rank(self, entry: _OpenOrder) -> None:
        """The two best options by what they change in the total, as (delta, route)."""
        entry.best = entry.second = None
        for route, option in entry.options.items():
            delta = option.delta + self._company(entry.order, route) - entry.unserved_cost
            if entry.best is None or delta < entry.best[0]:
                entry.best, entry.second = (delta, route), entry.best
            elif entry.second is None or delta < entry.second[0]:
                entry.second = (delta, route)

    def _company(self, order: WorkOrder, route: int) -> int:
        engineer = self.state.routes[route].engineer.id
        return self.state.company_cost(order, (engineer,), (engineer,))

    def _placement(self, entry: _OpenOrder) -> Placement:
        assert entry.best is not None
        delta, route = entry.best
        option = entry.options[route]
        return Placement(entry.order, delta, (Placed(route, option.insertion.position, option.stint),))

    def _commit(self, placement: Placement) -> set[int]:
        """Place, count, report; the routes that changed."""
        changed = self.state.commit(placement)
        self._prices.clear()
        self.iterations += 1
        total = len(self._problem.work_orders)
        done = len(self.state.served)
        self._progress(done / total, f"{done} of {total} orders placed")
        return changed

    def _stopped(self) -> StoppedBy | None:
        if self._cancelled():
            return "cancelled"
        limit = self._limits.iteration_limit
        if limit is not None and self.iterations >= limit:
            return "iteration_limit"
        seconds = self._limits.time_limit_seconds
        if seconds is not None and time.monotonic() - self.began >= seconds:
            return "time_limit"
        return None
