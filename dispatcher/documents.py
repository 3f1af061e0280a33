"""From validated planning documents to the domain and back.

Reading expects a document without validation issues (see `dispatcher.validate`); absent, null and empty mean the
same, except an explicit null `end_location`, which is an open route.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.model import (
    VALUE_BY_LEVEL,
    Arrival,
    Break,
    Deadlines,
    Dependency,
    Engineer,
    Exact,
    Level,
    Location,
    Pin,
    Role,
    Shift,
    Team,
    TimeWindow,
    WorkOrder,
)
from dispatcher.objective import make_weights
from dispatcher.plan import Member, Plan, Route, Stop, TeamAssignment
from dispatcher.ports import TravelProvider
from dispatcher.problem import PreviousService, Problem
from skills.graph import Relation, SkillGraph
from skills.qualification import HeldSkill, RequiredSkill

Document = Mapping[str, Any]


def instant(text: str) -> int:
    """`"2026-11-23T08:00:00+08:00"` → epoch seconds."""
    return int(datetime.fromisoformat(text).timestamp())


def instant_text(seconds: int, timezone: ZoneInfo) -> str:
    """Epoch seconds → ISO 8601 with the offset of the zone at that instant."""
    return datetime.fromtimestamp(seconds, UTC).astimezone(timezone).isoformat()


def utc_text(at: datetime) -> str:
    """An instant → ISO 8601 in UTC, in whole seconds: `"2026-11-23T00:00:00Z"`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def exact(number: object) -> Exact:
    """A number as written in the document, exactly; an int where it is whole."""
    if isinstance(number, int):
        return number
    value = Fraction(Decimal(repr(number)))
    return value.numerator if value.denominator == 1 else value


