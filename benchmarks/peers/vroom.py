"""VROOM through pyvroom. Its order is fixed: first the sum of priorities served, then travel."""

from __future__ import annotations

import time
from collections import defaultdict
from datetime import timedelta

import vroom

from benchmarks.peers.answer import PeerAnswer, PeerLimits, sequences_of
from benchmarks.peers.flat import FlatDay

EXPLORATION = 5
HIGHEST_PRIORITY = 100
PROFILE = "car"


def priorities(values: list[int]) -> list[int]:
    """Values as VROOM's priorities, in proportion as far as 1 to 100 allows; 0 stays 0."""
    highest = max(values, default=0)
    return [max(1, (2 * HIGHEST_PRIORITY * value + highest) // (2 * highest)) if value else 0 for value in values]


def solve(day: FlatDay, limits: PeerLimits) -> PeerAnswer:
    """Exploration level 5; a limit only cuts it short, since VROOM ends by itself."""
    began = time.perf_counter()
    problem = vroom.Input()
    problem.set_durations_matrix(PROFILE, day.seconds)
    problem.add_vehicle(
        [
            vroom.Vehicle(
                number,
                start=shift.start_location,
                end=shift.end_location,
                profile=PROFILE,
                capacity=list(shift.capacity),
                # A skill of VROOM stands for a crew: exact, whatever the skills and their levels are.
                skills={crew for crew, members in enumerate(day.crews) if number in members},
                time_window=(shift.start, shift.end),
            )
            for number, shift in enumerate(day.shifts)
        ]
    )
    ranks = priorities([order.value for order in day.orders])
    problem.add_job(
        [
            vroom.Job(
                number,
                location=order.location,
                default_service=order.service,
                delivery=list(order.demand),
                skills={order.crew},
                priority=rank,
                time_windows=[vroom.TimeWindow(*window) for window in order.windows],
            )
            for number, (order, rank) in enumerate(zip(day.orders, ranks, strict=True))
        ]
    )
    modelled = time.perf_counter()
    timeout = None if limits.seconds is None else timedelta(seconds=limits.seconds)
    solution = problem.solve(exploration_level=EXPLORATION, nb_threads=limits.threads, timeout=timeout)
    solved = time.perf_counter()
    frame = solution.routes
    jobs = frame[frame["type"] == "job"]
    routes: dict[int, list[int]] = defaultdict(list)
    for vehicle, job in zip(jobs["vehicle_id"].tolist(), jobs["id"].tolist(), strict=True):
        routes[int(vehicle)].append(int(job))
    unserved = [int(job._id) for job in solution.unassigned]
    return PeerAnswer(
        sequences=sequences_of(day, routes),
        model_seconds=modelled - began,
        search_seconds=solved - modelled,
        travel_seconds=int(solution.summary.duration),
        unserved_value=sum(day.orders[number].value for number in unserved),
        unserved_orders=len(unserved),
    )
