"""One work order across all routes: assignment, windows, pins, engineers, dependencies."""

from dispatcher.verification.case import Case, Service
from dispatcher.verification.facts import Dependency, Order


def check_orders(case: Case) -> None:
    unassigned: set[str] = set()
    for path, order in case.plan.unassigned:
        if order.id in unassigned:
            _add(
                case,
                "assignment",
                "UNASSIGNED_TWICE",
                path,
                order,
                "{work_order} is unassigned more than once.",
            )
        unassigned.add(order.id)
    for order in case.facts.orders.values():
        services = case.services.get(order.id, [])
        _assignment(case, order, services, order.id in unassigned)
        if not services or order.id in case.plan.unclear:
            continue
        _windows(case, order)
        _pin(case, order, services)
        for service in services:
            check_engineer(case, order, service.engineer.id, service.stop.path)
        for dependency in order.depends_on:
            _dependency(case, order, dependency, services[0].stop.path)


def check_engineer(case: Case, order: Order, engineer: str, path: str) -> None:
    """Allowed and excluded engineers bind members and standby alike."""
    if order.allowed and engineer not in order.allowed:
        _add(
            case,
            "allowed_engineers",
            "NOT_ALLOWED",
            path,
            order,
            "{engineer} is not among the engineers allowed for {work_order}: {allowed}.",
            engineer=engineer,
            allowed=", ".join(sorted(order.allowed)),
        )
    if engineer in order.excluded:
        _add(
            case,
            "allowed_engineers",
            "EXCLUDED",
            path,
            order,
            "{engineer} is excluded from {work_order}.",
            engineer=engineer,
        )


def _add(case: Case, rule: str, code: str, path: str, order: Order, template: str, /, **params: object) -> None:
    case.findings.add(rule, code, path, template, work_order=order.id, **params)


def _assignment(case: Case, order: Order, services: list[Service], is_unassigned: bool) -> None:
    is_served = bool(services) or order.id in case.plan.unclear
    if is_served and is_unassigned:
        path = services[0].stop.path if services else "unassigned"
        message = "{work_order} is on a route and under unassigned."
        _add(case, "assignment", "SERVED_AND_UNASSIGNED", path, order, message)
    # Where a part of the plan could not be read, it may have held the order.
    if not is_served and not is_unassigned and case.plan.complete:
        message = "{work_order} is on no route and not under unassigned."
        _add(case, "assignment", "ORDER_MISSING", "unassigned", order, message)
    if order.team is not None:
        return
    for service in services[1:]:
        message = "{work_order} has no team and is served {times} times; once is right."
        _add(case, "assignment", "SERVED_TWICE", service.stop.path, order, message, times=len(services))
    for service in services:
        if service.stop.role is not None:
            path = f"{service.stop.path}.role"
            message = "{work_order} has no team, so its role should be null, not {stated}."
            _add(case, "team", "ROLE_WITHOUT_TEAM", path, order, message, stated=service.stop.role)


def _windows(case: Case, order: Order) -> None:
    if not order.windows or case.facts.is_running(order):
        return
    on_site = case.on_site(order)
    shared = set(order.windows)
    all_inside = True
    for service in on_site:
        start = service.stop.start
        inside = {(first, last) for first, last in order.windows if first <= start <= last}
        shared &= inside
        if not inside:
            all_inside = False
            _add(
                case,
                "time_window",
                "OUTSIDE_WINDOWS",
                f"{service.stop.path}.start",
                order,
                "{work_order} starts at {stated}, outside its windows {windows}.",
                stated=case.facts.clock(start),
                windows=", ".join(
                    f"{case.facts.clock(first)} to {case.facts.clock(last)}" for first, last in order.windows
                ),
            )
    if on_site and all_inside and not shared:
        _add(
            case,
            "time_window",
            "DIFFERENT_WINDOWS",
            f"{on_site[0].stop.path}.start",
            order,
            "The on-site members of {work_order} do not all start inside one and the same window.",
        )


def _pin(case: Case, order: Order, services: list[Service]) -> None:
    if order.pin_engineer is None:
        return
    pinned = [service for service in services if service.engineer.id == order.pin_engineer]
    if not pinned:
        _add(
            case,
            "pin",
            "PINNED_ENGINEER",
            services[0].stop.path,
            order,
            "{work_order} is pinned to {expected}, but served by {stated}.",
            stated=", ".join(service.engineer.id for service in services),
            expected=order.pin_engineer,
        )
    for service in pinned:
        if order.pin_start is not None and service.stop.start != order.pin_start:
            _add(
                case,
                "pin",
                "PINNED_START",
                f"{service.stop.path}.start",
                order,
                "{work_order} is pinned to start at {expected}, but starts at {stated}.",
                stated=case.facts.clock(service.stop.start),
                expected=case.facts.clock(order.pin_start),
            )


def _dependency(case: Case, order: Order, dependency: Dependency, path: str) -> None:
    start, end = case.first_start(order), dependency.completed_at
    name = dependency.work_order or "the work completed before"
    if end is None:
        other = case.facts.orders.get(dependency.work_order)
        if other is None or other.id in case.plan.unclear:
            return
        end = case.last_end(other)
        if not case.services.get(other.id):
            message = "{work_order} depends on {depends_on}, which is not served, so neither can it be."
            _add(case, "depends_on", "OTHER_NOT_SERVED", path, order, message, depends_on=other.id)
    if start is None or end is None:
        return
    gap, least, most = start - end, dependency.min_gap_seconds, dependency.max_gap_seconds
    if gap < least or (most is not None and gap > most):
        _add(
            case,
            "depends_on",
            "GAP_TOO_SMALL" if gap < least else "GAP_TOO_LARGE",
            f"{path}.start",
            order,
            "{work_order} starts {stated} s after the end of {depends_on}; {bounds} is right.",
            depends_on=name,
            stated=gap,
            bounds=describe_gap(least, most),
        )


def describe_gap(least: int, most: int | None) -> str:
    if least == most:
        return f"{least} s"
    return f"at least {least} s" + ("" if most is None else f" and at most {most} s")
