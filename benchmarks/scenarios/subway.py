"""A day of elevator outages of a city's subway as a planning problem.

    python -m benchmarks.scenarios.subway --date 2023-11-15 --data FOLDER --out problem.json

The calls, their times, places and causes are real records; the crew, their skills and how long the work takes
are assumptions, which the problem lists in its attributes. docs/scenarios.md explains both.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from calendar import monthrange
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.scenarios import subway_assumptions as assumed
from benchmarks.scenarios.subway_assumptions import Cause, cause_of
from benchmarks.scenarios.subway_records import (
    OUTAGES,
    ZONE,
    Machine,
    NoRecordsError,
    Outage,
    Station,
    find_folder,
    midnight,
    read_machines,
    read_outages,
    read_stations,
)

Document = dict[str, Any]


@dataclass(slots=True)
class Call:
    """The signals that make one work order: of one machine, or of all machines one visit sees to."""

    signals: list[Outage]

    @property
    def first(self) -> Outage:
        return self.signals[0]

    @property
    def station(self) -> Station:
        return self.first.station

    @property
    def promised(self) -> datetime:
        """The latest published return to service."""
        return max(signal.estimated_return for signal in self.signals)

    @property
    def machines(self) -> list[str]:
        return sorted({signal.machine for signal in self.signals})

    @property
    def cause(self) -> Cause:
        """An entrapment if there was one; else what most signals say, the first of them where undecided."""
        counts = Counter(cause_of(signal.note).name for signal in self.signals)
        named = [cause_of(signal.note) for signal in self.signals]
        trapped = [cause for cause in named if cause.name == "entrapment"]
        return trapped[0] if trapped else max(named, key=lambda cause: counts[cause.name])

    def overlaps(self, other: Call) -> bool:
        return self.first.created <= other.promised and other.first.created <= self.promised


def subway_problem(folder: Path, day: date) -> Document:
    """The problem document of one day.

    Args:
        folder: the folder with the records.
        day: the day; it is planned from 07:00 to 07:00 of the next one.

    Raises:
        NoRecordsError: a file is missing, or the day has no outages.
    """
    outages = read_outages(folder)
    start, end = midnight(day, assumed.DAY_STARTS_HOURS), midnight(day, assumed.DAY_ENDS_HOURS)
    if not any(day in (outage.created.date(), outage.out_of_service.date()) for outage in outages):
        raise NoRecordsError(f"no outages on {day.isoformat()} in {folder / OUTAGES}")
    usable = [outage for outage in outages if not _is_long_term(outage)]
    planned = [
        outage for outage in usable if outage.code in assumed.PLANNED_CODES and start <= outage.out_of_service < end
    ]
    window = (midnight(day, -24), midnight(day, 24))
    signals = [
        outage
        for outage in usable
        if outage.code not in assumed.PLANNED_CODES and window[0] <= outage.created < window[1]
    ]
    chains = _chains(signals)
    calls = [call for call in chains if call.promised > start]
    machines = read_machines(folder, day)
    stations = read_stations(folder)
    book = _Book(start, end, stations, machines)
    for call in _per_station(calls):
        book.add_call(call)
    book.team_up()
    for outage in planned:
        book.add_planned(outage)
    book.add_preventive(day, {outage.machine for outage in planned})
    closed = sum(call.promised <= start and call.signals[-1].created.date() == day for call in chains)
    today = sum(outage.created.date() == day for outage in signals)
    return _document(day, book, {"signals_of_the_day": today, "calls_closed_overnight": closed})


def _is_long_term(outage: Outage) -> bool:
    lasts = outage.estimated_return - outage.out_of_service
    return outage.is_open or lasts > timedelta(days=assumed.LONG_TERM_DAYS)


def _chains(signals: Iterable[Outage]) -> list[Call]:
    """Signals of one machine that follow each other within hours are one call."""
    same_fault = timedelta(hours=assumed.SAME_FAULT_HOURS)
    current: dict[str, Call] = {}
    calls = []
    for signal in signals:
        call = current.get(signal.machine)
        if call is None or signal.created - call.signals[-1].created > same_fault:
            call = current[signal.machine] = Call([])
            calls.append(call)
        call.signals.append(signal)
    return calls


def _per_station(calls: Sequence[Call]) -> list[Call]:
    """Join what one visit to a station sees to: lost communication and fire service of several machines."""
    joined: list[Call] = []
    for call in calls:
        for other in joined:
            same = call.cause is other.cause and call.cause.name in ("communication", "fire service")
            if same and call.station.id == other.station.id and call.overlaps(other):
                other.signals = sorted(other.signals + call.signals, key=lambda signal: (signal.created, signal.id))
                break
        else:
            joined.append(Call(list(call.signals)))
    return joined


class _Book:
    """The work orders of the day as they are added, and the calls behind them."""

    def __init__(
        self, start: datetime, end: datetime, stations: dict[str, Station], machines: Sequence[Machine]
    ) -> None:
        self.start, self.end, self.stations = start, end, stations
        self.orders: list[Document] = []
        self.locations: dict[str, Document] = {}
        self._machines = machines
        self._calls: dict[str, Call] = {}

    def add_call(self, call: Call) -> None:
        self._calls[call.first.id] = call

    def team_up(self) -> None:
        """Write the calls as orders: faults of several machines of an accessible complex are one team's."""
        groups: list[list[Call]] = []
        for call in self._calls.values():
            cluster = call.station.accessible and call.cause.name not in ("communication", "fire service")
            for group in groups:
                same = group[0].station.complex_id == call.station.complex_id
                if cluster and same and group[0].cause.name != "fire service" and any(map(call.overlaps, group)):
                    group.append(call)
                    break
            else:
                groups.append([call])
        for group in groups:
            several = len({machine for call in group for machine in call.machines}) > 1 and len(group) > 1
            self._write_team(group) if several or group[0].cause.name == "entrapment" else self._write(group[0])

    def _reported(self, call: Call) -> datetime:
        return max(call.first.created, self.start)

    def _write(self, call: Call) -> None:
        level = self._level(call)
        reported = self._reported(call)
        order = self._order(call.first.id, call.station, _minutes(call), level, call.machines)
        order["required_skills"] = _skills(call.cause.skills, call.first.kind)
        order["time_windows"] = [_window(reported, self.end)]
        order["deadlines"] = _promise(level, reported, call.promised)
        order["attributes"] |= _facts(call)
        self.orders.append(order)

    def _level(self, call: Call) -> str:
        """A bank of lifts at a station that is not step-free carries on with the others: L4."""
        if call.cause.name == "communication":
            return "L4"
        down = {machine for other in self._calls.values() if call.overlaps(other) for machine in other.machines}
        bank = {machine.id for machine in self._machines if machine.station_id == call.station.id}
        return "L2" if call.station.accessible or not bank - down else "L4"

    def _write_team(self, group: Sequence[Call]) -> None:
        """An expert and helpers; they come as the cluster or the entrapment shows."""
        first = group[0]
        second = next((call for call in group if call.machines != first.machines), first)
        gravest = max(group, key=lambda call: (call.cause.name == "entrapment", call.cause.minutes))
        reported = max(self._reported(first), self._reported(second))
        machines = sorted({machine for call in group for machine in call.machines})
        labour = sum(_minutes(call) for call in group) * (1 if len(group) > 1 else 2)
        by_size = {
            "2": _five_minutes(labour * assumed.TEAM_SHARE_OF_TWO),
            "3": _five_minutes(labour * assumed.TEAM_SHARE_OF_THREE),
        }
        order = self._order(first.first.id, first.station, 0, "L1", machines)
        order["service_seconds"] = by_size["2"]
        skill, level = gravest.cause.skills[-1]
        lead = _skills(((skill, max(4, level)),), first.first.kind)
        backup = _skills(((skill, 3),), first.first.kind)
        order["team"] = {
            "roles": [
                {"role": "lead", "min": 1, "max": 1, "required_skills": lead},
                {"role": "support", "min": 1, "max": 2, "required_skills": _skills((("rescue", 1),))},
                {"role": "backup", "min": 1, "max": 1, "required_skills": backup, "presence": "standby"},
            ],
            "arrival": {"mode": "staggered", "max_gap_seconds": 1800},
            "service_seconds_by_size": by_size,
        }
        order["time_windows"] = [_window(reported, self.end)]
        order["deadlines"] = _promise("L1", reported, max(call.promised for call in group))
        merged = Call(sorted((s for call in group for s in call.signals), key=lambda s: (s.created, s.id)))
        order["attributes"] |= _facts(merged) | {
            "cause": gravest.cause.name,
            "became_l1_at": _text(second.first.created),
        }
        self.orders.append(order)

    def add_planned(self, outage: Outage) -> None:
        """Work that the records themselves call planned, inside the outage that was announced for it."""
        minutes = assumed.PLANNED_MINUTES.get(outage.code, assumed.PREVENTIVE_MINUTES)
        latest = min(outage.estimated_return - timedelta(minutes=minutes), self.end)
        begin = max(outage.out_of_service, self.start)
        if latest < begin:
            return
        order = self._order(outage.id, outage.station, minutes, "L3", [outage.machine])
        order["required_skills"] = _skills((("elevator", 2),), outage.kind)
        order["time_windows"] = [_window(begin, latest)]
        order["deadlines"] = _promise("L3", begin, outage.estimated_return)
        order["attributes"] |= _facts(Call([outage])) | {"cause": "planned work"}
        self.orders.append(order)

    def add_preventive(self, day: date, planned: set[str]) -> None:
        """Visits of the month's scheduled outages that fall on the day."""
        for machine in self._machines:
            if machine.id in planned or day.day not in preventive_days(machine, day):
                continue
            station = self.stations[machine.station_id]
            at_night = _share(machine.id, "night") < assumed.NIGHT_SHARE
            first, last = assumed.NIGHT_WINDOW_HOURS if at_night else assumed.NOON_WINDOW_HOURS
            begin, latest = midnight(day, first), midnight(day, last)
            name = f"PM-{machine.id}-{day:%Y%m%d}"
            order = self._order(name, station, assumed.PREVENTIVE_MINUTES, "L3", [machine.id])
            order["required_skills"] = _skills((("elevator", 2),), "elevator")
            order["time_windows"] = [_window(begin, latest)]
            order["deadlines"] = _promise("L3", begin, latest)
            order["attributes"] |= {
                "record": "scheduled outages of the month, spread over its days",
                "scheduled_outages_of_the_month": machine.scheduled_outages,
                "cause": "preventive maintenance",
            }
            self.orders.append(order)
        by_machine: dict[str, list[str]] = {}
        for order in self.orders:
            for name in order["attributes"]["machines"]:
                by_machine.setdefault(name, []).append(order["id"])
        for order in self.orders:
            names = {name for machine in order["attributes"]["machines"] for name in by_machine[machine]}
            if names - {order["id"]}:
                order["related_to"] = sorted(names - {order["id"]})

    def _order(self, name: str, station: Station, minutes: int, level: str, machines: list[str]) -> Document:
        location = f"S{station.id}"
        self.locations.setdefault(location, {"lat": station.latitude, "lon": station.longitude})
        return {
            "id": name,
            "location": location,
            "territory": station.borough,
            "service_seconds": minutes * 60,
            "setup_seconds": assumed.SETUP_MINUTES * 60,
            "level": level,
            "asset": ", ".join(machines),
            "attributes": {"machines": machines, "station": station.name, "accessible": station.accessible},
        }


