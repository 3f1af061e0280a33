"""How far said chances to be on time are from what happens, where durations come from another family than the model's.

Routes of eight orders with promises from hopeless to certain are lived through five times each, 10,000 visits in all.
The product draws durations lognormally; here they are gamma distributed with the same mean and variation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from api.problems import read_checked_problem
from dispatcher.on_time import Uncertainty, chances
from dispatcher.plan import Plan, RouteSequence, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan

ENGINEERS, STOPS, REPEATS = 250, 8, 5
SERVICE_VARIATION, TRAVEL_VARIATION = 0.4, 0.2
DECILES = 10
_MORNING = datetime(2026, 11, 23, 8, tzinfo=UTC)
_LAST_PROMISE = _MORNING + timedelta(hours=15)
_MINUTES_OUT = {"depot": 0, "near": 10, "middle": 20, "far": 30}
"""Places on one road, by minutes from the depot."""


def deciles() -> list[tuple[float, float]]:
    """(chance said in the mean, share kept) of each tenth of the visits, those with the smallest chances first."""
    rng = Random("calibration")
    problem, plan = _promised_day(rng)
    uncertainty = Uncertainty(service=SERVICE_VARIATION, travel=TRAVEL_VARIATION)
    expected = chances(problem, plan, uncertainty, samples=100)
    visits = sorted(
        (expected[name].on_time or 0.0, kept)
        for _ in range(REPEATS)
        for name, kept in _lived_through(problem, plan, rng).items()
    )
    tenth = len(visits) // DECILES
    parts = [visits[number * tenth : (number + 1) * tenth] for number in range(DECILES)]
    return [(sum(said for said, _ in part) / tenth, sum(kept for _, kept in part) / tenth) for part in parts]


def _promised_day(rng: Random) -> tuple[Problem, Plan]:
    orders: list[dict[str, Any]] = []
    routes = []
    for name in (f"E{number}" for number in range(ENGINEERS)):
        visits = []
        for number in range(STOPS):
            order = f"{name}-{number}"
            orders.append(_order(rng, order, number))
            visits.append(Visit(order))
        routes.append(RouteSequence(name, "day", tuple(visits)))
    problem = read_checked_problem(_document(orders))
    return problem, build_plan(problem, Sequences(tuple(routes)))


def _order(rng: Random, name: str, number: int) -> dict[str, Any]:
    place = rng.choice(("near", "middle", "far"))
    # About when it will be over in the mean, with a spread like the one that adds up until then.
    seconds = (number + 1) * 3700 + round(rng.gauss(0, 1300 * (number + 1) ** 0.5))
    promise = rng.choice(("arrive_by", "start_by", "restore_by"))
    due = _MORNING + timedelta(seconds=seconds - (0 if promise == "restore_by" else 2400))
    promises = {promise: min(max(due, _MORNING - timedelta(hours=7)), _LAST_PROMISE).isoformat()}
    minutes = rng.choice((20, 40, 60))
    return {"id": name, "location": place, "service_seconds": 60 * minutes, "deadlines": promises}


def _document(orders: list[dict[str, Any]]) -> dict[str, Any]:
    places = list(_MINUTES_OUT)
    seconds = [[60 * abs(_MINUTES_OUT[a] - _MINUTES_OUT[b]) for b in places] for a in places]
    shift = {
        "id": "day",
        "start": _MORNING.isoformat(),
        "end": (_LAST_PROMISE + timedelta(minutes=30)).isoformat(),
        "start_location": "depot",
    }
    return {
        "version": 1,
        "id": "promised-day",
        "timezone": "UTC",
        "horizon": {
            "start": (_MORNING - timedelta(hours=8)).isoformat(),
            "end": (_LAST_PROMISE + timedelta(minutes=59)).isoformat(),
        },
        "locations": {place: {} for place in places},
        "engineers": [{"id": f"E{number}", "skills": [], "shifts": [shift]} for number in range(ENGINEERS)],
        "work_orders": orders,
        "travel": {"kind": "matrix", "location_ids": places, "seconds": seconds},
    }


def _lived_through(problem: Problem, plan: Plan, rng: Random) -> Mapping[str, bool]:
    """Whether each order is on time on one day."""
    found = {}
    for route in plan.routes:
        free = float(_MORNING.timestamp())
        for stop in route.stops:
            if stop.work_order is None:
                continue
            arrival = free + _lasting(rng, stop.travel_seconds, TRAVEL_VARIATION)
            free = arrival + _lasting(rng, (stop.end or 0) - (stop.start or 0), SERVICE_VARIATION)
            by = problem.order_by_id[stop.work_order].deadlines
            pairs = ((arrival, by.arrive_by), (arrival, by.start_by), (free, by.restore_by))
            found[stop.work_order] = all(instant <= due for instant, due in pairs if due is not None)
    return found


def _lasting(rng: Random, mean: float, variation: float) -> float:
    """Seconds drawn from the gamma family."""
    shape = 1 / variation**2
    return rng.gammavariate(shape, mean / shape) if mean else 0.0
