"""Synthetic days of field service, as planning documents.

The same specification gives the same document, byte for byte, on every machine: each feature draws from a
stream seeded by the specification's seed and its own name, so that a switch never moves what the others draw.
"""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from data.synthetic_city import City, LocalDay, Place, road_matrix
from data.synthetic_fleet import make_engineers
from data.synthetic_orders import OrderBook, stretch_services
from data.synthetic_plan import simple_plan
from data.synthetic_random import random_problem
from data.synthetic_relations import relate
from data.synthetic_spec import DEMO, EVERYTHING, HARD_WINDOWS, FleetSpec
from data.synthetic_teams import add_teams, size_services
from data.synthetic_trade import Qualifier, skill_graph

__all__ = ["DEMO", "EVERYTHING", "HARD_WINDOWS", "FleetSpec", "random_problem", "synthetic_problem"]

SPEED_KMH, DETOUR_FACTOR = 32, 1.3
TRAFFIC = (
    {"from": "07:30", "to": "09:30", "factor": 1.35},
    {"from": "12:00", "to": "13:00", "factor": 1.1},
    {"from": "16:30", "to": "18:30", "factor": 1.4},
)
MORNING_HOURS, RUNNING_HOURS = 7.5, 10.5


def synthetic_problem(spec: FleetSpec) -> dict[str, Any]:
    """The problem document of a synthetic day.

    Example:
        >>> problem = synthetic_problem(FleetSpec(orders=3, engineers=2))
        >>> len(problem["work_orders"]), problem["timezone"]
        (3, 'Asia/Shanghai')

    Raises:
        zoneinfo.ZoneInfoNotFoundError: for a time zone that does not exist.
    """
    stream = partial(_stream, spec.seed)
    day = LocalDay(spec.date, ZoneInfo(spec.timezone))
    now = day.at(RUNNING_HOURS if spec.running else MORNING_HOURS)
    city = City.grow(stream("city"), spec.latitude, spec.longitude, spec.clusters)
    locations: dict[str, Place] = {}
    engineers = make_engineers(spec, stream, city, day, locations)
    qualifier = Qualifier(engineers, graph=spec.skill_graph, at=day.at(RUNNING_HOURS))
    orders = OrderBook(spec, stream, city, day, now, engineers, qualifier).draw(locations)
    add_teams(spec, stream, day, engineers, orders, qualifier)
    if spec.tightness is not None:
        stretch_services(orders, engineers, spec.tightness)
    size_services(orders)
    relate(spec, stream, day, now, engineers, orders, qualifier)
    document: dict[str, Any] = {
        "version": 1,
        "id": f"synthetic-{spec.date.isoformat()}-{spec.orders}-{spec.engineers}-{spec.seed}",
        "timezone": spec.timezone,
        "now": day.text(now),
        "horizon": {"start": day.text(day.at(0)), "end": day.text(day.at(24))},
        "locations": locations,
    }
    if spec.skill_graph:
        document["skill_graph"] = skill_graph()
    document |= {
        "engineers": engineers,
        "work_orders": orders,
        "travel": _travel(spec, stream("roads"), locations),
        "objective": {"profile": spec.profile, "weights": dict(spec.weights)},
        "solve": {"time_limit_seconds": 10, "seed": 1, "threads": 2},
    }
    if spec.current_plan:
        document["current_plan"] = simple_plan(document)
    return document


def _stream(seed: int, name: str) -> Random:
    # Seeding with a text hashes it with SHA-512, which is the same everywhere; hash() is not.
    return Random(f"{seed}/{name}")


def _travel(spec: FleetSpec, rng: Random, locations: dict[str, Place]) -> dict[str, Any]:
    travel: dict[str, Any]
    if spec.matrix:
        travel = road_matrix(rng, locations, SPEED_KMH)
    else:
        travel = {"kind": "geodesic", "speed_kmh": SPEED_KMH, "detour_factor": DETOUR_FACTOR}
    if spec.traffic:
        travel["traffic"] = [dict(interval) for interval in TRAFFIC]
    return travel
