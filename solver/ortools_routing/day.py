"""What is asked of OR-Tools: the work it may place, the vehicles it may use, and what stays as it was placed.

Pure data, without OR-Tools: every hard rule appears here as a bound on a node or on a vehicle. Teams, running work
and whatever either of them waits for are kept at the places and times the insertion engine gave them. All instants
are epoch seconds, all costs thousandths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dispatcher.evaluate import evaluate
from dispatcher.model import Break, Engineer, Shift, WorkOrder
from dispatcher.plan import Member, Plan, Rest, Route, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.schedule import build_plan
from solver.day_state import DayState
from solver.ortools_routing.promises import Promise, promise_of
from solver.route_state import Made
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, make_stint

Interval = tuple[int, int]
Served = tuple[str, int]
"""An order on a route OR-Tools found, and the start of its service there."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How one engineer would serve an order: for how long, at which extra cost, and starting by when."""

    seconds: int
    cost: int
    start_by: int = FAR_FUTURE


@dataclass(frozen=True, slots=True)
class Wait:
    """The start of `order` lies `least` to `most` seconds after the end of the other node's service."""

    order: str
    least: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Node:
    """A work stop on site. `spans` are the (first, last) starts allowed, sorted; `terms` are by vehicle.

    A kept node has one vehicle and one start. `penalty` is the cost of leaving the order undone; where `must` is
    set no cost is worth that. `likely_end` is when its service ends in the plan to start from; `shares_place` says
    that there is other work at its place.
    """

    order: WorkOrder
    place: int
    setup_seconds: int
    spans: tuple[Interval, ...]
    terms: Mapping[int, Terms]
    penalty: int = 0
    must: bool = False
    promise: Promise | None = None
    waits: tuple[Wait, ...] = ()
    likely_end: int | None = None
    shares_place: bool = False

    @property
    def times(self) -> tuple[Interval, ...]:
        """When the core service may start, behind the setup.

        Whoever comes from work at the same place pays no setup: its start then is the start of the core service.
        """
        saved = self.setup_seconds if self.shares_place and not self.must else 0
        spans = ((first + self.setup_seconds, last + self.setup_seconds) for first, last in self.spans)
        return tuple((first, max(first, last - saved)) for first, last in spans)

    @property
    def shortest(self) -> int:
        return min(terms.seconds for terms in self.terms.values())

    @property
    def longest(self) -> int:
        return max(terms.seconds for terms in self.terms.values())


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A shift as OR-Tools sees it; `route` is its position in the state of the day.

    With `set_up` the engineer stands at the site of running work and pays no setup there. `rests` are the times the
    breaks still due are taken to lie at, `rested` is when the last of them can be over, `blocked` the fixed times of
    remote work. `capacity` bounds the on-site work stops, `stock` the parts that kept work leaves.
    """

    route: int
    engineer: Engineer
    shift: Shift
    start_place: int
    set_up: bool
    start: int
    end_place: int | None
    rests: tuple[Interval, ...]
    rested: int
    blocked: tuple[Interval, ...]
    capacity: int | None
    stock: Mapping[str, int]
    is_used: bool


@dataclass(frozen=True, slots=True)
class Day:
    """Everything a model is made of. `kept_plan` is the plan of the kept work alone, `kept` its state, to be read."""

    problem: Problem
    kept_plan: Plan
    kept: DayState
    nodes: tuple[Node, ...]
    vehicles: tuple[Vehicle, ...]
    first_routes: tuple[tuple[int, ...], ...]
    """By vehicle, the nodes of a plan to start from, by their position in `nodes`."""
    standby: Mapping[str, tuple[Member, ...]]

    @property
    def knows_the_times(self) -> bool:
        """Whether the model drives and rests as the rules do: no traffic, no breaks."""
        return not self.problem.travel.varies_with_time and not any(v.rests or v.blocked for v in self.vehicles)


def read_day(problem: Problem, sequences: Sequences) -> Day:
    """The day around a feasible plan."""
    plan = build_plan(problem, sequences)
    kept_plan = _kept_plan(problem, sequences, plan)
    kept = DayState.of_plan(problem, kept_plan)
    first = {(route.engineer, route.shift): route for route in plan.routes}
    stocks = _stocks(problem, kept, plan)
    vehicles = tuple(_vehicles(problem, kept, stocks, first))
    nodes = [*_kept_nodes(kept, vehicles, plan), *_free_nodes(problem, kept, vehicles, plan)]
    counts = Counter(node.place for node in nodes)
    nodes = [replace(node, shares_place=counts[node.place] > 1) for node in nodes]
    number = {(node.order.id, position): n for n, node in enumerate(nodes) for position in node.terms}
    first_routes = []
    for position, vehicle in enumerate(vehicles):
        route = first.get((vehicle.engineer.id, vehicle.shift.id))
        found = (number.get((stop.work_order or "", position)) for stop in (route.stops if route else ()))
        first_routes.append(tuple(node for node in found if node is not None))
    return Day(problem, kept_plan, kept, tuple(nodes), vehicles, tuple(first_routes), sequences.standby)


# -- what is kept ------------------------------------------------------------------------------------------------


def _kept_plan(problem: Problem, sequences: Sequences, plan: Plan) -> Plan:
    """The day with nothing but the work that stays: served teams, running work, what these wait for.

    Where that would break a rule on its own (somebody on standby is near only because of other work) the other
    work of those concerned stays as well.
    """
    orders_of: dict[str, set[str]] = {}
    for route in plan.routes:
        orders = {stop.work_order for stop in route.stops if stop.work_order is not None}
        orders_of[route.engineer] = orders_of.get(route.engineer, set()) | orders
    served = set(problem.order_by_id) - set(plan.unassigned)
    kept = {name for name in served if _stays(problem, problem.order_by_id[name])}
    while True:
        _add_predecessors(problem, kept)
        alone = build_plan(problem, _held(problem, sequences, plan, kept))
        findings = evaluate(problem, alone).findings
        if not findings or kept == served:
            return alone
        named = {str(finding.params.get("work_order")) for finding in findings}
        concerned = {str(finding.params.get("engineer")) for finding in findings}
        concerned |= {engineer for engineer, orders in orders_of.items() if not named.isdisjoint(orders)}
        grown = kept.union(*(orders_of.get(engineer, set()) for engineer in concerned))
        kept = served if grown == kept else grown


def _stays(problem: Problem, order: WorkOrder) -> bool:
    return order.team is not None or problem.is_running(order)


def _add_predecessors(problem: Problem, kept: set[str]) -> None:
    waiting = list(kept)
    while waiting:
        for dependency in problem.order_by_id[waiting.pop()].depends_on:
            if dependency.work_order is not None and dependency.work_order not in kept:
                kept.add(dependency.work_order)
                waiting.append(dependency.work_order)


def _held(problem: Problem, sequences: Sequences, plan: Plan, kept: set[str]) -> Sequences:
    """The sequences of the kept orders alone, every stop held at its start in the plan."""
    starts = {
        (stop.work_order, route.engineer): stop.start
        for route in plan.routes
        for stop in route.stops
        if stop.work_order is not None
    }
    routes = []
    for route in sequences.routes:
        visits: list[Visit | Rest] = []
        for visit in route.visits:
            if isinstance(visit, Rest):
                visits.append(visit)
            elif visit.work_order in kept:
                running = problem.is_running(problem.order_by_id[visit.work_order])
                held = None if running else starts[(visit.work_order, route.engineer)]
                visits.append(replace(visit, not_before=held))
        if any(isinstance(visit, Visit) for visit in visits):
            routes.append(RouteSequence(route.engineer, route.shift, tuple(visits)))
    standby = {order: members for order, members in sequences.standby.items() if order in kept}
    return Sequences(tuple(routes), standby)


def _stocks(problem: Problem, kept: DayState, plan: Plan) -> list[dict[str, int]]:
    """What parts kept work leaves to each route; it takes first what the plan's other work does not need."""
    stocks = [dict(route.engineer.parts) for route in kept.routes]
    needed: list[dict[str, int]] = [{} for _ in kept.routes]
    index_of = {route.key: index for index, route in enumerate(kept.routes)}
    for route in plan.routes:
        index = index_of[(route.engineer, route.shift)]
        for stop in route.stops:
            if stop.work_order is None or stop.work_order in kept.served:
                continue
            for part, count in problem.order_by_id[stop.work_order].parts.items():
                needed[index][part] = needed[index].get(part, 0) + count
    for name, routes in kept.served.items():
        on_site = [index for index in routes if kept.routes[index].engineer.id in kept.on_site(name)]
        for part, count in problem.order_by_id[name].parts.items():
            left = count
            for spare_only in (True, False):
                for index in on_site:
                    have = stocks[index].get(part, 0)
                    spare = have - needed[index].get(part, 0) if spare_only else have
                    taken = max(0, min(left, spare))
                    stocks[index][part] = have - taken
                    left -= taken
    return stocks


