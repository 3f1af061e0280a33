"""The records whose changes the event log tells, and how it writes them down.

Records are the plain fields that `data.repositories.Record.values` gives. In the log they are in the words of the
service: `id`, `location`, `date`, instants as text, and the fields of `body` beside those of the columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from dispatcher.model import LEVELS

Values = Mapping[str, Any]
Key = tuple[str, ...]
REQUIRED = object()
"""Stands where a field has no default."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One kind of record: its fields with their defaults, which of them are instants or dates, and its key.

    `words` renames a field in the log; `has_body` says that there are fields beside those of the columns.
    """

    fields: Mapping[str, Any]
    key: tuple[str, ...] = ("external_id",)
    instants: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=lambda: {"external_id": "id"})
    has_body: bool = True

    def key_of(self, values: Values) -> Key:
        return tuple(values[name] for name in self.key)

    def complete(self, values: Values) -> dict[str, Any]:
        """A record with all of its fields, instants in UTC."""
        found = {name: values.get(name, default) for name, default in self.fields.items()}
        for name in self.instants:
            if found[name] is not None:
                found[name] = found[name].astimezone(UTC)
        if self.has_body:
            found["body"] = dict(values.get("body") or {})
        return found

    def to_words(self, values: Values) -> dict[str, Any]:
        """A record as the log has it; a field that says nothing is left out."""
        told: dict[str, Any] = {}
        for name in self.fields:
            value = values.get(name)
            if value is not None:
                plain = value.isoformat() if isinstance(value, date) else value
                told[self.words.get(name, name)] = plain
        return told | dict(values.get("body") or {})

    def from_words(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """A record from what the log has."""
        rest = dict(told)
        values: dict[str, Any] = {}
        for name, default in self.fields.items():
            value = rest.pop(self.words.get(name, name), None)
            if value is None:
                values[name] = default
            elif name in self.instants:
                values[name] = moment(value)
            else:
                values[name] = date.fromisoformat(value) if name in self.dates else value
        if self.has_body:
            values["body"] = rest
        return values


def moment(text: str) -> datetime:
    """An instant as documents write it, in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


TOLD: Mapping[str, Shape] = {
    "territory": Shape(
        {
            "external_id": REQUIRED,
            "name": None,
            "timezone": REQUIRED,
            "attributes": {},
            "travel_factor": None,
            "travel_factor_until": None,
        },
        instants=frozenset({"travel_factor_until"}),
        has_body=False,
    ),
    "shift": Shape(
        {
            "external_id": REQUIRED,
            "engineer": REQUIRED,
            "local_date": REQUIRED,
            "start": REQUIRED,
            "end": REQUIRED,
            "latest_end": REQUIRED,
            "status": "planned",
            "available_from": None,
        },
        key=("engineer", "external_id"),
        instants=frozenset({"start", "end", "latest_end", "available_from"}),
        dates=frozenset({"local_date"}),
        words={"external_id": "id", "local_date": "date"},
    ),
    "engineer_position": Shape(
        {"engineer": REQUIRED, "latitude": REQUIRED, "longitude": REQUIRED, "recorded_at": REQUIRED},
        key=("engineer",),
        instants=frozenset({"recorded_at"}),
        words={"latitude": "lat", "longitude": "lon"},
        has_body=False,
    ),
    "work_order": Shape(
        {
            "external_id": REQUIRED,
            "site": REQUIRED,
            "asset": None,
            "territory": None,
            "level": LEVELS[-1],
            "status": "open",
        },
        words={"external_id": "id", "site": "location"},
    ),
    "visit": Shape(
        {
            "external_id": REQUIRED,
            "work_order": REQUIRED,
            "engineer": REQUIRED,
            "shift": None,
            "role": None,
            "status": "planned",
            "planned_start": None,
            "planned_end": None,
            "accepted_at": None,
            "departed_at": None,
            "arrived_at": None,
            "started_at": None,
            "paused_at": None,
            "paused_seconds": 0,
            "ended_at": None,
            "failure": None,
            "expected_end": None,
            "report": None,
        },
        instants=frozenset(
            {
                "planned_start",
                "planned_end",
                "accepted_at",
                "departed_at",
                "arrived_at",
                "started_at",
                "paused_at",
                "ended_at",
                "expected_end",
            }
        ),
        has_body=False,
    ),
}
"""By kind, in an order in which they can be written."""
