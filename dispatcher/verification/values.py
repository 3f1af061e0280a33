"""Plain JSON values, read without trusting them."""

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_SECONDS = 86400
_LARGEST_BITS = 1024
_LARGEST_WHOLE = 10**12


def instant(value: object) -> int | None:
    """Epoch seconds of an ISO 8601 instant with an offset and whole seconds, else None."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    since = moment - EPOCH
    return None if since.microseconds else since.days * _DAY_SECONDS + since.seconds


def number(value: object) -> Fraction | None:
    """The decimal as written, exactly; None for what is no finite number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        # Longer integers cannot even be printed, and no amount comes near.
        return Fraction(value) if value.bit_length() <= _LARGEST_BITS else None
    if isinstance(value, float) and math.isfinite(value):
        return Fraction(repr(value))
    return None


def whole(value: object) -> int | None:
    """A whole number of seconds, metres or pieces (7 and 7.0 alike), else None."""
    if type(value) is int:
        return value if -_LARGEST_WHOLE <= value <= _LARGEST_WHOLE else None
    exact = number(value)
    if exact is None or exact.denominator != 1 or abs(exact) > _LARGEST_WHOLE:
        return None
    return exact.numerator


def half_up(value: Fraction | int) -> int:
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)


def listed(value: object) -> Iterable[Any]:
    """The items of a list of the problem; absent and null are empty."""
    return value if isinstance(value, list | tuple) else ()


def mapped(value: object) -> Mapping[str, Any]:
    """An object of the problem; absent and null are empty."""
    if type(value) is dict:
        return value
    return value if isinstance(value, Mapping) else {}


def plain(value: Fraction) -> int | float:
    """As a JSON number, for `params` and messages."""
    return value.numerator if value.denominator == 1 else float(value)
