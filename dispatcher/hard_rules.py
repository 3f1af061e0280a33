"""The hard rules of routes: each function yields the findings of one rule over the facts of a plan.

The rules of teams, relations and pins are in `dispatcher.team_rules`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise

from dispatcher.facts import Facts, Finding, RouteFacts, WorkStop
from dispatcher.parts import missing_parts
from dispatcher.plan import Stop
from dispatcher.service import service_seconds

Breaches = Callable[[Facts], Iterable[Finding]]
Params = dict[str, object]


def read_findings(facts: Facts, rule: str) -> Iterator[Finding]:
    """What was already found under this rule when the plan was read."""
    return (finding for finding in facts.findings if finding.rule == rule)


def structure(facts: Facts) -> Iterator[Finding]:
    yield from read_findings(facts, "structure")


def assignment(facts: Facts) -> Iterator[Finding]:
    """Every order is on a route as often as it should be, or under `unassigned`, exactly once."""
    listed = Counter(facts.plan.unassigned)
    # Counted in the plan itself: where a route cannot be read, its orders are on it all the same.
    stops = Counter(stop.work_order for route in facts.plan.routes for stop in route.stops if stop.kind == "work_order")
    for order in facts.problem.work_orders:
        params = {"work_order": order.id, "stops": stops[order.id], "unassigned": listed[order.id]}
        if listed[order.id] > 1 or (listed[order.id] and stops[order.id]):
            yield Finding("assignment", "ORDER_TWICE", "unassigned", params)
        elif not listed[order.id] and not stops[order.id]:
            yield Finding("assignment", "ORDER_MISSING", "routes", params)
        elif order.team is None and stops[order.id] > 1:
            yield Finding("assignment", "ORDER_TWICE", "routes", params)


def shift(facts: Facts) -> Iterator[Finding]:
    for route in facts.routes:
        start, last = route.stops[0], route.stops[-1]
        names: Params = {"engineer": route.engineer.id, "shift": route.shift.id}
        if route.running is None:
            if start.location != route.shift.start_location:
                params = {**names, "location": start.location, "expected": route.shift.start_location}
                yield Finding("shift", "START_LOCATION", f"{route.path}.stops[0]", params)
            if _end(start) < route.shift.start:
                params = {**names, "at": _end(start), "earliest": route.shift.start}
                yield Finding("shift", "BEFORE_SHIFT", f"{route.path}.stops[0]", params)
        if last.kind == "end" and last.location != route.shift.end_location:
            params = {**names, "location": last.location, "expected": route.shift.end_location}
            yield Finding("shift", "END_LOCATION", f"{route.path}.stops[{len(route.stops) - 1}]", params)
        if route.end > route.shift.latest_end:
            params = {**names, "at": route.end, "latest": route.shift.latest_end}
            yield Finding("shift", "AFTER_LATEST_END", route.path, params)


def now(facts: Facts) -> Iterator[Finding]:
    """Nothing departs, starts or rests before `now`, but for running work."""
    instant = facts.problem.now
    for route in facts.routes:
        remote = {stop.position for stop in route.work if stop.presence == "remote"}
        for position, stop in enumerate(route.stops):
            if route.running is not None and position <= route.running.position:
                continue
            begins = {
                "start": stop.end,
                "break": stop.start,
                "work_order": stop.start,
                "end": None,
            }[stop.kind]
            departs = instant
            if stop.arrival is not None and position not in remote:
                departs = stop.arrival - stop.travel_seconds
            if departs < instant or (begins is not None and begins < instant):
                params = {"engineer": route.engineer.id, "shift": route.shift.id, "now": instant}
                yield Finding("now", "BEFORE_NOW", f"{route.path}.stops[{position}]", params)


def travel(facts: Facts) -> Iterator[Finding]:
    for route in facts.routes:
        yield from _route_travel(facts, route)


def _route_travel(facts: Facts, route: RouteFacts) -> Iterator[Finding]:
    problem = facts.problem
    work = {stop.position: stop for stop in route.work}
    where = route.stops[0].location or ""
    free = _end(route.stops[0])
    for position, stop in enumerate(route.stops[1:], start=1):
        path = f"{route.path}.stops[{position}]"
        names: Params = {"engineer": route.engineer.id, "shift": route.shift.id}
        if stop.kind == "break":
            free = _end(stop)
            continue
        made = work.get(position)
        arrival = stop.arrival if stop.arrival is not None else free
        if made is not None and made.start < arrival:
            yield Finding("travel", "START_BEFORE_ARRIVAL", path, {**names, "at": made.start, "arrival": arrival})
        if made is not None and made.presence == "remote":
            if stop.location != where or stop.travel_seconds or stop.travel_meters or arrival != free:
                params = {**names, "work_order": made.order.id, "expected": where, "free": free}
                yield Finding("travel", "REMOTE_TRAVELS", path, params)
            free = made.end
            continue
        destination = stop.location or ""
        if made is not None and destination != made.order.location:
            params = {**names, "work_order": made.order.id, "expected": made.order.location}
            yield Finding("travel", "WRONG_LOCATION", path, {**params, "location": destination})
            destination = made.order.location
        departure = arrival - stop.travel_seconds
        if departure < free:
            params = {**names, "departure": departure, "free": free}
            yield Finding("travel", "DEPARTS_TOO_EARLY", path, params)
        seconds = problem.leg_seconds(where, destination, departure, route.engineer)
        meters = problem.leg_meters(where, destination)
        if seconds != stop.travel_seconds:
            params = {**names, "from": where, "to": destination, "expected": seconds}
            yield Finding("travel", "TRAVEL_SECONDS", path, {**params, "stated": stop.travel_seconds})
        if meters is not None and stop.travel_meters not in (None, meters):
            params = {**names, "from": where, "to": destination, "expected": meters}
            yield Finding("travel", "TRAVEL_METERS", path, {**params, "stated": stop.travel_meters})
        where = destination
        free = made.end if made is not None else arrival


def service(facts: Facts) -> Iterator[Finding]:
    """Service takes as long as the estimate, the factors and the setup say."""
    sizes = {name: len(found.on_site) for name, found in facts.services.items()}
    for route in facts.routes:
        last_on_site: WorkStop | None = None
        for stop in route.work:
            expected = service_seconds(
                facts.problem, stop.engineer, stop.order, stop.role, sizes.get(stop.order.id, 1), stop.start
            )
            if stop.presence != "remote":
                if last_on_site is None or last_on_site.order.location != stop.order.location:
                    expected += stop.order.setup_seconds
                last_on_site = stop
            if stop.end - stop.start != expected:
                params = {"work_order": stop.order.id, "engineer": stop.engineer.id, "expected": expected}
                yield Finding("service", "DURATION", stop.path, {**params, "stated": stop.end - stop.start})


def time_window(facts: Facts) -> Iterator[Finding]:
    for found in facts.services.values():
        order = found.order
        if not order.time_windows or facts.problem.is_running(order):
            continue
        starts = [stop.start for stop in found.on_site]
        if any(all(window.holds(start) for start in starts) for window in order.time_windows):
            continue
        inside = all(order.window_at(start) for start in starts)
        code = "DIFFERENT_WINDOWS" if inside else "OUTSIDE_WINDOW"
        params = {"work_order": order.id, "starts": tuple(starts)}
        yield Finding("time_window", code, found.on_site[0].path, params)


def rest(facts: Facts) -> Iterator[Finding]:
    """Each break still due is taken exactly once, whole, starting inside its window and after the stop before."""
    for route in facts.routes:
        names: Params = {"engineer": route.engineer.id, "shift": route.shift.id}
        for position, (before, stop) in enumerate(pairwise(route.stops), start=1):
            if stop.kind == "break" and _start(stop) < _end(before):
                params = {**names, "free": _end(before), "at": _start(stop)}
                yield Finding("break", "BREAK_TOO_EARLY", f"{route.path}.stops[{position}]", params)
        taken = [(position, stop) for position, stop in enumerate(route.stops) if stop.kind == "break"]
        due = route.due_breaks(facts.problem.now)
        fits = [
            frozenset(
                place
                for place, (_, stop) in enumerate(taken)
                if _end(stop) - _start(stop) == route.shift.breaks[index].duration_seconds
                and route.shift.breaks[index].earliest_start <= _start(stop) <= route.shift.breaks[index].latest_start
            )
            for index in due
        ]
        if len(taken) > len(due):
            yield Finding("break", "EXTRA_BREAK", route.path, {**names, "due": len(due), "taken": len(taken)})
        elif len(taken) < len(due):
            yield Finding("break", "BREAK_MISSING", route.path, {**names, "due": len(due), "taken": len(taken)})
        elif not _matches(tuple(fits)):
            yield Finding("break", "BREAK_OUTSIDE_WINDOW", route.path, {**names, "due": len(due)})


@lru_cache(maxsize=1024)
def _matches(choices: tuple[frozenset[int], ...]) -> bool:
    """Whether every entry can have a choice of its own."""
    if not choices:
        return True
    return any(_matches(tuple(other - {choice} for other in choices[1:])) for choice in sorted(choices[0]))


def qualification(facts: Facts) -> Iterator[Finding]:
    for found in facts.services.values():
        if facts.problem.is_running(found.order):
            continue
        for stop in found.stops:
            answer = facts.problem.qualification(stop.engineer, stop.order, stop.role, stop.start)
            for gap in answer.gaps:
                params = {
                    "work_order": stop.order.id,
                    "engineer": stop.engineer.id,
                    "skill": gap.required.skill,
                    "level": gap.required.level,
                    "best_level": gap.best_level,
                }
                yield Finding("qualification", gap.code, stop.path, params)


def parts(facts: Facts) -> Iterator[Finding]:
    """The parts of every served order come out of the stock of its on-site members' shifts, pooled."""
    demands = {
        name: (found.order.parts, frozenset((s.engineer.id, s.shift.id) for s in found.on_site))
        for name, found in facts.services.items()
        if found.order.parts
    }
    stocks = {(e.id, s.id): e.parts for e in facts.problem.engineers for s in e.shifts}
    for part, missing in missing_parts(demands, stocks).items():
        yield Finding("parts", "PARTS_MISSING", "routes", {"part": part, "missing": missing})


def allowed_engineers(facts: Facts) -> Iterator[Finding]:
    for name, found in facts.services.items():
        team = facts.teams.get(name)
        standby = [member.engineer for member in team.standby] if team else []
        for engineer in [*(stop.engineer.id for stop in found.stops), *standby]:
            if not found.order.admits(engineer):
                params = {"work_order": name, "engineer": engineer}
                yield Finding("allowed_engineers", "ENGINEER_NOT_ALLOWED", found.on_site[0].path, params)


def max_work_orders(facts: Facts) -> Iterator[Finding]:
    for route in facts.routes:
        limit = route.shift.max_work_orders
        if limit is not None and len(route.work) > limit:
            params = {"engineer": route.engineer.id, "shift": route.shift.id, "limit": limit}
            yield Finding("max_work_orders", "TOO_MANY_ORDERS", route.path, {**params, "stops": len(route.work)})


def _start(stop: Stop) -> int:
    return stop.start if stop.start is not None else 0


def _end(stop: Stop) -> int:
    return stop.end if stop.end is not None else 0
