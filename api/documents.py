"""Planning documents: read from bytes and files, checked whole, every issue reported at once.

Shape (pydantic, `api.schemas`) and meaning (`dispatcher.validate`) are checked side by side, so that a
document with a mistyped field and an unknown engineer is told both. Nothing here raises anything but
`InvalidInput`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from api.documents_json import OddValues, parse_json, refused, too_many_bytes
from api.documents_shape import shape_issues
from api.schemas import PlanDocument, ProblemDocument
from dispatcher.errors import InvalidInput, Issue, Segment
from dispatcher.validate import LIMITS, is_plan, is_problem, problem_issues
from dispatcher.validate_values import shown

__all__ = [
    "beside",
    "check_plan",
    "check_problem",
    "in_order",
    "load_json",
    "load_plan_document",
    "load_problem_document",
    "parse_json",
    "read_json",
]

Found = TypeVar("Found")
_PLACE = re.compile(r'\.?([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]')


def check_problem(document: object) -> list[Issue]:
    """Everything wrong with a parsed problem document, shape and meaning, in the order of the document."""
    if is_plan(document):
        return [_wrong_document("plan", "problem")]
    return in_order(document, [*shape_issues(ProblemDocument, document), *problem_issues(document)])


def check_plan(document: object) -> list[Issue]:
    """Everything wrong with the shape of a parsed plan document, in the order of the document."""
    if is_problem(document):
        return [_wrong_document("problem", "plan")]
    return in_order(document, shape_issues(PlanDocument, document))


def load_problem_document(path: Path) -> dict[str, Any]:
    """A problem document from a file, without any issue.

    Raises:
        InvalidInput: with every issue; also where there is no such file, or it cannot be read.
    """
    return load_json(path, lambda document: _sound(document, check_problem(document)))


def load_plan_document(path: Path) -> dict[str, Any]:
    """A plan document from a file, of the right shape; whether it is true is the checker's question.

    Raises:
        InvalidInput: with every issue; also where there is no such file, or it cannot be read.
    """
    return load_json(path, lambda document: _sound(document, check_plan(document)))


def load_json(path: Path, read: Callable[[object], Found]) -> Found:
    """What `read` makes of the value of a JSON file.

    Raises:
        InvalidInput: as `read_json`; also where there is no such file, or it cannot be read.
    """
    return read_json(_read(path), read, name=path.name)


def read_json(raw: bytes, read: Callable[[object], Found], *, name: str) -> Found:
    """What `read` makes of the value of a JSON text.

    Raises:
        InvalidInput: as `parse_json` and `read`; where a number is not finite or the like, with what both find.
    """
    try:
        document = parse_json(raw, name=name)
    except OddValues as odd:
        raise InvalidInput(beside(odd, read)) from None
    return read(document)


def beside(odd: OddValues, read: Callable[[object], object]) -> list[Issue]:
    """What is odd about a document, and whatever else `read` finds wrong with it."""
    told = {issue.path for issue in odd.issues}
    # There or, as with free data, somewhere within.
    within = {(issue.code, path) for issue in odd.issues for path in _paths_to(issue.path)}

    def again(issue: Issue) -> bool:
        return issue.path in told or (issue.code, issue.path) in within

    others: list[Issue] = []
    try:
        read(odd.document)
    except InvalidInput as error:
        others += (issue for issue in error.issues if not again(issue))
    return in_order(odd.document, [*odd.issues, *others])


def _paths_to(path: str) -> Iterator[str]:
    """A path and the paths of all that it lies in, but the document itself."""
    yield path
    for place in range(len(path) - 1, 0, -1):
        if path[place] in ".[":
            yield path[:place]


def _sound(document: object, issues: list[Issue]) -> dict[str, Any]:
    if issues or not isinstance(document, dict):
        raise InvalidInput(issues)
    return document


def _read(path: Path) -> bytes:
    name = str(path)
    try:
        if path.is_dir():
            raise refused("UNREADABLE_FILE", f"{name} is a folder", "Name a JSON file in it.", name=name)
        size = path.stat().st_size
        if size > LIMITS.bytes:
            raise InvalidInput([too_many_bytes(name, size)])
        # A pipe or a device has no size to ask for: no more is read than a document may have.
        with path.open("rb") as file:
            raw = file.read(LIMITS.bytes + 1)
        if len(raw) > LIMITS.bytes:
            raise InvalidInput([too_many_bytes(name, len(raw))])
        return raw
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refused(
            "UNREADABLE_FILE",
            f"{shown(name)} cannot be read: {reason}",
            "Check the name of the file and the right to read it.",
            name=name,
            reason=reason,
        ) from None


def _wrong_document(found: str, expected: str) -> Issue:
    return Issue(
        "",
        "WRONG_DOCUMENT",
        f"this is a {found}, not a {expected}",
        f"Give a {expected} document here; where both are given, the problem comes first.",
        {"found": found, "expected": expected},
    )


def in_order(document: object, issues: Iterable[Issue]) -> list[Issue]:
    """Sorted by position in the document; of two with the same path and code the first one stays."""
    unique: dict[tuple[str, str], Issue] = {}
    for issue in issues:
        unique.setdefault((issue.path, issue.code), issue)
    places: dict[int, dict[str, int]] = {}

    def position(issue: Issue) -> list[int]:
        key: list[int] = []
        value = document
        for segment in _segments(issue.path):
            if isinstance(segment, int):
                key.append(segment)
                value = value[segment] if isinstance(value, list) and segment < len(value) else None
            else:
                fields = value if isinstance(value, dict) else {}
                order = places.setdefault(id(fields), {}) if fields else {}
                if fields and not order:
                    order.update({name: index for index, name in enumerate(fields)})
                # A missing field comes behind the ones that are there.
                key.append(order.get(segment, len(fields)))
                value = fields.get(segment)
        return key

    return sorted(unique.values(), key=position)


def _segments(path: str) -> Iterator[Segment]:
    for match in _PLACE.finditer(path):
        plain, index, quoted = match.groups()
        yield plain if plain else int(index) if index else json.loads(quoted)
