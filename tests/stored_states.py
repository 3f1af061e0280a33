"""Random stored states, as plain values, that make sense as far as their keepers can tell."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from dispatcher.lifecycle import SHIFT_STATES, VISIT_STATES, WORK_ORDER_STATES
from dispatcher.services.state import PlanQuestion, StoredState

MONDAY = date(2026, 11, 23)
ZONES = {"east": "Asia/Shanghai", "west": "America/New_York", "north": "Europe/Berlin"}
Values = dict[str, Any]


def at(hour: float, day: int = 0) -> datetime:
    """An instant of the Monday, or days later."""
    return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=day, hours=hour)


def territory(name: str = "north", timezone: str = "UTC") -> Values:
    return {"external_id": name, "timezone": timezone, "name": None, "attributes": {}}


def site(name: str, home: str | None = "north", latitude: float | None = 52.5) -> Values:
    return {
        "external_id": name,
        "territory": home,
        "latitude": latitude,
        "longitude": 13.4,
        "timezone": "UTC",
        "customer": None,
        "name": None,
        "attributes": {},
    }


def engineer(name: str, home: str | None = "north", **body: Any) -> Values:
    return {"external_id": name, "territory": home, "name": "Somebody", "body": body}


def shift(
    of: str, name: str = "mon", start: float = 8, end: float = 16, day: int = 0, status: str = "planned", **body: Any
) -> Values:
    return {
        "external_id": name,
        "engineer": of,
        "local_date": MONDAY + timedelta(days=day),
        "start": at(start, day),
        "end": at(end, day),
        "latest_end": at(end + 1, day),
        "status": status,
        "body": {"start_location": "depot", **body},
    }


def order(name: str, status: str = "open", place: str = "S1", home: str | None = "north", **body: Any) -> Values:
    return {
        "external_id": name,
        "site": place,
        "asset": None,
        "territory": home,
        "level": "L4",
        "status": status,
        "body": {"service_seconds": 3600, **body},
    }


def visit(name: str, of: str, by: str, status: str = "planned", during: str | None = "mon", **fields: Any) -> Values:
    empty = dict.fromkeys(
        (
            "planned_start",
            "planned_end",
            "accepted_at",
            "departed_at",
            "arrived_at",
            "started_at",
            "paused_at",
            "ended_at",
            "failure",
            "role",
        )
    )
    own = {"external_id": name, "work_order": of, "engineer": by, "shift": during, "status": status}
    return {**empty, "paused_seconds": 0, **own, **fields}


def window(start: float, end: float, day: int = 0) -> dict[str, str]:
    return {"start": at(start, day).isoformat(), "end": at(end, day).isoformat()}


_HOURS = st.integers(-30, 60)
_INSTANTS = st.one_of(st.none(), st.integers(-40 * 60, 40 * 60).map(lambda minutes: at(minutes / 60)))


@st.composite
def _bodies(draw: st.DrawFn, others: list[str], engineers: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"service_seconds": draw(st.integers(0, 20_000))}
    if draw(st.booleans()):
        body["time_windows"] = [
            window(start, start + draw(st.integers(0, 30))) for start in draw(st.lists(_HOURS, max_size=3))
        ]
    if draw(st.booleans()):
        body["depends_on"] = [{"work_order": other} for other in draw(st.lists(st.sampled_from(others), max_size=2))]
    if draw(st.booleans()):
        body["related_to"] = draw(st.lists(st.sampled_from([*others, "gone"]), max_size=2, unique=True))
    for key in ("allowed_engineers", "excluded_engineers", "preferred_engineers"):
        if draw(st.integers(0, 3)) == 0:
            body[key] = draw(st.lists(st.sampled_from(engineers), max_size=2, unique=True))
    if draw(st.integers(0, 3)) == 0:
        body["pin"] = {"engineer": draw(st.sampled_from(engineers))}
        if draw(st.booleans()):
            body["pin"]["start"] = at(draw(_HOURS)).isoformat()
    if draw(st.integers(0, 3)) == 0:
        roles = [{"role": "lead", "required_skills": [{"skill": "pumps"}]}, {"role": "support", "max": 2}]
        body["team"] = {"roles": roles, "service_seconds_by_size": {"2": draw(st.integers(0, 9000))}}
    return body


@st.composite
def stored_states(draw: st.DrawFn) -> tuple[StoredState, PlanQuestion, datetime]:
    """A state, a question about it, and when it is asked."""
    territories = draw(st.lists(st.sampled_from(sorted(ZONES)), min_size=1, max_size=3, unique=True))
    everywhere = [*territories, "elsewhere"]
    dates = draw(st.lists(st.integers(0, 2).map(lambda day: MONDAY + timedelta(days=day)), min_size=1, max_size=3))
    engineers = [engineer(f"E{n}", draw(st.sampled_from([*everywhere, None]))) for n in range(draw(st.integers(1, 4)))]
    names = [item["external_id"] for item in engineers]
    shifts = [
        shift(
            name,
            f"d{day}",
            start=draw(st.integers(0, 12)),
            end=draw(st.integers(13, 22)),
            day=day,
            status=draw(st.sampled_from(SHIFT_STATES)),
            **({"max_work_orders": draw(st.integers(0, 3))} if draw(st.booleans()) else {}),
            **({"end_location": draw(st.sampled_from(["S1", None]))} if draw(st.booleans()) else {}),
        )
        for name in names
        for day in range(draw(st.integers(0, 3)))
    ]
    count = draw(st.integers(0, 5))
    orders = []
    for number in range(count):
        # Only earlier orders, so that none waits for itself.
        others = [f"W{n}" for n in range(number)] or ["outside"]
        item = order(
            f"W{number}",
            draw(st.sampled_from(WORK_ORDER_STATES)),
            draw(st.sampled_from(["S1", "S2"])),
            draw(st.sampled_from(territories)),
            **draw(_bodies(others, names)),
        )
        orders.append(item)
    unfinished = [item for item in orders if item["status"] in ("open", "planned", "in_progress")]
    keys = [(item["engineer"], item["external_id"]) for item in shifts]
    visits = []
    for number in range(draw(st.integers(0, 6)) if orders else 0):
        by, during = draw(st.sampled_from([*keys, (names[0], None)]))
        fields: Values = {name: draw(_INSTANTS) for name in ("arrived_at", "started_at", "paused_at", "ended_at")}
        fields |= {"planned_end": draw(_INSTANTS), "paused_seconds": draw(st.integers(0, 7200))}
        fields["role"] = draw(st.sampled_from([None, "lead", "support"]))
        status, name = draw(st.sampled_from(VISIT_STATES)), draw(st.sampled_from(orders))["external_id"]
        visits.append(visit(f"V{number}", name, by, status, during, **fields))
    route = {
        "engineer": names[0],
        "shift": "d0",
        "stops": [
            {"kind": "start", "location": "depot", "end": at(8).isoformat()},
            {
                "kind": "work_order",
                "work_order": "W0",
                "location": "S1",
                "travel_seconds": 60,
                "arrival": at(9).isoformat(),
                "start": at(9).isoformat(),
                "end": at(10).isoformat(),
            },
        ],
    }
    state = StoredState(
        territories=[territory(name, ZONES[name]) for name in territories],
        skills=[{"external_id": "pumps", "name": None, "attributes": {}}],
        sites=[site(name) for name in ("depot", "S1", "S2", "unused")],
        engineers=engineers,
        shifts=shifts,
        work_orders=unfinished,
        other_orders=[item for item in orders if item not in unfinished],
        visits=visits,
        finished_at={},
        routes_in_force=[route],
    )
    asked = at(draw(_HOURS)) + timedelta(seconds=draw(st.integers(0, 3599)))
    return state, PlanQuestion("question", territories, dates), asked.astimezone(ZoneInfo("Asia/Tokyo"))
