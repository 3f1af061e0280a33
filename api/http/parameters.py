"""Path, query and header parameters: their types, and what is wrong with them as issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from data.repositories import MAX_PAGE
from dispatcher.errors import Issue
from dispatcher.validate import LIMITS
from dispatcher.validate_values import INSTANT_PATTERN, read_instant, shown

# Pydantic's error types for texts of the URL: code and remedy. The message is pydantic's own.
_TRANSLATION: Mapping[str, tuple[str, str]] = {
    "missing": ("MISSING_FIELD", "Add the parameter."),
    "string_too_short": ("OUT_OF_RANGE", "Give a longer text."),
    "string_too_long": ("OUT_OF_RANGE", "Give a shorter text."),
    "string_pattern_mismatch": ("UNKNOWN_VALUE", "Write it in the form that the description of the parameter gives."),
    "greater_than": ("OUT_OF_RANGE", "Use a number inside the bounds."),
    "greater_than_equal": ("OUT_OF_RANGE", "Use a number inside the bounds."),
    "less_than_equal": ("OUT_OF_RANGE", "Use a number inside the bounds."),
    "int_parsing": ("WRONG_TYPE", "Write a whole number."),
    "int_parsing_size": ("OUT_OF_RANGE", "Use a number inside the bounds."),
    "literal_error": ("UNKNOWN_VALUE", "Use one of the values that the message names."),
    "extra_forbidden": ("UNKNOWN_FIELD", "Remove it, or correct its name."),
    "too_long": ("TOO_LARGE", "Ask for fewer at once."),
    "BAD_INSTANT": ("BAD_INSTANT", 'Write whole seconds with an offset: "2026-11-23T08:00:00+08:00".'),
    "BAD_DATE": ("BAD_DATE", 'Write a day like "2026-11-23".'),
    "INVALID_TEXT": ("INVALID_TEXT", "Remove the character."),
}
_OTHERWISE = ("WRONG_TYPE", "Write a value of the type that the message names.")
DATE_PATTERN = r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"


def parameter_issues(errors: Sequence[Any]) -> list[Issue]:
    """What FastAPI found wrong with parameters."""
    found = []
    for error in errors:
        code, remedy = _TRANSLATION.get(error["type"], _OTHERWISE)
        place = [str(part) for part in error["loc"][1:2]]
        value = shown(error.get("input"))
        message = f"{value}: {error['msg']}" if error["type"] != "missing" else "the parameter is missing"
        found.append(Issue("".join(place), code, message, remedy, {"value": value}))
    return found


def read_date(text: object) -> date:
    """A local date as a document or a URL writes it.

    Raises:
        PydanticCustomError: of type BAD_DATE.
    """
    try:
        if not isinstance(text, str) or len(text) != 10:
            raise ValueError
        found = date.fromisoformat(text)
    except ValueError:
        raise PydanticCustomError("BAD_DATE", "not a date YYYY-MM-DD") from None
    if not LIMITS.first_year <= found.year <= LIMITS.last_year:
        raise PydanticCustomError("BAD_DATE", "outside the years 1970 to 2200")
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
        pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$",
        description="The id that the service gave it.",
        examples=["01KAJ6Z7Q8M3V5T2W9X4Y6Z8AB"],
    ),
]
"""An id of ours in a path: a run's or a plan's."""
PageLimit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="How many records at most.")]
PageCursor = Annotated[
    str | None, Query(max_length=2000, description="`next` of the page before; the first page without it.")
]
