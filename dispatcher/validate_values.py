"""What validation shares: limits, tolerant readers of JSON values, and the wording of issues.

The readers return None for anything malformed: the check of shape reports it, so that the check of meaning
can go on with what is sound and both are reported together.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from dispatcher.errors import Issue, Segment, path_text

JsonObject = Mapping[str, Any]
Path = tuple[Segment, ...]

_DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be. Units are in the names; counts are inclusive.

    `cost_thousandths` bounds the worst cost a plan could have (see `dispatcher.validate_cost`); factors
    and speeds are bounded so that no single leg or service leaves 64 bits either.
    """

    bytes: int = 256 * 1024 * 1024
    depth: int = 64
    orders: int = 50_000
    engineers: int = 10_000
    locations: int = 100_000
    matrix_entries: int = 36_000_000
    listed_matrix_cells: int = 20
    id_length: int = 200
    text_length: int = 10_000
    horizon_days: int = 400
    first_year: int = 1970
    last_year: int = 2200
    duration_seconds: int = 400 * _DAY_SECONDS
    gap_seconds: int = 2**31 - 1
    leg_seconds: int = 2**31 - 1
    leg_meters: int = 2**31 - 1
    count: int = 2**31 - 1
    smallest_factor: float = 0.001
    largest_factor: float = 1000.0
    smallest_speed_kmh: float = 0.1
    largest_speed_kmh: float = 2000.0
    value: float = 1e15
    weight: float = 1e12
    time_limit_seconds: float = 7.0 * _DAY_SECONDS
    threads: int = 256
    seed: int = 2**63 - 1
    iterations: int = 2**63 - 1
    cost_thousandths: int = 2**62 - 1


LIMITS = Limits()

INSTANT_PATTERN = (
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.0+)?)?"
    r"(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)$"
)
CLOCK_PATTERN = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
CLOCK_END_PATTERN = r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_INSTANT = re.compile(INSTANT_PATTERN)
_CLOCK_END = re.compile(CLOCK_END_PATTERN)
_WITHOUT_OFFSET = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]*)?")
_FRACTION = re.compile(r"[0-9-]{10}T[0-9:]{8}\.[0-9]*[1-9][0-9]*(Z|[+-][0-9:]{2,5})")


@lru_cache(maxsize=65_536)
def read_instant(text: str) -> int:
    """An instant as epoch seconds.

    Raises:
        ValueError: with the reason as its message.
    """
    if not _INSTANT.fullmatch(text):
        if _WITHOUT_OFFSET.fullmatch(text):
            raise ValueError("has no offset")
        if _FRACTION.fullmatch(text):
            raise ValueError("has a fraction of a second")
        raise ValueError("is not an ISO 8601 date and time")
    if not LIMITS.first_year <= int(text[:4]) <= LIMITS.last_year:
        raise ValueError(f"lies outside the years {LIMITS.first_year} to {LIMITS.last_year}")
    try:
        seconds = int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        raise ValueError("is a day that does not exist") from None
    if seconds < 0:
        raise ValueError(f"lies before {LIMITS.first_year} in UTC")
    return seconds


def instant(value: object) -> int | None:
    """Epoch seconds, or None where the value is no instant."""
    if not isinstance(value, str):
        return None
    try:
        return read_instant(value)
    except ValueError:
        return None


def clock(value: object) -> int | None:
    """Seconds after midnight of a clock time `HH:MM`, up to `24:00`."""
    if not isinstance(value, str) or not _CLOCK_END.fullmatch(value):
        return None
    return int(value[:2]) * 3600 + int(value[3:]) * 60


def whole(value: object) -> int | None:
    """An integer; 3600.0 is one, true and "3600" are not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def number(value: object) -> int | float | None:
    """A finite number; true and "1" are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if isinstance(value, int) or math.isfinite(value) else None


def text(value: object) -> str | None:
    """A text that is not empty."""
    return value if isinstance(value, str) and value else None


def mapping(value: object) -> JsonObject:
    """An object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """A list; empty for anything else."""
    return value if isinstance(value, list) else []


def objects(value: object, path: Path) -> Iterator[tuple[Path, JsonObject]]:
    """The objects of a list, each with its path; anything else in it is skipped."""
    for index, item in enumerate(items(value)):
        if isinstance(item, dict):
            yield (*path, index), item


def texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """The non-empty texts of a list, each with its path."""
    for index, item in enumerate(items(value)):
        if isinstance(item, str) and item:
            yield (*path, index), item


def shown(value: object) -> str:
    """A value as JSON, short enough for a message."""
    if isinstance(value, dict):
        return f"an object with {len(value)} fields" if len(value) != 1 else "an object with 1 field"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**30:
        return "a very large integer"
    written = json.dumps(value if isinstance(value, (str, int, float, bool)) or value is None else str(value))
    return written if len(written) <= 80 else written[:77] + "..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean "E1"?` with the nearest known names; empty where none is near."""
    near = get_close_matches(name, list(known), n=3)
    return f"Did you mean {' or '.join(shown(one) for one in near)}?" if near else ""


class IssueList(list[Issue]):
    """Issues as they are found, with the wording of the ones that several checks share."""

    _HINTS = 100

    def __init__(self) -> None:
        super().__init__()
        self._hints_left = self._HINTS

    def report(self, path: Path, code: str, message: str, remedy: str, **params: object) -> None:
        self.append(Issue(path_text(path), code, message, remedy, params))

    def not_found(self, path: Path, kind: str, name: str, known: Collection[str]) -> None:
        """An id that nothing has; `kind` is what it should name, in the plural form of its list."""
        # A hint is only a courtesy: a document full of unknown names must not take minutes to refuse.
        affordable = self._hints_left > 0 and len(known) <= 2_000
        self._hints_left -= 1
        hint = did_you_mean(name, known) if affordable else ""
        remedy = hint or f"Use one of the ids under `{kind}`, or add {shown(name)} there."
        self.report(path, "NOT_FOUND", f"{shown(name)} is not in `{kind}`", remedy, id=name, kind=kind)

    def duplicates(self, found: Iterable[tuple[Path, str]], kind: str) -> set[str]:
        """Reports each id that was there before; returns all ids."""
        first: dict[str, Path] = {}
        for path, name in found:
            if name in first:
                self.report(
                    path,
                    "DUPLICATE_ID",
                    f"{kind} {shown(name)} is already at {path_text(first[name])}",
                    "Give each its own id, or remove one of them.",
                    id=name,
                    first=path_text(first[name]),
                )
            else:
                first[name] = path
        return set(first)

    def order(self, path: Path, earlier: str, later: str, values: tuple[object, object]) -> None:
        """`earlier` should not lie after `later`; `values` are the two as written, in this order."""
        self.report(
            path,
            "ORDER",
            f"`{later}` {shown(values[1])} lies before `{earlier}` {shown(values[0])}",
            f"Let `{later}` be at or after `{earlier}`.",
            earlier=earlier,
            later=later,
            values=list(values),
        )

    def bad_instant(self, path: Path, value: str, reason: str) -> None:
        self.report(
            path,
            "BAD_INSTANT",
            f"{shown(value)} {reason}",
            'Write whole seconds with an offset: "2026-11-23T08:00:00+08:00".',
            value=value[:80],
        )
