"""What is to be drawn, read out of a problem document and a plan document: rows, activities, lateness.

Nothing here knows a drawing library. Instants are integer epoch seconds (UTC). Lateness and overtime are
worked out from the times the plan states and the deadlines and shifts the problem states, so that plans
made elsewhere, which may leave out the optional claims, are drawn as fully as our own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

LEVELS = ("L1", "L2", "L3", "L4")

Document = Mapping[str, Any]
RowKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """A deadline that was missed: when it was, and when the thing it bounds happened instead."""

    deadline_seconds: int
    happened_seconds: int


@dataclass(frozen=True, slots=True)
class Activity:
    """One stretch of a route: `travel` is the leg to the next stop, `waiting` any gap between two others."""

    kind: Literal["travel", "waiting", "work", "break"]
    start_seconds: int
    end_seconds: int
    work_order: str = ""
    level: str = "L4"
    in_team: bool = False
    lead: bool = False
    remote: bool = False
    pinned: bool = False
    misses: tuple[Miss, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One route: what an engineer does on one shift. `places` are location ids in the order they are visited.

    An `open_ended` route has no end stop: its last place is the last work order's.
    """

    engineer: str
    shift: str
    name: str
    activities: tuple[Activity, ...]
    places: tuple[str, ...]
    open_ended: bool
    route_start_seconds: int
    route_end_seconds: int
    shift_start_seconds: int | None
    shift_end_seconds: int | None
    latest_end_seconds: int | None
    travel_seconds: int
    travel_meters: int | None

    @property
    def key(self) -> RowKey:
        return (self.engineer, self.shift)

    @property
    def work(self) -> list[Activity]:
        return [activity for activity in self.activities if activity.kind == "work"]

    @property
    def overtime_seconds(self) -> int:
        if self.shift_end_seconds is None:
            return 0
        return max(0, self.route_end_seconds - self.shift_end_seconds)

    @property
    def worst_miss_seconds(self) -> int:
        return max((m.happened_seconds - m.deadline_seconds for a in self.work for m in a.misses), default=0)


@dataclass(frozen=True, slots=True)
class Standby:
    """A named standby of a served team order, from the team's start to the last end of on-site service."""

    engineer: str
    work_order: str
    start_seconds: int
    end_seconds: int


@dataclass(frozen=True, slots=True)
class OrderBrief:
    """A work order in short; `location` is empty if the problem does not know the order."""

    work_order: str
    level: str
    location: str


@dataclass(frozen=True, slots=True)
class Day:
    """Everything a picture of a plan shows. `coordinates`: (lat, lon) in degrees where they are known."""

    problem_id: str
    zone: ZoneInfo
    now_seconds: int | None
    rows: tuple[Row, ...]
    standby: tuple[Standby, ...]
    unassigned: tuple[OrderBrief, ...]
    served: Mapping[str, OrderBrief]
    order_count: int
    shift_count: int
    coordinates: Mapping[str, tuple[float, float]]
    location_count: int
    travel_kind: str
    score_total: float | None
    terms: tuple[Document, ...]

    @property
    def late_orders(self) -> dict[str, int]:
        """Work orders served late, each with the largest of its latenesses in seconds."""
        late: dict[str, int] = {}
        for row in self.rows:
            for activity in row.work:
                for miss in activity.misses:
                    seconds = miss.happened_seconds - miss.deadline_seconds
                    late[activity.work_order] = max(seconds, late.get(activity.work_order, 0))
        return late


def read_day(problem: Document, plan: Document) -> Day:
    """Read the two documents of the planning format, version 1, for drawing.

    Optional fields may be absent. Raises ValueError for an instant that cannot be read and
    zoneinfo.ZoneInfoNotFoundError for an unknown time zone.
    """
    orders = {str(order["id"]): order for order in _list(problem, "work_orders")}
    routes = _list(plan, "routes")
    visits = _visits(orders, routes)
    rows = _rows(problem, orders, routes, visits)
    now = problem.get("now") or (problem.get("horizon") or {}).get("start")
    locations = problem.get("locations") or {}
    score = plan.get("score") or {}
    return Day(
        problem_id=str(problem.get("id") or plan.get("problem_id") or "unnamed problem"),
        zone=ZoneInfo(str(problem.get("timezone") or "UTC")),
        now_seconds=None if now is None else epoch_seconds(now),
        rows=rows,
        standby=_standby(plan, visits),
        unassigned=tuple(_brief(orders, str(entry["work_order"])) for entry in _list(plan, "unassigned")),
        served={order: _brief(orders, order) for order in visits},
        order_count=len(orders),
        shift_count=sum(len(_list(engineer, "shifts")) for engineer in _list(problem, "engineers")),
        coordinates={
            str(key): (float(place["lat"]), float(place["lon"]))
            for key, place in locations.items()
            if place and place.get("lat") is not None and place.get("lon") is not None
        },
        location_count=len(locations),
        travel_kind=str((problem.get("travel") or {}).get("kind") or ""),
        score_total=score.get("total"),
        terms=tuple(score.get("terms") or ()),
    )


