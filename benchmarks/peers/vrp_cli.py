"""reinterpretcat/vrp through its Python package. Its order is fixed: first the value served, then cost."""

from __future__ import annotations

import json
import math
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import vrp_cli

from benchmarks.peers.answer import PeerAnswer, PeerLimits, sequences_of
from benchmarks.peers.flat import CannotModel, FlatDay

PROFILE = "car"
EPOCH = datetime(2026, 1, 5, tzinfo=UTC)
UNLIMITED = 1_000_000


def solve(day: FlatDay, limits: PeerLimits) -> PeerAnswer:
    """The default search for the limit, in whole seconds rounded up; the seed cannot be given.

    Raises:
        CannotModel: without a time limit.
    """
    if limits.seconds is None:
        raise CannotModel("not for vrp-cli: it ends after a number of generations, not when it is done")
    began = time.perf_counter()
    problem = json.dumps(_problem(day))
    cells = day.seconds.ravel().tolist()
    matrix = json.dumps({"profile": PROFILE, "travelTimes": cells, "distances": cells})
    config = json.dumps(
        {
            # Without a number of generations, a default of some thousand would end it early.
            "termination": {"maxTime": math.ceil(limits.seconds), "maxGenerations": 1_000_000_000},
            "environment": {
                "parallelism": {"numThreadPools": 1, "threadsPerPool": limits.threads},
                "logging": {"enabled": False},
            },
        }
    )
    modelled = time.perf_counter()
    solution = json.loads(vrp_cli.solve_pragmatic(problem=problem, matrices=[matrix], config=config))
    solved = time.perf_counter()
    routes = {int(tour["vehicleId"]): _served(tour) for tour in solution["tours"]}
    left = [int(job["jobId"]) for job in solution.get("unassigned") or ()]
    return PeerAnswer(
        sequences=sequences_of(day, routes),
        model_seconds=modelled - began,
        search_seconds=solved - modelled,
        travel_seconds=int(solution["statistic"]["times"]["driving"]),
        unserved_value=sum(day.orders[number].value for number in left),
        unserved_orders=len(left),
    )


def _served(tour: dict[str, Any]) -> list[int]:
    activities = [activity for stop in tour["stops"] for activity in stop["activities"]]
    return [int(activity["jobId"]) for activity in activities if activity["type"] in ("service", "delivery")]


def _problem(day: FlatDay) -> dict[str, Any]:
    served_first = {"type": "minimize-unassigned"} if day.must_serve_all else {"type": "maximize-value"}
    return {
        "plan": {"jobs": [_job(day, number) for number in range(len(day.orders))]},
        "fleet": {
            "vehicles": [_vehicle(day, number) for number in range(len(day.shifts))],
            "profiles": [{"name": PROFILE}],
        },
        "objectives": [[served_first], [{"type": "minimize-cost"}]],
    }


def _job(day: FlatDay, number: int) -> dict[str, Any]:
    order = day.orders[number]
    place = {
        "location": {"index": order.location},
        "duration": order.service,
        "times": [[_instant(start), _instant(end)] for start, end in order.windows],
    }
    task: dict[str, Any] = {"places": [place]}
    kind = "services"
    if any(order.demand):
        task["demand"], kind = list(order.demand), "deliveries"
    job: dict[str, Any] = {"id": str(number), kind: [task], "skills": {"allOf": [str(order.crew)]}}
    if not day.must_serve_all:
        job["value"] = order.value
    return job


def _vehicle(day: FlatDay, number: int) -> dict[str, Any]:
    shift = day.shifts[number]
    return {
        "typeId": f"type-{number}",
        "vehicleIds": [str(number)],
        "profile": {"matrix": PROFILE},
        # Distance is our travel time: only that counts, waiting is free.
        "costs": {"fixed": 0, "distance": 1, "time": 0},
        "shifts": [
            {
                "start": {"earliest": _instant(shift.start), "location": {"index": shift.start_location}},
                "end": {"latest": _instant(shift.end), "location": {"index": shift.end_location}},
            }
        ],
        "capacity": list(shift.capacity) or [UNLIMITED],
        "skills": [str(crew) for crew, members in enumerate(day.crews) if number in members],
    }


def _instant(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
