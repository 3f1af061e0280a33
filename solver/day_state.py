"""All routes under construction, and what couples them: parts, standby duties, dependencies, shared rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial

from dispatcher.facts import Service, read_facts
from dispatcher.model import Engineer, WorkOrder
from dispatcher.plan import Member, Plan, Rest, RouteSequence, Sequences, TeamAssignment, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.soft_rules import mean_absolute_deviation
from solver.route_state import Insertion, Label, Made, RouteState, trace
from solver.stint import FAR_FUTURE, FAR_PAST, Stint, lateness_cost, make_stint, unserved_cost

Price = Callable[[Insertion], int | None]


@dataclass(frozen=True, slots=True)
class Placed:
    """One member's stop of a placement: which route, where in it, and the stint."""

    route: int
    position: int
    stint: Stint


@dataclass(frozen=True, slots=True)
class Duty:
    """A standby promise: reach `place` by `service_end`, free from `instant` on."""

    order: str
    route: int
    member: Member
    instant: int
    service_end: int
    place: int


@dataclass(frozen=True, slots=True)
class Placement:
    """A way to serve an order, priced: `delta` is what the total changes by, in thousandths."""

    order: WorkOrder
    delta: int
    members: tuple[Placed, ...]
    duties: tuple[Duty, ...] = ()