# -- vehicles ----------------------------------------------------------------------------------------------------


def _vehicles(
    problem: Problem, kept: DayState, stocks: list[dict[str, int]], first: Mapping[ShiftKey, Route]
) -> Iterator[Vehicle]:
    index_of = problem.location_index
    for index, route in enumerate(kept.routes):
        if route.is_closed:
            continue
        shift, made = route.shift, route.made()
        start, place, done = max(shift.start, problem.now), index_of[shift.start_location], 0
        if route.is_running:
            start, place, done = max(made[0].end, problem.now), made[0].stint.place if made[0].stint else place, 1
        due_from = max(problem.now, made[0].end) if route.is_running else problem.now
        due = [rest for rest in shift.breaks if rest.latest_start >= due_from]
        remote = tuple((item.start, item.end) for item in made if item.stint is not None and item.stint.remote)
        soonest = _rests(due, start, latest_end=shift.latest_end, lean=0)
        if start > shift.latest_end or soonest is None:
            continue
        planned = first.get(route.key)
        if planned is not None:
            rests = tuple((s.start or 0, s.end or 0) for s in planned.stops if s.kind == "break")
        else:
            rests = _rests(due, start, latest_end=shift.latest_end, lean=2) or soonest
        capacity = None if shift.max_work_orders is None else max(0, shift.max_work_orders - len(remote) - done)
        end_place = None if shift.end_location is None else index_of[shift.end_location]
        yield Vehicle(
            route=index,
            engineer=route.engineer,
            shift=shift,
            start_place=place,
            set_up=route.is_running,
            start=start,
            end_place=end_place,
            rests=rests,
            rested=max((end for _, end in soonest), default=start),
            blocked=tuple((max(first, start), last) for first, last in remote if last > start),
            capacity=capacity,
            stock=stocks[index],
            is_used=bool(made),
        )


