"""A day under construction that can be tried out: forks share their routes until they change them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from dispatcher.model import LEVELS, WorkOrder
from dispatcher.plan import Plan, RouteSequence
from dispatcher.problem import Problem
from solver.day_state import DayState, Duty, Placement
from solver.stint import Stint


class WorkingDay(DayState):
    """A `DayState` from which orders can be taken out, and whose forks cost little.

    Routes are shared between a day and its forks; whoever changes one makes a copy of it first. `changed` are the
    routes (indices) that are not those of the plan any more; `spared` are engineers who get nothing new to do.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.changed: set[int] = set()
        self.spared: frozenset[str] = frozenset()
        self._owned = set(range(len(self.routes)))
        self._taken: dict[str, tuple[tuple[int, str, int], ...]] = {}
        self._unserved: dict[str, int] = {}
        self._places: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._first: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @classmethod
    def of(cls, problem: Problem, plan: Plan) -> WorkingDay:
        """The day of a feasible plan."""
        day = cls.of_plan(problem, plan)
        assert isinstance(day, cls)
        day.changed.clear()
        places = [route.places() for route in day.routes]
        day._places = np.fromiter((place for own in places for place in own), dtype=np.int64)
        day._first = np.cumsum([0, *(len(own) for own in places)])[:-1]
        return day

    def fork(self, problem: Problem | None = None) -> WorkingDay:
        """The same day to be changed apart; over another problem where only orders not served here differ."""
        day = copy(self)
        day.problem = problem or self.problem
        day.routes, day.served, day.duties = list(self.routes), dict(self.served), list(self.duties)
        day._stock = list(self._stock)
        day._taken = dict(self._taken)
        if problem is not None:
            day._unserved = {}
        day.changed, day._owned = set(self.changed), set()
        return day

    def unserved_cost(self, order: WorkOrder) -> int:
        # Asked again and again for the same few orders of one problem: forks remember it together.
        found = self._unserved.get(order.id)
        if found is None:
            found = self._unserved[order.id] = super().unserved_cost(order)
        return found

    def by_nearness(self, place: int) -> list[int]:
        """All routes that may still take work, those that came nearest to a place (a location index) first.

        It looks at the routes as they were in the plan.
        """
        ride = np.asarray(self.problem.travel.free_flow_row(place, 1))
        nearest = np.minimum.reduceat(ride[self._places], self._first)
        now, routes = self.problem.now, self.routes
        return [
            index
            for index in np.argsort(nearest, kind="stable").tolist()
            if routes[index].shift.latest_end > now and not routes[index].is_closed
        ]

    def least_detour(self, index: int, place: int) -> int:
        """Seconds by which a stop at a place (a location index) makes a route longer at least, without traffic."""
        travel, route = self.problem.travel, self.routes[index]
        ride = travel.free_flow_row(place, 1)
        places = route.places()
        behind = [*places[1:], route.end_place]
        return min(
            ride[one] + (0 if other is None else ride[other] - travel.free_flow_row(one, 1)[other])
            for one, other in zip(places, behind, strict=True)
        )

    def position_of(self, order: str, route: int) -> int:
        return next(place for place, stint in enumerate(self.routes[route].stints) if stint.order.id == order)

    def bound_with(self, names: Iterable[str]) -> set[str]:
        """These orders and all that wait for them, directly or not: what has to go when they go."""
        found: set[str] = set()
        open_names = list(names)
        while open_names:
            name = open_names.pop()
            if name not in found:
                found.add(name)
                open_names += self._waiting_for.get(name, ())
        return found & self.served.keys()

    def may_make_room(self, name: str, order: WorkOrder) -> bool:
        """Whether planned work and all that waits for it may go for an order: of lower levels only, nothing pinned."""
        return all(
            other.pin is None and LEVELS.index(other.level) > LEVELS.index(order.level)
            for other in (self.problem.order_by_id[bound] for bound in self.bound_with([name]))
        )

    def take_out(self, names: Iterable[str]) -> None:
        """Take orders off their routes, with their duties and parts; what waits for them must be among them."""
        for name in names:
            routes = self.served.pop(name)
            for route in routes:
                self._own(route)
                self.routes[route].remove(self.position_of(name, route))
            for route, part, count in self._taken.pop(name, ()):
                self._stock[route][part] = self._stock[route].get(part, 0) + count
            relieved = {duty.route for duty in self.duties if duty.order == name}
            if relieved:
                self.duties = [duty for duty in self.duties if duty.order != name]
                for route in relieved:
                    self._own(route)
                    mine = tuple(duty for duty in self.duties if duty.route == route)
                    self.routes[route].promise([duty.instant for duty in mine], self._promise(mine))

    def commit(self, placement: Placement) -> set[int]:
        for member in placement.members:
            self._own(member.route)
        return super().commit(placement)

    def changed_sequences(self) -> list[tuple[int, RouteSequence | None]]:
        """What the changed routes have become, by index; None without work."""
        day = copy(self)
        found: list[tuple[int, RouteSequence | None]] = []
        for index in sorted(self.changed):
            day.routes = [self.routes[index]]
            found.append((index, next(iter(day.sequences().routes), None)))
        return found

    @cached_property
    def _waiting_for(self) -> dict[str, list[str]]:
        """Who waits for an order, by its id."""
        found: dict[str, list[str]] = {}
        for order in self.problem.work_orders:
            for dependency in order.depends_on:
                if dependency.work_order is not None:
                    found.setdefault(dependency.work_order, []).append(order.id)
        return found

    def _promise(self, duties: tuple[Duty, ...]) -> Callable[..., bool]:
        return partial(self._all_kept, duties)

    def _own(self, route: int) -> None:
        """Make a route this fork's own before it is changed."""
        self.changed.add(route)
        if route not in self._owned:
            self.routes[route] = self.routes[route].fork()
            self._stock[route] = dict(self._stock[route])
            self._owned.add(route)

    def _replace(self, route: int, stint: Stint) -> None:
        self._own(route)
        super()._replace(route, stint)

    def _take_on(self, duties: Iterable[Duty]) -> None:
        new = list(duties)
        for duty in new:
            self._own(duty.route)
        super()._take_on(new)

    def _take_parts(self, order: WorkOrder) -> None:
        if not order.parts:
            return
        routes: Sequence[int] = self.served[order.id]
        before = [dict(self._stock[route]) for route in routes]
        super()._take_parts(order)
        self._taken[order.id] = tuple(
            (route, part, held - self._stock[route].get(part, 0))
            for route, stock in zip(routes, before, strict=True)
            for part, held in stock.items()
            if held != self._stock[route].get(part, 0)
        )
