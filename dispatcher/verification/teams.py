"""Teams: section 6 of the planning document."""

from collections import Counter

from dispatcher.verification.case import Case, Service
from dispatcher.verification.document import TeamEntry
from dispatcher.verification.facts import Order, Team
from dispatcher.verification.orders import check_engineer, describe_gap
from dispatcher.verification.standby import check_standby


def check_teams(case: Case) -> None:
    entries: dict[str, TeamEntry] = {}
    for entry in case.plan.teams:
        order = entry.order
        if order.id in entries:
            message = "{work_order} has more than one entry under teams."
            _add(case, "ENTRY_TWICE", entry.path, order, message)
            continue
        entries[order.id] = entry
        is_served = bool(case.services.get(order.id)) or order.id in case.plan.unclear
        if order.team is None or not is_served:
            why = "has no team" if order.team is None else "is not served"
            _add(case, "ENTRY_EXTRA", entry.path, order, "{work_order} is under teams, but {why}.", why=why)
    for order in case.facts.orders.values():
        services = case.services.get(order.id, [])
        if order.team is None or not services or order.id in case.plan.unclear:
            continue
        _check_team(case, order, order.team, services, entries.get(order.id))


def _check_team(case: Case, order: Order, team: Team, services: list[Service], entry: TeamEntry | None) -> None:
    _roles(case, order, team, services, entry)
    _collective(case, order, team, services)
    _arrival(case, order, team, services)
    if entry is None:
        if order.id not in case.plan.unread_teams:
            message = "{work_order} is served by a team, but has no entry under teams."
            _add(case, "ENTRY_MISSING", "teams", order, message)
        return
    _entry(case, order, entry, services)
    check_standby(case, order, team, entry, services)
    for standby in entry.standby:
        check_engineer(case, order, standby.engineer.id, standby.path)


def _add(case: Case, code: str, path: str, order: Order, template: str, /, **params: object) -> None:
    case.findings.add("team", code, path, template, work_order=order.id, **params)


def _roles(case: Case, order: Order, team: Team, services: list[Service], entry: TeamEntry | None) -> None:
    path = services[0].stop.path
    for service in services:
        role = order.role(service.stop.role)
        if role is None or role.presence == "standby":
            _add(
                case,
                "ROLE_UNKNOWN",
                f"{service.stop.path}.role",
                order,
                "{work_order} has no on-site or remote role {stated} in its team.",
                stated=service.stop.role,
            )
    serving = Counter(service.stop.role for service in services)
    standing_by = Counter(standby.role for standby in entry.standby) if entry else None
    for role in team.roles.values():
        least = role.minimum
        count = serving[role.name]
        if role.presence == "standby":
            if standing_by is None:
                continue
            count = standing_by[role.name]
            # Nobody is called to work that is under way already.
            least = 0 if case.facts.is_running(order) else least
        if not least <= count <= role.maximum:
            _add(
                case,
                "ROLE_COUNT",
                path,
                order,
                "{work_order} has {stated} in the role {role}; {min} to {max} is right.",
                role=role.name,
                stated=count,
                min=least,
                max=role.maximum,
            )
    for engineer, times in Counter(service.engineer.id for service in services).items():
        if times > 1:
            _add(
                case,
                "ENGINEER_TWICE",
                path,
                order,
                "{engineer} serves {work_order} {times} times; nobody holds two roles in one team.",
                engineer=engineer,
                times=times,
            )


def _collective(case: Case, order: Order, team: Team, services: list[Service]) -> None:
    if case.facts.is_running(order):
        return
    for skill in team.collective:
        lacking = [case.qualifier.match(service.engineer, (skill,), service.stop.start).missing for service in services]
        if all(lacking):
            _add(
                case,
                "COLLECTIVE_SKILL",
                services[0].stop.path,
                order,
                "No member of the team of {work_order} holds {skill} at level {level}.",
                skill=skill.skill,
                level=skill.level,
            )


def _arrival(case: Case, order: Order, team: Team, services: list[Service]) -> None:
    first = case.first_start(order)
    if first is None:
        return
    leads = [service for service in services if service.stop.role == "lead"]
    lead = leads[0] if team.mode == "lead_first" and len(leads) == 1 else None
    for service in services:
        if service is lead:
            continue
        if service.is_remote or team.mode == "together":
            _gap(case, service, first, "the first on-site member", 0, 0)
        elif team.mode == "staggered":
            _gap(case, service, first, "the first on-site member", 0, team.max_gap_seconds)
        elif lead is not None:
            _gap(case, service, lead.stop.start, "the lead", team.min_gap_seconds, team.max_gap_seconds)


def _gap(case: Case, service: Service, anchor: int, whom: str, least: int, most: int | None) -> None:
    gap = service.stop.start - anchor
    if gap < least or (most is not None and gap > most):
        case.findings.add(
            "arrival_mode",
            "GAP_TOO_SMALL" if gap < least else "GAP_TOO_LARGE",
            f"{service.stop.path}.start",
            "{engineer} starts {work_order} {stated} s after {whom}; {bounds} is right.",
            work_order=service.order.id,
            engineer=service.engineer.id,
            stated=gap,
            whom=whom,
            bounds=describe_gap(least, most),
        )


def _entry(case: Case, order: Order, entry: TeamEntry, services: list[Service]) -> None:
    start = case.first_start(order)
    if start is not None and entry.start != start:
        _add(
            case,
            "TEAM_START",
            f"{entry.path}.start",
            order,
            "The team of {work_order} starts with its first on-site member at {expected}, not at {stated}.",
            stated=case.facts.clock(entry.start),
            expected=case.facts.clock(start),
        )
    listed = Counter((member.engineer.id, member.role) for member in entry.members)
    serving = Counter((service.engineer.id, service.stop.role or "") for service in services)
    for engineer, role in (listed - serving).elements():
        _add(
            case,
            "MEMBER_WITHOUT_STOP",
            f"{entry.path}.members",
            order,
            "The entry of {work_order} names {engineer} as {role}, but no stop does.",
            engineer=engineer,
            role=role,
        )
    for engineer, role in (serving - listed).elements():
        _add(
            case,
            "STOP_WITHOUT_MEMBER",
            f"{entry.path}.members",
            order,
            "{engineer} serves {work_order} as {role}, but its entry does not say so.",
            engineer=engineer,
            role=role or None,
        )
