"""Path, query and header parameters: their types, and what is wrong with them as issues."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from data.repositories import MAX_PAGE
from dispatcher.errors import Issue
from dispatcher.validate import LIMITS
from dispatcher.validate_values import INSTANT_PATTERN, did_you_mean, read_instant, shown

OWN_ID_PATTERN = r"^[0-9A-HJKMNP-TV-Z]{26}$"
OPTION_PATTERN = r"^[0-9]{1,11}-[0-9a-f]{12}$"
"""The instant (epoch seconds) that a team option rests on, and what it does, in short."""
KEY_PATTERN = r"^[\x21-\x7e]+$"
# Pydantic's error types for texts of the URL and of headers: code, message, remedy. `{found}` is the value.
_TRANSLATION: Mapping[str, tuple[str, str, str]] = {
    "missing": ("MISSING_FIELD", "the parameter is missing", "Add `{name}`."),
    "string_too_short": ("OUT_OF_RANGE", "the text is empty", "Give at least {min_length} character."),
    "string_too_long": (
        "OUT_OF_RANGE",
        "{found} has more than {max_length} characters",
        "Shorten it to {max_length} characters.",
    ),
    "greater_than_equal": ("OUT_OF_RANGE", "{found} is below {ge}", "Use {ge} or more."),
    "less_than_equal": ("OUT_OF_RANGE", "{found} is above {le}", "Use {le} or less."),
    "int_parsing": ("WRONG_TYPE", "{found} is not a whole number", "Write a whole number in digits."),
    "int_from_float": ("WRONG_TYPE", "{found} is not a whole number", "Write a whole number in digits."),
    "int_parsing_size": ("OUT_OF_RANGE", "{found} has too many digits", "Use a smaller number."),
    "float_parsing": ("WRONG_TYPE", "{found} is not a number", "Write a number, like 1.5."),
    "literal_error": ("UNKNOWN_VALUE", "{found} is none of the known values", "{hint}Use {expected}."),
    "too_long": ("TOO_LARGE", "there are more than {max_length} values", "Ask for {max_length} at once at most."),
    "BAD_INSTANT": ("BAD_INSTANT", "{found} {msg}", 'Write whole seconds with an offset: "2026-11-23T08:00:00+08:00".'),
    "BAD_DATE": ("BAD_DATE", "{found} {msg}", 'Write a day like "2026-11-23".'),
    "INVALID_TEXT": ("INVALID_TEXT", "{found} {msg}", "Remove the character."),
}
_FORMS: Mapping[str, tuple[str, str, str]] = {
    OWN_ID_PATTERN: (
        "UNKNOWN_VALUE",
        "{found} is no id that the service gives: they have 26 digits and capital letters",
        "Take the id from the answer that made it, or from the list (`GET /v1/plans`, `GET /v1/runs`).",
    ),
    OPTION_PATTERN: (
        "UNKNOWN_VALUE",
        "{found} is no id of an option",
        "Take the `id` of an option from the answer of `team-options`.",
    ),
    KEY_PATTERN: (
        "UNKNOWN_VALUE",
        "{found} has a space, or a character that is not ASCII",
        "Use letters, digits and signs without spaces.",
    ),
}
"""What a text that has to match a pattern should look like, for people."""
_BOUNDS = ("ge", "le")
_NOT_FINITE = ("NOT_FINITE", "{found} is not a finite number", "Write an ordinary number.")
_OTHERWISE = ("WRONG_TYPE", "{found} cannot be read: {msg}", "Write it as the description of the parameter says.")
DATE_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def parameter_issues(errors: Sequence[Any]) -> list[Issue]:
    """What FastAPI found wrong with parameters."""
    found = []
    for error in errors:
        kind, given, context = error["type"], error.get("input"), error.get("ctx", {})
        name = "".join(str(part) for part in error["loc"][1:2])
        if kind == "string_pattern_mismatch":
            code, message, remedy = _FORMS.get(context["pattern"], _OTHERWISE)
        elif kind in ("greater_than_equal", "less_than_equal") and _is_not_finite(given):
            code, message, remedy = _NOT_FINITE
        else:
            code, message, remedy = _TRANSLATION.get(kind, _OTHERWISE)
        bounds = {key: int(value) if value == int(value) else value for key, value in context.items() if key in _BOUNDS}
        near = did_you_mean(str(given)[:80], re.findall("'([^']*)'", str(context.get("expected"))))
        words = {
            "hint": f"{near} " if near else "",
            **context,
            **bounds,
            "found": shown(given),
            "name": name,
            "msg": error["msg"],
        }
        params = {} if kind == "missing" else {"value": shown(given)}
        found.append(Issue(name, code, message.format(**words), remedy.format(**words), params))
    return found


def _is_not_finite(given: object) -> bool:
    text = str(given).strip()
    # A whole number of any length is finite, though not as a float.
    if text.lstrip("+-").isdecimal():
        return False
    try:
        return not math.isfinite(float(text))
    except ValueError:
        return False


def read_date(text: object) -> date:
    """A local date as a document or a URL writes it.

    Raises:
        PydanticCustomError: of type BAD_DATE.
    """
    try:
        # `fromisoformat` reads weeks, too.
        if not isinstance(text, str) or re.fullmatch(DATE_PATTERN, text) is None:
            raise ValueError
        found = date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("BAD_DATE", "is not a date YYYY-MM-DD") from None
    if not LIMITS.first_year <= found.year <= LIMITS.last_year:
        raise PydanticCustomError("BAD_DATE", "lies outside the years 1970 to 2200")
    return found


def read_moment(text: object) -> datetime:
    """An instant as a document or a URL writes it, in UTC.

    Raises:
        PydanticCustomError: of type BAD_INSTANT.
    """
    if not isinstance(text, str):
        raise PydanticCustomError("BAD_INSTANT", "{reason}", {"reason": "is not a text"})
    try:
        return datetime.fromtimestamp(read_instant(text), UTC)
    except ValueError as error:
        raise PydanticCustomError("BAD_INSTANT", "{reason}", {"reason": str(error)}) from None


def decoded_id(text: str) -> str:
    """An id as `paths.SlashesInIds` left it in the path."""
    return text.replace("%2F", "/").replace("%25", "%")


def _storable(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("INVALID_TEXT", "contains a NUL character")
    return text


_DATE_SCHEMA = WithJsonSchema({"type": "string", "format": "date", "pattern": DATE_PATTERN, "examples": ["2026-11-23"]})
_MOMENT_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": INSTANT_PATTERN, "examples": ["2026-11-23T08:00:00+08:00"]}
)
LocalDate = Annotated[date, BeforeValidator(read_date), _DATE_SCHEMA]
Moment = Annotated[datetime, BeforeValidator(read_moment), _MOMENT_SCHEMA]
"""Parsed by our own rules: pydantic would take numbers, days without hours, and years of any length."""

OnDate = Annotated[
    LocalDate | None, Query(alias="date", description="The date of the running plan, in its territory; today without.")
]
"""Which running plan a question about a work order is about."""

QueryId = Annotated[str, Field(min_length=1, max_length=LIMITS.id_length), AfterValidator(_storable)]
PathId = Annotated[
    str,
    Path(min_length=1, max_length=LIMITS.id_length, description="The id that the caller gave it.", examples=["E1"]),
    BeforeValidator(decoded_id),
    AfterValidator(_storable),
]
"""An id in a path; a slash in it is written `%2F`."""
OwnId = Annotated[
    str,
    Path(
        pattern=OWN_ID_PATTERN,
        description="The id that the service gave it.",
        examples=["01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"],
    ),
]
"""An id of ours in a path: a run's or a plan's."""
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many records at most.")]
PageCursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; the first page without it.")
]