def _rests(due: list[Break], free: int, *, latest_end: int, lean: int) -> tuple[Interval, ...] | None:
    """Times for breaks one after the other; None where they do not fit, so that the shift can have no route.

    With `lean` 0 each is taken as soon as can be, with 2 in the middle of the starts it may have.
    """
    rests: list[Interval] = []
    for rest in sorted(due, key=lambda rest: rest.latest_start):
        free = max(free, rest.earliest_start)
        if free > rest.latest_start:
            return None
        start = free + (rest.latest_start - free) // lean if lean else free
        free = start + rest.duration_seconds
        rests.append((start, free))
    return tuple(rests) if free <= latest_end else None


# -- nodes -------------------------------------------------------------------------------------------------------


def _kept_nodes(kept: DayState, vehicles: tuple[Vehicle, ...], plan: Plan) -> Iterator[Node]:
    """On-site work that stays; running work is where its route begins, remote work blocks its time."""
    punctual = _punctual(kept, plan)
    for position, vehicle in enumerate(vehicles):
        for item in kept.routes[vehicle.route].made():
            stint = item.stint
            if stint is None or stint.remote or stint.running_since is not None:
                continue
            seconds = _seconds_of(item, stint)
            presence = min(item.start, punctual.get((stint.order.id, vehicle.engineer.id), item.start))
            yield Node(
                order=stint.order,
                place=stint.place,
                setup_seconds=item.end - item.start - seconds,
                spans=((presence, presence),),
                terms={position: Terms(seconds + item.start - presence, 0)},
                must=True,
                likely_end=item.end,
            )


def _punctual(kept: DayState, plan: Plan) -> dict[tuple[str, str], int]:
    """By order and engineer, when those have to be there who keep the promised arrivals of kept orders."""
    first: dict[str, tuple[int, str]] = {}
    for route in plan.routes:
        for stop in route.stops:
            name = stop.work_order
            if name in kept.served and stop.arrival is not None and route.engineer in kept.on_site(name):
                first[name] = min(first.get(name, (stop.arrival, route.engineer)), (stop.arrival, route.engineer))
    orders = kept.problem.order_by_id
    return {
        (name, engineer): max(arrival, arrive_by)
        for name, (arrival, engineer) in first.items()
        if (arrive_by := orders[name].deadlines.arrive_by) is not None
    }


