"""The shape of a document: pydantic's errors as issues, by one table."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dispatcher.errors import Issue, Segment
from dispatcher.objective import RULES_BY_LEVEL
from dispatcher.validate import LIMITS
from dispatcher.validate_values import IssueList, did_you_mean, shown

# Pydantic's error types: code, message, remedy. `{found}` is the value, `{field}` the last key of its path.
_TRANSLATION: Mapping[str, tuple[str, str, str]] = {
    "missing": ("MISSING_FIELD", "`{field}` is missing", "Add `{field}`."),
    "extra_forbidden": ("UNKNOWN_FIELD", "`{field}` is not a field of this object", "{hint}"),
    "invalid_key": ("BAD_KEY", "a key is not a text", "Use texts as keys."),
    "string_type": ("WRONG_TYPE", "{found} is not a text", "Write a text in quotes."),
    "string_too_short": ("OUT_OF_RANGE", "the text is empty", "Write at least {min_length} character."),
    "string_too_long": (
        "OUT_OF_RANGE",
        "{found} has more than {max_length} characters",
        "Shorten it to {max_length} characters.",
    ),
    "string_pattern_mismatch": (
        "UNKNOWN_VALUE",
        "{found} is not written as such a name is",
        # Names of states are the only texts of documents that have a pattern.
        "Use up to 50 small letters and underscores, a letter first.",
    ),
    "string_unicode": ("INVALID_TEXT", "{found} holds half of a surrogate pair", "Write whole characters."),
    "int_type": ("WRONG_TYPE", "{found} is not an integer", "Write a whole number without quotes."),
    "float_type": ("WRONG_TYPE", "{found} is not a number", "Write a number without quotes."),
    "bool_type": ("WRONG_TYPE", "{found} is neither true nor false", "Write true or false without quotes."),
    "list_type": ("WRONG_TYPE", "{found} is not a list", "Write a list: [ ... ]."),
    "dict_type": ("WRONG_TYPE", "{found} is not an object", "Write an object: { ... }."),
    "model_type": ("WRONG_TYPE", "{found} is not an object", "Write an object: { ... }."),
    "model_attributes_type": ("WRONG_TYPE", "{found} is not an object", "Write an object: { ... }."),
    "finite_number": ("NOT_FINITE", "{found} is not a finite number", "Write an ordinary number."),
    "greater_than": ("OUT_OF_RANGE", "{found} is not above {gt}", "Use a number above {gt}."),
    "greater_than_equal": ("OUT_OF_RANGE", "{found} is below {ge}", "Use {ge} or more."),
    "less_than_equal": ("OUT_OF_RANGE", "{found} is above {le}", "Use {le} or less."),
    "literal_error": ("UNKNOWN_VALUE", "{found} is none of the known values", "{hint}"),
    "union_tag_invalid": ("UNKNOWN_VALUE", "{found} is not a known kind", "{hint}"),
    "union_tag_not_found": ("MISSING_FIELD", "`{field}` is missing", "Add `{field}`."),
    "too_short": ("OUT_OF_RANGE", "`{field}` has too few entries", "Give at least {min_length}."),
    "too_long": (
        "TOO_LARGE",
        "`{field}` has more than {max_length} entries",
        "Split the problem: {max_length} entries is the limit.",
    ),
    # Raised by the types of api.schemas_values, under the code itself.
    "NOT_FINITE": ("NOT_FINITE", "{found} holds a number that is not finite", "Write an ordinary number."),
    "INVALID_TEXT": (
        "INVALID_TEXT",
        "{found} holds a NUL character or half of a surrogate pair",
        "Remove the character.",
    ),
    "BAD_INSTANT": (
        "BAD_INSTANT",
        "{found} {reason}",
        'Write whole seconds with an offset: "2026-11-23T08:00:00+08:00".',
    ),
    "BAD_CLOCK": (
        "BAD_CLOCK",
        "{found} is not a clock time",
        'Write HH:MM, like "07:30"; `to` may be "24:00".',
    ),
    "BAD_DATE": ("BAD_DATE", "{found} is not a day from 1970 to 2200", 'Write it like "2026-11-23".'),
    "BAD_TIMEZONE": (
        "BAD_TIMEZONE",
        "{found} is not in the IANA time zone database",
        'Use a name like "Asia/Shanghai" or "UTC".',
    ),
    "BAD_KEY": ("BAD_KEY", "{found} is not a positive whole number", 'Use keys like "2" and "3".'),
    "UNSUPPORTED_VERSION": ("UNSUPPORTED_VERSION", "version {found} is not known", 'Write `"version": 1`.'),
    "TOO_DEEP": ("TOO_DEEP", "nested deeper than {limit} levels", "Flatten the data."),
}


def shape_issues(model: type[BaseModel], document: object) -> list[Issue]:
    try:
        model.model_validate(document)
    except ValidationError as error:
        return issues_of(model, error)
    return []


def issues_of(model: type[BaseModel], error: ValidationError) -> list[Issue]:
    """What pydantic found wrong with a document of this model, as issues."""
    issues = IssueList()
    unlisted: dict[tuple[Segment, ...], list[int]] = {}
    for details in error.errors(include_url=False):
        path, tags = _place(details["loc"])
        if details["type"] == "MATRIX_CELLS":
            _cell_issues(path, details, unlisted.setdefault(path[:-1], [0, 0]), issues)
        else:
            _translate(model, details, path, tags, issues)
    for path, (listed, count) in unlisted.items():
        if count:
            issues.report(
                path,
                "MATRIX_CELLS",
                f"{count} cells are wrong beside the {listed} that are listed one by one",
                "Correct the ones that are listed and look for the same mistake in the others.",
                count=count,
                listed=listed,
            )
    return issues


def _place(location: tuple[Segment, ...]) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """The path in the document, and the location with the names of union members but without key marks."""
    path: list[Segment] = []
    tagged: list[Segment] = []
    previous_was_tag = False
    for position, segment in enumerate(location):
        if segment == "[key]" and position == len(location) - 1:
            continue
        tagged.append(segment)
        previous_was_tag = not previous_was_tag and _is_union(path)
        if not previous_was_tag:
            path.append(segment)
    return tuple(path), tuple(tagged)


def _is_union(path: list[Segment]) -> bool:
    """Whether pydantic puts the name of a member of a union behind this path."""
    if path == ["travel"]:
        return True
    if path[:2] == ["objective", "weights"]:
        return len(path) == 3 and path[2] in RULES_BY_LEVEL
    return len(path) >= 2 and isinstance(path[-1], int) and (path[-2] == "stops" or path[:-1] == ["events"])


def _translate(
    model: type[BaseModel],
    details: ErrorDetails,
    path: tuple[Segment, ...],
    tagged: tuple[Segment, ...],
    issues: IssueList,
) -> None:
    kind, found = details["type"], details["input"]
    context = dict(details.get("ctx", {}))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, "kind")
        found = found.get("kind") if isinstance(found, Mapping) else found
        if found is None:
            kind = "union_tag_not_found"
    field = path[-1] if path else "document"
    code, message, remedy = _TRANSLATION[kind]
    if details["loc"] and details["loc"][-1] == "[key]" and code == "OUT_OF_RANGE":
        code, message = "BAD_KEY", f"the key {message}"
    if kind == "extra_forbidden":
        hint = did_you_mean(str(field)[:80], _fields(model, tagged[:-1]))
        context["hint"] = hint or "Remove it; free data goes into `attributes`."
    if kind in ("literal_error", "union_tag_invalid"):
        expected = str(context.get("expected") or context["expected_tags"])
        hint = did_you_mean(found[:80], re.findall(r"'([^']*)'", expected)) if isinstance(found, str) else ""
        context["hint"] = f"Use {expected}. {hint}".rstrip()
        if not isinstance(found, str):
            code, message = "WRONG_TYPE", "{found} is not a text"
    values = {"found": shown(found), "field": field, **context}
    issues.report(path, code, _filled(message, values), _filled(remedy, values), value=shown(found), **_plain(context))


def _filled(template: str, values: Mapping[str, object]) -> str:
    """The template with its `{names}` replaced; other braces, as in `{ ... }`, stay."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match[1], match[0])
        return f"{given:g}" if isinstance(given, float) else str(given)

    return re.sub(r"\{(\w+)\}", value, template)


