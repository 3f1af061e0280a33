"""JSON texts, read more strictly than the standard library does.

Keys are unique, numbers finite, texts whole and nesting bounded: what passes here means the same to every
reader, and can be stored, hashed and written again.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import Any

from dispatcher.errors import InvalidInput, Issue, Segment, path_text
from dispatcher.validate import LIMITS
from dispatcher.validate_values import shown

_SUSPECT_ESCAPE = re.compile(rb"\\u(0000|[dD][89a-fA-F])")
_GZIP_MAGIC = b"\x1f\x8b"


class OddValues(InvalidInput):
    """JSON that holds what no document may: a number that is not finite, a key twice, a broken text.

    `document` is its value all the same, with NaN for such numbers and the last of two values, for those who know what
    it should be and can tell what else is wrong with it.
    """

    def __init__(self, issues: Iterable[Issue], document: object = None) -> None:
        super().__init__(issues)
        self.document = document


def parse_json(raw: bytes, *, name: str) -> object:
    """The value of a JSON text; `name` says in messages what it is (a file name, "request body").

    Stricter than the standard library: keys are unique, numbers finite, texts whole, nesting bounded.

    Raises:
        OddValues: with the path of each number, key and text that is not.
        InvalidInput: with the line and column of what is no JSON, or for what is too large or too deep.
    """
    if len(raw) > LIMITS.bytes:
        raise InvalidInput([too_many_bytes(name, len(raw))])
    if raw.startswith(_GZIP_MAGIC):
        raise refused("COMPRESSED_FILE", f"{name} is compressed with gzip", "Decompress it first.", name=name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(
            "NOT_UTF8",
            f"{name} is not UTF-8: the byte at position {error.start} does not belong",
            "Save it as UTF-8.",
            name=name,
            position=error.start,
        ) from None
    try:
        document, odd = _parsed(text)
    except json.JSONDecodeError as error:
        raise InvalidInput([_invalid_json(error, name)]) from None
    except RecursionError:
        raise InvalidInput([_too_deep(name)]) from None
    issues = list(_odd_issues(document)) if odd or _SUSPECT_ESCAPE.search(raw) else []
    if _depth_exceeds(document, LIMITS.depth):
        raise InvalidInput([*issues, _too_deep(name)])
    if issues:
        raise OddValues(issues, document)
    return document


class _Odd(float):
    """Stands for a number that JSON or Python has no room for: NaN that knows how it was written."""

    written: str

    def __new__(cls, written: str) -> _Odd:
        number = super().__new__(cls, math.nan)
        number.written = written
        return number


class _Repeated(dict[str, Any]):
    """An object with a repeated key, all of whose values are known."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _parsed(text: str) -> tuple[object, bool]:
    """The document, and whether it holds `_Odd` or `_Repeated` anywhere."""
    found: list[object] = []

    def odd(written: str) -> _Odd:
        found.append(written)
        return _Odd(written)

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(given)
        if len(result) == len(given):
            return result
        found.append(given)
        return _Repeated(given)

    def decimal(written: str) -> float | _Odd:
        value = float(written)
        return value if math.isfinite(value) else odd(written)

    def integer(written: str) -> int | _Odd:
        try:
            return int(written)
        except ValueError:
            return odd(written)

    try:
        document = json.loads(text, object_pairs_hook=pairs, parse_float=decimal, parse_constant=odd)
        return document, bool(found)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # An integer with more digits than Python converts. A hook for every integer would double the time to
        # read a matrix, so it is only used to find the one that is too long.
        document = json.loads(text, object_pairs_hook=pairs, parse_float=decimal, parse_constant=odd, parse_int=integer)
        return document, True


def _odd_issues(document: object) -> Iterator[Issue]:
    pending: list[tuple[tuple[Segment, ...], object]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, _Odd):
            written = value.written if len(value.written) <= 40 else value.written[:37] + "..."
            yield Issue(
                path_text(path),
                "NOT_FINITE",
                f"{written} is not a finite number",
                "Write an ordinary number, or leave the field out.",
                {"value": written},
            )
        elif isinstance(value, str):
            yield from _text_issues(path, value)
        elif isinstance(value, list):
            pending += (((*path, index), item) for index, item in reversed(list(enumerate(value))))
        elif isinstance(value, dict):
            pairs = value.pairs if isinstance(value, _Repeated) else list(value.items())
            seen: set[str] = set()
            for key, _ in pairs:
                yield from _text_issues((*path, key), key)
                if key in seen:
                    yield Issue(
                        path_text((*path, key)),
                        "DUPLICATE_KEY",
                        f"the key {shown(key)} stands twice in this object",
                        "Keep one of the two.",
                        {"key": key[:80]},
                    )
                seen.add(key)
            pending += (((*path, key), item) for key, item in reversed(pairs))


def _text_issues(path: tuple[Segment, ...], text: str) -> Iterator[Issue]:
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        yield Issue(
            path_text(path),
            "INVALID_TEXT",
            f"{shown(text)} holds a NUL character or half of a surrogate pair",
            "Remove the character.",
        )


def _depth_exceeds(document: object, limit: int) -> bool:
    level = [document] if isinstance(document, (dict, list)) else []
    for _ in range(limit):
        following: list[dict[str, Any] | list[Any]] = []
        for container in level:
            children = list(container.values()) if isinstance(container, dict) else container
            # The set of types is built without a step of Python per cell of a matrix.
            if not {dict, list, _Repeated}.isdisjoint(set(map(type, children))):
                following += (child for child in children if isinstance(child, (dict, list)))
        level = following
    return bool(level)


def refused(code: str, message: str, remedy: str, **params: object) -> InvalidInput:
    return InvalidInput([Issue("", code, message, remedy, params)])


def _invalid_json(error: json.JSONDecodeError, name: str) -> Issue:
    place = {"line": error.lineno, "column": error.colno}
    if not error.doc.strip():
        message, remedy = f"{name} is empty", "Write a JSON document."
    elif error.pos >= len(error.doc.rstrip()):
        message, remedy = f"{name} ends too early, in line {error.lineno}", "Check that it was written whole."
    else:
        message = f"{name} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        remedy = "Correct the text at this place."
    return Issue("", "INVALID_JSON", message, remedy, {"name": name, **place})


def _too_deep(name: str) -> Issue:
    return Issue(
        "",
        "TOO_DEEP",
        f"{name} is nested deeper than {LIMITS.depth} levels",
        "Flatten the data under `attributes`.",
        {"name": name, "limit": LIMITS.depth},
    )


def too_many_bytes(name: str, size: int) -> Issue:
    return Issue(
        "",
        "TOO_LARGE",
        f"{name} has {size} bytes, the limit is {LIMITS.bytes}",
        "Split the problem, or give travel as geodesic instead of a matrix.",
        {"name": name, "limit": LIMITS.bytes, "found": size},
    )
