"""A running plan kept warm: the state of its routes, what of it stays, and what any insertion would do to it.

Built once per plan and asked many times; a question never changes it. Costs are exact, in thousandths of the score:
what an insertion is said to change the total by is what the reference evaluation says of the plan that has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from dispatcher.errors import NotFound, RecordKey, WrongState
from dispatcher.facts import read_facts
from dispatcher.model import Engineer, Level, WorkOrder
from dispatcher.plan import Plan
from dispatcher.problem import Problem
from solver.day_state import DayState, Placed, Placement
from solver.live.promises import Margins, urgent_breaches, without_margin
from solver.reasons import ReasonFinder
from solver.route_state import Insertion, Made, RouteState, trace
from solver.stint import FAR_FUTURE, Stint, make_stint

ASK = "ask who could do it"


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """What of a running plan stays.

    Attributes:
        freeze_seconds: stops that start within this time from now stay where and when they are, but for L1 and L2
            orders that will be late there.
        breaks_in: levels of the orders that may come before frozen stops all the same.
        diverts: whether those may also come before work somebody is on the way to.
        change_budget: at most so many orders get other engineers in one repair, unless an L1 or L2 order would
            otherwise be late or left out; None for no limit.
    """

    freeze_seconds: int = 900
    breaks_in: frozenset[Level] = frozenset({"L1"})
    diverts: bool = False
    change_budget: int | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """An order at the best place of one route. `delta` is what routes and shared rules cost more, in thousandths."""

    order: WorkOrder
    route: int
    engineer: Engineer
    delta: int
    insertion: Insertion
    stint: Stint

    @property
    def made(self) -> Made:
        return next(item for item in trace(self.insertion.label) if item.stint is self.stint)

    def placement(self, unserved_cost: int) -> Placement:
        """The option as `DayState.commit` takes it."""
        placed = Placed(self.route, self.insertion.position, self.stint)
        return Placement(self.order, self.delta - unserved_cost, (placed,))


class LiveDay:
    """See the module. `plan` is a feasible plan of `problem`; `on_the_way` are orders somebody drives to."""

    def __init__(
        self,
        problem: Problem,
        plan: Plan,
        *,
        on_the_way: frozenset[str] = frozenset(),
        policy: LivePolicy | None = None,
    ) -> None:
        self.problem = problem
        self.plan = plan
        self.on_the_way = on_the_way
        self.policy = LivePolicy() if policy is None else policy
        self.state = DayState.of_plan(problem, plan)
        self.margins = Margins.of(problem)
        self.moving, self.staying = self._prefixes()
        self._free = list(self.state.routes)
        self._hold_what_stays()
        self._finder = ReasonFinder(problem, plan, self.state, seeks_fixes=False)

    def _prefixes(self) -> tuple[list[int], list[int]]:
        """Per route how many first stops are running or being driven to, and how many stay because they start soon."""
        moving, staying = [], []
        frozen_until = self.problem.now + self.policy.freeze_seconds
        for route in self.state.routes:
            first = last = 0
            starts = [made.start for made in route.made() if made.stint is not None]
            for place, (stint, start) in enumerate(zip(route.stints, starts, strict=True), start=1):
                if stint.running_since is not None or stint.order.id in self.on_the_way:
                    first = place
                if start <= frozen_until and route.shift.start <= frozen_until:
                    last = place
            moving.append(first)
            staying.append(max(first, last))
        return moving, staying

    def _hold_what_stays(self) -> None:
        """What stays may not be moved by a break either: it starts no later than it does now."""
        for index, count in enumerate(self.staying):
            if count:
                self.state.routes[index] = _held(self.state.routes[index], count)

    # -- asking ------------------------------------------------------------------------------------------------

    @cached_property
    def awaited(self) -> frozenset[str]:
        """Orders that other served orders wait for."""
        return frozenset(
            dependency.work_order
            for name in self.state.served
            for dependency in self.problem.order_by_id[name].depends_on
            if dependency.work_order is not None
        )

    @cached_property
    def late(self) -> frozenset[str]:
        """The L1 and L2 orders that are late as things stand and could be given to somebody else."""
        return self._in_danger[0]

    @cached_property
    def threatened(self) -> frozenset[str]:
        """Those, and the others that are begun so late that the margin of their promise is used up."""
        return self._in_danger[0] | self._in_danger[1]

    @cached_property
    def _in_danger(self) -> tuple[frozenset[str], frozenset[str]]:
        facts = read_facts(self.problem, self.plan)
        late, unsafe = urgent_breaches(facts), without_margin(facts, self.margins)
        return frozenset(filter(self._could_move, late)), frozenset(filter(self._could_move, unsafe))

    def _could_move(self, name: str) -> bool:
        is_planned = name in self.state.served and name not in self.on_the_way
        return is_planned and self.is_free(self.problem.order_by_id[name])

    def is_free(self, order: WorkOrder) -> bool:
        """Whether an order may be moved by itself: no team, no pin, no other order waits for it or makes it wait."""
        is_tied = any(dependency.work_order is not None for dependency in order.depends_on)
        return order.team is None and order.pin is None and not is_tied and order.id not in self.awaited

    def order(self, name: str) -> WorkOrder:
        """An order of the day. Raises NotFound."""
        found = self.problem.order_by_id.get(name)
        if found is None:
            raise NotFound(RecordKey("work_order", (name,)))
        return found

    def without(self, order: WorkOrder) -> DayState:
        """The day with an order undone; as it is where it is undone already.

        Raises:
            WrongState: for what cannot be taken out by itself: teams, running work, what other orders wait for.
        """
        if order.team is not None:
            raise WrongState(RecordKey("work_order", (order.id,)), "the work of a team", ASK)
        if order.id not in self.state.served:
            return self.state
        if self.problem.is_running(order):
            raise WrongState(RecordKey("work_order", (order.id,)), "under way", ASK)
        if order.id in self.awaited:
            raise WrongState(RecordKey("work_order", (order.id,)), "awaited by others", ASK)
        return self.state.without(order)

    def finder(self, state: DayState) -> ReasonFinder:
        """Who finds reasons against a state of the day, without looking for fixes."""
        if state is self.state:
            return self._finder
        return ReasonFinder(self.problem, self.plan, state, seeks_fixes=False)

    def first_places(self, order: WorkOrder, route: int) -> int:
        """Before how many first stops of a route an order may not come; its own place among them is open to it."""
        stops = self.state.routes[route].stints
        if order.level not in self.policy.breaks_in:
            count = self.staying[route]
        else:
            count = int(self.state.routes[route].is_running) if self.policy.diverts else self.moving[route]
        return next((place for place, stint in enumerate(stops[:count]) if stint.order.id == order.id), count)

    def stints(self, state: DayState, order: WorkOrder) -> Iterator[tuple[int, Stint]]:
        """Route and stint of everybody who may do an order without a team by lists, pin, skills and parts."""
        bounds = state.bounds(order)
        if bounds is None:
            return
        for engineer in state.engineers_for(order):
            stint = self._stint(order, engineer, bounds)
            if stint is None:
                continue
            for index in state.routes_of[engineer.id]:
                if not order.parts or state.has_parts(order, (index,)):
                    yield index, stint

    def stints_along(self, state: DayState, order: WorkOrder, routes: Iterable[int]) -> Iterator[tuple[int, Stint]]:
        """The same, along these routes, as far as anybody asks."""
        bounds = state.bounds(order)
        if bounds is None:
            return
        for index in routes:
            engineer = state.routes[index].engineer
            if not order.admits(engineer.id) or (order.parts and not state.has_parts(order, (index,))):
                continue
            stint = self._stint(order, engineer, bounds)
            if stint is not None:
                yield index, stint

    def _stint(self, order: WorkOrder, engineer: Engineer, bounds: tuple[int, int]) -> Stint | None:
        if order.pin is not None and order.pin.engineer != engineer.id:
            return None
        stint = make_stint(self.problem, engineer, order)
        if stint is None or not order.depends_on:
            return stint
        return stint.held(not_before=bounds[0], not_after=bounds[1])

    def options(self, state: DayState, order: WorkOrder) -> list[Option]:
        """The best place of an order in every route where there is one, unsorted."""
        found = (self.option(state, order, index, stint) for index, stint in self.stints(state, order))
        return [option for option in found if option is not None]

    def option(
        self, state: DayState, order: WorkOrder, index: int, stint: Stint, *, below: int | None = None
    ) -> Option | None:
        """The best place of an order in one route, None where there is none; places whose `delta` cannot be less than
        `below` need not be tried."""
        route, price = self._route_for(state, order, index), self._price(state, index)
        engineer = route.engineer
        company = state.company_cost(order, (engineer.id,), (engineer.id,))
        least = None if below is None else below - company
        found = route.best_insertion(stint, price=price, below=least, after=self.first_places(order, index))
        return None if found is None else Option(order, index, engineer, found[0] + company, found[1], stint)

    def _price(self, state: DayState, index: int) -> Callable[[Insertion], int | None] | None:
        return state.price_for(index) if state.duties or state.has_shared_rules else None

    def _route_for(self, state: DayState, order: WorkOrder, index: int) -> RouteState:
        """The route as the order finds it: for those that may break in, what starts soon is not held."""
        route = state.routes[index]
        if order.level not in self.policy.breaks_in or self.staying[index] == self.first_places(order, index):
            return route
        if route is self.state.routes[index]:
            return _held(self._free[index], self.first_places(order, index))
        return _held(_loosened(route), self.first_places(order, index))


def _held(route: RouteState, count: int) -> RouteState:
    """The route with its first stops bound to start no later than they do."""
    if not count:
        return route
    starts = [made.start for made in route.made() if made.stint is not None]
    stints = [
        stint if place >= count or stint.running_since is not None else replace(stint, not_after=starts[place])
        for place, stint in enumerate(route.stints)
    ]
    return route.varied(route.shift, stints)


def _loosened(route: RouteState) -> RouteState:
    """The route without the bounds of what starts soon; teams and pins keep theirs."""
    stints = [
        replace(stint, not_after=FAR_FUTURE)
        if stint.order.team is None and not stint.order.depends_on and not _has_pinned_start(stint)
        else stint
        for stint in route.stints
    ]
    return route.varied(route.shift, stints)


def _has_pinned_start(stint: Stint) -> bool:
    return stint.order.pin is not None and stint.order.pin.start is not None
