"""The kinds of values that planning documents are made of, as pydantic types.

Types are strict: "3600" is no number and true is none either, but 3600.0 is an integer, as in JSON Schema.
Where a rule needs its own error, its type is the code of the issue (see `api.documents`).
"""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from dispatcher.validate import LIMITS
from dispatcher.validate_values import CLOCK_END_PATTERN, CLOCK_PATTERN, INSTANT_PATTERN, read_instant

SIZE_KEY_PATTERN = r"^[1-9][0-9]{0,8}$"
_LARGEST_PLAN_NUMBER = 2**62


class Document(BaseModel):
    """An object of a planning document: unknown fields are refused, nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class EmptyIsAbsent:
    """Marks an optional object: `{}` means the same as null or a field that is not there."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema["anyOf"] = [*schema["anyOf"], {"type": "object", "maxProperties": 0}]
        return schema


class OnlyMatchingKeys:
    """Marks an object whose keys have a pattern: pydantic would let others pass in the JSON Schema."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), "additionalProperties": False}


def _none_for_empty(value: object) -> object:
    return None if isinstance(value, dict) and not value else value


def _integral(value: object) -> object:
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        raise PydanticCustomError("NOT_FINITE", "not a finite number")
    return int(value) if value.is_integer() else value


def _finite(value: object) -> object:
    # Python's integers have no bound, decimals do; beyond it there is no number to compare with the limits.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**300:
        raise PydanticCustomError("NOT_FINITE", "too large for a number")
    return value


def _sound_text(value: str) -> str:
    if "\0" in value:
        raise PydanticCustomError("INVALID_TEXT", "contains a NUL character")
    return value


def _instant(value: str) -> str:
    try:
        read_instant(value)
    except ValueError as error:
        raise PydanticCustomError("BAD_INSTANT", "{reason}", {"reason": str(error)}) from None
    return value


def _clock(value: str) -> str:
    if not re.fullmatch(CLOCK_PATTERN, value):
        raise PydanticCustomError("BAD_CLOCK", "not a clock time from 00:00 to 23:59")
    return value


def _clock_end(value: str) -> str:
    if not re.fullmatch(CLOCK_END_PATTERN, value):
        raise PydanticCustomError("BAD_CLOCK", "not a clock time from 00:00 to 24:00")
    return value


def _size_key(value: str) -> str:
    if not re.fullmatch(SIZE_KEY_PATTERN, value):
        raise PydanticCustomError("BAD_KEY", "not a positive whole number")
    return value


def _version(value: int) -> int:
    if value != 1:
        raise PydanticCustomError("UNSUPPORTED_VERSION", "not a known version")
    return value


def _matrix_row(limit: int) -> AfterValidator:
    """Checks the cells of a row at once: a model per cell would take minutes on a large matrix."""

    def check(row: list[Any]) -> list[Any]:
        if set(map(type, row)) <= {int} and (not row or (min(row) >= 0 and max(row) <= limit)):
            return row
        wrong = [column for column, cell in enumerate(row) if not _is_cell(cell, limit)]
        if wrong:
            raise PydanticCustomError(
                "MATRIX_CELLS",
                "wrong cells",
                {"columns": wrong[: LIMITS.listed_matrix_cells], "count": len(wrong), "limit": limit},
            )
        return row

    return AfterValidator(check)


def _is_cell(cell: object, limit: int) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, (int, float)):
        return False
    return (isinstance(cell, int) or cell.is_integer()) and 0 <= cell <= limit


def _free_object(value: dict[str, Any]) -> dict[str, Any]:
    """Free data is never read, but it is stored and hashed: it has to be proper JSON of bounded depth."""
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        found, depth = pending.pop()
        if depth > LIMITS.depth:
            raise PydanticCustomError("TOO_DEEP", "nested too deeply", {"limit": LIMITS.depth})
        if isinstance(found, dict):
            pending += ((item, depth + 1) for pair in found.items() for item in pair)
        elif isinstance(found, list):
            pending += ((item, depth + 1) for item in found)
        elif isinstance(found, float) and not math.isfinite(found):
            raise PydanticCustomError("NOT_FINITE", "a number in here is not finite")
        elif isinstance(found, str) and ("\0" in found or not _encodes(found)):
            raise PydanticCustomError("INVALID_TEXT", "a text in here cannot be stored")
    return value


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


Id = Annotated[str, Field(min_length=1, max_length=LIMITS.id_length), AfterValidator(_sound_text)]
Text = Annotated[str, Field(max_length=LIMITS.text_length), AfterValidator(_sound_text)]
Instant = Annotated[
    str,
    Field(max_length=LIMITS.text_length),
    AfterValidator(_instant),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": INSTANT_PATTERN,
            "description": "Instant: ISO 8601 with an offset or Z, whole seconds.",
            "examples": ["2026-11-23T08:00:00+08:00"],
        }
    ),
]
Clock = Annotated[
    str,
    Field(max_length=LIMITS.text_length),
    AfterValidator(_clock),
    WithJsonSchema({"type": "string", "pattern": CLOCK_PATTERN}),
]
ClockEnd = Annotated[
    str,
    Field(max_length=LIMITS.text_length),
    AfterValidator(_clock_end),
    WithJsonSchema({"type": "string", "pattern": CLOCK_END_PATTERN}),
]
SizeKey = Annotated[
    str,
    Field(max_length=LIMITS.text_length),
    AfterValidator(_size_key),
    WithJsonSchema({"type": "string", "pattern": SIZE_KEY_PATTERN}),
]

_Integral = BeforeValidator(_integral)
_Finite = BeforeValidator(_finite)
Version = Annotated[int, _Integral, AfterValidator(_version), WithJsonSchema({"const": 1})]
Seconds = Annotated[int, Field(ge=0, le=LIMITS.duration_seconds), _Integral]
GapSeconds = Annotated[int, Field(ge=0, le=LIMITS.gap_seconds), _Integral]
Count = Annotated[int, Field(ge=0, le=LIMITS.count), _Integral]
SkillLevel = Annotated[int, Field(ge=1, le=5), _Integral]
Threads = Annotated[int, Field(ge=1, le=LIMITS.threads), _Integral]
Seed = Annotated[int, Field(ge=0, le=LIMITS.seed), _Integral]
Iterations = Annotated[int, Field(ge=0, le=LIMITS.iterations), _Integral]
Factor = Annotated[float, Field(ge=LIMITS.smallest_factor, le=LIMITS.largest_factor), _Finite]
Probability = Annotated[float, Field(ge=0, le=1), _Finite]
Amount = Annotated[float, Field(ge=0, le=LIMITS.value), _Finite]
Weight = Annotated[float, Field(ge=0, le=LIMITS.weight), _Finite]
SpeedKmh = Annotated[float, Field(ge=LIMITS.smallest_speed_kmh, le=LIMITS.largest_speed_kmh), _Finite]
Latitude = Annotated[float, Field(ge=-90, le=90), _Finite]
Longitude = Annotated[float, Field(ge=-180, le=180), _Finite]
TimeLimitSeconds = Annotated[float, Field(gt=0, le=LIMITS.time_limit_seconds), _Finite]
ClaimedWhole = Annotated[int, Field(ge=-_LARGEST_PLAN_NUMBER, le=_LARGEST_PLAN_NUMBER), _Integral]
"""An integer of a plan. Whether it is right is the checker's question, so a negative one is readable."""
ClaimedNumber = Annotated[float, _Finite]
SecondsBySize = Annotated[dict[SizeKey, Seconds | None], OnlyMatchingKeys()]
Level = Literal["L1", "L2", "L3", "L4"]
Attributes = Annotated[dict[str, Any], AfterValidator(_free_object)]
SecondsRow = Annotated[
    list[Any],
    _matrix_row(LIMITS.leg_seconds),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": LIMITS.leg_seconds}}),
]
MetersRow = Annotated[
    list[Any],
    _matrix_row(LIMITS.leg_meters),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": LIMITS.leg_meters}}),
]


def absent(description: str) -> Any:
    """An optional field without a default of its own: absent and null mean the same."""
    return Field(default=None, description=description)


NoneForEmpty = BeforeValidator(_none_for_empty)
