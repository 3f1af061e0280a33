"""The 1+N teams of a synthetic day: asked for only where the fleet could really send one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import Any

from data.synthetic_city import LocalDay
from data.synthetic_fleet import Document, Stream
from data.synthetic_spec import FleetSpec
from data.synthetic_trade import Qualifier

COMMON_REQUIREMENT: tuple[Document, ...] = ({"skill": "safety", "level": 1},)
CORE_HOURS = (10.5, 15.0)
"""Whoever is asked to join a team works at least these hours, so that members can meet."""


def add_teams(
    spec: FleetSpec,
    stream: Stream,
    day: LocalDay,
    engineers: Sequence[Document],
    orders: Sequence[Document],
    qualifier: Qualifier,
) -> None:
    """Turn the gravest orders into team orders, as many as `team_share` asks for and the fleet can staff."""
    if spec.team_share <= 0:
        return
    gravest = sorted(orders, key=lambda order: (order["level"], order["id"]))
    wanted = max(round(spec.team_share * spec.orders), sum(order["level"] == "L1" for order in orders))
    present = [engineer for engineer in engineers if _works_core_hours(engineer, day)]
    added = 0
    for order in gravest:
        if added == wanted:
            return
        rng = stream(f"team {order['id']}")
        drawn = _Draw(rng)
        for ease in range(4):
            team = _team(spec, drawn, order, added, ease)
            if staff(team, present, qualifier) is not None:
                _apply(order, team, day)
                added += 1
                break


def staff(team: Document, engineers: Sequence[Document], qualifier: Qualifier) -> dict[str, list[str]] | None:
    """Different engineers for every place a team needs at least, by role; None if there are not enough."""
    places: list[tuple[str, list[str]]] = []
    ids = [engineer["id"] for engineer in engineers]
    for role in team["roles"]:
        common = () if role.get("presence") == "standby" else COMMON_REQUIREMENT
        holders = qualifier.holders([*common, *role["required_skills"]])
        able = [name for name in ids if name in holders]
        places += [(role["role"], able)] * role["min"]
    standby = {role["role"] for role in team["roles"] if role.get("presence") == "standby"}

    def covered(chosen: Sequence[str]) -> bool:
        members = [name for (role, _), name in zip(places, chosen, strict=True) if role not in standby]
        return all(not qualifier.holders([skill]).isdisjoint(members) for skill in team.get("collective_skills", ()))

    def fill(chosen: list[str]) -> list[str] | None:
        if len(chosen) == len(places):
            return chosen if covered(chosen) else None
        for name in places[len(chosen)][1]:
            if name not in chosen and (found := fill([*chosen, name])):
                return found
        return None

    found = fill([])
    if found is None:
        return None
    crew: dict[str, list[str]] = {}
    for (role, _), name in zip(places, found, strict=True):
        crew.setdefault(role, []).append(name)
    return crew


class _Draw:
    """Everything chance decides about a team, drawn at once so that easing a demand draws nothing anew."""

    def __init__(self, rng: Random) -> None:
        self.supports = rng.choice((1, 1, 2))
        self.extra = rng.choice((0, 1, 1, 2))
        self.gap_minutes = rng.choice((15, 30, 45))
        self.early_minutes = rng.choice((0, 0, 10))
        self.half_time = rng.random() < 0.3


def _team(spec: FleetSpec, drawn: _Draw, order: Document, index: int, ease: int) -> Document:
    skill = order["required_skills"][0]["skill"]
    lead_level = max(1, (5 if spec.remote_members and index % 3 == 1 else 4) - ease)
    supports = max(1, drawn.supports - ease)
    lead: Document = {"role": "lead", "min": 1, "max": 1, "required_skills": [_skill(skill, lead_level)]}
    support: Document = {
        "role": "support",
        "min": supports,
        "max": supports + drawn.extra,
        "required_skills": [_skill(skill, 2 if ease < 1 else 1)],
    }
    roles = [lead, support]
    if spec.remote_members and index % 3 == 1:
        lead["presence"] = "remote"
    elif spec.arrival_modes and drawn.half_time:
        support["service_seconds"] = 3600
    if spec.standby and ease < 3:
        backup = [_skill(skill, max(1, lead_level - 1 - ease))]
        roles.append({"role": "backup", "min": 1, "max": 1, "required_skills": backup, "presence": "standby"})
    team: Document = {"roles": roles}
    others = [item for item in order["required_skills"][1:] if item["skill"] != "safety"]
    if others and ease < 2:
        team["collective_skills"] = [dict(others[0])]
    if spec.arrival_modes and index % 3:
        mode = "staggered" if index % 3 == 2 else "lead_first"
        team["arrival"] = {"mode": mode, "max_gap_seconds": drawn.gap_minutes * 60}
        if mode == "lead_first":
            team["arrival"]["min_gap_seconds"] = drawn.early_minutes * 60
    return team


def _skill(skill: str, level: int) -> Document:
    return {"skill": skill, "level": level}


def _apply(order: Document, team: Document, day: LocalDay) -> None:
    order["required_skills"] = [dict(item) for item in COMMON_REQUIREMENT]
    order["team"] = team
    if order.get("time_windows"):
        order["time_windows"] = [{"start": day.text(day.at(8)), "end": day.text(day.at(17))}]
    # Parts come out of a member's van, and whose van it will be is not known before the team is.
    order.pop("parts", None)


def size_services(orders: Sequence[Document]) -> None:
    """With more hands on site a team is faster: 70 % of the time for three, 55 % for four."""
    for order in orders:
        team = order.get("team")
        if not team:
            continue
        seconds = order["service_seconds"]
        on_site = [role for role in team["roles"] if role.get("presence", "on_site") == "on_site"]
        sizes = range(sum(role["min"] for role in on_site), sum(role["max"] for role in on_site) + 1)
        share = {1: 1.0, 2: 1.0, 3: 0.7, 4: 0.55}
        team["service_seconds_by_size"] = {str(size): int(seconds * share.get(size, 0.5) / 60) * 60 for size in sizes}


def _works_core_hours(engineer: Document, day: LocalDay) -> bool:
    first, last = (day.at(hours) for hours in CORE_HOURS)
    return any(_instant(shift["start"]) <= first and last <= _instant(shift["end"]) for shift in engineer["shifts"])


def _instant(text: Any) -> float:
    return datetime.fromisoformat(text).timestamp()