def preventive_days(machine: Machine, day: date) -> set[int]:
    """The days of the month a machine is visited on: evenly spread, from a start drawn from its name."""
    days = monthrange(day.year, day.month)[1]
    count = machine.scheduled_outages
    offset = _share(machine.id, f"{day:%Y-%m}")
    return {1 + int((offset + number) * days / count) % days for number in range(count)}


def _share(machine: str, purpose: str) -> float:
    """A number from 0 to 1 that is the same for the same machine everywhere."""
    digest = hashlib.sha256(f"{machine}/{purpose}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32


def _minutes(call: Call) -> int:
    repeated = len(call.signals) >= assumed.REPEATED_SIGNALS and len(call.machines) == 1
    return call.cause.minutes + (assumed.REPEATED_MINUTES if repeated else 0)


def _five_minutes(minutes: float) -> int:
    return int(minutes / 5 + 0.5) * 300


def _skills(skills: Iterable[tuple[str, int]], kind: str = "elevator") -> list[Document]:
    """An escalator's own trade stands in for every trade of elevators."""
    named = ((kind if skill.startswith("elevator") and kind != "elevator" else skill, level) for skill, level in skills)
    return [{"skill": skill, "level": level} for skill, level in named]


def _promise(level: str, reported: datetime, returns: datetime) -> Document:
    if level in assumed.ARRIVE_MINUTES:
        arrive = reported + timedelta(minutes=assumed.ARRIVE_MINUTES[level])
        return {"arrive_by": _text(arrive), "restore_by": _text(max(returns, arrive))}
    return {"restore_by": _text(reported + timedelta(hours=assumed.CLOSE_HOURS[level]))}


def _facts(call: Call) -> Document:
    """What the records say, carried along for whoever looks at the plan."""
    signals = call.signals
    return {
        "cause": call.cause.name,
        "kind": call.first.kind,
        "codes": sorted({signal.code for signal in signals}),
        "reasons_shown_to_public": sorted({signal.reason for signal in signals}),
        "notes": sorted({signal.note for signal in signals if signal.note}),
        "outages": [signal.id for signal in signals],
        "references": [signal.reference for signal in signals if signal.reference],
        "sources": sorted({signal.source for signal in signals}),
        "reported_at": _text(call.first.created),
        "published_return": _text(call.promised),
    }


def _window(start: datetime, end: datetime) -> Document:
    return {"start": _text(start), "end": _text(end)}


def _text(instant: datetime) -> str:
    return instant.isoformat()


def _engineers(day: date, book: _Book) -> list[Document]:
    engineers = []
    for number, (shift, base, trade) in enumerate(assumed.CREW, start=1):
        first, last = assumed.SHIFTS[shift]
        station = book.stations[base]
        location = f"base-{base}"
        book.locations[location] = {"lat": station.latitude, "lon": station.longitude}
        engineers.append(
            {
                "id": f"{shift[0].upper()}{number:02d}",
                "name": f"{trade} ({assumed.BASES[base]})",
                "territory": station.borough,
                "skills": [{"skill": skill, "level": level} for skill, level in assumed.TRADES[trade].items()],
                "shifts": [
                    {
                        "id": shift,
                        "start": _text(midnight(day, first)),
                        "end": _text(midnight(day, last)),
                        "latest_end": _text(midnight(day, last + assumed.OVERTIME_MINUTES / 60)),
                        "start_location": location,
                        "breaks": [
                            {
                                "earliest_start": _text(midnight(day, first + 3)),
                                "latest_start": _text(midnight(day, first + 5)),
                                "duration_seconds": assumed.BREAK_MINUTES * 60,
                            }
                        ],
                    }
                ],
                "attributes": {"trade": trade, "base": station.name},
            }
        )
    return engineers


def _document(day: date, book: _Book, counts: dict[str, int]) -> Document:
    engineers = _engineers(day, book)
    return {
        "version": 1,
        "id": f"subway-{day.isoformat()}",
        "timezone": ZONE.key,
        "now": _text(book.start),
        "horizon": {
            "start": _text(book.start),
            "end": _text(book.end + timedelta(minutes=assumed.OVERTIME_MINUTES)),
        },
        "locations": book.locations,
        "skill_graph": {
            "skills": [{"id": skill} for skill in assumed.SKILLS],
            "relations": [dict(relation) for relation in assumed.RELATIONS],
        },
        "engineers": engineers,
        "work_orders": book.orders,
        "travel": {
            "kind": "geodesic",
            "speed_kmh": assumed.SPEED_KMH,
            "detour_factor": assumed.DETOUR_FACTOR,
            "traffic": [{"from": first, "to": last, "factor": factor} for first, last, factor in assumed.TRAFFIC],
        },
        "objective": {"profile": "balanced"},
        "attributes": {
            "scenario": "elevator outages of a subway",
            "records": counts,
            "assumptions": assumed.listed(),
        },
    }


def summary(problem: Document) -> str:
    """A few lines about the day for a terminal."""
    orders = problem["work_orders"]
    levels = Counter(order["level"] for order in orders)
    causes = Counter(order["attributes"]["cause"] for order in orders)
    teams = [order for order in orders if "team" in order]
    hours = sum(order["service_seconds"] * (2 if "team" in order else 1) for order in orders) / 3600
    stations = len({order["location"] for order in orders})
    records = problem["attributes"]["records"]
    lines = [
        f"{problem['id']}: {len(orders)} work orders at {stations} stations, {len(problem['engineers'])} engineers",
        "  levels: " + ", ".join(f"{level} {levels[level]}" for level in sorted(levels)),
        "  causes: " + ", ".join(f"{cause} {count}" for cause, count in causes.most_common()),
        f"  teams:  {len(teams)}"
        + "".join(f"; {order['attributes']['station']} ({order['asset']})" for order in teams),
        f"  work:   {hours:.1f} hours of labour (assumed)",
        f"  from:   {records['signals_of_the_day']} signals of the day; "
        f"{records['calls_closed_overnight']} calls were closed before the shift began",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the problem of a day; 2 where there is nothing to write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenarios.subway", description=__doc__.split("\n")[0])
    parser.add_argument("--date", required=True, type=date.fromisoformat, help="the day, such as 2023-11-15")
    parser.add_argument("--data", type=Path, help="folder of the records")
    parser.add_argument("--out", required=True, type=Path, help="where to write the problem")
    chosen = parser.parse_args(arguments)
    try:
        problem = subway_problem(find_folder(chosen.data), chosen.date)
    except NoRecordsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(problem, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(summary(problem))
    print(f"  written to {chosen.out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
