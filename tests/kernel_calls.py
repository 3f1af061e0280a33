"""Inner functions of the search kernel as Python can call them: compiled ones are made for compiled callers only."""

from solver.kernel import bounds, place, travel
from solver.kernel.compiled import jit
from solver.kernel.layout import ENGINEER, MOST_ROOM, Case, Day


@jit
def quick_delta(
    case: Case, day: Day, shift: int, position: int, visit: int, latest: int, limit: int
) -> tuple[int, bool]:
    return place.quick_delta(case, day, shift, position, visit, latest, limit)


@jit
def latest_start(case: Case, day: Day, visit: int) -> int:
    return place.latest_start(case, day, visit)


@jit
def costs_at_least(case: Case, day: Day, shift: int, position: int, visit: int, limit: int) -> bool:
    return place.costs_at_least(case, day, shift, position, visit, limit)


@jit
def least_seconds(case: Case, speed: int, origin: int, destination: int) -> int:
    return travel.least_seconds(case, speed, origin, destination)


@jit
def leg_seconds(case: Case, speed: int, origin: int, destination: int, departure: int) -> int:
    return travel.leg_seconds(case, speed, origin, destination, departure)


@jit
def is_too_tight(case: Case, day: Day, shift: int, position: int, visit: int) -> bool:
    latest, earliest = place.latest_start(case, day, visit), place.earliest_start(case, visit)
    shortest = bounds.shortest_service(case, day, visit, case.shifts[shift, ENGINEER])
    return place.is_too_tight(case, day, shift, position, visit, latest, earliest, shortest)


@jit
def is_without_room(case: Case, day: Day, shift: int, visit: int) -> bool:
    return bool(day.routes[shift, MOST_ROOM] < bounds.shortest_service(case, day, visit, case.shifts[shift, ENGINEER]))
