"""Named standby: qualified, on shift, and there in time if called (section 6 of the planning document)."""

from dispatcher.verification.case import Case, Service
from dispatcher.verification.document import Member, Route, TeamEntry
from dispatcher.verification.facts import Order, Shift, Team


def check_standby(case: Case, order: Order, team: Team, entry: TeamEntry, services: list[Service]) -> None:
    taken = {service.engineer.id for service in services} | {member.engineer.id for member in entry.members}
    start, end = case.first_start(order), case.last_end(order)
    for standby in entry.standby:
        if standby.engineer.id in taken:
            message = "{engineer}, standby for {work_order}, already holds a role in its team."
            _add(case, order, standby, "HOLDS_TWO_ROLES", message)
        taken.add(standby.engineer.id)
        role = team.roles.get(standby.role)
        if role is None or role.presence != "standby":
            message = "{work_order} has no standby role {role} in its team."
            _add(case, order, standby, "ROLE_UNKNOWN", message, role=standby.role)
        elif start is not None and end is not None and not case.facts.is_running(order):
            for requirement in case.qualifier.match(standby.engineer, role.requirements, start).missing:
                _add(
                    case,
                    order,
                    standby,
                    "SKILL_MISSING",
                    "{engineer}, standby for {work_order}, does not hold {skill} at level {level} on {at}.",
                    skill=requirement.skill,
                    level=requirement.level,
                    at=case.facts.clock(start),
                )
            _availability(case, order, standby, start, end)


def _add(case: Case, order: Order, standby: Member, code: str, template: str, /, **params: object) -> None:
    case.findings.add(
        "standby", code, standby.path, template, work_order=order.id, engineer=standby.engineer.id, **params
    )


def _availability(case: Case, order: Order, standby: Member, start: int, end: int) -> None:
    clock = case.facts.clock
    covering = [s for s in standby.engineer.shifts.values() if s.start <= start and end <= s.latest_end]
    if not covering:
        _add(
            case,
            order,
            standby,
            "NO_SHIFT",
            "{engineer}, standby for {work_order}, has no shift covering its service from {start} to {end}.",
            start=clock(start),
            end=clock(end),
        )
        return
    arrivals = [_arrival(case, standby, shift, order, start) for shift in covering]
    earliest = min((arrival for arrival in arrivals if arrival is not None), default=None)
    if earliest is None or earliest > end:
        _add(
            case,
            order,
            standby,
            "TOO_FAR",
            "{engineer}, standby for {work_order}, could be there at {earliest}; its service ends at {end}.",
            earliest="no time" if earliest is None else clock(earliest),
            end=clock(end),
        )


def _arrival(case: Case, standby: Member, shift: Shift, order: Order, start: int) -> int | None:
    """When the standby could reach the site if called at the team's start."""
    place, free = shift.start_location, start
    for route in case.plan.routes:
        if route.engineer.id == standby.engineer.id and route.shift.id == shift.id:
            place, free = _whereabouts(route, start)
    seconds = case.legs.seconds(place, order.location, standby.engineer.speed_factor, free)
    return None if seconds is None else free + seconds


def _whereabouts(route: Route, at: int) -> tuple[str, int]:
    """Where and when the engineer is free of the last stop they have left for by then."""
    here = route.stops[0].location if route.stops else route.shift.start_location
    place, free = route.shift.start_location, at
    for stop in route.stops:
        if stop.kind == "start":
            continue
        stays = stop.kind == "break" or (stop.order is not None and stop.order.is_remote(stop.role))
        left_for = stop.start if stays else stop.arrival - stop.travel_seconds
        if left_for > at:
            break
        if not stays:
            here = stop.location if stop.order is None else stop.order.location
        place, free = here, max(at, stop.end)
    return place, free
