"""Routing with pairs of visits that start together (VRPTWSyn, Bredström and Rönnqvist 2008).

A pair is one customer whom two members of staff visit at the same start; windows are hard and bound starts, every
tour ends within the horizon, and the travel time in total is to be smallest. The literature gives it in hours, of
which the horizon is nine.

A pair becomes one work order with a team of two that arrives `together`. One second of the planning document is one
unit of the instance, so a plan's total is its published cost as it stands; nothing is rounded.

The files are those of https://github.com/albert9052/ConVRPTWSyn, whose days beyond the first are the owner's addition
and are not read: the original problem is of one day.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.formats.objective import only

DAY = datetime(2026, 1, 5, tzinfo=UTC)
VALUE_OF_LONGEST_LEGS = 10
"""What an order that is left costs: it must exceed any detour, and yet not blind a search."""


@dataclass(frozen=True, slots=True)
class VrptwsynInstance:
    """An instance as written, without twins of pairs; 0 is the depot.

    `windows` bounds starts, clipped to the horizon; `pairs` maps the visits that two make to their twins.
    """

    name: str
    staff: int
    horizon: int
    services: Mapping[int, int]
    windows: Mapping[int, tuple[int, int]]
    travel: Mapping[int, Mapping[int, int]]
    pairs: Mapping[int, int]

    @property
    def customers(self) -> list[int]:
        return [visit for visit in self.services if visit]


StaffRoutes = Sequence[Sequence[int]]
"""The customers of each tour in turn."""


def read_vrptwsyn(path: Path) -> VrptwsynInstance:
    """An instance file.

    Raises:
        ValueError: for a file that is not of this format, with its path.
        OSError: where there is none.
    """
    text = path.read_text(encoding="utf-8")
    try:
        staff, horizon = (int(_match(rf"param {name}:=\s*(\d+)", text)) for name in ("kn", "T"))
        listed = re.findall(r"\((\d+),(\d+)\)", _match(r"Shared_Visited:=([^;]*);", text))
        pairs = {int(one): int(other) for one, other in listed}
        services, earliest, latest = (_first_day(name, text) for name in ("s_id", "e_id", "l_id"))
        legs = _rows("t_ij", text)
        twins = set(pairs.values())
        kept = [visit for visit in services if visit not in twins]
        travel = {one: {other: legs[one][other] if one != other else 0 for other in kept} for one in kept}
        windows = {visit: (earliest[visit], min(latest[visit], horizon)) for visit in kept}
        for one, other in pairs.items():
            same = [legs[one][visit] == legs[other][visit] for visit in kept if visit not in (one, other)]
            if (services[one], earliest[one], latest[one]) != (services[other], earliest[other], latest[other]):
                raise ValueError(f"visits {one} and {other} are a pair, but not alike")
            if not all(same):
                raise ValueError(f"visits {one} and {other} are a pair, but not at one place")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{path} is no VRPTWSyn instance: {error}") from error
    kept_services = {visit: services[visit] for visit in kept}
    return VrptwsynInstance(path.stem, staff, horizon, kept_services, windows, travel, pairs)


def _match(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"nothing like {pattern!r} in it")
    return found.group(1)


def _rows(name: str, text: str) -> dict[int, list[int]]:
    """The table of a parameter: numbers by the first of each line."""
    body = _match(rf"param {name}:[^=]*:=([^;]*);", text)
    rows = [[int(word) for word in line.split()] for line in body.splitlines() if line.strip()]
    return {row[0]: row[1:] for row in rows}


def _first_day(name: str, text: str) -> dict[int, int]:
    return {visit: days[0] for visit, days in _rows(name, text).items()}


def vrptwsyn_document(instance: VrptwsynInstance) -> dict[str, Any]:
    """The planning document of an instance; its total is the travel time."""
    ids = {0: "depot"} | {visit: f"c{visit}" for visit in instance.customers}
    seconds = [[instance.travel[one][other] for other in ids] for one in ids]
    value = VALUE_OF_LONGEST_LEGS * max(map(max, seconds))
    horizon = {"start": _instant(0), "end": _instant(instance.horizon)}
    shift = {"id": "tour", **horizon, "start_location": "depot", "end_location": "depot"}
    return {
        "version": 1,
        "id": f"vrptwsyn-{instance.name}",
        "timezone": "UTC",
        "now": _instant(0),
        "horizon": horizon,
        "locations": {name: {} for name in ids.values()},
        "engineers": [{"id": f"V{number:02d}", "shifts": [dict(shift)]} for number in range(1, instance.staff + 1)],
        "work_orders": [_order(instance, visit, ids[visit], value) for visit in instance.customers],
        "travel": {"kind": "matrix", "location_ids": list(ids.values()), "seconds": seconds},
        "objective": {"profile": "balanced", "weights": only(unserved=1, travel=1)},
    }


def _order(instance: VrptwsynInstance, visit: int, name: str, value: int) -> dict[str, Any]:
    ready, due = instance.windows[visit]
    order: dict[str, Any] = {
        "id": name,
        "location": name,
        "service_seconds": instance.services[visit],
        "value": value,
        "time_windows": [{"start": _instant(ready), "end": _instant(due)}],
    }
    if visit in instance.pairs:
        order["team"] = {"roles": [{"role": "visitor", "min": 2, "max": 2}], "arrival": {"mode": "together"}}
    return order


def published_travel(instance: VrptwsynInstance, routes: StaffRoutes) -> int:
    """The travel time of routes with every start as early as it can be, simulated on the instance as written.

    Raises:
        ValueError: for routes that break a rule: too many tours, a visit too often or too rarely, or starts that no
            window or the horizon fits.
    """
    wanted = sorted(visit for visit in instance.customers for _ in range(1 + (visit in instance.pairs)))
    if sorted(visit for route in routes for visit in route) != wanted:
        raise ValueError(f"{instance.name}: not every visit is made exactly as often as it should")
    if len(routes) > instance.staff or any(len(set(route)) < len(route) for route in routes):
        raise ValueError(f"{instance.name}: too many tours, or one that makes both visits of a pair")
    start = {visit: instance.windows[visit][0] for visit in instance.customers}
    back = 0
    # A longest path has no more legs than there are visits; starts that still move chase each other round a cycle.
    for _ in range(len(wanted) + 1):
        before = dict(start)
        for route in routes:
            here, free = 0, 0
            for visit in route:
                start[visit] = max(start[visit], free + instance.travel[here][visit])
                here, free = visit, start[visit] + instance.services[visit]
            back = max(back, free + instance.travel[here][0])
        if start == before:
            break
    if start != before or back > instance.horizon:
        raise ValueError(f"{instance.name}: no starts fit these routes")
    if any(begun > instance.windows[visit][1] for visit, begun in start.items()):
        raise ValueError(f"{instance.name}: a visit starts after its window")
    legs = [leg for route in routes for leg in zip([0, *route], [*route, 0], strict=True)]
    return sum(instance.travel[one][other] for one, other in legs)


def _instant(units: int) -> str:
    return (DAY + timedelta(seconds=units)).isoformat()


def proven_optima(folder: Path) -> Mapping[str, int]:
    """Smallest travel times by instance, the proven ones alone, from `anchors_cpsat_min_travel.csv` of a folder.

    Raises:
        OSError: where there is no such table.
    """
    with (folder / "anchors_cpsat_min_travel.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row["instance"]: int(row["min_total_travel"]) for row in rows if row["status"] == "optimal"}