def epoch_seconds(instant: str) -> int:
    """Epoch seconds of an ISO 8601 instant. Raises ValueError if it has no offset or cannot be read."""
    moment = datetime.fromisoformat(instant)
    if moment.tzinfo is None:
        raise ValueError(f"{instant!r} has no offset from UTC; write it like 2026-11-23T07:30:00+08:00")
    return int(moment.timestamp())


@dataclass(frozen=True, slots=True)
class _Visit:
    """One member's stop for a work order."""

    key: RowKey
    role: str | None
    remote: bool
    arrival_seconds: int
    start_seconds: int
    end_seconds: int


def _visits(orders: Mapping[str, Document], routes: Sequence[Document]) -> dict[str, list[_Visit]]:
    visits: dict[str, list[_Visit]] = {}
    for route in routes:
        for stop in _list(route, "stops"):
            if stop["kind"] != "work_order":
                continue
            order_id = str(stop["work_order"])
            start = epoch_seconds(stop["start"])
            visits.setdefault(order_id, []).append(
                _Visit(
                    key=(str(route["engineer"]), str(route["shift"])),
                    role=stop.get("role"),
                    remote=_is_remote(orders.get(order_id, {}), stop),
                    arrival_seconds=epoch_seconds(stop["arrival"]) if stop.get("arrival") else start,
                    start_seconds=start,
                    end_seconds=epoch_seconds(stop["end"]),
                )
            )
    return visits


def _is_remote(order: Document, stop: Document) -> bool:
    for role in _list(order.get("team") or {}, "roles"):
        if role.get("role") == stop.get("role"):
            return bool(role.get("presence") == "remote")
    return False


def _misses(order: Document, visit: _Visit, visits: Sequence[_Visit]) -> tuple[Miss, ...]:
    """The deadlines this member's stop is to blame for: the first arrival, its own start, the last end."""
    on_site = [other for other in visits if not other.remote]
    if visit.remote or not on_site:
        return ()
    bounds = {
        "arrive_by": (
            visit.arrival_seconds,
            visit.arrival_seconds == min(v.arrival_seconds for v in on_site),
        ),
        "start_by": (visit.start_seconds, True),
        "restore_by": (visit.end_seconds, visit.end_seconds == max(v.end_seconds for v in on_site)),
    }
    deadlines = order.get("deadlines") or {}
    return tuple(
        Miss(epoch_seconds(deadlines[name]), happened)
        for name, (happened, binds) in bounds.items()
        if binds and deadlines.get(name) and happened > epoch_seconds(deadlines[name])
    )


def _rows(
    problem: Document,
    orders: Mapping[str, Document],
    routes: Sequence[Document],
    visits: Mapping[str, Sequence[_Visit]],
) -> tuple[Row, ...]:
    names: dict[str, str] = {}
    shifts: dict[RowKey, Document] = {}
    for engineer in _list(problem, "engineers"):
        names[str(engineer["id"])] = str(engineer.get("name") or "")
        for shift in _list(engineer, "shifts"):
            shifts[str(engineer["id"]), str(shift["id"])] = shift
    rank = {key: index for index, key in enumerate(shifts)}
    rows = [
        _row(route, names.get(str(route["engineer"]), ""), _shift_of(route, shifts), orders, visits) for route in routes
    ]
    return tuple(sorted(rows, key=lambda row: rank.get(row.key, len(rank))))


def _shift_of(route: Document, shifts: Mapping[RowKey, Document]) -> Document:
    return shifts.get((str(route["engineer"]), str(route["shift"])), {})


