"""One work stop: who may do it, how long it takes, and what it says of itself."""

from fractions import Fraction

from dispatcher.verification.case import Case, Service
from dispatcher.verification.qualification import Match
from dispatcher.verification.values import half_up


def check_qualification(case: Case, service: Service) -> Match:
    """The price of the substitutions: none for whoever lacks a skill, which only running work excuses."""
    match = case.qualifier.match(service.engineer, service.requirements(), service.stop.start)
    if match.missing:
        if not case.facts.is_running(service.order):
            for requirement in match.missing:
                case.add_to_route(
                    service.route,
                    "qualification",
                    "SKILL_MISSING",
                    service.stop.path,
                    "{work_order} requires {skill} at level {level}, which {engineer} does not hold on {at}.",
                    work_order=service.order.id,
                    skill=requirement.skill,
                    level=requirement.level,
                    at=case.facts.clock(service.stop.start),
                )
        match = Match(match.missing, Fraction(0), Fraction(1))
    service.penalty = match.penalty
    return match


def check_duration(case: Case, service: Service, match: Match, setup_seconds: int) -> None:
    order, stop = service.order, service.stop
    if order.id in case.plan.unclear:
        return
    requirements = service.requirements()
    seconds: Fraction | int = _base_seconds(case, service)
    if requirements:
        seconds *= service.engineer.duration_factors.get(requirements[0].skill, 1)
    if match.factor != 1:
        seconds *= match.factor
    expected = half_up(seconds) + setup_seconds
    if stop.end - stop.start != expected:
        case.add_to_route(
            service.route,
            "service",
            "SERVICE_DURATION",
            f"{stop.path}.end",
            "{work_order} takes {stated} s, but should take {expected} s, {setup_seconds} s of it setup.",
            work_order=order.id,
            stated=stop.end - stop.start,
            expected=expected,
            setup_seconds=setup_seconds,
        )


def _base_seconds(case: Case, service: Service) -> int:
    order, role = service.order, service.order.role(service.stop.role)
    if role is not None and role.service_seconds is not None:
        return role.service_seconds
    if order.team is None:
        return order.service_seconds
    size = len(case.on_site(order))
    given = [count for count in order.team.service_by_size if count <= size]
    return order.team.service_by_size[max(given)] if given else order.service_seconds


def check_claims(case: Case, service: Service) -> None:
    """Lateness as this stop states it, of this stop; remote members do not count for lateness."""
    order, stop = service.order, service.stop
    deadlines = {
        "late_arrival_seconds": (stop.arrival, order.arrive_by),
        "late_start_seconds": (stop.start, order.start_by),
        "late_restore_seconds": (stop.end, order.restore_by),
    }
    for claim, stated in stop.late.items():
        at, deadline = deadlines[claim]
        expected = 0 if deadline is None or service.is_remote else max(0, at - deadline)
        if stated != expected:
            case.add_to_route(
                service.route,
                "claim",
                claim.upper(),
                f"{stop.path}.{claim}",
                "{work_order} states {claim} {stated}, but it is {expected}.",
                work_order=order.id,
                claim=claim,
                stated=stated,
                expected=expected,
            )
    if stop.pinned is None:
        return
    is_pinned = order.pin_engineer == service.engineer.id
    # On the stops of a pinned team's other members either value can be defended.
    may_be_pinned = order.pin_engineer is not None
    if (is_pinned and not stop.pinned) or (stop.pinned and not may_be_pinned):
        case.add_to_route(
            service.route,
            "claim",
            "PINNED",
            f"{stop.path}.pinned",
            "{work_order} states pinned {stated}, but it is {expected}.",
            work_order=order.id,
            stated=stop.pinned,
            expected=is_pinned,
        )
