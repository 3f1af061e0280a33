"""VRPTW instances of Solomon and of Gehring and Homberger, by the convention of the 12th DIMACS challenge.

Distances and travel times are Euclidean, truncated to one decimal; only distance counts, the number of vehicles is
free within the fleet. A planning document is in whole seconds: one second stands for a tenth of the instance's unit,
so a total of 8273 is a distance of 827.3.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

SCALE = 10
DAY = datetime(2026, 1, 5, tzinfo=UTC)
LOAD = "load"
MUST_SERVE_ALL = "must_serve_all"
"""The attribute of a problem whose orders are all to be served; adapters may say so to their solver."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A row of an instance in its own units; service must start from `ready` to `due`."""

    x: float
    y: float
    demand: int
    ready: float
    due: float
    service: float


@dataclass(frozen=True, slots=True)
class VrptwInstance:
    """An instance as written; `customers[0]` is the depot, whose `due` is the horizon."""

    name: str
    vehicles: int
    capacity: int
    customers: tuple[Customer, ...]


def read_vrptw(path: Path) -> VrptwInstance:
    """An instance file.

    Raises:
        ValueError: for a file that is not of this format, with its path.
        OSError: where there is none.
    """
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        name, (vehicles, capacity) = rows[0][0], map(int, rows[3])
        customers = tuple(_customer(row) for row in rows if len(row) == 7 and _is_number(row[0]))
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path} is no VRPTW instance: {error}") from error
    if not customers:
        raise ValueError(f"{path} is no VRPTW instance: it has no customers")
    return VrptwInstance(name, vehicles, capacity, customers)


def _customer(row: Sequence[str]) -> Customer:
    _, x, y, demand, ready, due, service = row
    return Customer(float(x), float(y), int(demand), float(ready), float(due), float(service))


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit()


def tenths(one: Customer, other: Customer) -> int:
    """The distance between two places in tenths of a unit, truncated."""
    return math.floor(SCALE * math.hypot(one.x - other.x, one.y - other.y))


def vrptw_document(instance: VrptwInstance) -> dict[str, Any]:
    """The planning document of an instance.

    Capacity is a stock of the part `load`. What an unserved order costs exceeds what any detour to it could save,
    and yet is of the size of a few legs, so that a search is not blinded by it.
    """
    places = instance.customers
    seconds = [[tenths(one, other) for other in places] for one in places]
    value = 10 * max(max(row) for row in seconds)
    ids = ["depot", *(f"c{number}" for number in range(1, len(places)))]
    horizon = {"start": _instant(0), "end": _instant(places[0].due)}
    shift = {"id": "tour", **horizon, "start_location": "depot", "end_location": "depot"}
    stock = {LOAD: instance.capacity}
    return {
        "version": 1,
        "id": f"vrptw-{instance.name}",
        "timezone": "UTC",
        "now": _instant(0),
        "horizon": horizon,
        "locations": {name: {} for name in ids},
        "engineers": [
            {"id": f"V{number:03d}", "shifts": [dict(shift)], "parts": dict(stock)}
            for number in range(1, instance.vehicles + 1)
        ],
        "work_orders": [
            _order(name, customer, value, places[0].due) for name, customer in zip(ids[1:], places[1:], strict=True)
        ],
        "travel": {"kind": "matrix", "location_ids": ids, "seconds": seconds},
        "objective": {"profile": "balanced", "weights": {}},
        "attributes": {MUST_SERVE_ALL: True},
    }


def _order(name: str, customer: Customer, value: int, horizon: float) -> dict[str, Any]:
    order: dict[str, Any] = {
        "id": name,
        "location": name,
        "service_seconds": round(SCALE * customer.service),
        "value": value,
        # A due date after the depot closes says no more than the horizon does.
        "time_windows": [{"start": _instant(customer.ready), "end": _instant(min(customer.due, horizon))}],
    }
    if customer.demand:
        order["parts"] = {LOAD: customer.demand}
    return order


def _instant(units: float) -> str:
    return (DAY + timedelta(seconds=round(SCALE * units))).isoformat()


def best_known(folder: Path) -> Mapping[str, int]:
    """Best known distances in tenths by instance, from `bks_dimacs_distance.csv` of a folder.

    Raises:
        OSError: where there is no such table.
    """
    with (folder / "bks_dimacs_distance.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: round(SCALE * float(row["cost_dimacs_trunc1"])) for row in csv.DictReader(file)}
