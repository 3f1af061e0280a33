"""Technician routing with skill levels and outsourcing, alone or in teams (STRSP, Kovacs et al. 2012).

A task wants so many technicians with at least some level in a domain, for every level and domain; it is done inside
its window or outsourced at 200 + (all it wants)^1.5. The published cost is travel plus outsourcing, smaller is better.
One unit of the instance is 1000 seconds of the planning document. Travel is rounded up to a thousandth, so that every
plan for the document keeps the instance's windows; `published_cost` recomputes the cost from the instance as written.

*Without teams* a task wants one technician, and a plan's total is its published cost but for that rounding.

*With teams* the document is near the published problem but not equal to it, and totals are not comparable with
published ones:

- a published team stays together all day and travels once; here every task's team is composed anew, each member
  drives alone, and each member's travel counts;
- what one member is enough for is a collective skill of the team, and what wants several is spread over roles. Where
  two domains want several technicians each, the same members have to hold both levels, which is stricter than
  published: there any member may count in any domain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.formats.objective import only

SCALE = 1000
DAY = datetime(2026, 1, 5, tzinfo=UTC)
TASK_COLUMNS = 8
"""Number, place, demand, window, service and cost, before what a task wants."""
MOST_FURTHER_MEMBERS = 3
"""How many members a team may have beyond those its roles name, to bring collective skills."""
HIGHEST_LEVEL = 5
TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Task:
    """A row of an instance; `wanted[domain][level - 1]` technicians are wanted with at least that level."""

    x: float
    y: float
    ready: float
    due: float
    service: float
    wanted: tuple[tuple[int, ...], ...]

    @property
    def outsourcing(self) -> float:
        return float(200 + sum(map(sum, self.wanted)) ** 1.5)


@dataclass(frozen=True, slots=True)
class StrspInstance:
    """An instance as written; `tasks[0]` is the depot. `technicians[k][domain]` is a level, 0 for none."""

    name: str
    tasks: tuple[Task, ...]
    technicians: tuple[tuple[int, ...], ...]

    @property
    def has_teams(self) -> bool:
        return any(number > 1 for task in self.tasks for domain in task.wanted for number in domain)

    def distance(self, one: int, other: int) -> float:
        return math.hypot(self.tasks[one].x - self.tasks[other].x, self.tasks[one].y - self.tasks[other].y)


@dataclass(frozen=True, slots=True)
class Tour:
    """Technicians who stay together all day, by their place in the instance, and their tasks in turn."""

    technicians: frozenset[int]
    tasks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StrspCost:
    travel: float
    outsourcing: float

    @property
    def total(self) -> float:
        return self.travel + self.outsourcing


def read_strsp(tasks: Path, technicians: Path) -> StrspInstance:
    """An instance from its two files; of the technicians only as many count as the header says.

    Raises:
        ValueError: for files that are not of this format, with the path.
        OSError: where there is none.
    """
    try:
        text = technicians.read_text(encoding="utf-8")
        number, domains, levels = (
            int(found.group(1))
            for pattern in (r"Number of Technicians:\s*(\d+)", r"domains:\s*(\d+)", r"proficiency level:\s*(\d+)")
            for found in re.finditer(pattern, text)
        )
        rows = [tuple(map(int, line.split()[1:])) for line in text.splitlines() if line[:1].isdigit()]
        if len(rows) < number or {len(row) for row in rows} != {domains}:
            raise ValueError(f"{number} technicians with {domains} domains are announced, others are there")
    except ValueError as error:
        raise ValueError(f"{technicians} is no file of STRSP technicians: {error}") from error
    try:
        lines = [line.split() for line in tasks.read_text(encoding="utf-8").splitlines() if line[:1].isdigit()]
        read = tuple(_task(line, domains, levels) for line in lines)
        if not read:
            raise ValueError("it has no tasks")
    except (IndexError, ValueError) as error:
        raise ValueError(f"{tasks} is no file of STRSP tasks: {error}") from error
    return StrspInstance(tasks.stem, read, tuple(rows[:number]))


def _task(line: Sequence[str], domains: int, levels: int) -> Task:
    _, x, y, _, ready, due, service, _ = map(float, line[:TASK_COLUMNS])
    wanted = list(map(int, line[TASK_COLUMNS:]))
    if len(wanted) != domains * levels:
        raise ValueError(f"a task wants {len(wanted)} things of {domains} domains and {levels} levels")
    by_domain = tuple(tuple(wanted[first : first + levels]) for first in range(0, len(wanted), levels))
    if any(one < other for domain in by_domain for one, other in pairwise(domain)):
        raise ValueError("a task wants more technicians of a higher level than of a lower one")
    return Task(x, y, ready, due, service, by_domain)


def strsp_document(instance: StrspInstance) -> dict[str, Any]:
    """The planning document of an instance; see above for how near its total is to the published cost."""
    number = len(instance.tasks)
    # A sum of doubles may exceed a whole thousandth by its last digit; that is no reason to round it up.
    seconds = [
        [math.ceil(SCALE * instance.distance(one, other) - TOLERANCE) for other in range(number)]
        for one in range(number)
    ]
    depot = instance.tasks[0]
    horizon = {"start": _instant(depot.ready), "end": _instant(depot.due)}
    ids = ["depot", *(f"t{task}" for task in range(1, number))]
    shift = {"id": "day", **horizon, "start_location": "depot", "end_location": "depot"}
    return {
        "version": 1,
        "id": f"strsp-{instance.name}",
        "timezone": "UTC",
        "now": horizon["start"],
        "horizon": horizon,
        "locations": {name: {} for name in ids},
        "engineers": [
            {
                "id": f"T{technician:03d}",
                "skills": [skill for domain, level in enumerate(levels, start=1) for skill in _held(domain, level)],
                "shifts": [dict(shift)],
            }
            for technician, levels in enumerate(instance.technicians, start=1)
        ],
        "work_orders": [_order(instance, name, task) for name, task in zip(ids[1:], instance.tasks[1:], strict=True)],
        "travel": {"kind": "matrix", "location_ids": ids, "seconds": seconds},
        "objective": {"profile": "balanced", "weights": only(unserved=1, travel=1)},
    }


def _order(instance: StrspInstance, name: str, task: Task) -> dict[str, Any]:
    order: dict[str, Any] = {
        "id": name,
        "location": name,
        "service_seconds": round(SCALE * task.service),
        "value": round(SCALE * task.outsourcing),
        "time_windows": [{"start": _instant(task.ready), "end": _instant(min(task.due, instance.tasks[0].due))}],
    }
    singles = [
        _skill(domain, _highest(levels, 1)) for domain, levels in enumerate(task.wanted, start=1) if max(levels) > 0
    ]
    if not instance.has_teams or (_largest_crew(task) == 0 and len(singles) <= 1):
        # Whoever has the one skill that is wanted needs no company.
        order["required_skills"] = singles
        return order
    roles: list[dict[str, Any]] = []
    for member in range(1, _largest_crew(task) + 1):
        wanted = {domain: _highest(levels, max(member, 2)) for domain, levels in enumerate(task.wanted, start=1)}
        skills = [_skill(domain, level) for domain, level in wanted.items() if level]
        roles.append({"role": f"member {member}", "required_skills": skills})
    least = 0 if roles else 1
    roles.append({"role": "crew", "min": least, "max": least + MOST_FURTHER_MEMBERS})
    order["team"] = {"roles": roles, "collective_skills": singles}
    return order


def _largest_crew(task: Task) -> int:
    most = max(max(levels) for levels in task.wanted)
    return most if most > 1 else 0


def _highest(levels: Sequence[int], technicians: int) -> int:
    """The highest level that at least so many technicians are wanted with; 0 for none."""
    return sum(number >= technicians for number in levels)


def _skill(domain: int, level: int) -> dict[str, Any]:
    # Instances have up to six levels, the planning document five: the sixth is a skill of its own.
    if level > HIGHEST_LEVEL:
        return {"skill": f"domain {domain} beyond {HIGHEST_LEVEL}", "level": level - HIGHEST_LEVEL}
    return {"skill": f"domain {domain}", "level": level}


def _held(domain: int, level: int) -> list[dict[str, Any]]:
    return [_skill(domain, part) for part in sorted({min(level, HIGHEST_LEVEL), level}) if part]


def published_cost(instance: StrspInstance, tours: Sequence[Tour]) -> StrspCost:
    """What tours cost, every task that is on none outsourced, simulated on the instance as written.

    Raises:
        ValueError: for tours that break a rule: a technician or a task twice, a team that lacks what a task wants, a
            start after its window, or a return after the depot closes.
    """
    technicians = [technician for tour in tours for technician in tour.technicians]
    served = [task for tour in tours for task in tour.tasks]
    if len(set(technicians)) < len(technicians) or len(set(served)) < len(served):
        raise ValueError(f"{instance.name}: a technician or a task is on two tours")
    travel = 0.0
    for tour in tours:
        here, free = 0, instance.tasks[0].ready
        for number in tour.tasks:
            task = instance.tasks[number]
            if not _covered(instance, tour, task):
                raise ValueError(f"{instance.name}: the team for task {number} lacks what it wants")
            travel += instance.distance(here, number)
            start = max(task.ready, free + instance.distance(here, number))
            if start > task.due + TOLERANCE:
                raise ValueError(f"{instance.name}: task {number} starts after its window")
            here, free = number, start + task.service
        travel += instance.distance(here, 0)
        if free + instance.distance(here, 0) > instance.tasks[0].due + TOLERANCE:
            raise ValueError(f"{instance.name}: a tour ends after the depot closes")
    left = set(range(1, len(instance.tasks))) - set(served)
    return StrspCost(travel, sum(instance.tasks[number].outsourcing for number in left))


def _covered(instance: StrspInstance, tour: Tour, task: Task) -> bool:
    return all(
        sum(instance.technicians[technician][domain] >= level for technician in tour.technicians) >= number
        for domain, levels in enumerate(task.wanted)
        for level, number in enumerate(levels, start=1)
    )


def tours_of(orders: Mapping[str, Sequence[str]]) -> list[Tour]:
    """Tours of single technicians from the work orders of a plan's routes by engineer."""
    return [
        Tour(frozenset({int(engineer[1:]) - 1}), tuple(int(order[1:]) for order in route))
        for engineer, route in orders.items()
    ]


def _instant(units: float) -> str:
    return (DAY + timedelta(seconds=round(SCALE * units))).isoformat()
