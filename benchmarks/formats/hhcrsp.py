"""Home care with skills, two caregivers at once or in sequence, and soft windows (HHCRSP, Mankowska et al. 2014).

Every patient needs one service, or two by different caregivers: `simultaneous` ones start together, of `sequential`
ones the second starts `min_gap` to `max_gap` after the first. A service may start late but not early. The published
cost is (distance + total tardiness + largest tardiness) / 3, tardiness counted for each service; smaller is better.

Two services of a patient become one work order with a team: `together`, or `lead_first` with the first service's
caregiver as the lead. An instance's unit is 1000 seconds of the planning document; where its figures have at most
three decimals, as all of Mankowska's do, nothing is rounded and a plan's total is 3000 times its published cost.
`published_cost` recomputes that from the instance as written, by code of its own.

The file format is the one of https://github.com/iolab-uniud/hhcrsp (Ceschia et al. 2024, doi 10.1111/itor.13585).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.formats.objective import only

SCALE = 1000
DAY = datetime(2026, 1, 5, tzinfo=UTC)
LONGEST_TARDINESS = 1000.0
"""How late a service may start in the planning document; the best known plans are at most 224 late.

A window of the document is hard, and an order that is left counts as if it started when the horizon ends, so the
horizon has to end somewhere: here after this and the way home.
"""
VALUE_OF_LONGEST_LEGS = 10
"""What an order that is left costs beyond its lateness: it must exceed any detour, and yet not blind a search."""
ROLES = ("lead", "support")
TOLERANCE = 1e-6
"""Units; sums of decimals differ in their last digits."""


@dataclass(frozen=True, slots=True)
class Patient:
    """A patient in the instance's own units. `gaps` bounds the second start minus the first; two services only.

    `services` holds a service and its duration each; simultaneous services have the gaps (0, 0).
    """

    name: str
    ready: float
    due: float
    services: tuple[tuple[str, float], ...]
    gaps: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class HhcrspInstance:
    """An instance as written; place 0 of `distances` is the office, place i is patient i - 1."""

    name: str
    patients: tuple[Patient, ...]
    caregivers: Mapping[str, frozenset[str]]
    distances: tuple[tuple[float, ...], ...]

    def is_simultaneous(self, patient: Patient) -> bool:
        return len(patient.services) == 2 and patient.gaps == (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class HhcrspCost:
    """What a plan costs by the published convention, in the instance's units."""

    distance: float
    tardiness: float
    largest_tardiness: float

    @property
    def total(self) -> float:
        return (self.distance + self.tardiness + self.largest_tardiness) / 3


CareRoutes = Mapping[str, Sequence[tuple[str, int]]]
"""Of every caregiver the patients in turn, each with the number of its service: 0 the first, 1 the second."""


def read_hhcrsp(path: Path) -> HhcrspInstance:
    """An instance file.

    Raises:
        ValueError: for a file that is not of this format, with its path.
        OSError: where there is none.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        defaults = {service["id"]: service.get("default_duration") for service in raw["services"]}
        patients = tuple(_patient(row, defaults) for row in raw["patients"])
        caregivers = {row["id"]: frozenset(row["abilities"]) for row in raw["caregivers"]}
        distances = tuple(tuple(map(float, row)) for row in raw["distances"])
        if len(raw["central_offices"]) != 1 or {len(distances), *map(len, distances)} != {len(patients) + 1}:
            raise ValueError("one office and a row for it and each patient are wanted")
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no HHCRSP instance: {error!r}") from error
    return HhcrspInstance(path.stem, patients, caregivers, distances)


def _patient(row: Mapping[str, Any], defaults: Mapping[str, float]) -> Patient:
    services = tuple(
        (wanted["service"], float(wanted.get("duration", defaults[wanted["service"]])))
        for wanted in row["required_caregivers"]
    )
    synchronization = row.get("synchronization")
    if len(services) != (1 if synchronization is None else 2):
        raise ValueError(f"{row['id']} has {len(services)} services and the synchronization {synchronization}")
    ready, due = map(float, row["time_window"])
    if synchronization is None or synchronization["type"] == "simultaneous":
        return Patient(row["id"], ready, due, services)
    if synchronization["type"] != "sequential":
        raise ValueError(f"{row['id']} has the synchronization {synchronization}")
    least, most = map(float, synchronization["distance"])
    return Patient(row["id"], ready, due, services, (least, most))


def hhcrsp_document(instance: HhcrspInstance) -> dict[str, Any]:
    """The planning document of an instance; minimising its total minimises the published cost."""
    seconds = [[_scaled(distance) for distance in row] for row in instance.distances]
    longest_leg = max(map(max, instance.distances))
    longest_stay = max(_longest_stay(patient) for patient in instance.patients)
    end = max(patient.due for patient in instance.patients) + LONGEST_TARDINESS + longest_stay + longest_leg
    horizon = {"start": _instant(0), "end": _instant(end)}
    ids = ["office", *(patient.name for patient in instance.patients)]
    shift = {"id": "day", **horizon, "start_location": "office", "end_location": "office"}
    value = VALUE_OF_LONGEST_LEGS * _scaled(longest_leg)
    return {
        "version": 1,
        "id": f"hhcrsp-{instance.name}",
        "timezone": "UTC",
        "now": _instant(0),
        "horizon": horizon,
        "locations": {name: {} for name in ids},
        "engineers": [
            {"id": name, "skills": [{"skill": skill} for skill in sorted(abilities)], "shifts": [dict(shift)]}
            for name, abilities in instance.caregivers.items()
        ],
        "work_orders": [_order(instance, patient, value, end) for patient in instance.patients],
        "travel": {"kind": "matrix", "location_ids": ids, "seconds": seconds},
        "objective": {"profile": "balanced", "weights": only(unserved=1, travel=1, late_start=1, worst_lateness=1)},
    }


def _longest_stay(patient: Patient) -> float:
    # From the first start at a patient to the last end.
    return patient.gaps[1] + max(duration for _, duration in patient.services)


def _order(instance: HhcrspInstance, patient: Patient, value: int, end: float) -> dict[str, Any]:
    order: dict[str, Any] = {
        "id": patient.name,
        "location": patient.name,
        "service_seconds": _scaled(patient.services[0][1]),
        "value": value,
        "time_windows": [{"start": _instant(patient.ready), "end": _instant(end)}],
        "deadlines": {"start_by": _instant(patient.due)},
    }
    if len(patient.services) == 1:
        order["required_skills"] = [{"skill": patient.services[0][0]}]
        return order
    roles = [
        {"role": role, "required_skills": [{"skill": service}], "service_seconds": _scaled(duration)}
        for role, (service, duration) in zip(ROLES, patient.services, strict=True)
    ]
    arrival: dict[str, Any] = {"mode": "together"}
    if not instance.is_simultaneous(patient):
        least, most = map(_scaled, patient.gaps)
        arrival = {"mode": "lead_first", "min_gap_seconds": least, "max_gap_seconds": most}
    order["team"] = {"roles": roles, "arrival": arrival}
    return order


def routes_of_stops(stops: Mapping[str, Sequence[tuple[str, str | None]]]) -> CareRoutes:
    """Routes by caregiver from the work orders and roles of a plan's stops."""
    return {
        engineer: [(order, 0 if role is None else ROLES.index(role)) for order, role in visits]
        for engineer, visits in stops.items()
    }


