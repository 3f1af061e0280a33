"""From sequences to times: every stop as early as possible.

Each route is driven forward on its own; what couples routes (a team's start, a gap between orders) raises the
earliest starts of the stops concerned, and the routes they lie on are driven again, until nothing moves. All
constraints only ever push starts later, so this ends at the earliest schedule if there is one; where there is none
the result breaks a hard rule, which the evaluation then names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from dispatcher.model import LEAD, Engineer, Team, TimeWindow, WorkOrder
from dispatcher.plan import Member, Plan, Rest, Route, RouteSequence, Sequences, Stop, TeamAssignment, Visit
from dispatcher.problem import Problem
from dispatcher.service import service_seconds

LEAST_ROUNDS = 1000
"""Rounds of pushing, or twice as many as there are stops, before the sequences are taken to have no schedule."""

StopKey = tuple[str, str]
"""A work stop is known by (order id, engineer id)."""


@dataclass(frozen=True, slots=True)
class TeamStarts:
    """Earliest possible starts of one team's members by engineer id, on-site and remote apart."""

    on_site: Mapping[str, int]
    remote: Mapping[str, int]


def earliest_in_windows(start: int, windows: Iterable[TimeWindow]) -> int | None:
    """The first instant at or after `start` inside one of the windows; None where they are all over."""
    inside = [max(start, window.start) for window in windows if start <= window.end]
    return min(inside) if inside else None


def team_starts(
    team: Team, roles: Mapping[str, str | None], floors: TeamStarts, windows: Iterable[TimeWindow]
) -> TeamStarts | None:
    """The earliest starts at or after the floors that satisfy the arrival mode inside one window.

    Args:
        team: what the order needs.
        roles: role by engineer id.
        floors: the earliest start of each member by itself.
        windows: none is no restriction.

    Returns:
        Starts of all members, or None where no window holds them.
    """
    choices: list[TimeWindow | None] = [*sorted(windows, key=lambda window: (window.start, window.end))]
    for window in choices or [None]:
        settled = _settle(team, roles, floors, window.start if window else None)
        if window is None or all(start <= window.end for start in settled.on_site.values()):
            return settled
    return None


def _settle(team: Team, roles: Mapping[str, str | None], floors: TeamStarts, opens: int | None) -> TeamStarts:
    """The least starts above the floors that satisfy the arrival mode, on-site ones not before `opens`."""
    arrival = team.arrival
    on_site = {e: start if opens is None else max(start, opens) for e, start in floors.on_site.items()}
    remote = dict(floors.remote)
    leads = [e for e in (*on_site, *remote) if arrival.mode == "lead_first" and roles[e] == LEAD]
    while True:
        before = (dict(on_site), dict(remote))
        followers = [e for e in remote if e not in leads]
        # Remote members start with the first on-site one, so none on site may start before any of them.
        for engineer in on_site:
            on_site[engineer] = max([on_site[engineer], *(remote[f] for f in followers)])
        if arrival.mode == "together":
            latest = max(on_site.values())
            on_site = dict.fromkeys(on_site, latest)
        elif arrival.mode == "staggered" and arrival.max_gap_seconds is not None:
            earliest = max(on_site.values()) - arrival.max_gap_seconds
            on_site = {e: max(start, earliest) for e, start in on_site.items()}
        for lead in leads:
            own = on_site if lead in on_site else remote
            for engineer in on_site:
                if engineer == lead:
                    continue
                on_site[engineer] = max(on_site[engineer], own[lead] + arrival.min_gap_seconds)
                if arrival.max_gap_seconds is not None:
                    own[lead] = max(own[lead], on_site[engineer] - arrival.max_gap_seconds)
        first = min(on_site.values())
        for engineer in followers:
            remote[engineer] = max(remote[engineer], first)
        if (on_site, remote) == before:
            return TeamStarts(on_site, remote)


def build_plan(problem: Problem, sequences: Sequences) -> Plan:
    """The plan of what an engine decided, with every stop as early as it can be."""
    return _Scheduler(problem, sequences).plan()


