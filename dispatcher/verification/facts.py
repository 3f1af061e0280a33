"""What a problem document says, in integer seconds and exact fractions, with its defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from dispatcher.verification.values import EPOCH, instant, listed, mapped, number, whole

_VALUE_BY_LEVEL = {"L1": 360000, "L2": 108000, "L3": 28800, "L4": 7200}


@dataclass(frozen=True, slots=True)
class Requirement:
    skill: str
    level: int


@dataclass(frozen=True, slots=True)
class Role:
    name: str
    minimum: int
    maximum: int
    presence: str
    requirements: tuple[Requirement, ...]
    service_seconds: int | None


@dataclass(frozen=True, slots=True)
class Team:
    roles: Mapping[str, Role]
    collective: tuple[Requirement, ...]
    mode: str
    min_gap_seconds: int
    max_gap_seconds: int | None
    service_by_size: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Dependency:
    """On another order, or (`completed_at` given) on one already done."""

    work_order: str
    completed_at: int | None
    min_gap_seconds: int
    max_gap_seconds: int | None


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    location: str
    service_seconds: int
    setup_seconds: int
    level: str
    value: Fraction
    requirements: tuple[Requirement, ...]
    windows: tuple[tuple[int, int], ...]
    arrive_by: int | None
    start_by: int | None
    restore_by: int | None
    team: Team | None
    allowed: frozenset[str]
    excluded: frozenset[str]
    preferred: frozenset[str]
    parts: Mapping[str, Fraction]
    related_to: tuple[str, ...]
    depends_on: tuple[Dependency, ...]
    pin_engineer: str | None
    pin_start: int | None

    def role(self, name: str | None) -> Role | None:
        return None if self.team is None or name is None else self.team.roles.get(name)

    def is_remote(self, role: str | None) -> bool:
        known = self.role(role)
        return known is not None and known.presence == "remote"


@dataclass(frozen=True, slots=True)
class Break:
    earliest_start: int
    latest_start: int
    duration_seconds: int


@dataclass(frozen=True, slots=True)
class Shift:
    """`end_location` None is an open route."""

    id: str
    start: int
    end: int
    latest_end: int
    start_location: str
    end_location: str | None
    breaks: tuple[Break, ...]
    max_work_orders: int | None


@dataclass(frozen=True, slots=True)
class HeldSkill:
    skill: str
    level: int
    valid_until: int | None


@dataclass(frozen=True, slots=True)
class Engineer:
    id: str
    skills: tuple[HeldSkill, ...]
    shifts: Mapping[str, Shift]
    speed_factor: Fraction
    duration_factors: Mapping[str, Fraction]
    fix_probability: Mapping[str, Fraction]
    parts: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Facts:
    id: object
    zone: tzinfo
    now: int
    horizon_end: int
    locations: frozenset[str]
    engineers: Mapping[str, Engineer]
    orders: Mapping[str, Order]

    def is_running(self, order: Order) -> bool:
        return order.pin_start is not None and order.pin_start < self.now

    def clock(self, seconds: int) -> str:
        """An instant as ISO 8601 in the problem's time zone, for messages."""
        try:
            return (EPOCH + timedelta(seconds=seconds)).astimezone(self.zone).isoformat()
        except OverflowError:
            return f"{seconds} s after 1970"


def read_facts(problem: Mapping[str, Any]) -> Facts:
    """The facts of a valid problem document."""
    horizon = problem["horizon"]
    horizon_start = _instant(horizon["start"])
    return Facts(
        id=problem.get("id"),
        zone=ZoneInfo(problem.get("timezone") or "UTC"),
        now=_instant(problem.get("now"), horizon_start),
        horizon_end=_instant(horizon["end"]),
        locations=frozenset(mapped(problem.get("locations"))),
        engineers={raw["id"]: _engineer(raw) for raw in listed(problem.get("engineers"))},
        orders={raw["id"]: _order(raw) for raw in listed(problem.get("work_orders"))},
    )


def _instant(value: object, default: int | None = None) -> int:
    found = _optional_instant(value)
    if found is None:
        if default is None:
            raise ValueError(f"the problem holds {value!r} where an instant belongs")
        return default
    return found


def _optional_instant(value: object) -> int | None:
    return None if value is None else instant(value)


def _optional_whole(value: object) -> int | None:
    found = whole(value)
    if found is not None:
        return found
    exact = number(value)
    return None if exact is None else int(exact)


def _whole(value: object, default: int) -> int:
    found = _optional_whole(value)
    return default if found is None else found


def _exact(value: object, default: int) -> Fraction:
    found = number(value)
    return Fraction(default) if found is None else found