def published_cost(instance: HhcrspInstance, routes: CareRoutes) -> HhcrspCost:
    """What routes cost with every service as early as it can start, simulated on the instance as written.

    Raises:
        ValueError: for routes that break a rule: a service twice or never, by somebody who cannot do it, both by
            one caregiver, or starts that no instant fits.
    """
    place = {patient.name: number for number, patient in enumerate(instance.patients, start=1)}
    by_name = {patient.name: patient for patient in instance.patients}
    _check_services(instance, routes)
    start = {visit: by_name[visit[0]].ready for visits in routes.values() for visit in visits}
    # A longest path has no more legs than there are visits; starts that still move chase each other round a cycle.
    for _ in range(len(start) + 1):
        before = dict(start)
        for visits in routes.values():
            here, free = 0, 0.0
            for visit in visits:
                patient = by_name[visit[0]]
                start[visit] = max(start[visit], free + instance.distances[here][place[patient.name]])
                here, free = place[patient.name], start[visit] + patient.services[visit[1]][1]
        for patient in instance.patients:
            if len(patient.services) == 2:
                first, second = (patient.name, 0), (patient.name, 1)
                start[second] = max(start[second], start[first] + patient.gaps[0])
                start[first] = max(start[first], start[second] - patient.gaps[1])
        if all(begun <= before[visit] + TOLERANCE for visit, begun in start.items()):
            break
    else:
        raise ValueError(f"{instance.name}: no starts fit these routes")
    tardiness = [max(0.0, begun - by_name[name].due) for (name, _), begun in start.items()]
    distance = 0.0
    for visits in routes.values():
        places = [0, *(place[name] for name, _ in visits), 0]
        distance += sum(instance.distances[one][other] for one, other in pairwise(places))
    return HhcrspCost(distance, sum(tardiness), max(tardiness, default=0.0))


def _check_services(instance: HhcrspInstance, routes: CareRoutes) -> None:
    wanted = {
        (patient.name, number): service
        for patient in instance.patients
        for number, (service, _) in enumerate(patient.services)
    }
    visits = [visit for route in routes.values() for visit in route]
    if sorted(visits) != sorted(wanted):
        raise ValueError(f"{instance.name}: not every service is done exactly once")
    for caregiver, route in routes.items():
        if len({name for name, _ in route}) < len(route):
            raise ValueError(f"{instance.name}: {caregiver} does both services of a patient")
        if not {wanted[visit] for visit in route} <= instance.caregivers[caregiver]:
            raise ValueError(f"{instance.name}: {caregiver} does a service without the ability")


def _scaled(units: float) -> int:
    return round(SCALE * units)


def _instant(units: float) -> str:
    return (DAY + timedelta(seconds=_scaled(units))).isoformat()


def hhcrsp_best_known(folder: Path) -> Mapping[str, float]:
    """Best known costs by instance, to three decimals, from `bks_mankowska.csv` of a folder.

    The three parts of a cost are summed again: their sum has more digits than the table's total.

    Raises:
        OSError: where there is no such table.
    """
    with (folder / "bks_mankowska.csv").open(encoding="utf-8", newline="") as file:
        return {
            Path(row["instance"]).stem: HhcrspCost(
                *(float(row[name]) for name in ("distance", "total_tardiness", "max_tardiness"))
            ).total
            for row in csv.DictReader(file)
        }
