"""PyVRP: prizes for optional clients, one routing profile for each set of orders that engineers may serve."""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np
import pyvrp
from numpy.typing import NDArray
from pyvrp.stop import MaxRuntime

from benchmarks.peers.answer import PeerAnswer, PeerLimits, sequences_of
from benchmarks.peers.flat import CannotModel, FlatDay

LARGEST_MATRICES_BYTES = 9 * 10**9


def solve(day: FlatDay, limits: PeerLimits) -> PeerAnswer:
    """Iterated local search on one thread, for the whole limit.

    Raises:
        CannotModel: for several time windows, or where the matrices of all profiles do not fit.
    """
    if any(len(order.windows) > 1 for order in day.orders):
        raise CannotModel("not for PyVRP: several time windows of one order")
    if limits.seconds is None:
        raise CannotModel("not for PyVRP: it does not end by itself")
    began = time.perf_counter()
    data, shift_numbers = _model(day)
    modelled = time.perf_counter()
    result = pyvrp.solve(data, stop=MaxRuntime(limits.seconds), seed=limits.seed, collect_stats=False, display=False)
    solved = time.perf_counter()
    best = result.best
    routes: dict[int, list[int]] = {}
    free = {number: list(shifts) for number, shifts in shift_numbers.items()}
    for route in best.routes():
        visits = [stop.idx for stop in route.schedule() if stop.is_client()]
        if visits:
            routes[free[route.vehicle_type()].pop()] = visits
    return PeerAnswer(
        sequences=sequences_of(day, routes),
        model_seconds=modelled - began,
        search_seconds=solved - modelled,
        travel_seconds=int(best.distance()),
        unserved_value=int(best.uncollected_prizes()),
        unserved_orders=len(day.orders) - int(best.num_clients()),
    )


def _model(day: FlatDay) -> tuple[pyvrp.ProblemData, dict[int, list[int]]]:
    """The data, and the shifts that each vehicle type stands for."""
    profiles: dict[frozenset[int], int] = {}
    kinds: dict[tuple[int, ...], list[int]] = defaultdict(list)
    used = sorted({place for shift in day.shifts for place in (shift.start_location, shift.end_location)})
    depots = {place: number for number, place in enumerate(used)}
    for number, shift in enumerate(day.shifts):
        barred = frozenset(crew for crew, members in enumerate(day.crews) if number not in members)
        profile = profiles.setdefault(barred, len(profiles))
        ends = (depots[shift.start_location], depots[shift.end_location])
        kinds[(profile, *ends, shift.start, shift.end, *shift.capacity)].append(number)
    size = len(day.orders) + len(used)
    needed = 2 * 8 * len(profiles) * size**2
    if needed > LARGEST_MATRICES_BYTES:
        raise CannotModel(f"not for PyVRP: its matrices for {len(profiles)} profiles take {needed / 1e9:.0f} GB")
    places = [*(order.location for order in day.orders), *used]
    travel = day.seconds[np.ix_(places, places)]
    matrices = [_barred(day, travel, barred) for barred in profiles]
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in places],
        clients=[
            pyvrp.Client(
                location=number,
                delivery=list(order.demand),
                service_duration=order.service,
                tw_early=order.windows[0][0],
                tw_late=order.windows[0][1],
                prize=order.value,
                required=day.must_serve_all,
            )
            for number, order in enumerate(day.orders)
        ],
        depots=[pyvrp.Depot(location=len(day.orders) + number) for number in range(len(used))],
        vehicle_types=[
            pyvrp.VehicleType(
                num_available=len(shifts),
                capacity=list(capacity),
                start_depot=start,
                end_depot=end,
                tw_early=early,
                tw_late=late,
                profile=profile,
            )
            for (profile, start, end, early, late, *capacity), shifts in kinds.items()
        ],
        distance_matrices=matrices,
        duration_matrices=matrices,
    )
    return data, dict(enumerate(kinds.values()))


def _barred(day: FlatDay, travel: NDArray[np.int64], barred: frozenset[int]) -> NDArray[np.int64]:
    """The matrix of a profile: a leg to an order of a barred crew, or from it, takes longer than any shift.

    It is no longer than that: on the days tried PyVRP's plans were worse with legs of astronomic length.
    """
    closed = [number for number, order in enumerate(day.orders) if order.crew in barred]
    if not closed:
        return travel
    no_entry = 1 + max((shift.end for shift in day.shifts), default=0)
    matrix = travel.copy()
    matrix[:, closed] = no_entry
    matrix[closed, :] = no_entry
    np.fill_diagonal(matrix, 0)
    return matrix
