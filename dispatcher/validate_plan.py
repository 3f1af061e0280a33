"""Whether a plan can be read at all: the lists, objects, ids, kinds, instants and numbers a reader relies on.

Nothing here asks whether a plan is right.
"""

from __future__ import annotations

from dispatcher.validate_values import (
    IssueList,
    JsonObject,
    Path,
    did_you_mean,
    read_instant,
    shown,
    text,
    whole,
)

_REQUIRED: dict[str, tuple[tuple[str, str], ...]] = {
    "start": (("location", "text"), ("end", "instant")),
    "work_order": (
        ("work_order", "text"),
        ("location", "text"),
        ("travel_seconds", "whole"),
        ("arrival", "instant"),
        ("start", "instant"),
        ("end", "instant"),
    ),
    "break": (("start", "instant"), ("end", "instant")),
    "end": (("location", "text"), ("travel_seconds", "whole"), ("arrival", "instant")),
}
STOP_KINDS = tuple(_REQUIRED)

_NAMES = {"text": "a non-empty text", "whole": "an integer", "instant": "an instant"}


def plan_shape_issues(plan: object, issues: IssueList) -> None:
    """Reports what keeps a plan from being read."""
    if not isinstance(plan, dict):
        _wrong_type((), plan, "an object", issues)
        return
    version = plan.get("version")
    if whole(version) != 1:
        issues.report(
            ("version",),
            "MISSING_FIELD" if version is None else "UNSUPPORTED_VERSION",
            f"the version of the format is {shown(version)}, not 1",
            'Write `"version": 1`.',
        )
    for path, route in _objects(plan, "routes", (), issues):
        _require(route, path, (("engineer", "text"), ("shift", "text")), issues)
        for place, stop in _objects(route, "stops", path, issues):
            _stop_issues(stop, place, issues)
    for path, team in _objects(plan, "teams", (), issues):
        _require(team, path, (("work_order", "text"), ("start", "instant")), issues)
        for key in ("members", "standby"):
            for place, member in _objects(team, key, path, issues):
                _require(member, place, (("engineer", "text"), ("role", "text")), issues)
    for path, entry in _objects(plan, "unassigned", (), issues):
        _require(entry, path, (("work_order", "text"),), issues)


def _stop_issues(stop: JsonObject, path: Path, issues: IssueList) -> None:
    kind = stop.get("kind")
    required = _REQUIRED.get(kind) if isinstance(kind, str) else None
    if required is not None:
        _require(stop, path, required, issues)
    elif kind is None:
        _missing((*path, "kind"), "kind", issues)
    elif not isinstance(kind, str):
        _wrong_type((*path, "kind"), kind, "a text", issues)
    else:
        known = ", ".join(f"`{name}`" for name in STOP_KINDS)
        issues.report(
            (*path, "kind"),
            "UNKNOWN_VALUE",
            f"{shown(kind)} is not a kind of stop",
            did_you_mean(kind[:80], STOP_KINDS) or f"Use one of {known}.",
            value=kind,
            known=list(STOP_KINDS),
        )


def _objects(item: JsonObject, key: str, path: Path, issues: IssueList) -> list[tuple[Path, JsonObject]]:
    value = item.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        _wrong_type((*path, key), value, "a list", issues)
        return []
    found: list[tuple[Path, JsonObject]] = []
    for index, entry in enumerate(value):
        place: Path = (*path, key, index)
        if isinstance(entry, dict):
            found.append((place, entry))
        else:
            _wrong_type(place, entry, "an object", issues)
    return found


def _require(item: JsonObject, path: Path, fields: tuple[tuple[str, str], ...], issues: IssueList) -> None:
    for key, kind in fields:
        value = item.get(key)
        place: Path = (*path, key)
        if value is None:
            _missing(place, key, issues)
        elif kind == "instant" and isinstance(value, str):
            try:
                read_instant(value)
            except ValueError as error:
                issues.bad_instant(place, value, str(error))
        elif kind == "instant" or (text(value) if kind == "text" else whole(value)) is None:
            _wrong_type(place, value, _NAMES[kind], issues)


def _missing(path: Path, key: str, issues: IssueList) -> None:
    issues.report(path, "MISSING_FIELD", f"`{key}` is missing", f"Add `{key}`.", field=key)


def _wrong_type(path: Path, value: object, expected: str, issues: IssueList) -> None:
    issues.report(path, "WRONG_TYPE", f"{shown(value)} is not {expected}", f"Write {expected}.", value=shown(value))