def problem_sha256(document: Document) -> str:
    """SHA-256 over the document as canonical JSON: sorted keys, no white space, UTF-8."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_problem(document: Document, provider: TravelProvider) -> Problem:
    """The immutable problem of a validated problem document."""
    timezone = ZoneInfo(document["timezone"])
    start, end = instant(document["horizon"]["start"]), instant(document["horizon"]["end"])
    locations = tuple(
        Location(name, (place or {}).get("lat"), (place or {}).get("lon"))
        for name, place in (document.get("locations") or {}).items()
    )
    orders = tuple(_work_order(item) for item in document.get("work_orders") or ())
    objective = document.get("objective") or {}
    now = document.get("now")
    current = document.get("current_plan") or {}
    return Problem(
        id=document["id"],
        timezone=timezone,
        now=start if now is None else instant(now),
        start=start,
        end=end,
        locations=locations,
        engineers=tuple(_engineer(item) for item in document.get("engineers") or ()),
        work_orders=orders,
        skill_graph=_skill_graph(document.get("skill_graph") or {}),
        travel=provider(document["travel"], locations, timezone, (start, end)),
        weights=make_weights(objective.get("profile") or "balanced", objective.get("weights")),
        previous=_previous(current, {order.id: order for order in orders}),
        current_routes=current.get("routes") or (),
        current_teams=current.get("teams") or (),
        sha256=problem_sha256(document),
    )


def read_plan(document: Document) -> Plan:
    """The plan of a well-formed plan document, as it claims to be: nothing is checked or corrected here."""
    teams = tuple(
        TeamAssignment(
            item["work_order"],
            instant(item["start"]),
            _members(item["members"]),
            _members(item.get("standby")),
        )
        for item in document.get("teams") or ()
    )
    return Plan(
        routes=tuple(
            Route(item["engineer"], item["shift"], tuple(_stop(stop) for stop in item.get("stops") or ()))
            for item in document.get("routes") or ()
        ),
        teams=teams,
        unassigned=tuple(item["work_order"] for item in document.get("unassigned") or ()),
    )


def _stop(item: Document) -> Stop:
    def optional(key: str) -> int | None:
        return None if item.get(key) is None else instant(item[key])

    meters = item.get("travel_meters")
    return Stop(
        kind=item["kind"],
        location=item.get("location"),
        work_order=item.get("work_order"),
        role=item.get("role"),
        travel_seconds=int(item.get("travel_seconds") or 0),
        travel_meters=None if meters is None else int(meters),
        arrival=optional("arrival"),
        start=optional("start"),
        end=optional("end"),
    )


def _members(items: Iterable[Document] | None) -> tuple[Member, ...]:
    return tuple(Member(item["engineer"], item.get("role")) for item in items or ())


def _skill_graph(item: Document) -> SkillGraph:
    relations = [
        Relation(
            kind=relation["type"],
            source=relation["from"],
            target=relation["to"],
            level_loss=int(relation.get("level_loss") or 0),
            duration_factor=Fraction(exact(_or(relation.get("duration_factor"), 1))),
            penalty=Fraction(exact(relation.get("penalty") or 0)),
        )
        for relation in item.get("relations") or ()
    ]
    return SkillGraph((skill["id"] for skill in item.get("skills") or ()), relations)


def _required(items: Sequence[Document] | None) -> tuple[RequiredSkill, ...]:
    return tuple(RequiredSkill(item["skill"], int(_or(item.get("level"), 1))) for item in items or ())


def _engineer(item: Document) -> Engineer:
    held = []
    for skill in item.get("skills") or ():
        until = skill.get("valid_until")
        level = int(_or(skill.get("level"), 1))
        held.append(HeldSkill(skill["skill"], level, None if until is None else instant(until)))
    return Engineer(
        id=item["id"],
        shifts=tuple(_shift(shift) for shift in item.get("shifts") or ()),
        skills=tuple(held),
        name=item.get("name"),
        territory=item.get("territory"),
        speed_factor=exact(_or(item.get("speed_factor"), 1)),
        duration_factors={
            skill: exact(factor) for skill, factor in (item.get("duration_factors") or {}).items() if factor is not None
        },
        fix_probability={
            skill: exact(chance) for skill, chance in (item.get("fix_probability") or {}).items() if chance is not None
        },
        parts={part: int(count) for part, count in (item.get("parts") or {}).items() if count is not None},
        on_call=bool(item.get("on_call")),
    )


def _shift(item: Document) -> Shift:
    end = instant(item["end"])
    limit = item.get("max_work_orders")
    return Shift(
        id=item["id"],
        start=instant(item["start"]),
        end=end,
        latest_end=end if item.get("latest_end") is None else instant(item["latest_end"]),
        start_location=item["start_location"],
        end_location=item["end_location"] if "end_location" in item else item["start_location"],
        breaks=tuple(
            Break(instant(rest["earliest_start"]), instant(rest["latest_start"]), int(rest["duration_seconds"]))
            for rest in item.get("breaks") or ()
        ),
        max_work_orders=None if limit is None else int(limit),
    )


def _work_order(item: Document) -> WorkOrder:
    level: Level = item.get("level") or "L4"
    value = item.get("value")
    deadlines = item.get("deadlines") or {}
    pin = item.get("pin")
    team = item.get("team")
    return WorkOrder(
        id=item["id"],
        location=item["location"],
        service_seconds=int(item["service_seconds"]),
        setup_seconds=int(item.get("setup_seconds") or 0),
        level=level,
        value=VALUE_BY_LEVEL[level] if value is None else exact(value),
        territory=item.get("territory"),
        required_skills=_required(item.get("required_skills")),
        time_windows=tuple(
            TimeWindow(instant(window["start"]), instant(window["end"])) for window in item.get("time_windows") or ()
        ),
        deadlines=Deadlines(
            *(
                None if deadlines.get(key) is None else instant(deadlines[key])
                for key in ("arrive_by", "start_by", "restore_by")
            )
        ),
        team=_team(team) if team else None,
        allowed_engineers=frozenset(item.get("allowed_engineers") or ()),
        excluded_engineers=frozenset(item.get("excluded_engineers") or ()),
        preferred_engineers=frozenset(item.get("preferred_engineers") or ()),
        parts={part: int(count) for part, count in (item.get("parts") or {}).items() if count},
        asset=item.get("asset"),
        related_to=frozenset(item.get("related_to") or ()),
        depends_on=tuple(_dependency(entry) for entry in item.get("depends_on") or ()),
        pin=Pin(pin["engineer"], None if pin.get("start") is None else instant(pin["start"])) if pin else None,
    )


def _team(item: Document) -> Team:
    arrival = item.get("arrival") or {}
    by_size = item.get("service_seconds_by_size") or {}
    return Team(
        roles=tuple(_role(role) for role in item["roles"]),
        collective_skills=_required(item.get("collective_skills")),
        arrival=Arrival(
            arrival.get("mode") or "together",
            int(arrival.get("min_gap_seconds") or 0),
            _whole_or_none(arrival.get("max_gap_seconds")),
        ),
        service_seconds_by_size=tuple(
            sorted((int(size), int(seconds)) for size, seconds in by_size.items() if seconds is not None)
        ),
    )


def _role(item: Document) -> Role:
    minimum = int(_or(item.get("min"), 1))
    return Role(
        name=item["role"],
        minimum=minimum,
        maximum=int(_or(item.get("max"), minimum)),
        required_skills=_required(item.get("required_skills")),
        presence=item.get("presence") or "on_site",
        service_seconds=_whole_or_none(item.get("service_seconds")),
    )


def _dependency(item: Document) -> Dependency:
    completed = item.get("completed_at")
    return Dependency(
        item.get("work_order"),
        None if completed is None else instant(completed),
        int(item.get("min_gap_seconds") or 0),
        _whole_or_none(item.get("max_gap_seconds")),
    )


def _previous(document: Document, orders: Mapping[str, WorkOrder]) -> dict[str, PreviousService]:
    """Who served which order in the current plan, and when the first on-site member started."""
    members: dict[str, set[str]] = {}
    on_site: dict[str, list[int]] = {}
    for route in document.get("routes") or ():
        for stop in route.get("stops") or ():
            order = orders.get(stop.get("work_order") or "")
            if stop.get("kind") != "work_order" or order is None or stop.get("start") is None:
                continue
            members.setdefault(order.id, set()).add(route["engineer"])
            if order.presence(stop.get("role")) != "remote":
                on_site.setdefault(order.id, []).append(instant(stop["start"]))
    return {
        order: PreviousService(frozenset(engineers), min(on_site.get(order, ()), default=None))
        for order, engineers in members.items()
    }


def _whole_or_none(value: Any) -> int | None:
    return None if value is None else int(value)


def _or(value: Any, default: int) -> Any:
    return default if value is None else value
