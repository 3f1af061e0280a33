"""The hard rules that bind several routes: teams, arrival, standby, dependencies and pins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dispatcher.facts import Facts, Finding, RouteFacts, Service, WorkStop
from dispatcher.hard_rules import Params, read_findings
from dispatcher.model import LEAD, Engineer, Role, Shift, Team
from dispatcher.plan import Member
from skills.qualification import qualify


def team(facts: Facts) -> Iterator[Finding]:
    """Roles are filled, nobody holds two, together the members know enough, and `teams` says the same."""
    yield from read_findings(facts, "team")
    for name, found in facts.services.items():
        path = found.on_site[0].path
        entry = facts.teams.get(name)
        needed = found.order.team
        if needed is None:
            if entry is not None:
                yield Finding("team", "TEAM_UNEXPECTED", "teams", {"work_order": name})
            for stop in found.stops:
                if stop.role is not None:
                    params = {"work_order": name, "role": stop.role, "engineer": stop.engineer.id}
                    yield Finding("team", "UNKNOWN_ROLE", stop.path, params)
            continue
        if entry is None:
            yield Finding("team", "TEAM_MISSING", "teams", {"work_order": name})
        members = Counter((stop.engineer.id, stop.role) for stop in found.stops)
        standby: tuple[Member, ...] = entry.standby if entry else ()
        if entry is not None:
            if Counter((member.engineer, member.role) for member in entry.members) != members:
                yield Finding("team", "MEMBERS_DIFFER", "teams", {"work_order": name})
            if entry.start != found.first_start:
                starts: Params = {"work_order": name, "stated": entry.start, "expected": found.first_start}
                yield Finding("team", "TEAM_START", "teams", starts)
        running = facts.problem.is_running(found.order)
        yield from _roles(name, path, needed, found, standby, running=running)
        if not running:
            yield from _collective_skills(facts, name, path, needed, found)
    for name in facts.teams:
        if name not in facts.services:
            yield Finding("team", "TEAM_UNEXPECTED", "teams", {"work_order": name})


def _roles(
    name: str, path: str, needed: Team, found: Service, standby: tuple[Member, ...], *, running: bool
) -> Iterator[Finding]:
    """Every role is held by as many as it asks for, nobody holds two; running work asks for no standby."""
    held = Counter(stop.role for stop in found.stops)
    waiting = Counter(member.role for member in standby)
    for role in needed.roles:
        count = waiting[role.name] if role.presence == "standby" else held[role.name]
        minimum = 0 if running and role.presence == "standby" else role.minimum
        if not minimum <= count <= role.maximum:
            limits = {"min": minimum, "max": role.maximum, "count": count}
            yield Finding("team", "ROLE_COUNT", path, {"work_order": name, "role": role.name, **limits})
    for role_name in held:
        role_found = needed.role(role_name)
        if role_found is None or role_found.presence == "standby":
            yield Finding("team", "UNKNOWN_ROLE", path, {"work_order": name, "role": role_name})
    for engineer, count in Counter(stop.engineer.id for stop in found.stops).items():
        if count > 1:
            yield Finding("team", "TWO_ROLES", path, {"work_order": name, "engineer": engineer})


def _collective_skills(facts: Facts, name: str, path: str, needed: Team, found: Service) -> Iterator[Finding]:
    graph = facts.problem.skill_graph
    for required in needed.collective_skills:
        if not any(qualify(graph, stop.engineer.skills, (required,), stop.start).qualified for stop in found.stops):
            params = {"work_order": name, "skill": required.skill, "level": required.level}
            yield Finding("team", "COLLECTIVE_SKILL", path, params)


def arrival_mode(facts: Facts) -> Iterator[Finding]:
    for name, found in facts.services.items():
        needed = found.order.team
        if needed is None:
            continue
        if not arrival_holds(needed, found.on_site, found.remote):
            params = {"work_order": name, "mode": needed.arrival.mode}
            starts = tuple(stop.start for stop in found.stops)
            yield Finding("arrival_mode", "ARRIVAL", found.on_site[0].path, {**params, "starts": starts})


def arrival_holds(needed: Team, on_site: tuple[WorkStop, ...], remote: tuple[WorkStop, ...]) -> bool:
    """Whether the starts of a team's members agree with its arrival mode."""
    arrival = needed.arrival
    first, last = min(stop.start for stop in on_site), max(stop.start for stop in on_site)
    leads = [stop for stop in on_site + remote if arrival.mode == "lead_first" and stop.role == LEAD]
    # With none or two of them the roles are wrong, and there is nothing to measure gaps from.
    anchored = leads if len(leads) == 1 else []
    if any(stop.start != first for stop in remote if stop not in anchored):
        return False
    if arrival.mode == "together":
        return first == last
    widest = arrival.max_gap_seconds
    if arrival.mode == "staggered":
        return widest is None or last - first <= widest
    return all(
        stop.start - lead.start >= arrival.min_gap_seconds and (widest is None or stop.start - lead.start <= widest)
        for lead in anchored
        for stop in on_site
        if stop.role != LEAD
    )