class DayState:
    """The plan as it grows. Orders come in through `commit`; nothing is ever left half-placed."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.routes: list[RouteState] = []
        self.routes_of: dict[str, list[int]] = {}
        for engineer in problem.engineers:
            self.routes_of[engineer.id] = []
            for shift in sorted(engineer.shifts, key=lambda shift: shift.start):
                self.routes_of[engineer.id].append(len(self.routes))
                self.routes.append(RouteState(problem, engineer, shift))
        self.served: dict[str, tuple[int, ...]] = {}
        self.duties: list[Duty] = []
        self._stock = [dict(route.engineer.parts) for route in self.routes]

    @classmethod
    def of_plan(cls, problem: Problem, plan: Plan) -> DayState:
        """The state a feasible plan stands for; what other orders wait for or with is held where it starts."""
        state = cls(problem)
        coupled = {o.id for o in problem.work_orders if o.depends_on}
        coupled |= {d.work_order for o in problem.work_orders for d in o.depends_on if d.work_order is not None}
        facts = read_facts(problem, plan)
        index_of = {route.key: index for index, route in enumerate(state.routes)}
        for route in facts.routes:
            index = index_of[(route.engineer.id, route.shift.id)]
            stints = []
            for stop in route.work:
                size = len(facts.services[stop.order.id].on_site)
                stint = make_stint(problem, stop.engineer, stop.order, stop.role, size)
                assert stint is not None, "a feasible plan has qualified engineers only"
                if stop is route.running:
                    stint = replace(stint, running_since=stop.start)
                elif stop.order.team is not None:
                    stint = replace(stint, windows=()).held(not_before=stop.start, not_after=stop.start)
                elif stop.order.id in coupled:
                    stint = stint.held(not_before=stop.start, not_after=FAR_FUTURE)
                stints.append(stint)
                state.served[stop.order.id] = (*state.served.get(stop.order.id, ()), index)
            state.routes[index] = RouteState.of(problem, route.engineer, route.shift, stints)
            if route.running is not None:
                state._close_earlier(index)
        for name, service in facts.services.items():
            state._take_parts(service.order)
            if service.order.team is not None:
                state._fix_team(service.order)
                state._take_on(_duties(problem, index_of, facts.teams[name], service))
        for service in facts.services.values():
            state._fix_dependencies(service.order)
        return state

    def fork(self) -> DayState:
        """A copy that can change while this one stays as it is."""
        other = copy(self)
        other.routes = [route.fork() for route in self.routes]
        other.served, other.duties = dict(self.served), list(self.duties)
        other._stock = [dict(stock) for stock in self._stock]
        return other

    def fork_route(self, index: int) -> DayState:
        """A copy in which one route can take an order without a team; this one stays as it is."""
        other = copy(self)
        other.routes, other.served, other.duties = list(self.routes), dict(self.served), list(self.duties)
        other.routes[index] = self.routes[index].fork()
        other._stock = list(self._stock)
        other._stock[index] = dict(self._stock[index])
        return other

    def without(self, order: WorkOrder) -> DayState:
        """The same day with a served order undone; this one stays as it is.

        The order has no team and no other one waits for it: nothing but its own route knows of it.
        """
        assert order.team is None
        (index,) = self.served[order.id]
        other = copy(self)
        other.routes, other.served = list(self.routes), dict(self.served)
        other._stock = list(self._stock)
        other.duties = list(self.duties)
        route = self.routes[index]
        other.routes[index] = route.varied(route.shift, [s for s in route.stints if s.order.id != order.id])
        del other.served[order.id]
        stock = dict(self._stock[index])
        for part, count in order.parts.items():
            stock[part] = stock.get(part, 0) + count
        other._stock[index] = stock
        return other

    # -- rules beyond one route --------------------------------------------------------------------------------

    @cached_property
    def _related(self) -> dict[str, list[str]]:
        related: dict[str, list[str]] = {}
        for one, other in self.problem.related_pairs:
            related.setdefault(one, []).append(other)
            related.setdefault(other, []).append(one)
        return related

    def unserved_cost(self, order: WorkOrder) -> int:
        """What leaving an order undone costs, in thousandths."""
        return unserved_cost(self.problem, order)

    def company_cost(self, order: WorkOrder, engineers: Iterable[str], on_site: Iterable[str]) -> int:
        """Cost of who serves: engineers not used so far, and related orders served by others."""
        weights = self.problem.weights
        cost = 0
        new_weight = weights.of("engineers_used")
        if new_weight:
            cost += new_weight * sum(1 for engineer in engineers if not self._is_used(engineer))
        apart = weights.of("association")
        related = self._related.get(order.id)
        if related and apart:
            here = set(on_site)
            cost += apart * sum(1 for other in related if other in self.served and here.isdisjoint(self.on_site(other)))
        return cost

    def on_site(self, order: str) -> set[str]:
        """Ids of the engineers on site for a served order."""
        return {
            self.routes[index].engineer.id
            for index in self.served[order]
            if any(stint.order.id == order and not stint.remote for stint in self.routes[index].stints)
        }

    def _is_used(self, engineer: str) -> bool:
        return any(self.routes[index].stints for index in self.routes_of[engineer])

    def shared_delta(self, labels: Mapping[int, Label], worst: int = 0) -> int:
        """What the rules over all routes change by if these routes end with these labels, in thousandths.

        `worst` is a lateness (seconds) that lies in none of the labels.
        """
        weights = self.problem.weights
        worst_weight, fairness_weight = weights.of("worst_lateness"), weights.of("fairness")
        value = 0
        if worst_weight:
            latenesses = [route.worst_lateness for route in self.routes]
            before = max(latenesses, default=0)
            for index in labels:
                latenesses[index] = 0
            after = max(latenesses, default=0)
            value += worst_weight * (max(after, worst, *(label.worst for label in labels.values())) - before)
        if fairness_weight:
            busy = self._busy()
            before = mean_absolute_deviation(list(busy.values()))
            for index, label in labels.items():
                busy[self.routes[index].engineer.id] += label.busy - self.routes[index].busy_seconds
            value += fairness_weight * (mean_absolute_deviation(list(busy.values())) - before)
        return value

    @property
    def has_shared_rules(self) -> bool:
        """Whether a rule over all routes has weight: then a price is only true for the present state."""
        weights = self.problem.weights
        return bool(weights.of("worst_lateness") or weights.of("fairness"))

    def price_for(self, route_index: int, *, shared: bool = True) -> Price | None:
        """How to price an insertion into a route where more than the route's own cost is at stake.

        With `shared` False only the standby promises of the route are kept, and its own cost counts.
        """
        duties = [duty for duty in self.duties if duty.route == route_index]
        shared = shared and self.has_shared_rules
        if not shared and not duties:
            return None
        own_cost = self.routes[route_index].cost

        def price(insertion: Insertion) -> int | None:
            label = insertion.label
            home = (label.free, insertion.home_travel)
            if any(self.arrival_on_call(duty, trace(label), home) > duty.service_end for duty in duties):
                return None
            value = label.cost - own_cost
            return value + self.shared_delta({route_index: label}) if shared else value

        return price

    def _busy(self) -> dict[str, int]:
        busy = {engineer: 0 for engineer, indices in self.routes_of.items() if indices}
        for route in self.routes:
            busy[route.engineer.id] += route.busy_seconds
        return busy

    def has_parts(self, order: WorkOrder, routes: Sequence[int]) -> bool:
        """Whether the stocks of these shifts, pooled, still hold what the order needs."""
        return not self.missing_parts(order, routes)

    def missing_parts(self, order: WorkOrder, routes: Sequence[int]) -> dict[str, int]:
        """Pieces of each part that the stocks of these shifts, pooled, hold too few of."""
        missing = {
            part: count - sum(self._stock[index].get(part, 0) for index in routes)
            for part, count in order.parts.items()
        }
        return {part: count for part, count in missing.items() if count > 0}

    def stock_left(self, route: int) -> dict[str, int]:
        """Pieces of each part that no order of a shift has taken."""
        return dict(self._stock[route])

    def bounds(self, order: WorkOrder) -> tuple[int, int] | None:
        """(earliest, latest) first on-site start by the orders it depends on; None while one is unserved."""
        earliest, latest = FAR_PAST, FAR_FUTURE
        for dependency in order.depends_on:
            ended = dependency.completed_at
            if dependency.work_order is not None:
                if dependency.work_order not in self.served:
                    return None
                ended = max(made.end for _, made in self.made_of(dependency.work_order) if not _is_remote(made))
            assert ended is not None
            earliest = max(earliest, ended + dependency.min_gap_seconds)
            if dependency.max_gap_seconds is not None:
                latest = min(latest, ended + dependency.max_gap_seconds)
        return earliest, latest

    def made_of(self, order: str) -> list[tuple[int, Made]]:
        """(route, what is done) of every stop of a served order."""
        return [
            (index, made)
            for index in self.served[order]
            for made in self.routes[index].made()
            if made.stint is not None and made.stint.order.id == order
        ]

    # -- standby -----------------------------------------------------------------------------------------------

    def arrival_on_call(self, duty: Duty, made: list[Made], end: tuple[int, int]) -> int:
        """When a standby could be at the site if called at the team's start."""
        route = self.routes[duty.route]
        problem, shift = self.problem, route.shift
        free, where = duty.instant, problem.location_index[shift.start_location]
        place = route.start_place()
        for item in made:
            if item.stint is None or item.stint.remote:
                left_for = item.start
            else:
                left_for = item.arrival - item.travel
                place = item.stint.place
            if left_for > duty.instant:
                break
            free, where = item.end, place
        else:
            if made and shift.end_location is not None and end[0] - end[1] <= duty.instant:
                free, where = end[0], problem.location_index[shift.end_location]
        free = max(free, duty.instant)
        return free + problem.travel.seconds(where, duty.place, free, route.engineer.speed_factor)

    # -- changing ----------------------------------------------------------------------------------------------

    def commit(self, placement: Placement) -> set[int]:
        """Put a placement into the routes and fix what others may no longer move.

        Returns:
            The routes on which an insertion may now have another price, or none.
        """
        order = placement.order
        for member in placement.members:
            self.routes[member.route].insert(member.position, member.stint)
            if member.stint.running_since is not None:
                self._close_earlier(member.route)
        self.served[order.id] = tuple(member.route for member in placement.members)
        self._take_on(placement.duties)
        self._take_parts(order)
        # A new stop may make a team member on the same route arrive later: the others must know.
        touched = {
            stint.order.id: stint.order for member in placement.members for stint in self.routes[member.route].stints
        }
        for other in touched.values():
            if other.team is not None:
                self._fix_team(other)
        self._fix_dependencies(order)
        changed = {member.route for member in placement.members} | {duty.route for duty in placement.duties}
        for other in touched.values():
            changed.update(self.served[other.id] if other.team is not None else ())
            for dependency in other.depends_on:
                changed.update(self.served.get(dependency.work_order or "", ()))
        return changed

    def _take_on(self, duties: Iterable[Duty]) -> None:
        """Standby promises: from now on the routes of those who made them keep them."""
        new = list(duties)
        self.duties.extend(new)
        for index in {duty.route for duty in new}:
            mine = tuple(duty for duty in self.duties if duty.route == index)
            self.routes[index].promise([duty.instant for duty in mine], partial(self._all_kept, mine))

    def _all_kept(self, duties: tuple[Duty, ...], made: list[Made], end: tuple[int, int]) -> bool:
        return all(self.arrival_on_call(duty, made, end) <= duty.service_end for duty in duties)

    def _close_earlier(self, route: int) -> None:
        """Who runs work on the route of a later shift cannot be on an earlier one at the same time."""
        for index in self.routes_of[self.routes[route].engineer.id]:
            if index < route:
                self.routes[index].is_closed = True

    def _take_parts(self, order: WorkOrder) -> None:
        for part, count in order.parts.items():
            left = count
            for index in self.served[order.id]:
                if self._stint_of(index, order.id).remote:
                    continue
                taken = min(left, self._stock[index].get(part, 0))
                self._stock[index][part] = self._stock[index].get(part, 0) - taken
                left -= taken

    def _fix_team(self, order: WorkOrder) -> None:
        """Hold every member's start where it is, and let each route know the others' arrival and end."""
        made = self.made_of(order.id)
        lateness = lateness_cost(self.problem, order)
        for index, item in made:
            others = [other for route, other in made if route != index and not _is_remote(other)]
            stint = self._stint_of(index, order.id)
            fixed = replace(
                stint.held(not_before=item.start, not_after=item.start) if stint.running_since is None else stint,
                windows=(),
                lateness=None if stint.remote else lateness,
                fixed_cost=0,
                others_arrival=min((other.arrival for other in others), default=FAR_FUTURE),
                others_end=max((other.end for other in others), default=FAR_PAST),
            )
            self._replace(index, fixed)

    def _fix_dependencies(self, order: WorkOrder) -> None:
        """What this order waits for may no longer end later."""
        for dependency in order.depends_on:
            if dependency.work_order is None:
                continue
            first_start = min(item.start for _, item in self.made_of(order.id) if not _is_remote(item))
            for index in self.served[dependency.work_order]:
                stint = self._stint_of(index, dependency.work_order)
                if not stint.remote:
                    end_by = min(stint.end_by, first_start - dependency.min_gap_seconds)
                    self._replace(index, replace(stint, end_by=end_by))

    def _stint_of(self, route: int, order: str) -> Stint:
        return next(stint for stint in self.routes[route].stints if stint.order.id == order)

    def _replace(self, route: int, stint: Stint) -> None:
        stints = self.routes[route].stints
        position = next(place for place, other in enumerate(stints) if other.order.id == stint.order.id)
        self.routes[route].replace(position, stint)

    # -- result ------------------------------------------------------------------------------------------------

    def sequences(self) -> Sequences:
        """What was decided: the visits and breaks of every route, team starts held, and who stands by."""
        routes = []
        for route in self.routes:
            if not route.stints:
                continue
            visits: list[Visit | Rest] = []
            free = 0
            for made in route.made():
                if made.stint is None:
                    visits.append(Rest(made.rest))
                else:
                    held = made.start if made.stint.order.team is not None else None
                    departure = made.arrival - made.travel
                    waits = not made.stint.remote and departure > max(free, self.problem.now, route.shift.start)
                    leave = departure if waits else None
                    visits.append(Visit(made.stint.order.id, made.stint.role, held, leave))
                free = made.end
            routes.append(RouteSequence(route.engineer.id, route.shift.id, tuple(visits)))
        standby: dict[str, tuple[Member, ...]] = {}
        for duty in self.duties:
            standby[duty.order] = (*standby.get(duty.order, ()), duty.member)
        return Sequences(tuple(routes), standby)

    def engineers_for(self, order: WorkOrder) -> list[Engineer]:
        """Engineers with a shift whom the lists of the order admit."""
        return [
            engineer for engineer in self.problem.engineers if self.routes_of[engineer.id] and order.admits(engineer.id)
        ]


def _duties(
    problem: Problem, index_of: Mapping[ShiftKey, int], team: TeamAssignment, service: Service
) -> Iterator[Duty]:
    """The standby promises of a served team, each on the shift that covers the service."""
    place = problem.location_index[service.order.location]
    for member in team.standby:
        for shift in problem.engineer_by_id[member.engineer].shifts:
            if shift.start <= service.first_start and service.last_end <= shift.latest_end:
                route = index_of[(member.engineer, shift.id)]
                yield Duty(service.order.id, route, member, service.first_start, service.last_end, place)
                break


def _is_remote(made: Made) -> bool:
    return made.stint is not None and made.stint.remote
