"""Small hand-made days on a line of places: `p30` is thirty minutes' drive from the depot `p0`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations, permutations
from typing import Any

from api.documents import check_problem
from data.travel import problem_travel
from dispatcher.documents import instant, read_problem
from dispatcher.evaluate import Evaluation, evaluate
from dispatcher.plan import Plan, Rest, Sequences, Visit
from dispatcher.problem import Problem
from dispatcher.schedule import build_plan

Document = dict[str, Any]

PLACES = ("p0", "p10", "p20", "p30", "p60", "p120", "p300")


def at(clock: str) -> str:
    """An instant of the day: `"08:00"` or `"08:00:30"`."""
    return f"2026-11-23T{clock if clock.count(':') == 2 else clock + ':00'}+00:00"


def clock(seconds: int | None) -> str:
    """Epoch seconds as a time of the day, to compare with: `"08:00"`."""
    assert seconds is not None
    text = f"{datetime.fromtimestamp(seconds, UTC):%H:%M:%S}"
    return text.removesuffix(":00")


def skill(name: str, level: int = 1, until: str | None = None) -> Document:
    return {"skill": name, "level": level} | ({"valid_until": at(until)} if until else {})


def window(start: str, end: str) -> Document:
    return {"start": at(start), "end": at(end)}


def rest(earliest: str, latest: str, minutes: int = 30) -> Document:
    return {"earliest_start": at(earliest), "latest_start": at(latest), "duration_seconds": 60 * minutes}


def shift(start: str = "08:00", end: str = "16:00", latest_end: str | None = None, **fields: Any) -> Document:
    document = {"id": "day", "start": at(start), "end": at(end), "start_location": "p0", **fields}
    return document | ({"latest_end": at(latest_end)} if latest_end else {})


def engineer(name: str, *skills: Document, shifts: Sequence[Document] | None = None, **fields: Any) -> Document:
    return {"id": name, "skills": list(skills), "shifts": [shift()] if shifts is None else list(shifts), **fields}


def order(name: str, place: str = "p10", minutes: int = 60, **fields: Any) -> Document:
    return {"id": name, "location": place, "service_seconds": 60 * minutes, **fields}


def role(name: str, *skills: Document, presence: str = "on_site", **fields: Any) -> Document:
    return {"role": name, "presence": presence, "required_skills": list(skills), **fields}


def day(engineers: Iterable[Document], orders: Iterable[Document], **fields: Any) -> Document:
    """A problem document; travel is a matrix in both directions alike, a kilometre a minute."""
    minutes = [[abs(int(a[1:]) - int(b[1:])) for b in PLACES] for a in PLACES]
    return {
        "version": 1,
        "id": "small-day",
        "timezone": "UTC",
        "horizon": {"start": at("00:00"), "end": at("23:59")},
        "locations": {place: {} for place in PLACES},
        "engineers": list(engineers),
        "work_orders": list(orders),
        "travel": {
            "kind": "matrix",
            "location_ids": list(PLACES),
            "seconds": [[60 * cell for cell in row] for row in minutes],
            "meters": [[1000 * cell for cell in row] for row in minutes],
        },
        **fields,
    }


def read(document: Document) -> Problem:
    """The problem of a document that must be valid."""
    assert check_problem(document) == []
    return read_problem(document, problem_travel)


def plan_of(problem: Problem, sequences: Sequences) -> tuple[Plan, Evaluation]:
    """What the reference rules make of sequences: the plan with times, and what it costs."""
    plan = build_plan(problem, sequences)
    return plan, evaluate(problem, plan)


def cost_milli(evaluation: Evaluation) -> int:
    """The exact cost of a plan in thousandths."""
    cost = sum(term.cost_milli for term in evaluation.terms)
    assert cost == int(cost)
    return int(cost)


def starts(plan: Plan) -> dict[tuple[str, str], str]:
    """When each engineer starts each order: `{("W1", "A"): "08:10"}`."""
    return {
        (stop.work_order, route.engineer): clock(stop.start)
        for route in plan.routes
        for stop in route.stops
        if stop.work_order
    }


def seconds(text: str) -> int:
    """The epoch seconds of a time of the day."""
    return instant(at(text))


def with_breaks(visits: Sequence[Visit], breaks: int) -> Iterator[tuple[Visit | Rest, ...]]:
    """The visits with every choice of breaks at every place between them."""
    for count in range(breaks + 1):
        for taken in permutations(range(breaks), count):
            for places in combinations(range(len(visits) + count), count):
                rests, stops = iter(taken), iter(visits)
                yield tuple(
                    Rest(next(rests)) if place in places else next(stops) for place in range(len(visits) + count)
                )