def standby(facts: Facts) -> Iterator[Finding]:
    """Standby members hold no other role, know enough at the team's start, are on shift and can get there."""
    for name, entry in facts.teams.items():
        found = facts.services.get(name)
        if found is None or found.order.team is None:
            continue
        taken = {member.engineer for member in entry.members} | found.engineers
        for member in entry.standby:
            params = {"work_order": name, "engineer": member.engineer, "role": member.role}
            if member.engineer in taken:
                yield Finding("standby", "TWO_ROLES", "teams", params)
            taken.add(member.engineer)
            role = found.order.team.role(member.role)
            engineer = facts.problem.engineer_by_id.get(member.engineer)
            if role is None or role.presence != "standby":
                yield Finding("standby", "UNKNOWN_ROLE", "teams", params)
            elif engineer is not None and not facts.problem.is_running(found.order):
                for code in standby_gaps(facts, engineer, role, found):
                    yield Finding("standby", code, "teams", params)


def standby_gaps(facts: Facts, engineer: Engineer, role: Role, found: Service) -> Iterator[str]:
    """What keeps an engineer from standing by for a service; nothing where they can."""
    problem = facts.problem
    if not qualify(problem.skill_graph, engineer.skills, role.required_skills, found.first_start).qualified:
        yield "STANDBY_SKILL"
    covering = [
        shift for shift in engineer.shifts if shift.start <= found.first_start and found.last_end <= shift.latest_end
    ]
    if not covering:
        yield "STANDBY_SHIFT"
    elif not any(_reaches(facts, engineer, shift, found) for shift in covering):
        yield "STANDBY_TOO_FAR"


def _reaches(facts: Facts, engineer: Engineer, shift: Shift, found: Service) -> bool:
    free, where = _free_at(facts.route_of((engineer.id, shift.id)), shift, found.first_start)
    free = max(free, found.first_start)
    travel = facts.problem.leg_seconds(where, found.order.location, free, engineer)
    return free + travel <= found.last_end


def _free_at(route: RouteFacts | None, shift: Shift, instant: int) -> tuple[int, str]:
    """End and place of the last stop the engineer has left for by an instant; else the start location."""
    free, where = instant, shift.start_location
    if route is None:
        return free, where
    place = route.stops[0].location or shift.start_location
    remote = {stop.position for stop in route.work if stop.presence == "remote"}
    for position, stop in enumerate(route.stops[1:], start=1):
        if stop.kind == "break" or position in remote:
            left_for = stop.start
        else:
            left_for = None if stop.arrival is None else stop.arrival - stop.travel_seconds
        if stop.location and position not in remote and stop.kind != "break":
            place = stop.location
        if left_for is None or left_for > instant:
            break
        end = stop.arrival if stop.kind == "end" else stop.end
        free, where = instant if end is None else end, place
    return free, where


def depends_on(facts: Facts) -> Iterator[Finding]:
    for name, found in facts.services.items():
        for dependency in found.order.depends_on:
            ended = dependency.completed_at
            if dependency.work_order is not None:
                other = facts.services.get(dependency.work_order)
                if other is None:
                    params = {"work_order": name, "other": dependency.work_order}
                    yield Finding("depends_on", "PREDECESSOR_UNASSIGNED", found.on_site[0].path, params)
                    continue
                ended = other.last_end
            assert ended is not None
            gap = found.first_start - ended
            widest = dependency.max_gap_seconds
            if gap < dependency.min_gap_seconds or (widest is not None and gap > widest):
                gap_params: Params = {"work_order": name, "other": dependency.work_order, "gap_seconds": gap}
                yield Finding("depends_on", "GAP", found.on_site[0].path, gap_params)


def pin(facts: Facts) -> Iterator[Finding]:
    for name, found in facts.services.items():
        order = found.order
        if order.pin is None:
            continue
        pinned = [stop for stop in found.stops if stop.engineer.id == order.pin.engineer]
        params = {"work_order": name, "engineer": order.pin.engineer}
        if not pinned:
            yield Finding("pin", "PINNED_ENGINEER", found.on_site[0].path, params)
        elif order.pin.start is not None and pinned[0].start != order.pin.start:
            yield Finding("pin", "PINNED_START", pinned[0].path, {**params, "expected": order.pin.start})
        if not facts.problem.is_running(order):
            continue
        for stop in found.stops:
            if stop.start >= facts.problem.now:
                continue
            start = facts.plan.routes[stop.route].stops[0]
            at_the_site = start.location == order.location and start.end == order.pin.start
            if stop.position != 1 or not at_the_site:
                yield Finding("pin", "RUNNING_ELSEWHERE", stop.path, params)
