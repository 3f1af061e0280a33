"""What `locations` and `travel` have to say to each other: coordinates, matrices, traffic."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.validate_cost import has_weight
from dispatcher.validate_values import (
    LIMITS,
    IssueList,
    JsonObject,
    Path,
    clock,
    items,
    mapping,
    objects,
    shown,
    texts,
)

_TRAVEL: Path = ("travel",)


def travel_issues(document: JsonObject, used: Iterable[tuple[Path, str]], issues: IssueList) -> None:
    """`used` are the locations that shifts and work orders name, each with where it is named."""
    travel = mapping(document.get("travel"))
    _location_issues(document, travel.get("kind") == "geodesic", issues)
    _traffic_issues(travel, issues)
    if travel.get("kind") == "matrix":
        _matrix_issues(document, travel, used, issues)


def _location_issues(document: JsonObject, needed: bool, issues: IssueList) -> None:
    for name, place in mapping(document.get("locations")).items():
        if place is not None and not isinstance(place, dict):
            continue
        given = {key for key in ("lat", "lon") if mapping(place).get(key) is not None}
        if len(given) == 2 or not (given or needed):
            continue
        for key in ("lat", "lon"):
            if key not in given:
                why = "travel is geodesic" if needed else "the other coordinate is given"
                issues.report(
                    ("locations", name, key),
                    "MISSING_FIELD",
                    f"location {shown(name)} has no `{key}`, but {why}",
                    f"Add `{key}` in degrees (WGS 84)"
                    + (", or give travel as a matrix." if needed else ", or remove both."),
                    field=key,
                )


def _traffic_issues(travel: JsonObject, issues: IssueList) -> None:
    intervals: list[tuple[int, int, Path]] = []
    for path, item in objects(travel.get("traffic"), (*_TRAVEL, "traffic")):
        start, end = clock(item.get("from")), clock(item.get("to"))
        if start is None or end is None:
            continue
        if start >= end:
            issues.report(
                (*path, "to"),
                "ORDER",
                f"`to` {shown(item['to'])} is not after `from` {shown(item['from'])}",
                "Let `to` be after `from`; over midnight, use one interval up to 24:00 and one from 00:00.",
                earlier="from",
                later="to",
                values=[item["from"], item["to"]],
            )
            continue
        intervals.append((start, end, path))
    furthest = 0
    for start, end, path in sorted(intervals):
        if start < furthest:
            issues.report(
                path,
                "OVERLAP",
                "this traffic interval overlaps another one",
                "Let every interval start at or after the end of the one before it.",
            )
        furthest = max(furthest, end)


def _matrix_issues(
    document: JsonObject, travel: JsonObject, used: Iterable[tuple[Path, str]], issues: IssueList
) -> None:
    path = (*_TRAVEL, "location_ids")
    ids = items(travel.get("location_ids"))
    locations = mapping(document.get("locations"))
    named = list(texts(ids, path))
    for place, name in named:
        if name not in locations:
            issues.not_found(place, "locations", name, locations)
    known = issues.duplicates(named, "location")
    if isinstance(travel.get("location_ids"), list):
        for place, name in used:
            # A location nobody knows is reported where it is used, once.
            if name in locations and name not in known:
                issues.not_found(place, "travel.location_ids", name, known)
    for key in ("seconds", "meters"):
        _size_issues(travel, key, len(ids), issues)
    if not travel.get("meters") and ids and has_weight(document, "distance"):
        issues.report(
            (*_TRAVEL, "meters"),
            "MISSING_METERS",
            "`distance` has weight, but the matrix has no `meters`",
            "Add `meters`, or set the weight of `distance` to 0.",
        )


def _size_issues(travel: JsonObject, key: str, size: int, issues: IssueList) -> None:
    matrix = travel.get(key)
    if not isinstance(matrix, list) or (key == "meters" and not matrix):
        return
    remedy = f"Give {size} rows of {size} numbers: row i, column j is from location i to location j."
    if len(matrix) != size:
        issues.report(
            (*_TRAVEL, key),
            "MATRIX_SIZE",
            f"`{key}` has {len(matrix)} rows for {size} locations",
            remedy,
            expected=size,
            found=len(matrix),
        )
    for index, row in enumerate(matrix):
        if isinstance(row, list) and len(row) != size:
            issues.report(
                (*_TRAVEL, key, index),
                "MATRIX_SIZE",
                f"row {index} of `{key}` has {len(row)} numbers for {size} locations",
                remedy,
                expected=size,
                found=len(row),
            )
    if size * size > LIMITS.matrix_entries:
        issues.report(
            (*_TRAVEL, key),
            "TOO_LARGE",
            f"`{key}` has {size} × {size} entries",
            f"A matrix may have up to {LIMITS.matrix_entries} entries: name only locations that are used.",
            limit=LIMITS.matrix_entries,
            found=size * size,
        )