def _row(
    route: Document,
    name: str,
    shift: Document,
    orders: Mapping[str, Document],
    visits: Mapping[str, Sequence[_Visit]],
) -> Row:
    key = (str(route["engineer"]), str(route["shift"]))
    stops = _list(route, "stops")
    activities: list[Activity] = []
    places: list[str] = []
    clock = route_start = _first_instant(stops)
    for stop in stops:
        if stop["kind"] == "start":
            places.append(str(stop["location"]))
            continue
        work = _work(key, stop, orders, visits) if stop["kind"] == "work_order" else None
        if stop.get("arrival"):
            arrival = epoch_seconds(stop["arrival"])
            departure = arrival - int(stop.get("travel_seconds") or 0)
            activities += _stretch("waiting", clock, departure) + _stretch("travel", departure, arrival)
            clock = max(clock, arrival)
        if stop.get("location") and not (work and work.remote):
            places.append(str(stop["location"]))
        if stop["kind"] == "end":
            continue
        start, end = epoch_seconds(stop["start"]), epoch_seconds(stop["end"])
        activities += _stretch("waiting", clock, start)
        activities.append(work or Activity("break", start, end))
        clock = max(clock, end)
    meters = [stop.get("travel_meters") for stop in stops if stop["kind"] not in ("start", "break")]
    return Row(
        engineer=key[0],
        shift=key[1],
        name=name,
        activities=tuple(activities),
        places=tuple(places),
        open_ended=not any(stop["kind"] == "end" for stop in stops),
        route_start_seconds=route_start,
        route_end_seconds=clock,
        shift_start_seconds=epoch_seconds(shift["start"]) if shift else None,
        shift_end_seconds=epoch_seconds(shift["end"]) if shift else None,
        latest_end_seconds=epoch_seconds(shift.get("latest_end") or shift["end"]) if shift else None,
        travel_seconds=sum(int(stop.get("travel_seconds") or 0) for stop in stops),
        travel_meters=None if None in meters else sum(int(m) for m in meters if m is not None),
    )


def _work(
    key: RowKey, stop: Document, orders: Mapping[str, Document], visits: Mapping[str, Sequence[_Visit]]
) -> Activity:
    order_id = str(stop["work_order"])
    order = orders.get(order_id, {})
    members = visits[order_id]
    start = epoch_seconds(stop["start"])
    visit = next(v for v in members if v.key == key and v.start_seconds == start)
    pin = order.get("pin") or {}
    return Activity(
        kind="work",
        start_seconds=start,
        end_seconds=visit.end_seconds,
        work_order=order_id,
        level=_level(order),
        in_team=bool(order.get("team")) or len(members) > 1,
        lead=stop.get("role") == "lead",
        remote=visit.remote,
        pinned=bool(stop.get("pinned")) or pin.get("engineer") == key[0],
        misses=_misses(order, visit, members),
    )


def _first_instant(stops: Sequence[Document]) -> int:
    for stop in stops:
        for field in ("arrival", "start", "end"):
            if stop.get(field):
                return epoch_seconds(stop[field])
    raise ValueError("a route without any instant cannot be drawn")


def _stretch(kind: Literal["travel", "waiting"], start: int, end: int) -> list[Activity]:
    return [Activity(kind, start, end)] if end > start else []


def _standby(plan: Document, visits: Mapping[str, Sequence[_Visit]]) -> tuple[Standby, ...]:
    found = []
    for team in _list(plan, "teams"):
        order_id = str(team["work_order"])
        on_site = [visit for visit in visits.get(order_id, ()) if not visit.remote]
        if not on_site:
            continue
        start = min(visit.start_seconds for visit in on_site)
        end = max(visit.end_seconds for visit in on_site)
        found += [Standby(str(m["engineer"]), order_id, start, end) for m in _list(team, "standby")]
    return tuple(found)


def _brief(orders: Mapping[str, Document], order_id: str) -> OrderBrief:
    order = orders.get(order_id, {})
    return OrderBrief(order_id, _level(order), str(order.get("location") or ""))


def _level(order: Document) -> str:
    level = order.get("level")
    return level if level in LEVELS else "L4"


def _list(document: Document, field: str) -> list[Any]:
    return list(document.get(field) or ())
