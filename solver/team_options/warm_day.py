"""The running day kept warm: everything about a problem and its running plan that questions share.

Built once per plan, in time that grows with the day; asked often, in time that does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dispatcher.evaluate import soft_terms
from dispatcher.facts import Facts, RouteFacts, Service, read_facts
from dispatcher.model import Engineer, Exact, WorkOrder
from dispatcher.plan import Member, Plan, Rest, Route, RouteSequence, Sequences, TeamAssignment, Visit
from dispatcher.problem import Problem, ShiftKey
from dispatcher.schedule import build_plan
from skills.qualification import RequiredSkill
from skills.queries import reached_level
from solver.repair import without_breaches
from solver.route_state import Insertion
from solver.stint import Stint
from solver.team_options.gaps import Gaps
from solver.team_options.working_day import WorkingDay


@dataclass(slots=True)
class Kept:
    """What questions found out about a day: by order what displacing it costs, and where else it could go.

    By order and its bounds, `ranked` are (about what it costs, route) of those who may do it, the least first; with a
    route in the key, `stints` are what it would be there, and `places` the best of a route as planned: (price,
    insertion), or the least price there may be (thousandths) where it is only known that none costs less.
    """

    regrets: dict[str, int] = field(default_factory=dict)
    ranked: dict[tuple[str, tuple[int, int]], tuple[tuple[int, int], ...]] = field(default_factory=dict)
    stints: dict[tuple[str, tuple[int, int], int], Stint | None] = field(default_factory=dict)
    places: dict[tuple[str, tuple[int, int], int], tuple[int, Insertion] | int] = field(default_factory=dict)


@dataclass(frozen=True)
class WarmDay:
    """A problem with its running plan, which keeps every hard rule.

    Attributes:
        sequences: what `plan` was driven from.
        state: the same day as routes under construction; fork it, never change it.
        lost: orders that the plan given could not keep any more, as ids; they are unassigned in `plan`.
        gaps: what one more stop would cost about, in any gap of the plan.
        total_milli: what the plan costs, exact, in thousandths.
    """

    problem: Problem
    plan: Plan
    sequences: Sequences
    state: WorkingDay
    facts: Facts
    gaps: Gaps
    total_milli: Exact
    lost: tuple[str, ...] = ()
    kept: Kept = field(default_factory=Kept, repr=False, compare=False)
    _reach: dict[str, Mapping[str, int]] = field(default_factory=dict, repr=False, compare=False)
    _able: dict[tuple[RequiredSkill, ...], NDArray[np.bool_]] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def routes(self) -> Mapping[ShiftKey, Route]:
        return {(route.engineer, route.shift): route for route in self.plan.routes}

    @cached_property
    def sequence_of(self) -> Mapping[ShiftKey, RouteSequence]:
        return {(route.engineer, route.shift): route for route in self.sequences.routes}

    @cached_property
    def index_of(self) -> Mapping[ShiftKey, int]:
        """Where a shift's route is in `state`."""
        return {route.key: index for index, route in enumerate(self.state.routes)}

    @cached_property
    def teams(self) -> Mapping[str, TeamAssignment]:
        return {team.work_order: team for team in self.plan.teams}

    @cached_property
    def keys_of(self) -> Mapping[str, tuple[ShiftKey, ...]]:
        """The routes of every served order."""
        found: dict[str, tuple[ShiftKey, ...]] = {}
        for key, route in self.sequence_of.items():
            for visit in route.visits:
                if isinstance(visit, Visit):
                    found[visit.work_order] = (*found.get(visit.work_order, ()), key)
        return found

    @cached_property
    def on_site_keys(self) -> Mapping[str, frozenset[ShiftKey]]:
        """Those of them whose engineer is on site for the order."""
        return {
            name: frozenset((stop.engineer.id, stop.shift.id) for stop in service.on_site)
            for name, service in self.facts.services.items()
        }

    @cached_property
    def stands_by_for(self) -> Mapping[str, frozenset[str]]:
        """The team orders that an engineer stands by for."""
        found: dict[str, set[str]] = {}
        for name, members in self.sequences.standby.items():
            for member in members:
                found.setdefault(member.engineer, set()).add(name)
        return {engineer: frozenset(names) for engineer, names in found.items()}

    @cached_property
    def route_facts(self) -> Mapping[ShiftKey, RouteFacts]:
        return {(route.engineer.id, route.shift.id): route for route in self.facts.routes}

    @cached_property
    def dependent(self) -> Mapping[str, frozenset[str]]:
        """The orders that an order waits for, and those that wait for it."""
        return _both_ways((o.id, d.work_order) for o in self.problem.work_orders for d in o.depends_on if d.work_order)

    @cached_property
    def related(self) -> Mapping[str, frozenset[str]]:
        """The orders that should be served by the same people as an order."""
        return _both_ways(self.problem.related_pairs)

    def shifts_of(self, engineers: Iterable[str]) -> list[ShiftKey]:
        """All shifts of some engineers, sorted."""
        people = self.problem.engineer_by_id
        return sorted((name, shift.id) for name in engineers for shift in people[name].shifts)

    @cached_property
    def busy_seconds(self) -> Mapping[str, int]:
        """What the rule `fairness` counts of every engineer with a shift."""
        busy = {engineer.id: 0 for engineer in self.problem.engineers if engineer.shifts}
        for route in self.facts.routes:
            busy[route.engineer.id] += busy_seconds_of(route)
        return busy

    @cached_property
    def worst_lateness(self) -> Mapping[str, int]:
        """The largest lateness of every served order, in seconds."""
        return {name: worst_lateness_of(service) for name, service in self.facts.services.items()}

    def reach(self, skill: str) -> Mapping[str, int]:
        """The level (1 to 5) at which each engineer reaches a skill now through any path; without those who do not."""
        found = self._reach.get(skill)
        if found is None:
            graph, now = self.problem.skill_graph, self.problem.now
            levels = {e.id: reached_level(graph, e.skills, skill, now) for e in self.problem.engineers}
            found = self._reach[skill] = {name: level for name, level in levels.items() if level > 0}
        return found

    def able(self, required: tuple[RequiredSkill, ...]) -> NDArray[np.bool_]:
        """The routes in `state` of those who reach all of these skills now and can still take work [routes]."""
        found = self._able.get(required)
        if found is None:
            levels = [(self.reach(item.skill), item.level) for item in required]
            found = self._able[required] = np.array(
                [
                    route.shift.latest_end > self.problem.now
                    and not route.is_closed
                    and all(reach.get(route.engineer.id, 0) >= level for reach, level in levels)
                    for route in self.state.routes
                ],
                dtype=np.bool_,
            )
        return found

    def with_order(self, order: WorkOrder) -> WarmDay:
        """The same day with another version of an unassigned order (its skills and team may differ)."""
        orders = tuple(order if other.id == order.id else other for other in self.problem.work_orders)
        return self._over(replace(self.problem, work_orders=orders), self._reach)

    def with_skills(self, engineers: Mapping[str, Engineer]) -> WarmDay:
        """The same day with more skills for some of the engineers (by id)."""
        people = tuple(engineers.get(engineer.id, engineer) for engineer in self.problem.engineers)
        day = self._over(replace(self.problem, engineers=people), {})
        # Who reaches a skill in another way now has another penalty for what is planned.
        vars(day).update(facts=read_facts(day.problem, self.plan), kept=Kept())
        vars(day).pop("route_facts", None)
        return day

    def _over(self, problem: Problem, reach: dict[str, Mapping[str, int]]) -> WarmDay:
        # What is known of the plan stays true: only what the plan does not serve has changed.
        day = copy(self)
        vars(day).update(problem=problem, state=self.state.fork(problem), _reach=reach, _able={})
        return day


