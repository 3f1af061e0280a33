"""What the parts of `dispatcher.services.state` share: plain values and spans of time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Values = Mapping[str, Any]
ShiftKey = tuple[str, str]

DEFAULT_TRAVEL: Mapping[str, Any] = {"kind": "geodesic", "speed_kmh": 35, "detour_factor": 1.3}
"""How engineers travel where nothing else is said: a car in a city."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, both ends included."""

    start: datetime
    end: datetime

    @classmethod
    def around(cls, instants: Iterable[datetime]) -> Span:
        """The smallest span that holds all of these, at least one."""
        found = list(instants)
        return cls(min(found), max(found))


def text_of(instant: datetime, zone: ZoneInfo) -> str:
    """An instant as the format writes it, in whole seconds with the offset of the zone."""
    return instant.astimezone(zone).replace(microsecond=0).isoformat()