def _plain(context: Mapping[str, Any]) -> dict[str, object]:
    return {key: item if isinstance(item, (str, int, float)) else str(item) for key, item in context.items()}


def _cell_issues(path: tuple[Segment, ...], details: ErrorDetails, tally: list[int], issues: IssueList) -> None:
    """`tally` counts the listed and the unlisted wrong cells of one matrix."""
    context, row = details["ctx"], details["input"]
    room = max(0, LIMITS.listed_matrix_cells - tally[0])
    for column in context["columns"][:room]:
        cell = row[column]
        numeric = isinstance(cell, (int, float)) and not isinstance(cell, bool)
        outside = numeric and (isinstance(cell, int) or math.isfinite(cell)) and not 0 <= cell <= context["limit"]
        issues.report(
            (*path, column),
            "OUT_OF_RANGE" if outside else "WRONG_TYPE",
            f"{shown(cell)} is not an integer from 0 to {context['limit']}",
            "Write a whole number, 0 or more.",
            value=shown(cell),
            limit=context["limit"],
        )
    listed = min(room, len(context["columns"]))
    tally[0] += listed
    tally[1] += context["count"] - listed


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _fields(model: type[BaseModel], tagged: Iterable[Segment]) -> list[str]:
    """The names of the fields an object may have at a location."""
    root = _schema(model)
    nodes = list(_alternatives(root, root))
    for segment in tagged:
        following: list[dict[str, Any]] = []
        for node in nodes:
            properties = node.get("properties", {})
            if properties.get("kind", {}).get("const") == segment:
                following = [node]
                break
            if isinstance(segment, int):
                below = node.get("items")
            else:
                below = properties.get(segment, node.get("additionalProperties"))
            if isinstance(below, dict):
                following += _alternatives(below, root)
        nodes = following or nodes
    return [name for node in nodes for name in node.get("properties", {})]


def _alternatives(node: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in node:
        node = root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    choices = [*node.get("anyOf", ()), *node.get("oneOf", ())]
    if not choices:
        yield node
    for choice in choices:
        yield from _alternatives(choice, root)
