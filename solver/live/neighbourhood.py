"""A few routes of a running plan as a problem of their own, so that the search sees what a change touches and no more.

What stays where and when it is (running work, what is driven to or starts soon, teams, what other orders wait for or
with, pinned work) becomes a stop of exactly its times: it binds its route and costs nothing. All the other single
orders of the routes are free, and those that are undone may come in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dispatcher.model import Deadlines, Engineer, Pin, WorkOrder
from dispatcher.plan import Rest, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from solver.day_state import DayState
from solver.live.day import LiveDay
from solver.route_state import Made


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The problem of some routes, what they do now, and which visit of the plan each of its orders stands for."""

    problem: Problem
    given: Sequences
    visits: Mapping[str, Visit]

    def back(self, whole: Sequences, found: Sequences) -> Sequences:
        """The sequences of the whole plan with these routes as they were found."""
        own = {(engineer.id, shift.id) for engineer in self.problem.engineers for shift in engineer.shifts}
        routes = [route for route in whole.routes if (route.engineer, route.shift) not in own]
        for route in found.routes:
            visits = tuple(
                item if isinstance(item, Rest) else self.visits.get(item.work_order, Visit(item.work_order))
                for item in route.visits
            )
            routes.append(RouteSequence(route.engineer, route.shift, visits))
        return Sequences(tuple(routes), whole.standby)


def neighbourhood(day: LiveDay, state: DayState, routes: Iterable[int], undone: Sequence[WorkOrder]) -> Neighbourhood:
    """The problem of some routes of a state of the day; at most one shift of each engineer is taken.

    Routes of who stands by or helps from afar are left out: what binds them lies elsewhere.
    """
    chosen: dict[str, int] = {}
    busy = {duty.route for duty in state.duties}
    for index in sorted(routes):
        route = state.routes[index]
        if index not in busy and not route.is_closed and not any(stint.remote for stint in route.stints):
            chosen.setdefault(route.engineer.id, index)
    whole = {(route.engineer, route.shift): route for route in state.sequences().routes}
    engineers: list[Engineer] = []
    orders: list[WorkOrder] = []
    visits: dict[str, Visit] = {}
    given: list[RouteSequence] = []
    for index in chosen.values():
        route = state.routes[index]
        stock = state.stock_left(index)
        names: dict[str, str] = {}
        for place, made in enumerate(item for item in route.made() if item.stint is not None):
            order = made.stint.order if made.stint is not None else None
            assert order is not None
            if place >= day.staying[index] and day.is_free(order):
                orders.append(order)
                for part, count in order.parts.items():
                    stock[part] = stock.get(part, 0) + count
                continue
            names[order.id] = f"{order.id}\x1f{route.engineer.id}"
            orders.append(_fixed(names[order.id], order, made, route.engineer.id))
        engineers.append(replace(route.engineer, shifts=(route.shift,), parts=stock))
        sequence = whole.get(route.key)
        if sequence is not None:
            given.append(_renamed(sequence, names, visits))
    free = {order.id for order in orders if order.id not in visits} | {order.id for order in undone}
    open_orders = [order for order in undone if day.is_free(order)]
    problem = replace(
        day.problem,
        engineers=tuple(engineers),
        work_orders=tuple(_without_far_relations(order, free) for order in (*orders, *open_orders)),
        previous={name: before for name, before in day.problem.previous.items() if name in free},
    )
    return Neighbourhood(problem, Sequences(tuple(given)), visits)


def _fixed(name: str, order: WorkOrder, made: Made, engineer: str) -> WorkOrder:
    """A stop that is exactly where and when it is, as an order that asks for nothing else."""
    return WorkOrder(
        id=name,
        location=order.location,
        service_seconds=made.end - made.start,
        level=order.level,
        value=order.value,
        deadlines=Deadlines(),
        pin=Pin(engineer, made.start),
    )


def _renamed(sequence: RouteSequence, names: Mapping[str, str], visits: dict[str, Visit]) -> RouteSequence:
    items: list[Visit | Rest] = []
    for item in sequence.visits:
        if isinstance(item, Visit) and item.work_order in names:
            visits[names[item.work_order]] = item
            items.append(Visit(names[item.work_order]))
        else:
            items.append(item)
    return replace(sequence, visits=tuple(items))


def _without_far_relations(order: WorkOrder, known: set[str]) -> WorkOrder:
    if order.related_to <= known:
        return order
    return replace(order, related_to=order.related_to & known)


def prefixes(day: LiveDay) -> Mapping[ShiftKey, tuple[str, ...]]:
    """What stays first on the routes of a day: running work and what is driven to."""
    return {
        route.key: tuple(stint.order.id for stint in route.stints[: day.moving[index]])
        for index, route in enumerate(day.state.routes)
        if day.moving[index]
    }
