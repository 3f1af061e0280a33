"""Building a plan by exact best insertion, order by order.

Running and pinned work goes first, then teams by what leaving them undone would cost, then single orders in one of
several orderings: `IN_SEQUENCE` takes them by worth and is quick; the others look at all open orders at every step
and take the one that matters most, by regret (Potvin and Rousseau 1993) or by gain, as such or per hour of work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from dispatcher.model import Engineer, WorkOrder
from dispatcher.planning import StoppedBy
from dispatcher.problem import Problem
from solver.budget import Budget
from solver.day_state import DayState, Placed, Placement, Price
from solver.route_state import Insertion
from solver.stint import Stint, make_stint
from solver.team_insertion import MAX_STARTS, TeamComposer

STARTS_IN_SEQUENCE = 8
"""Candidate starts of a team in the quick construction; the others try more."""
SHARE_OF_TEAMS = 0.4
"""Share of the time limit after which single orders go before the teams still open."""
NEAR_ROUTES = 40
"""Routes tried first in the quick construction, by the ride to their nearest stop; the rest where none of them pays."""
TYPICAL_DRIVE_SECONDS = 1800
"""What an order takes besides its service when orders are compared per hour."""


@dataclass(slots=True)
class _Option:
    """The best place for an order in one route; `delta` without the rules about who serves it."""

    delta: int
    insertion: Insertion
    stint: Stint


@dataclass(slots=True)
class OpenOrder:
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


def regret(entry: OpenOrder) -> float:
    return entry.regret


def gain(entry: OpenOrder) -> float:
    return 0 if entry.best is None else -entry.best[0]


def regret_per_hour(entry: OpenOrder) -> float:
    return entry.regret / (entry.order.service_seconds + TYPICAL_DRIVE_SECONDS)


def gain_per_hour(entry: OpenOrder) -> float:
    return gain(entry) / (entry.order.service_seconds + TYPICAL_DRIVE_SECONDS)


Ordering = Callable[[OpenOrder], float] | None
IN_SEQUENCE: Ordering = None
ORDERINGS: Sequence[Ordering] = (IN_SEQUENCE, regret, gain, gain_per_hour, regret_per_hour)


class Construction:
    """One construction: the state of the day and the options of every open order."""

    def __init__(self, state: DayState, budget: Budget, ordering: Ordering, progress: Callable[[int], None]) -> None:
        self.state = state
        self._problem: Problem = state.problem
        self._budget = budget
        self._ordering = ordering
        self._progress = progress
        self._prices: dict[int, Price | None] = {}
        self._company_varies = bool(self._problem.weights.of("engineers_used"))

    def run(self) -> StoppedBy:
        """Place what can be placed; ends early at a limit with what there is."""
        problem = self._problem
        pinned = pinned_first(problem)
        first = {order.id for order in pinned}
        others = [order for order in problem.work_orders if order.id not in first]
        teams = [order for order in others if order.team is not None]
        teams.sort(key=lambda order: -self.state.unserved_cost(order))
        singles = [order for order in others if order.team is None]
        # Teams take long to compose; with little time the single orders must not wait for all of them.
        share = SHARE_OF_TEAMS
        while True:
            placed = len(self.state.served)
            stopped = (
                self._place_each(pinned, at_any_cost=True)
                or self._place_each(teams, at_any_cost=False, share=share)
                or self._place_singles(singles)
            )
            # Orders that wait for others become possible once those are placed: go round until nothing moves.
            if stopped is not None:
                return stopped
            if len(self.state.served) == placed and share == 1.0:
                return "finished"
            share = 1.0

    def place_teams(self, ranked: Sequence[str] | None = None) -> StoppedBy | None:
        """Place running and pinned work and the teams alone, as far as they wait for no single order.

        Teams are taken in the order given, else by what leaving them undone would cost.
        """
        pinned = pinned_first(self._problem)
        first = {order.id for order in pinned}
        teams = [order for order in self._problem.work_orders if order.team is not None and order.id not in first]
        if ranked is None:
            teams.sort(key=lambda order: -self.state.unserved_cost(order))
        else:
            place = {name: number for number, name in enumerate(ranked)}
            teams = sorted((order for order in teams if order.id in place), key=lambda order: place[order.id])
        return self._place_each(pinned, at_any_cost=True) or self._place_each(
            teams, at_any_cost=False, share=SHARE_OF_TEAMS
        )

    def _place_each(self, orders: list[WorkOrder], *, at_any_cost: bool, share: float = 1.0) -> StoppedBy | None:
        """One after the other at its best place; pinned work whatever it costs and however little time there is, other
        work where it pays.

        With a `share` below 1 it ends when that share of the time is used.
        """
        for order in orders:
            if order.id in self.state.served:
                continue
            if share < 1.0 and self._budget.is_share_used(share):
                return None
            stopped = None if at_any_cost else self._budget.stopped()
            if stopped is not None:
                return stopped
            placement = self.best_placement(order)
            if placement is not None and (at_any_cost or placement.delta < 0):
                self._commit(placement)
        return None

    def best_placement(self, order: WorkOrder) -> Placement | None:
        """The cheapest place or team that is found for an order as the day stands, whether it pays or not, or None.

        The quick construction looks no further than the nearest routes where a place on one of them pays, and at fewer
        starts of a team; running work belongs to the first shift that can hold it.
        """
        if order.team is not None:
            starts = STARTS_IN_SEQUENCE if self._ordering is None else MAX_STARTS
            return TeamComposer(self.state, order, starts).best()
        bounds = self.state.bounds(order)
        if bounds is None:
            return None
        entry = OpenOrder(order, self.state.unserved_cost(order), {})
        for tried, route in enumerate(self._nearest_first(order)):
            if tried >= NEAR_ROUTES and self._ordering is None and entry.best is not None and entry.best[0] < 0:
                break
            stint = self._stint(order, self.state.routes[route].engineer, bounds)
            if stint is None:
                continue
            entry.stints[route] = stint
            # Only the best is wanted: a route that cannot beat it need not be driven.
            below = None if entry.best is None else entry.best[0] + entry.unserved_cost
            self._test(entry, route, below=below)
            self._rank_one(entry, route)
            if entry.options and self._problem.is_running(order):
                break  # running work belongs to the first shift that can hold it
        return None if entry.best is None else self._placement(entry)

    def _nearest_first(self, order: WorkOrder) -> list[int]:
        """All routes, those that come near the place first; for pinned work its engineer's in the order of shifts."""
        routes = self.state.routes
        if order.pin is not None:
            return self.state.routes_of[order.pin.engineer]
        if len(routes) <= NEAR_ROUTES:
            return list(range(len(routes)))
        ride = self._problem.travel.free_flow_row(self._problem.location_index[order.location], 1)
        return sorted(range(len(routes)), key=lambda index: min(ride[place] for place in routes[index].places()))

    def _stint(self, order: WorkOrder, engineer: Engineer, bounds: tuple[int, int]) -> Stint | None:
        """The engineer's stint for an order without a team; None where lists, pin or skills forbid it."""
        if not order.admits(engineer.id) or (order.pin is not None and order.pin.engineer != engineer.id):
            return None
        stint = make_stint(self._problem, engineer, order)
        if stint is not None and order.depends_on:
            return stint.held(not_before=bounds[0], not_after=bounds[1])
        return stint

    def _place_singles(self, orders: list[WorkOrder]) -> StoppedBy | None:
        if self._ordering is None:
            worth = sorted(
                orders, key=lambda o: -self.state.unserved_cost(o) / (o.service_seconds + TYPICAL_DRIVE_SECONDS)
            )
            return self._place_each(worth, at_any_cost=False)
        return self._place_by_priority(orders, self._ordering)

    def _place_by_priority(self, orders: list[WorkOrder], priority: Callable[[OpenOrder], float]) -> StoppedBy | None:
        open_orders: dict[str, OpenOrder] = {}
        self._open_ready(orders, open_orders)
        while True:
            stopped = self._budget.stopped()
            if stopped is not None:
                return stopped
            paying = [entry for entry in open_orders.values() if entry.best is not None and entry.best[0] < 0]
            chosen = max(paying, key=priority, default=None)
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

    def _still_pays(self, entry: OpenOrder) -> bool:
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

    def _open_ready(self, orders: list[WorkOrder], open_orders: dict[str, OpenOrder]) -> None:
        """Open the orders whose predecessors are all placed, with an option for every route."""
        for order in orders:
            if order.id in self.state.served or order.id in open_orders:
                continue
            if self._budget.stopped() is not None:
                return
            entry = self._open(order)
            if entry is not None:
                open_orders[order.id] = entry
                for route in entry.stints:
                    self._test(entry, route)
                self._rank(entry)

    # -- options -----------------------------------------------------------------------------------------------

    def _open(self, order: WorkOrder) -> OpenOrder | None:
        bounds = self.state.bounds(order)
        if bounds is None:
            return None
        stints: dict[int, Stint] = {}
        for engineer in self.state.engineers_for(order):
            stint = self._stint(order, engineer, bounds)
            if stint is not None:
                stints.update(dict.fromkeys(self.state.routes_of[engineer.id], stint))
        return OpenOrder(order, self.state.unserved_cost(order), stints)

    def _test(self, entry: OpenOrder, route: int, *, below: int | None = None) -> None:
        """The best place for an order in one route as it is now."""
        entry.options.pop(route, None)
        if not self.state.has_parts(entry.order, (route,)):
            return
        if entry.order.pin is not None:
            # It goes in whatever it costs, and nobody else may have it: what all routes share decides at most the place
            # on its route, and is not worth the time where much is pinned.
            price = self.state.price_for(route, shared=False)
        else:
            if route not in self._prices:
                self._prices[route] = self.state.price_for(route)
            price = self._prices[route]
        stint = entry.stints[route]
        found = self.state.routes[route].best_insertion(stint, price=price, below=below)
        if found is not None:
            entry.options[route] = _Option(found[0], found[1], stint)

    def _update(self, entry: OpenOrder, changed: set[int], placed: WorkOrder) -> None:
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

    def _rank(self, entry: OpenOrder) -> None:
        """The two best options by what they change in the total, as (delta, route)."""
        entry.best = entry.second = None
        for route in entry.options:
            self._rank_one(entry, route)

    def _rank_one(self, entry: OpenOrder, route: int) -> None:
        """Put one option among the two best."""
        option = entry.options.get(route)
        if option is None:
            return
        delta = option.delta + self._company(entry.order, route) - entry.unserved_cost
        if entry.best is None or delta < entry.best[0]:
            entry.best, entry.second = (delta, route), entry.best
        elif entry.second is None or delta < entry.second[0]:
            entry.second = (delta, route)

    def _company(self, order: WorkOrder, route: int) -> int:
        engineer = self.state.routes[route].engineer.id
        return self.state.company_cost(order, (engineer,), (engineer,))

    def _placement(self, entry: OpenOrder) -> Placement:
        assert entry.best is not None
        delta, route = entry.best
        option = entry.options[route]
        return Placement(entry.order, delta, (Placed(route, option.insertion.position, option.stint),))

    def _commit(self, placement: Placement) -> set[int]:
        """Place, count, report; the routes that changed."""
        changed = self.state.commit(placement)
        self._prices.clear()
        self._budget.iterations += 1
        self._progress(len(self.state.served))
        return changed


def pinned_first(problem: Problem) -> list[WorkOrder]:
    """Running and pinned orders, and before each what it waits for: without that it could not be served."""
    pinned = [order for order in problem.work_orders if order.pin is not None]
    pinned.sort(key=lambda o: (not problem.is_running(o), o.pin is None or o.pin.start is None, _window_seconds(o)))
    found: dict[str, WorkOrder] = {}
    # A stack instead of recursion: chains of orders may be longer than Python's stack is deep.
    waiting = list(reversed(pinned))
    while waiting:
        order = waiting[-1]
        before = [d.work_order for d in order.depends_on if d.work_order is not None and d.work_order not in found]
        if before:
            waiting.extend(problem.order_by_id[name] for name in before)
        else:
            found.setdefault(waiting.pop().id, order)
    return list(found.values())


def _window_seconds(order: WorkOrder) -> float:
    """How much room the time windows leave; among pinned orders those with the least go first."""
    return sum(window.end - window.start for window in order.time_windows) if order.time_windows else float("inf")
