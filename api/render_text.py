"""Words and numbers as a person reads them: durations, distances, counts, and foreign text made harmless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Number = int | float | Decimal


def plain(value: object) -> str:
    """`value` as one line of printable text.

    Ids and messages may come from anywhere: a control character or a direction override in one of them must
    neither reach a terminal nor tear a label apart, so whatever is not printable is shown as its escape.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def hours_and_minutes(seconds: int) -> str:
    """Seconds as `1:05`, rounded half up, for columns headed h:mm; a dash for none."""
    minutes = (seconds + 30) // 60
    return f"{minutes // 60}:{minutes % 60:02d}" if seconds else "–"


def human_duration(seconds: Number) -> str:
    """Seconds as `45 s`, `12 min`, `1 h 05 min` or `2 d 03 h`; the last place is rounded half up."""
    whole = _rounded(abs(Decimal(str(seconds))))
    sign = "-" if seconds < 0 and whole else ""
    if whole < 60:
        return f"{sign}{whole} s"
    minutes = _rounded(Decimal(whole) / 60)
    if minutes < 60:
        return f"{sign}{minutes} min"
    if minutes < 48 * 60:
        return f"{sign}{minutes // 60} h {minutes % 60:02d} min"
    hours = _rounded(Decimal(minutes) / 60)
    return f"{sign}{hours // 24} d {hours % 24:02d} h"


def human_distance(meters: Number) -> str:
    """Metres as `850 m`, `12.4 km` or `1,235 km`."""
    exact = Decimal(str(meters))
    if abs(exact) < 1000:
        return f"{grouped(exact)} m"
    kilometers = exact / 1000
    if abs(kilometers) < 100:
        return f"{kilometers.quantize(Decimal('0.1'), ROUND_HALF_UP)} km"
    return f"{_rounded(kilometers):,} km"


def grouped(number: Number) -> str:
    """A number with thousands separators and without a fraction of zeros: `1,234`, `14,909.5`."""
    exact = Decimal(str(number))
    if exact == exact.to_integral_value():
        return f"{int(exact):,}"
    return f"{exact.normalize():,f}"


def counted(number: int, noun: str) -> str:
    """`1 route`, `2 routes`: the noun in the number it needs."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def shortened(text: str, length: int) -> str:
    """At most `length` characters of `text`; an ellipsis stands for what is left out of the middle."""
    if len(text) <= length:
        return text
    head = (length - 1) // 2 + (length - 1) % 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


_LISTED = 5
_SECONDS_RULES = ("late_arrival", "late_start", "late_restore", "travel", "overtime", "change_shift")
_UNITS = dict.fromkeys((*_SECONDS_RULES, "worst_lateness", "fairness"), "s") | {"distance": "m"}
_ONE = {"orders": "order", "pairs": "pair", "engineers": "engineer"}


def amount_text(term: Mapping[str, Any]) -> str:
    """The amount of a score term as a person reads it, in the term's unit, else in the rule's own."""
    if term.get("amount") is None:
        return ""
    unit = term.get("unit") or _UNITS.get(str(term.get("rule")), "")
    amount = Decimal(str(term["amount"]))
    if unit == "s":
        return human_duration(amount)
    if unit == "m":
        return human_distance(amount)
    if amount == 1:
        unit = _ONE.get(unit, unit)
    return f"{grouped(amount)} {plain(unit)}".strip()


def share_text(part: Decimal, whole: Decimal) -> str:
    """`part` of `whole` in per cent; `<1 %` where rounding would hide it, empty where it is nothing."""
    if not part or not whole:
        return ""
    share = 100 * part / whole
    return "<1 %" if 0 < share < 1 else f"{_rounded(share)} %"


def _rounded(number: Decimal) -> int:
    return int(number.to_integral_value(ROUND_HALF_UP))
