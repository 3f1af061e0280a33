"""The soft rules: what each measures. Amounts are exact; costs are made of them in `dispatcher.evaluate`.

A measure returns the amount by level for the rules that grade by level, else under the key None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from dispatcher.facts import Facts, Service
from dispatcher.model import Exact, Level, round_half_up
from dispatcher.service import effective_qualification, repeat_visit_seconds

Amounts = Mapping[Level | None, Exact]
Measure = Callable[[Facts], Amounts]

CHANGE_TOLERANCE_SECONDS = 900
"""A first on-site start may move this far from the current plan before `change_shift` counts."""


def unserved(facts: Facts) -> Amounts:
    return {None: sum((order.value for order in facts.unserved), start=0)}


def lateness(kind: str) -> Measure:
    """Seconds late of one kind, summed by level over served and unserved orders."""

    def measure(facts: Facts) -> Amounts:
        return {level: seconds for level, (seconds, _) in facts.late.get(kind, {}).items()}

    return measure


def lateness_once(kind: str) -> Measure:
    """Orders with any lateness of one kind, by level."""

    def measure(facts: Facts) -> Amounts:
        return {level: orders for level, (_, orders) in facts.late.get(kind, {}).items()}

    return measure


def travel(facts: Facts) -> Amounts:
    return {None: sum(stop.travel_seconds for route in facts.routes for stop in route.stops)}


def distance(facts: Facts) -> Amounts:
    """Metres of every leg as the problem knows them: a plan made elsewhere need not state them."""
    total = 0
    for route in facts.routes:
        where = route.stops[0].location or ""
        remote = {stop.position for stop in route.work if stop.presence == "remote"}
        for position, stop in enumerate(route.stops):
            if stop.location is not None and position not in remote:
                total += facts.problem.leg_meters(where, stop.location) or 0
                where = stop.location
    return {None: total}


def overtime(facts: Facts) -> Amounts:
    return {None: sum(max(0, route.end - route.shift.end) for route in facts.routes)}


def substitution(facts: Facts) -> Amounts:
    total: Exact = 0
    for service in facts.services.values():
        for stop in service.stops:
            penalty = effective_qualification(facts.problem, stop.engineer, stop.order, stop.role, stop.start).penalty
            if penalty:
                total += penalty
    return {None: total}


def preference(facts: Facts) -> Amounts:
    return {None: sum(1 for service in facts.services.values() if outside_preference(service))}


def outside_preference(service: Service) -> bool:
    """Whether any on-site member is not among the order's preferred engineers."""
    preferred = service.order.preferred_engineers
    return bool(preferred) and any(stop.engineer.id not in preferred for stop in service.on_site)


def association(facts: Facts) -> Amounts:
    apart = 0
    for one, other in facts.problem.related_pairs:
        first, second = facts.services.get(one), facts.services.get(other)
        if first and second:
            apart += _on_site_engineers(first).isdisjoint(_on_site_engineers(second))
    return {None: apart}


def _on_site_engineers(service: Service) -> frozenset[str]:
    return frozenset(stop.engineer.id for stop in service.on_site)


def change(facts: Facts) -> Amounts:
    previous = facts.problem.previous
    return {
        None: sum(
            1
            for order, before in previous.items()
            if order in facts.services and facts.services[order].engineers != before.engineers
        )
    }


def change_shift(facts: Facts) -> Amounts:
    previous = facts.problem.previous
    return {
        None: sum(
            max(0, abs(facts.services[order].first_start - before.first_start) - CHANGE_TOLERANCE_SECONDS)
            for order, before in previous.items()
            if order in facts.services and before.first_start is not None
        )
    }


def worst_lateness(facts: Facts) -> Amounts:
    latenesses = (
        late for service in facts.services.values() for kind in service.latenesses().values() for late in kind
    )
    return {None: max(latenesses, default=0)}


def fairness(facts: Facts) -> Amounts:
    busy = {engineer.id: 0 for engineer in facts.problem.engineers if engineer.shifts}
    for route in facts.routes:
        busy[route.engineer.id] += sum(stop.travel_seconds for stop in route.stops)
        busy[route.engineer.id] += sum(stop.end - stop.start for stop in route.work)
    return {None: mean_absolute_deviation(list(busy.values()))}


def mean_absolute_deviation(values: list[int]) -> int:
    """Mean distance from the mean, rounded half up; 0 for no values."""
    if not values:
        return 0
    count, total = len(values), sum(values)
    return round_half_up(Fraction(sum(abs(count * value - total) for value in values), count * count))


def engineers_used(facts: Facts) -> Amounts:
    return {None: len({route.engineer.id for route in facts.routes if route.work})}


def repeat_visit(facts: Facts) -> Amounts:
    return {
        None: sum(
            repeat_visit_seconds(service.order, [(stop.engineer, stop.role) for stop in service.stops])
            for service in facts.services.values()
        )
    }
