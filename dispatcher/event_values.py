"""An event as it is told, and how one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from dispatcher.errors import EventRefused, Issue
from dispatcher.live_state import LiveState
from dispatcher.told_records import Values, moment

GRADED_LEVEL = "graded_level"
"""In the body of an event of an order the level that the rules give its facts, where the teller named none."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: `body` holds what its kind says, checked in its shape, with instants as text."""

    kind: str
    occurred_at: datetime
    body: Mapping[str, Any]

    def text(self, field: str) -> str:
        return str(self.body[field])

    def at(self, field: str) -> datetime:
        """An instant of the body, in UTC."""
        return moment(self.body[field])

    def path(self, field: str = "") -> str:
        return f"body.{field}" if field else "occurred_at"


def refuse(path: str, code: str, message: str, remedy: str, **params: object) -> NoReturn:
    """Raises EventRefused; `path` leads to a place inside the event."""
    raise EventRefused(Issue(path, code, message, remedy, params))


def there(state: LiveState, kind: str, event: Event, field: str, *within: str) -> Values:
    """The record that an event names in a field; `within` is the rest of its key, in front."""
    key = (*within, event.text(field))
    found = state.find(kind, *key)
    if found is None:
        name = f"{kind.replace('_', ' ')} {'/'.join(key)}"
        refuse(event.path(field), "NOT_FOUND", f"there is no {name}", "Correct the id.", kind=kind, key=list(key))
    return found


def wrong_state(event: Event, field: str, message: str, remedy: str, **params: object) -> NoReturn:
    """Refuses what the life of a record does not allow any more."""
    refuse(event.path(field), "WRONG_STATE", message, remedy, **params)


def not_before(event: Event, since: datetime | None, what: str) -> None:
    """Refuses an event that would have happened before what it follows."""
    if since is not None and event.occurred_at < since:
        refuse(
            event.path(),
            "OUT_OF_ORDER",
            f"{what} only at {since.isoformat()}",
            "Tell the time at which it happened.",
            since=since.isoformat(),
        )