def _seconds_of(made: Made, stint: Stint) -> int:
    """Service seconds of a stop without its setup."""
    return next(seconds or 0 for until, seconds, _ in stint.segments if made.start <= until)


def _free_nodes(problem: Problem, kept: DayState, vehicles: tuple[Vehicle, ...], plan: Plan) -> list[Node]:
    """A node for every order that may be placed anew; an order that waits for one nobody serves has none."""
    ends = {stop.work_order: stop.end for route in plan.routes for stop in route.stops if stop.work_order is not None}
    nodes: dict[str, Node] = {}
    for order in problem.work_orders:
        if order.team is None and order.id not in kept.served:
            node = _free_node(problem, kept, vehicles, order, ends.get(order.id))
            if node is not None:
                nodes[order.id] = node
    while True:
        stranded = [name for name, node in nodes.items() if any(wait.order not in nodes for wait in node.waits)]
        if not stranded:
            return list(nodes.values())
        for name in stranded:
            del nodes[name]


def _free_node(
    problem: Problem, kept: DayState, vehicles: tuple[Vehicle, ...], order: WorkOrder, likely_end: int | None
) -> Node | None:
    lowest, highest = problem.now, FAR_FUTURE
    waits: list[Wait] = []
    for dependency in order.depends_on:
        ended = dependency.completed_at
        if dependency.work_order is not None:
            if dependency.work_order not in kept.served:
                most = dependency.max_gap_seconds
                waits.append(Wait(dependency.work_order, dependency.min_gap_seconds, most))
                continue
            on_site = [item for _, item in kept.made_of(dependency.work_order) if item.stint and not item.stint.remote]
            ended = max(item.end for item in on_site)
        assert ended is not None
        lowest = max(lowest, ended + dependency.min_gap_seconds)
        if dependency.max_gap_seconds is not None:
            highest = min(highest, ended + dependency.max_gap_seconds)
    pin = order.pin
    if pin is not None and pin.start is not None:
        lowest, highest = max(lowest, pin.start), min(highest, pin.start)
    windows = [(window.start, window.end) for window in order.time_windows] or [(FAR_PAST, FAR_FUTURE)]
    spans = _merged((max(first, lowest), min(last, highest)) for first, last in windows)
    if not spans:
        return None
    terms: dict[int, Terms] = {}
    stints: dict[str, Stint | None] = {}
    for position, vehicle in enumerate(vehicles):
        engineer = vehicle.engineer
        if not order.admits(engineer.id) or (pin is not None and pin.engineer != engineer.id):
            continue
        if engineer.id not in stints:
            stints[engineer.id] = make_stint(problem, engineer, order)
        stint = stints[engineer.id]
        found = None if stint is None else _terms(stint, spans, vehicle)
        if found is not None:
            terms[position] = found
    if not terms:
        return None
    shortest = min(found.seconds for found in terms.values())
    earliest = max(spans[0][0], min(vehicles[position].start for position in terms))
    latest = min(spans[-1][1], max(vehicles[position].shift.latest_end for position in terms))
    promise, certain = promise_of(problem, order, shortest, earliest, latest)
    return Node(
        order=order,
        place=problem.location_index[order.location],
        setup_seconds=order.setup_seconds,
        spans=spans,
        terms=terms,
        penalty=max(0, kept.unserved_cost(order) - certain),
        must=pin is not None,
        promise=promise,
        waits=tuple(waits),
        likely_end=likely_end,
    )


def _merged(spans: Iterator[Interval]) -> tuple[Interval, ...]:
    """Sorted intervals without overlaps; empty ones are left out."""
    merged: list[Interval] = []
    for first, last in sorted(span for span in spans if span[0] <= span[1]):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def _terms(stint: Stint, spans: tuple[Interval, ...], vehicle: Vehicle) -> Terms | None:
    """The terms of one shift: the longest duration and the highest penalty that any start in it would have."""
    first = max(spans[0][0], vehicle.start)
    last = min(spans[-1][1], vehicle.shift.latest_end)
    if first > last:
        return None
    longest, penalty, start_by = -1, 0, FAR_FUTURE
    begins = FAR_PAST
    for until, seconds, cost in stint.segments:
        if begins <= last and until >= first:
            if seconds is None:
                start_by = begins - 1
                break
            longest, penalty = max(longest, seconds), max(penalty, cost)
        begins = until + 1
    if longest < 0:
        return None
    return Terms(longest, stint.fixed_cost + penalty, start_by)
