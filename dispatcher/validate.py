"""What a planning document has to satisfy beyond its shape.

Both functions work on raw parsed JSON and are tolerant: whatever is malformed is skipped, because the check
of shape reports it, and the issues of both are shown together. They never raise.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from dispatcher.errors import Issue
from dispatcher.validate_cost import cost_issues
from dispatcher.validate_engineers import Horizon, engineer_issues
from dispatcher.validate_orders import order_issues
from dispatcher.validate_plan import plan_shape_issues
from dispatcher.validate_skills import relation_issues
from dispatcher.validate_travel import travel_issues
from dispatcher.validate_values import (
    LIMITS,
    IssueList,
    JsonObject,
    Limits,
    Path,
    did_you_mean,
    instant,
    mapping,
    number,
    objects,
    shown,
    text,
)

__all__ = ["LIMITS", "Limits", "is_plan", "is_problem", "plan_issues", "problem_issues"]


def is_problem(document: object) -> bool:
    """Whether a document looks like a problem rather than a plan."""
    return isinstance(document, dict) and "routes" not in document and "travel" in document


def is_plan(document: object) -> bool:
    """Whether a document looks like a plan rather than a problem."""
    return isinstance(document, dict) and "routes" in document and "travel" not in document


def problem_issues(document: object) -> list[Issue]:
    """Everything a problem says that cannot be meant, in no particular order."""
    issues = IssueList()
    if not isinstance(document, dict):
        return issues
    horizon = _horizon(document, issues)
    _timezone_issues(document, issues)
    engineers = engineer_issues(document, horizon, issues)
    now = document.get("now")
    order_issues(document, engineers, horizon, horizon.start if now is None else instant(now), issues)
    _skill_issues(document, issues)
    used = list(_locations_used(document))
    locations = mapping(document.get("locations"))
    for path, name in used:
        if name not in locations:
            issues.not_found(path, "locations", name, locations)
    travel_issues(document, used, issues)
    cost_issues(document, issues)
    return issues


def plan_issues(problem: object, plan: object) -> list[Issue]:
    """What makes a plan unreadable; whether its claims are true is the checker's question."""
    issues = IssueList()
    if is_problem(plan):
        swapped = " and the problem is a plan: the two are swapped" if is_plan(problem) else ""
        issues.report(
            (),
            "WRONG_DOCUMENT",
            f"this is a problem, not a plan{swapped}",
            "Give the problem first, then the plan.",
        )
        return issues
    plan_shape_issues(plan, issues)
    return issues


def _horizon(document: JsonObject, issues: IssueList) -> Horizon:
    given = mapping(document.get("horizon"))
    start, end = instant(given.get("start")), instant(given.get("end"))
    if start is not None and end is not None:
        if start >= end:
            issues.report(
                ("horizon", "end"),
                "ORDER",
                f"`end` {shown(given['end'])} is not after `start` {shown(given['start'])}",
                "Let the horizon end after it starts.",
                earlier="start",
                later="end",
                values=[given["start"], given["end"]],
            )
            # Everything would lie outside a horizon that holds nothing.
            return Horizon(None, None)
        if end - start > LIMITS.horizon_days * 86_400:
            issues.report(
                ("horizon", "end"),
                "TOO_LARGE",
                f"the horizon is {(end - start) // 86_400} days long",
                f"Plan at most {LIMITS.horizon_days} days at once.",
                limit=LIMITS.horizon_days,
                found=(end - start) // 86_400,
            )
    return Horizon(start, end, given.get("start"), given.get("end"))


@lru_cache(maxsize=256)
def is_timezone(name: str) -> bool:
    """Whether the IANA time zone database has a zone of this name."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return True


def _timezone_issues(document: JsonObject, issues: IssueList) -> None:
    name = text(document.get("timezone"))
    if name is None or is_timezone(name):
        return
    issues.report(
        ("timezone",),
        "BAD_TIMEZONE",
        f"{shown(name)} is not in the IANA time zone database",
        did_you_mean(name, available_timezones()) or 'Use a name like "Asia/Shanghai" or "UTC".',
        value=name,
    )


def _locations_used(document: JsonObject) -> Iterator[tuple[Path, str]]:
    for path, engineer in objects(document.get("engineers"), ("engineers",)):
        for place, shift in objects(engineer.get("shifts"), (*path, "shifts")):
            for key in ("start_location", "end_location"):
                name = text(shift.get(key))
                if name is not None:
                    yield (*place, key), name
    for path, order in objects(document.get("work_orders"), ("work_orders",)):
        name = text(order.get("location"))
        if name is not None:
            yield (*path, "location"), name


def _skill_issues(document: JsonObject, issues: IssueList) -> None:
    graph = mapping(document.get("skill_graph"))
    root: Path = ("skill_graph",)
    known = issues.duplicates(
        (
            ((*path, "id"), name)
            for path, skill in objects(graph.get("skills"), (*root, "skills"))
            if (name := text(skill.get("id")))
        ),
        "skill",
    )
    for path, relation in objects(graph.get("relations"), (*root, "relations")):
        if relation.get("type") == "implies":
            _implies_issues(path, relation, issues)
    relation_issues(objects(graph.get("relations"), (*root, "relations")), issues)
    # Without a list of skills they are flat tags, and any name is one.
    if known:
        for path, name in _skills_named(document):
            if name not in known:
                issues.not_found(path, "skill_graph.skills", name, known)


def _implies_issues(path: Path, relation: JsonObject, issues: IssueList) -> None:
    for key, neutral in (("duration_factor", 1), ("penalty", 0)):
        given = number(relation.get(key))
        if given is not None and given != neutral:
            issues.report(
                (*path, key),
                "IMPLIES_WITH_PRICE",
                f"`implies` carries no `{key}`, found {shown(given)}",
                f"Remove `{key}`, or use the type `substitutes`.",
                field=key,
                value=given,
            )


def _skills_named(document: JsonObject) -> Iterator[tuple[Path, str]]:
    def of(item: JsonObject, key: str, path: Path) -> Iterator[tuple[Path, str]]:
        for place, entry in objects(item.get(key), (*path, key)):
            name = text(entry.get("skill"))
            if name is not None:
                yield (*place, "skill"), name

    for path, relation in objects(mapping(document.get("skill_graph")).get("relations"), ("skill_graph", "relations")):
        for key in ("from", "to"):
            name = text(relation.get(key))
            if name is not None:
                yield (*path, key), name
    for path, engineer in objects(document.get("engineers"), ("engineers",)):
        yield from of(engineer, "skills", path)
        for field in ("duration_factors", "fix_probability"):
            for name in mapping(engineer.get(field)):
                if text(name):
                    yield (*path, field, name), name
    for path, order in objects(document.get("work_orders"), ("work_orders",)):
        yield from of(order, "required_skills", path)
        team = mapping(order.get("team"))
        yield from of(team, "collective_skills", (*path, "team"))
        for place, role in objects(team.get("roles"), (*path, "team", "roles")):
            yield from of(role, "required_skills", place)
