"""Best insertion of one order at once, or in the place of less important work that is put somewhere else.

Three steps, each only where it can still be cheaper: the best place as the plan is; the best place where one order
has been ejected, which then goes to its own best place or is left undone; and the same for the ejected order once
more. Every figure is the exact difference of the plan's total, in thousandths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from dispatcher.collector import collector_paused
from dispatcher.model import WorkOrder
from solver.day_state import DayState
from solver.live.day import LiveDay, Option
from solver.live.near import NearRoutes
from solver.stint import lateness_cost

NEAR_ROUTES = 48
"""Routes tried for an order; more of them only where there is no place in these."""
NEAR_ROUTES_OF_EJECTED = 16
"""The same for an order that has to make room."""
EJECTING_ROUTES = 8
"""Routes in which ejecting an order is tried."""
EJECTIONS_TRIED = 12
"""Orders in whose places an order is tried exactly, those first that look best."""
REINSERTED = 3
"""Ejections followed to the end, those that look best first."""


@dataclass(frozen=True, slots=True)
class Step:
    """One order of an answer: where it goes (None: it is left undone), and where it was (None: it was undone)."""

    order: WorkOrder
    option: Option | None
    before: int | None


@dataclass(frozen=True, slots=True)
class Instant:
    """The best that was found: what the total changes by in thousandths, and the steps, the asked order first."""

    delta: int
    steps: tuple[Step, ...]

    @property
    def option(self) -> Option | None:
        return self.steps[0].option


class Inserter:
    """Finds places for orders in one state of the day; the arrays about its routes are made once."""

    def __init__(self, day: LiveDay, state: DayState | None = None, near: NearRoutes | None = None) -> None:
        self._day = day
        self._state = day.state if state is None else state
        self._near = NearRoutes(self._state) if near is None else near

    @collector_paused()
    def best(self, name: str, *, depth: int = 1) -> Instant:
        """The cheapest way to serve an order, `depth` ejections deep; leaving it undone where nothing pays.

        An order that is served is thought away first: the answer then says where it should better be.

        Raises:
            NotFound: if the day has no such order.
            WrongState: for the work of teams, running work, and what other orders wait for.
        """
        order = self._day.order(name)
        state = self._day.without(order) if self._state is self._day.state else self._state
        before = self._state.served.get(name, (None,))[0]
        return self._placed(state, order, before, depth, frozenset({name}))

    def _placed(
        self, state: DayState, order: WorkOrder, before: int | None, depth: int, kept: frozenset[str]
    ) -> Instant:
        """`delta` counts from the order undone; what is in `kept` is not ejected."""
        best = Instant(0, (Step(order, None, before),))
        worth, near = state.unserved_cost(order), self._near.ranked(order)
        option = self._best_option(state, order, near, NEAR_ROUTES_OF_EJECTED if len(kept) > 1 else NEAR_ROUTES)
        if option is not None and option.delta < worth:
            best = Instant(option.delta - worth, (Step(order, option, before),))
        if depth > 0:
            for found in self._ejecting(state, order, before, near, depth, kept, best.delta):
                if found.delta < best.delta:
                    best = found
        return best

    def _best_option(self, state: DayState, order: WorkOrder, near: Sequence[int], most: int) -> Option | None:
        best: Option | None = None
        for tried, (index, stint) in enumerate(self._day.stints_along(state, order, near)):
            if tried >= most and best is not None:
                break
            option = self._day.option(state, order, index, stint, below=None if best is None else best.delta)
            if option is not None and (best is None or option.delta < best.delta):
                best = option
        return best

    def _ejecting(
        self,
        state: DayState,
        order: WorkOrder,
        before: int | None,
        near: Sequence[int],
        depth: int,
        kept: frozenset[str],
        limit: int,
    ) -> Iterator[Instant]:
        """What serving the order in the place of another one would change, the best looking ones to the end."""
        tries: list[tuple[int, str, DayState, Option]] = []
        worth = state.unserved_cost(order)
        stints = dict(islice(self._day.stints_along(state, order, near), EJECTING_ROUTES))
        looked_at = [found for index in stints for found in self._in_the_place(state, order, index, kept)]
        for _, index, name in sorted(looked_at)[:EJECTIONS_TRIED]:
            other = self._day.problem.order_by_id[name]
            # Undone, the other costs what it is worth; the route without it costs less than now.
            smaller = state.without(other)
            gain = _saved(state, smaller, other, index) + worth
            # What is too dear even if the other cost nothing afterwards is not followed.
            option = self._day.option(smaller, order, index, stints[index], below=limit + gain)
            if option is not None:
                tries.append((option.delta - gain, name, smaller, option))
        tries.sort(key=lambda found: (found[0], found[1]))
        for delta, name, smaller, option in tries[:REINSERTED]:
            if delta >= limit:
                break
            other = self._day.problem.order_by_id[name]
            loss = state.unserved_cost(other)
            changed = smaller.fork_route(option.route)
            changed.commit(option.placement(worth))
            follow = self._placed(changed, other, option.route, depth - 1, kept | {name})
            total = delta + loss + follow.delta
            limit = min(limit, total)
            yield Instant(total, (Step(order, option, before), *follow.steps))

    def _in_the_place(
        self, state: DayState, order: WorkOrder, index: int, kept: frozenset[str]
    ) -> Iterator[tuple[int, int, str]]:
        """Orders of a route that matter less and may be moved: (about what the order would cost there, route, id).

        That is the detour to it instead of to the other, and how late it would be, by free-flow driving.
        """
        route, worth = state.routes[index], state.unserved_cost(order)
        travel, speed = self._day.problem.travel, route.engineer.speed_factor
        here = travel.free_flow_row(self._day.problem.location_index[order.location], speed)
        late = lateness_cost(self._day.problem, order)
        made = [item for item in route.made() if item.stint is not None]
        places = [route.start_place(), *(stint.place for stint in route.stints), route.end_place]
        for place in range(self._day.first_places(order, index), len(route.stints)):
            other = route.stints[place].order
            movable = other.team is None and other.pin is None and other.id not in self._day.awaited
            if not movable or other.id in kept or state.unserved_cost(other) >= worth:
                continue
            before, following = places[place] or 0, places[place + 2]
            there = travel.free_flow_row(places[place + 1] or 0, speed)
            detour = here[before] - there[before]
            detour += 0 if following is None else here[following] - there[following]
            arrival = made[place].arrival + here[before] - there[before]
            cost = detour * self._day.problem.weights.of("travel")
            cost += 0 if late is None else late.of(arrival, arrival, arrival + order.service_seconds)
            yield cost, index, other.id


def _saved(state: DayState, smaller: DayState, order: WorkOrder, index: int) -> int:
    """What a day costs less on its routes and by the rules over them when an order of a route is undone."""
    engineer, route = state.routes[index].engineer.id, state.routes[index]
    saved = route.cost - smaller.routes[index].cost + smaller.company_cost(order, (engineer,), (engineer,))
    return saved + (smaller.shared_delta({index: route.label}) if state.has_shared_rules and route.label else 0)
