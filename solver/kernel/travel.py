"""Seconds and cost of a leg: from a matrix, or worked out where a matrix would not fit; stretched by traffic."""

from __future__ import annotations

import math

from solver.kernel.compiled import inlined, jit
from solver.kernel.layout import (
    DISTANCE_WEIGHT,
    HAS_MATRIX,
    HAS_METERS,
    HAS_TRAFFIC,
    NOW,
    TRAFFIC_COMMON,
    TRAVEL_WEIGHT,
    Case,
)


@jit
def sphere_meters(case: Case, origin: int, destination: int) -> int:
    """Great-circle metres with the detour, rounded half up, by the arc tangent of cross and dot product."""
    sphere = case.sphere
    x, y, z = sphere[origin, 0], sphere[origin, 1], sphere[origin, 2]
    u, v, w = sphere[destination, 0], sphere[destination, 1], sphere[destination, 2]
    a, b, c = y * w - z * v, z * u - x * w, x * v - y * u
    angle = math.atan2(math.sqrt(a * a + b * b + c * c), x * u + y * v + z * w)
    meters: int = math.floor(angle * sphere[0, 3] + 0.5)
    return meters


@inlined
def base_units(case: Case, origin: int, destination: int) -> int:
    """Metres of geodesic travel, seconds of a given matrix."""
    if case.numbers[HAS_MATRIX]:
        return int(case.base[origin, destination])
    return sphere_meters(case, origin, destination)


@jit
def computed_seconds(case: Case, speed: int, origin: int, destination: int, departure: int) -> int:
    """Seconds of a leg between different places, exactly as the reference has them, rounded half up once."""
    work = base_units(case, origin, destination) * case.speeds[speed, 0]
    denominator = case.speeds[speed, 1]
    if not case.numbers[HAS_TRAFFIC]:
        return int((2 * work + denominator) // (2 * denominator))
    if work == 0:
        return 0
    starts, rates = case.traffic_from, case.traffic_rate
    low, high = 0, len(starts)
    while low < high:
        middle = (low + high) // 2
        if starts[middle] <= departure:
            low = middle + 1
        else:
            high = middle
    index = max(low - 1, 0)
    work *= case.numbers[TRAFFIC_COMMON]
    clock = departure
    while index < len(starts) - 1:
        rate = denominator * rates[index]
        span = starts[index + 1] - clock
        if work <= span * rate:
            break
        work -= span * rate
        clock = starts[index + 1]
        index += 1
    rate = denominator * rates[index]
    return int(clock - departure + (2 * work + rate) // (2 * rate))


@inlined
def leg_seconds(case: Case, speed: int, origin: int, destination: int, departure: int) -> int:
    if origin == destination:
        return 0
    if case.numbers[HAS_MATRIX] and not case.numbers[HAS_TRAFFIC]:
        return int(case.seconds[speed, origin, destination])
    return computed_seconds(case, speed, origin, destination, departure)


@inlined
def least_seconds(case: Case, speed: int, origin: int, destination: int) -> int:
    """A lower bound over all departures."""
    if origin == destination:
        return 0
    if case.numbers[HAS_TRAFFIC]:
        return int(base_units(case, origin, destination) * case.least_rates[speed])
    if case.numbers[HAS_MATRIX]:
        return int(case.seconds[speed, origin, destination])
    return computed_seconds(case, speed, origin, destination, case.numbers[NOW])


@inlined
def leg_cost(case: Case, origin: int, destination: int, seconds: int) -> int:
    """Cost of a leg that takes these seconds, in thousandths."""
    cost = case.numbers[TRAVEL_WEIGHT] * seconds
    if case.numbers[DISTANCE_WEIGHT] and origin != destination:
        if case.numbers[HAS_METERS]:
            cost += case.numbers[DISTANCE_WEIGHT] * case.meters[origin, destination]
        else:
            cost += case.numbers[DISTANCE_WEIGHT] * sphere_meters(case, origin, destination)
    return int(cost)


@inlined
def least_cost(case: Case, speed: int, origin: int, destination: int) -> int:
    """What a leg costs on free roads, which is a lower bound over all departures."""
    seconds = least_seconds(case, speed, origin, destination) if case.numbers[TRAVEL_WEIGHT] else 0
    return leg_cost(case, origin, destination, seconds)
