"""The engineers and shifts of a synthetic day."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from data.synthetic_city import City, LocalDay, Place
from data.synthetic_spec import FleetSpec
from data.synthetic_trade import FAMILY_NAMES, GIVEN_NAMES, TRADES, crew_skills, flatten_held, stock

Document = dict[str, Any]
Stream = Callable[[str], Random]

OVERTIME_HOURS = 1.5
SHIFT_HOURS = ((8.0, 17.0), (8.0, 17.0), (8.0, 17.0), (7.0, 15.5), (10.0, 19.0))


def make_engineers(
    spec: FleetSpec, stream: Stream, city: City, day: LocalDay, locations: dict[str, Place]
) -> list[Document]:
    """Engineers with their shifts; their homes and the depots are added to `locations`.

    Each feature has a stream of chance of its own, drawn for every engineer alike, so that a switch changes
    nothing but its own feature.
    """
    depots = _depots(stream("depots"), city, locations)
    people, hours, trade_rng = stream("people"), stream("hours"), stream("skills")
    engineers = []
    for number in range(spec.engineers):
        district = city.pick(people)
        home = f"home-{number + 1:03d}"
        place = city.place(people, district, spread=1.6)
        if people.random() < 0.35:
            start = depots[people.randrange(len(depots))]
        else:
            start, locations[home] = home, place
        held = crew_skills(trade_rng, number)
        if not spec.skill_graph:
            held = flatten_held(held)
        engineer: Document = {
            "id": f"E{number + 1:03d}",
            "name": f"{people.choice(FAMILY_NAMES)} {people.choice(GIVEN_NAMES)}",
            "territory": district.name,
            "skills": held,
            "shifts": _shifts(spec, stream, number, day, start, hours),
            "on_call": people.random() < 0.2,
            "attributes": {"trade": TRADES[number % len(TRADES)][0]},
        }
        _individual(spec, stream, number, day, engineer)
        engineers.append(engineer)
    return engineers


def _depots(rng: Random, city: City, locations: dict[str, Place]) -> list[str]:
    names = []
    for district in city.districts[: max(1, len(city.districts) // 2)]:
        name = f"depot-{district.name}"
        locations[name] = city.place(rng, district, spread=0.7)
        names.append(name)
    return names


def _shifts(spec: FleetSpec, stream: Stream, number: int, day: LocalDay, start: str, hours: Random) -> list[Document]:
    begin, end = hours.choice(SHIFT_HOURS)
    shapes = [("day", begin, end)]
    if spec.several_shifts and number % 6 == 2:
        shapes = [("morning", 8.0, 12.0), ("afternoon", 14.0, 18.0)]
    elif spec.several_shifts and number % 6 == 5:
        shapes = [("day", 8.0, 15.0), ("evening", 19.0, 22.0)]
    rng = stream(f"shift {number}")
    open_route, limited = rng.random() < 0.2, rng.random() < 0.3
    limit, rest = rng.choice((4, 5, 6, 8)), rng.choice((1800, 2700, 2700, 3600))
    shifts = []
    for name, first, last in shapes:
        shift: Document = {
            "id": name,
            "start": day.text(day.at(first)),
            "end": day.text(day.at(last)),
            "start_location": start,
            "end_location": start,
        }
        if spec.overtime:
            extra = OVERTIME_HOURS if len(shapes) == 1 else 0.5
            shift["latest_end"] = day.text(day.at(last + extra))
        if spec.open_routes and open_route:
            shift["end_location"] = None
        if spec.breaks and last - first >= 6:
            noon = max(11.5, first + 3)
            shift["breaks"] = [
                {
                    "earliest_start": day.text(day.at(noon)),
                    "latest_start": day.text(day.at(noon + 1.5)),
                    "duration_seconds": rest,
                }
            ]
        if spec.max_work_orders and limited:
            shift["max_work_orders"] = limit
        shifts.append(shift)
    return shifts


def _individual(spec: FleetSpec, stream: Stream, number: int, day: LocalDay, engineer: Document) -> None:
    """What makes one engineer differ from the next: pace, van and certificates."""
    rng = stream(f"engineer {number}")
    pace, speed = rng.choice((0.85, 0.9, 0.95, 1.1, 1.15)), rng.choice((0.9, 1.0, 1.05, 1.1, 1.15))
    paced, expiring, which = rng.random() < 0.5, rng.random() < 0.3, rng.random()
    hours = rng.choice((-240.0, 12.0, 14.5, 24.0, 960.0, 8000.0))
    held = engineer["skills"]
    if spec.speed_factors and speed != 1.0:
        engineer["speed_factor"] = speed
    if spec.duration_factors and paced:
        engineer["duration_factors"] = {held[0]["skill"]: pace}
    if spec.parts:
        engineer["parts"] = stock(stream(f"stock {number}"), held)
    if spec.certificates and expiring:
        held[int(which * len(held))]["valid_until"] = day.text(day.at(hours))