def _amounts(value: object) -> dict[str, Fraction]:
    return {name: _exact(amount, 0) for name, amount in mapped(value).items()}


def _requirements(value: object) -> tuple[Requirement, ...]:
    return tuple(Requirement(raw["skill"], _whole(raw.get("level"), 1)) for raw in listed(value))


def _engineer(raw: Mapping[str, Any]) -> Engineer:
    return Engineer(
        id=raw["id"],
        skills=tuple(
            HeldSkill(held["skill"], _whole(held.get("level"), 1), _optional_instant(held.get("valid_until")))
            for held in listed(raw.get("skills"))
        ),
        shifts={shift["id"]: _shift(shift) for shift in listed(raw.get("shifts"))},
        speed_factor=_exact(raw.get("speed_factor"), 1),
        duration_factors={skill: _exact(factor, 1) for skill, factor in mapped(raw.get("duration_factors")).items()},
        fix_probability={skill: _exact(chance, 1) for skill, chance in mapped(raw.get("fix_probability")).items()},
        parts=_amounts(raw.get("parts")),
    )


def _shift(raw: Mapping[str, Any]) -> Shift:
    end = _instant(raw["end"])
    return Shift(
        id=raw["id"],
        start=_instant(raw["start"]),
        end=end,
        latest_end=_instant(raw.get("latest_end"), end),
        start_location=raw["start_location"],
        # Here alone null and absent differ: null given explicitly is an open route.
        end_location=raw["end_location"] if "end_location" in raw else raw["start_location"],
        breaks=tuple(
            Break(
                _instant(rest["earliest_start"]),
                _instant(rest["latest_start"]),
                _whole(rest["duration_seconds"], 0),
            )
            for rest in listed(raw.get("breaks"))
        ),
        max_work_orders=_optional_whole(raw.get("max_work_orders")),
    )


def _order(raw: Mapping[str, Any]) -> Order:
    level = raw.get("level") or "L4"
    deadlines = mapped(raw.get("deadlines"))
    pin = mapped(raw.get("pin"))
    return Order(
        id=raw["id"],
        location=raw["location"],
        service_seconds=_whole(raw.get("service_seconds"), 0),
        setup_seconds=_whole(raw.get("setup_seconds"), 0),
        level=level,
        value=_exact(raw.get("value"), _VALUE_BY_LEVEL[level]),
        requirements=_requirements(raw.get("required_skills")),
        windows=tuple((_instant(w["start"]), _instant(w["end"])) for w in listed(raw.get("time_windows"))),
        arrive_by=_optional_instant(deadlines.get("arrive_by")),
        start_by=_optional_instant(deadlines.get("start_by")),
        restore_by=_optional_instant(deadlines.get("restore_by")),
        team=_team(raw["team"]) if raw.get("team") else None,
        allowed=frozenset(listed(raw.get("allowed_engineers"))),
        excluded=frozenset(listed(raw.get("excluded_engineers"))),
        preferred=frozenset(listed(raw.get("preferred_engineers"))),
        parts=_amounts(raw.get("parts")),
        related_to=tuple(listed(raw.get("related_to"))),
        depends_on=tuple(
            Dependency(
                work_order=dependency.get("work_order") or "",
                completed_at=_optional_instant(dependency.get("completed_at")),
                min_gap_seconds=_whole(dependency.get("min_gap_seconds"), 0),
                max_gap_seconds=_optional_whole(dependency.get("max_gap_seconds")),
            )
            for dependency in listed(raw.get("depends_on"))
        ),
        pin_engineer=pin.get("engineer"),
        pin_start=_optional_instant(pin.get("start")),
    )


def _team(raw: Mapping[str, Any]) -> Team:
    roles: dict[str, Role] = {}
    for role in listed(raw.get("roles")):
        minimum = _whole(role.get("min"), 1)
        roles[role["role"]] = Role(
            name=role["role"],
            minimum=minimum,
            maximum=_whole(role.get("max"), minimum),
            presence=role.get("presence") or "on_site",
            requirements=_requirements(role.get("required_skills")),
            service_seconds=_optional_whole(role.get("service_seconds")),
        )
    arrival = mapped(raw.get("arrival"))
    return Team(
        roles=roles,
        collective=_requirements(raw.get("collective_skills")),
        mode=arrival.get("mode") or "together",
        min_gap_seconds=_whole(arrival.get("min_gap_seconds"), 0),
        max_gap_seconds=_optional_whole(arrival.get("max_gap_seconds")),
        service_by_size={
            int(size): _whole(seconds, 0)
            for size, seconds in mapped(raw.get("service_seconds_by_size")).items()
            if seconds is not None
        },
    )
