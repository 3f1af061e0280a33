"""The days that are replayed: what is known when, and the truths that nobody knows before.

A day has a planning document with all its orders, the instants at which they are opened, cancellations and sick
engineers; and truths: how much longer or shorter each service and each drive is than estimated. Truths are drawn from
streams of their own, so that they are the same whatever a policy does, and no policy is shown them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.scenarios.subway import subway_problem
from benchmarks.scenarios.subway_records import NoRecordsError
from data.synthetic import FleetSpec, synthetic_problem

Document = dict[str, Any]

SEEDS = (11, 23, 37, 41, 53, 67, 71, 83, 97, 101)
"""The ten synthetic days of the benchmark, chosen before any policy was run on them."""
SUBWAY_DAYS = (date(2023, 3, 14), date(2023, 7, 20), date(2023, 11, 15))
ORDERS, ENGINEERS = 120, 22
LOAD = 0.85
"""Work with its driving, by estimate, over the hours of the shifts."""
LEVEL_MIX = {"L1": 0.04, "L2": 0.16, "L3": 0.40, "L4": 0.40}
KNOWN_SHARE = 0.75
"""Share of L3 and L4 orders that are open when the day begins; L1 and L2 orders all come in during the day."""
OPENED_HOURS = 8.0
"""After the beginning, in which orders come in."""
ARRIVE_HOURS = {"L1": 1, "L2": 2}
RESTORE_HOURS = {"L1": 4, "L2": 6, "L3": 24, "L4": 72}
"""Promises, counted from the opening."""
SERVICE_SPREAD, TRAVEL_SPREAD = 0.35, 0.2
"""Standard deviations of the logarithms of the truths over the estimates; their means are 1."""
CANCELLED_SHARE, SICK_SHARE = 0.04, 0.05
DRIVE_SECONDS = 1200
"""The drive to an order, as the load counts it."""
MOST_LAID_OVER = 14


@dataclass(frozen=True, slots=True)
class Truths:
    """What really happens. Factors are on estimates without setup; every draw depends on its subject alone."""

    seed: str

    def service_factor(self, order: str) -> float:
        return _factor(Random(f"{self.seed}/service/{order}"), SERVICE_SPREAD)

    def travel_factor(self, engineer: str, origin: str, destination: str) -> float:
        return _factor(Random(f"{self.seed}/travel/{engineer}/{origin}/{destination}"), TRAVEL_SPREAD)


def _factor(rng: Random, spread: float) -> float:
    return math.exp(rng.gauss(-spread * spread / 2, spread))


@dataclass(frozen=True, slots=True)
class ReplayDay:
    """One day. Instants are epoch seconds; `opened` before `start` is known from the beginning.

    `document` has no `now` of the moment and no `current_plan`; its orders have promises counted from their opening.
    """

    name: str
    document: Document
    start: int
    opened: Mapping[str, int]
    truths: Truths
    cancelled: Mapping[str, int] = field(default_factory=dict)
    sick: Mapping[str, int] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        facts = (self.document, sorted(self.opened.items()), sorted(self.cancelled.items()), sorted(self.sick.items()))
        return hashlib.sha256(repr((facts, self.truths)).encode()).hexdigest()[:12]


def synthetic_day(seed: int, orders: int = ORDERS, engineers: int = ENGINEERS) -> ReplayDay:
    """A synthetic day; the same seed gives the same day everywhere."""
    spec = FleetSpec(
        orders=orders,
        engineers=engineers,
        seed=seed,
        tightness=LOAD,
        level_mix=LEVEL_MIX,
        skill_graph=True,
        overtime=True,
        setup=True,
    )
    document = synthetic_problem(spec)
    start = epoch(document["now"])
    opened: dict[str, int] = {}
    cancelled: dict[str, int] = {}
    for order in document["work_orders"]:
        rng = Random(f"{seed}/stream/{order['id']}")
        level = order["level"]
        if level in ("L3", "L4") and rng.random() < KNOWN_SHARE:
            at = start - round(rng.uniform(0, RESTORE_HOURS[level] * 3600 * 0.8))
        else:
            at = start + round(rng.uniform(0, OPENED_HOURS * 3600))
        opened[order["id"]] = at
        order.pop("time_windows", None)
        order["deadlines"] = _promises(level, at, document)
        if rng.random() < CANCELLED_SHARE:
            cancelled[order["id"]] = max(at, start) + round(rng.uniform(0, 4 * 3600))
    sick = {}
    for engineer in document["engineers"]:
        rng = Random(f"{seed}/sick/{engineer['id']}")
        if rng.random() < SICK_SHARE:
            sick[engineer["id"]] = start + round(rng.uniform(0, OPENED_HOURS * 3600))
    return ReplayDay(f"synthetic-{seed}", document, start, opened, Truths(f"truth/{seed}"), cancelled, sick)


def _promises(level: str, opened: int, document: Document) -> Document:
    zone = datetime.fromisoformat(document["now"]).tzinfo
    promises = {"restore_by": opened + RESTORE_HOURS[level] * 3600}
    if level in ARRIVE_HOURS:
        promises["arrive_by"] = opened + ARRIVE_HOURS[level] * 3600
    return {name: datetime.fromtimestamp(instant, zone).isoformat() for name, instant in promises.items()}


def subway_day(folder: Path, on: date) -> ReplayDay:
    """A day of real outages: calls come in when they were recorded, levels and promises are the scenario's.

    A day has less work than its crew could do: calls of the following days, at their hours, are laid over it until the
    load is that of the synthetic days. Who is sent alone is enough here: a team's order asks for its lead, for the
    time that two take. Breaks are left out.

    Raises:
        NoRecordsError: where there are no records, or none of that day.
    """
    document = subway_problem(folder, on)
    start = epoch(document["now"])
    for engineer in document["engineers"]:
        for shift in engineer["shifts"]:
            shift.pop("breaks", None)
    crew = sum(_hours(shift) for engineer in document["engineers"] for shift in engineer["shifts"])
    left = 3600 * crew * LOAD - sum(map(_work_seconds, document["work_orders"]))
    for later in range(1, MOST_LAID_OVER + 1):
        try:
            other = subway_problem(folder, on + timedelta(days=later))
        except NoRecordsError:
            continue
        orders = [order for order in other["work_orders"] if not _is_planned(order)]
        Random(f"subway/{on.isoformat()}/{later}").shuffle(orders)
        known = {order["id"] for order in document["work_orders"]}
        for order in orders:
            if order["id"] not in known and _work_seconds(order) <= left:
                left -= _work_seconds(order)
                document["work_orders"].append(_earlier(order, later))
                document["locations"].setdefault(order["location"], other["locations"][order["location"]])
    names = {order["id"] for order in document["work_orders"]}
    opened: dict[str, int] = {}
    for order in document["work_orders"]:
        team = order.pop("team", None)
        if team is not None:
            order["required_skills"] = team["roles"][0]["required_skills"]
        order["related_to"] = [name for name in order.get("related_to") or () if name in names]
        reported = order["attributes"].get("became_l1_at") or order["attributes"].get("reported_at")
        opened[order["id"]] = start - 1 if reported is None or _is_planned(order) else epoch(reported)
    return ReplayDay(f"subway-{on.isoformat()}", document, start, opened, Truths(f"truth/subway/{on.isoformat()}"))


def _hours(shift: Document) -> float:
    return (epoch(shift["end"]) - epoch(shift["start"])) / 3600


def _work_seconds(order: Document) -> int:
    return int(order["service_seconds"] + (order.get("setup_seconds") or 0) + DRIVE_SECONDS)


def _earlier(order: Document, days: int) -> Document:
    """An order with all its instants so many days earlier."""

    def moved(text: str) -> str:
        return (datetime.fromisoformat(text) - timedelta(days=days)).isoformat()

    attributes = dict(order["attributes"])
    for name in ("reported_at", "became_l1_at"):
        if name in attributes:
            attributes[name] = moved(attributes[name])
    return order | {
        "attributes": attributes,
        "deadlines": {name: moved(text) for name, text in (order.get("deadlines") or {}).items()},
        "time_windows": [{name: moved(text) for name, text in w.items()} for w in order.get("time_windows") or ()],
    }


def _is_planned(order: Document) -> bool:
    return order["attributes"]["cause"] in ("planned work", "preventive maintenance")


def epoch(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp())


def text_of(instant: int, document: Mapping[str, Any]) -> str:
    """An instant in the zone of a document's `now`."""
    zone = datetime.fromisoformat(document["now"]).tzinfo
    return (datetime.fromtimestamp(0, zone) + timedelta(seconds=instant)).isoformat()