def warm_day(problem: Problem, plan: Plan) -> WarmDay:
    """The warm day of a problem and its running plan.

    Orders whose stops break a hard rule as of now are taken off the plan first and named in `lost`.
    """
    sequences = without_breaches(problem, sequences_of(problem, plan))
    kept = build_plan(problem, sequences)
    facts = read_facts(problem, kept)
    total = sum((term.cost_milli for term in soft_terms(facts)), start=0)
    lost = tuple(name for name in kept.unassigned if name not in set(plan.unassigned))
    state = WorkingDay.of(problem, kept)
    return WarmDay(problem, kept, sequences, state, facts, Gaps(problem, state.routes), total, lost)


def sequences_of(problem: Problem, plan: Plan) -> Sequences:
    """What a plan with times decides: visits and breaks in order, teams held at their starts, who stands by."""
    routes = tuple(_sequence(problem, route) for route in plan.routes)
    standby: dict[str, tuple[Member, ...]] = {team.work_order: team.standby for team in plan.teams if team.standby}
    return Sequences(routes, standby)


def _sequence(problem: Problem, route: Route) -> RouteSequence:
    shift = problem.shift_by_key[(route.engineer, route.shift)]
    free = max(route.stops[0].end or 0, problem.now)
    visits: list[Visit | Rest] = []
    left = list(range(len(shift.breaks)))
    for stop in route.stops[1:]:
        if stop.kind == "break":
            start, seconds = stop.start or 0, (stop.end or 0) - (stop.start or 0)
            rest = next(
                index
                for index in left
                if shift.breaks[index].duration_seconds == seconds
                and shift.breaks[index].earliest_start <= start <= shift.breaks[index].latest_start
            )
            left.remove(rest)
            visits.append(Rest(rest))
        elif stop.kind == "work_order" and stop.work_order is not None:
            order = problem.order_by_id[stop.work_order]
            departure = (stop.arrival or 0) - stop.travel_seconds
            held = stop.start if order.team is not None and not problem.is_running(order) else None
            leaves = departure if departure > free and order.presence(stop.role) == "on_site" else None
            visits.append(Visit(order.id, stop.role, held, leaves))
        free = max(stop.end or 0, problem.now)
    return RouteSequence(route.engineer, route.shift, tuple(visits))


def _both_ways(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for one, other in pairs:
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {name: frozenset(others) for name, others in found.items()}


def busy_seconds_of(route: RouteFacts | None) -> int:
    """Travel, setup and service of one route, in seconds; 0 without work."""
    if route is None:
        return 0
    return sum(stop.travel_seconds for stop in route.stops) + sum(stop.end - stop.start for stop in route.work)


def worst_lateness_of(service: Service) -> int:
    return max((late for kind in service.latenesses().values() for late in kind), default=0)