class _Scheduler:
    """Drives the routes of one set of sequences until no earliest start moves."""

    def __init__(self, problem: Problem, sequences: Sequences) -> None:
        self._problem = problem
        self._sequences = [route for route in sequences.routes if _has_work(route)]
        self._standby = sequences.standby
        self._floors: dict[StopKey, int] = {}
        self._routes_of: dict[str, list[tuple[int, Visit]]] = {}
        self._positions: dict[tuple[str, int], int] = {}
        for index, route in enumerate(self._sequences):
            for position, visit in enumerate(route.visits, start=1):
                if isinstance(visit, Visit):
                    self._routes_of.setdefault(visit.work_order, []).append((index, visit))
                    self._positions[(visit.work_order, index)] = position
        self._sizes = {
            name: sum(problem.order_by_id[name].presence(visit.role) == "on_site" for _, visit in visits)
            for name, visits in self._routes_of.items()
        }
        self._stops: list[tuple[Stop, ...]] = [()] * len(self._sequences)

    def plan(self) -> Plan:
        dirty = set(range(len(self._sequences)))
        for _ in range(max(LEAST_ROUNDS, 2 * len(self._positions))):
            for index in sorted(dirty):
                self._stops[index] = self._drive(self._sequences[index])
            dirty = self._push()
            if not dirty:
                break
        routes = tuple(
            Route(sequence.engineer, sequence.shift, stops)
            for sequence, stops in zip(self._sequences, self._stops, strict=True)
        )
        served = self._routes_of
        return Plan(
            routes=routes,
            teams=tuple(self._team(order) for order in self._problem.work_orders if order.team and order.id in served),
            unassigned=tuple(order.id for order in self._problem.work_orders if order.id not in served),
        )

    def _drive(self, sequence: RouteSequence) -> tuple[Stop, ...]:
        """One route forward: leave at once, wait at the destination, start as early as allowed."""
        problem = self._problem
        engineer = problem.engineer_by_id[sequence.engineer]
        shift = problem.shift_by_key[(sequence.engineer, sequence.shift)]
        running = self._running(sequence)
        if running is not None and running.pin is not None and running.pin.start is not None:
            free, where = running.pin.start, running.location
        else:
            free, where = max(shift.start, problem.now), shift.start_location
        stops = [Stop("start", location=where, end=free)]
        set_up_at: str | None = None
        for position, visit in enumerate(sequence.visits):
            if isinstance(visit, Rest):
                rest = shift.breaks[visit.index]
                start = max(free, rest.earliest_start, problem.now)
                free = start + rest.duration_seconds
                stops.append(Stop("break", start=start, end=free))
                continue
            order = problem.order_by_id[visit.work_order]
            is_remote = order.presence(visit.role) == "remote"
            is_underway = running is not None and position == 0
            setup = 0 if is_remote or set_up_at == order.location else order.setup_seconds
            travel, meters = 0, 0 if problem.travel.has_meters else None
            if not is_remote and not is_underway:
                free = max(free, problem.now, visit.leave_not_before or 0)
                travel = problem.leg_seconds(where, order.location, free, engineer)
                meters = problem.leg_meters(where, order.location)
            if not is_remote:
                where = set_up_at = order.location
            arrival = free + travel
            start = arrival if is_underway else self._start(arrival, order, visit, engineer)
            size = self._sizes[order.id]
            free = start + setup + service_seconds(problem, engineer, order, visit.role, size, start)
            stops.append(Stop("work_order", where, order.id, visit.role, travel, meters, arrival, start, free))
        if shift.end_location is not None:
            free = max(free, problem.now)
            travel = problem.leg_seconds(where, shift.end_location, free, engineer)
            meters = problem.leg_meters(where, shift.end_location)
            end = Stop("end", shift.end_location, travel_seconds=travel, travel_meters=meters, arrival=free + travel)
            stops.append(end)
        return tuple(stops)

    def _running(self, sequence: RouteSequence) -> WorkOrder | None:
        """The order already running when the route begins, if its first visit is one."""
        first = sequence.visits[0]
        if isinstance(first, Rest):
            return None
        order = self._problem.order_by_id[first.work_order]
        if not self._problem.is_running(order) or order.pin is None:
            return None
        together = order.team is not None and order.team.arrival.mode == "together"
        return order if together or order.pin.engineer == sequence.engineer else None

    def _start(self, arrival: int, order: WorkOrder, visit: Visit, engineer: Engineer) -> int:
        start = max(arrival, self._problem.now, self._floors.get((order.id, engineer.id), 0))
        if visit.not_before is not None:
            start = max(start, visit.not_before)
        if order.pin is not None and order.pin.engineer == engineer.id and order.pin.start is not None:
            start = max(start, order.pin.start)
        if self._problem.is_running(order) or order.presence(visit.role) == "remote":
            return start
        inside = earliest_in_windows(start, order.time_windows)
        return start if inside is None else inside

    def _push(self) -> set[int]:
        """Raise floors where teams or dependencies ask for a later start; the routes to drive again."""
        raised: set[int] = set()
        for name, visits in self._routes_of.items():
            order = self._problem.order_by_id[name]
            if order.team is not None:
                raised |= self._push_team(order, order.team, visits)
            for dependency in order.depends_on:
                ended = dependency.completed_at
                if dependency.work_order is not None:
                    if dependency.work_order not in self._routes_of:
                        continue
                    ended = self._last_end(dependency.work_order)
                assert ended is not None
                first = self._first_start(name)
                if first < ended + dependency.min_gap_seconds:
                    raised |= self._raise_to(name, ended + dependency.min_gap_seconds)
                elif dependency.max_gap_seconds is not None and dependency.work_order is not None:
                    lacking = first - ended - dependency.max_gap_seconds
                    if lacking > 0:
                        raised |= self._raise_by(dependency.work_order, lacking)
        return raised

    def _push_team(self, order: WorkOrder, team: Team, visits: list[tuple[int, Visit]]) -> set[int]:
        starts = self._starts(order.id)
        roles = {self._sequences[index].engineer: visit.role for index, visit in visits}
        on_site = {e: s for e, s in starts.items() if order.presence(roles[e]) == "on_site"}
        remote = {e: s for e, s in starts.items() if e not in on_site}
        windows = () if self._problem.is_running(order) else order.time_windows
        settled = team_starts(team, roles, TeamStarts(on_site, remote), windows)
        if settled is None:
            return set()
        wanted = {**settled.on_site, **settled.remote}
        return {
            index for index, _ in visits if self._raise((order.id, self._sequences[index].engineer), starts, wanted)
        }

    def _raise(self, key: StopKey, starts: Mapping[str, int], wanted: Mapping[str, int]) -> bool:
        if wanted[key[1]] <= starts[key[1]]:
            return False
        self._floors[key] = wanted[key[1]]
        return True

    def _raise_to(self, name: str, instant: int) -> set[int]:
        """Hold every on-site member of an order back until an instant."""
        return self._raise_on_site(name, lambda start: max(start, instant))

    def _raise_by(self, name: str, seconds: int) -> set[int]:
        """Push all on-site members of an order later."""
        return self._raise_on_site(name, lambda start: start + seconds)

    def _raise_on_site(self, name: str, later: Callable[[int], int]) -> set[int]:
        """Never running work, which stays, nor what is too late already: that has no schedule."""
        order = self._problem.order_by_id[name]
        if self._problem.is_running(order) or self._last_end(name) > self._problem.end:
            return set()
        starts = self._starts(name)
        raised = set()
        for index, visit in self._routes_of[name]:
            engineer = self._sequences[index].engineer
            if order.presence(visit.role) != "remote" and later(starts[engineer]) > starts[engineer]:
                self._floors[(name, engineer)] = later(starts[engineer])
                raised.add(index)
        return raised

    def _work_stops(self, name: str) -> list[tuple[str, Stop]]:
        return [
            (self._sequences[index].engineer, self._stops[index][self._positions[(name, index)]])
            for index, _ in self._routes_of[name]
        ]

    def _starts(self, name: str) -> dict[str, int]:
        return {engineer: stop.start for engineer, stop in self._work_stops(name) if stop.start is not None}

    def _on_site_stops(self, name: str) -> list[Stop]:
        order = self._problem.order_by_id[name]
        return [stop for _, stop in self._work_stops(name) if order.presence(stop.role) == "on_site"]

    def _first_start(self, name: str) -> int:
        return min(stop.start for stop in self._on_site_stops(name) if stop.start is not None)

    def _last_end(self, name: str) -> int:
        return max(stop.end for stop in self._on_site_stops(name) if stop.end is not None)

    def _team(self, order: WorkOrder) -> TeamAssignment:
        members = tuple(
            Member(self._sequences[index].engineer, visit.role) for index, visit in self._routes_of[order.id]
        )
        assert order.team is not None
        places = {role.name: place for place, role in enumerate(order.team.roles)}
        ordered = tuple(sorted(members, key=lambda member: (places.get(member.role or "", 99), member.engineer)))
        return TeamAssignment(order.id, self._first_start(order.id), ordered, tuple(self._standby.get(order.id, ())))


def _has_work(route: RouteSequence) -> bool:
    return any(isinstance(visit, Visit) for visit in route.visits)
