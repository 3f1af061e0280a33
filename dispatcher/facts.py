"""A plan read against its problem: who is where, which order is served by whom and when.

The rules measure these facts; they are derived once per plan. What a plan names that the problem does not know is
reported as a finding and left out of the facts, so that every rule can rely on what it sees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dispatcher.model import Engineer, Level, Presence, Shift, WorkOrder
from dispatcher.plan import Plan, Route, Stop, TeamAssignment
from dispatcher.problem import Problem, ShiftKey


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken hard rule: `rule` from the catalogue, a detail `code`, where, and with which values."""

    rule: str
    code: str
    path: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class WorkStop:
    """A work stop with its times, the order and the role's presence. `position` counts the stops of the route."""

    engineer: Engineer
    shift: Shift
    route: int
    position: int
    order: WorkOrder
    role: str | None
    presence: Presence
    location: str
    travel_seconds: int
    arrival: int
    start: int
    end: int

    @property
    def path(self) -> str:
        return f"routes[{self.route}].stops[{self.position}]"


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """A route whose engineer and shift are known. `work` are its work stops in order."""

    index: int
    engineer: Engineer
    shift: Shift
    stops: tuple[Stop, ...]
    work: tuple[WorkStop, ...]
    running: WorkStop | None

    @property
    def path(self) -> str:
        return f"routes[{self.index}]"

    @property
    def end(self) -> int:
        """When the route is over: arrival at the end location, or the end of the last stop of an open route."""
        last = self.stops[-1]
        end = last.arrival if last.kind == "end" else last.end
        return self.shift.start if end is None else end

    def due_breaks(self, now: int) -> list[int]:
        """Positions in `shift.breaks` of the breaks that can still be taken, and so must be."""
        earliest = max(now, self.running.end) if self.running else now
        return [index for index, rest in enumerate(self.shift.breaks) if rest.latest_start >= earliest]


@dataclass(frozen=True, slots=True)
class Service:
    """How an order is served: its on-site and remote stops (one on-site stop at least)."""

    order: WorkOrder
    on_site: tuple[WorkStop, ...]
    remote: tuple[WorkStop, ...]
    first_arrival: int
    first_start: int
    last_end: int

    @property
    def stops(self) -> tuple[WorkStop, ...]:
        return self.on_site + self.remote

    @property
    def engineers(self) -> frozenset[str]:
        """The members, standby apart."""
        return frozenset(stop.engineer.id for stop in self.stops)

    def latenesses(self) -> Mapping[str, tuple[int, ...]]:
        """Seconds late by kind; `late_start` has one entry per on-site member."""
        deadlines = self.order.deadlines
        return {
            "late_arrival": (_after(self.first_arrival, deadlines.arrive_by),),
            "late_start": tuple(_after(stop.start, deadlines.start_by) for stop in self.on_site),
            "late_restore": (_after(self.last_end, deadlines.restore_by),),
        }


def unserved_latenesses(order: WorkOrder, horizon_end: int) -> Mapping[str, tuple[int, ...]]:
    """An unassigned order counts as if it arrived, started and ended at the end of the horizon."""
    deadlines = order.deadlines
    return {
        "late_arrival": (_after(horizon_end, deadlines.arrive_by),),
        "late_start": (_after(horizon_end, deadlines.start_by),),
        "late_restore": (_after(horizon_end, deadlines.restore_by),),
    }


def _after(instant: int, deadline: int | None) -> int:
    return 0 if deadline is None else max(0, instant - deadline)


@dataclass(frozen=True)
class Facts:
    """`unserved` are the orders no service was found for; `findings` what could not be read."""

    problem: Problem
    plan: Plan
    routes: tuple[RouteFacts, ...]
    services: Mapping[str, Service]
    teams: Mapping[str, TeamAssignment]
    unserved: tuple[WorkOrder, ...]
    findings: list[Finding] = field(default_factory=list)

    @cached_property
    def late(self) -> Mapping[str, Mapping[Level, tuple[int, int]]]:
        """(seconds late, orders late) by kind and level, over all orders, served or not."""
        late: dict[str, dict[Level, tuple[int, int]]] = {}
        for order, latenesses in self._latenesses():
            for kind, seconds in latenesses.items():
                total = sum(seconds)
                if total:
                    by_level = late.setdefault(kind, {})
                    before = by_level.get(order.level, (0, 0))
                    by_level[order.level] = (before[0] + total, before[1] + 1)
        return late

    def _latenesses(self) -> Iterator[tuple[WorkOrder, Mapping[str, tuple[int, ...]]]]:
        for service in self.services.values():
            yield service.order, service.latenesses()
        for order in self.unserved:
            yield order, unserved_latenesses(order, self.problem.end)

    def route_of(self, key: ShiftKey) -> RouteFacts | None:
        return next((r for r in self.routes if (r.engineer.id, r.shift.id) == key), None)


def read_facts(problem: Problem, plan: Plan) -> Facts:
    """Derive the facts of a plan; unknown ids and impossible structures become findings."""
    findings: list[Finding] = []
    routes: list[RouteFacts] = []
    seen: set[ShiftKey] = set()
    for index, route in enumerate(plan.routes):
        path = f"routes[{index}]"
        key = (route.engineer, route.shift)
        shift = problem.shift_by_key.get(key)
        if shift is None:
            params = {"engineer": route.engineer, "shift": route.shift}
            findings.append(Finding("structure", "UNKNOWN_SHIFT", path, params))
            continue
        if key in seen:
            findings.append(
                Finding("structure", "ROUTE_TWICE", path, {"engineer": route.engineer, "shift": route.shift})
            )
            continue
        seen.add(key)
        facts = _read_route(problem, index, route, shift, findings)
        if facts is not None:
            routes.append(facts)
    services = _services(problem, routes, findings)
    teams = _teams(problem, plan, findings)
    for index, name in enumerate(plan.unassigned):
        if name not in problem.order_by_id:
            findings.append(Finding("structure", "UNKNOWN_WORK_ORDER", f"unassigned[{index}]", {"work_order": name}))
    unserved = tuple(order for order in problem.work_orders if order.id not in services)
    return Facts(problem, plan, tuple(routes), services, teams, unserved, findings)


def _read_route(problem: Problem, index: int, route: Route, shift: Shift, findings: list[Finding]) -> RouteFacts | None:
    path = f"routes[{index}]"
    kinds = [stop.kind for stop in route.stops]
    middle_end = len(kinds) if shift.end_location is None else len(kinds) - 1
    well_formed = (
        bool(kinds)
        and kinds[0] == "start"
        and (shift.end_location is None or kinds[-1] == "end")
        and all(kind in ("work_order", "break") for kind in kinds[1:middle_end])
    )
    names = {"engineer": route.engineer, "shift": shift.id}
    if not well_formed:
        findings.append(Finding("structure", "STOP_ORDER", path, {**names, "kinds": tuple(kinds)}))
        return None
    if "work_order" not in kinds:
        findings.append(Finding("structure", "EMPTY_ROUTE", path, names))
        return None
    engineer = problem.engineer_by_id[route.engineer]
    work: list[WorkStop] = []
    for position, stop in enumerate(route.stops):
        if not _has_times(stop):
            findings.append(Finding("structure", "TIME_MISSING", f"{path}.stops[{position}]", names))
            return None
        if stop.kind != "break" and stop.location not in problem.location_index:
            params = {**names, "location": stop.location}
            findings.append(Finding("structure", "UNKNOWN_LOCATION", f"{path}.stops[{position}]", params))
            return None
        if stop.kind != "work_order":
            continue
        order = problem.order_by_id.get(stop.work_order or "")
        if order is None or stop.arrival is None or stop.start is None or stop.end is None:
            params = {**names, "work_order": stop.work_order}
            findings.append(Finding("structure", "UNKNOWN_WORK_ORDER", f"{path}.stops[{position}]", params))
            return None
        work.append(
            WorkStop(
                engineer,
                shift,
                index,
                position,
                order,
                stop.role,
                # Nobody on a route stands by; the rule `team` says so of whoever claims it.
                "remote" if order.presence(stop.role) == "remote" else "on_site",
                stop.location or "",
                stop.travel_seconds,
                stop.arrival,
                stop.start,
                stop.end,
            )
        )
    first = work[0]
    is_running = problem.is_running(first.order) and first.position == 1 and first.start < problem.now
    return RouteFacts(index, engineer, shift, route.stops, tuple(work), first if is_running else None)


def _teams(problem: Problem, plan: Plan, findings: list[Finding]) -> dict[str, TeamAssignment]:
    """The entry of each order; of two for one order the first counts."""
    teams: dict[str, TeamAssignment] = {}
    for index, team in enumerate(plan.teams):
        path = f"teams[{index}]"
        params = {"work_order": team.work_order}
        if team.work_order not in problem.order_by_id:
            findings.append(Finding("structure", "UNKNOWN_WORK_ORDER", path, params))
            continue
        for member in team.members + team.standby:
            if member.engineer not in problem.engineer_by_id:
                findings.append(Finding("structure", "UNKNOWN_ENGINEER", path, {**params, "engineer": member.engineer}))
        if team.work_order in teams:
            findings.append(Finding("team", "TEAM_TWICE", path, params))
        teams.setdefault(team.work_order, team)
    return teams


def _has_times(stop: Stop) -> bool:
    if stop.kind == "start":
        return stop.end is not None
    if stop.kind == "end":
        return stop.arrival is not None
    if stop.kind == "break":
        return stop.start is not None and stop.end is not None
    return stop.arrival is not None and stop.start is not None and stop.end is not None


def _services(problem: Problem, routes: list[RouteFacts], findings: list[Finding]) -> dict[str, Service]:
    stops: dict[str, list[WorkStop]] = {}
    for route in routes:
        for stop in route.work:
            stops.setdefault(stop.order.id, []).append(stop)
    services: dict[str, Service] = {}
    for order in problem.work_orders:
        made = stops.get(order.id)
        if not made:
            continue
        on_site = tuple(stop for stop in made if stop.presence == "on_site")
        remote = tuple(stop for stop in made if stop.presence == "remote")
        if not on_site:
            findings.append(Finding("team", "NOBODY_ON_SITE", made[0].path, {"work_order": order.id}))
            continue
        services[order.id] = Service(
            order,
            on_site,
            remote,
            first_arrival=min(stop.arrival for stop in on_site),
            first_start=min(stop.start for stop in on_site),
            last_end=max(stop.end for stop in on_site),
        )
    return services
