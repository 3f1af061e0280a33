"""What goes into a repository and comes out of it: records, changes, pages and their cursors."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar

from dispatcher.errors import BadCursor

MAX_PAGE = 1000
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record. `values` holds its own fields; a field that names another record holds the caller's id of it."""

    id: str
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What a record is to be: `values` replace all there was, a field left out is empty or has its default.

    `version` is the one the caller has read; 0 says that the record must be new, None that any will do.
    """

    values: Mapping[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a change. A record that says already what it should stays as it is, version and all."""

    id: str
    version: int
    outcome: Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list, and the cursor of the rest; None at its end."""

    items: tuple[Item, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Between:
    """A filter for values from `low` to `high`, both inclusive, either of them open."""

    low: date | datetime | None = None
    high: date | datetime | None = None


def page_size(limit: int) -> int:
    """How many records a page holds when a caller asks for so many."""
    return max(1, min(limit, MAX_PAGE))


def storable(value: object) -> bool:
    """Whether a database can hold a value; PostgreSQL knows no NUL, UTF-8 no half of a surrogate pair."""
    return not isinstance(value, str) or ("\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value))


def cursor_after(kind: str, position: str) -> str:
    """An opaque text for "what comes after this position in the list of this kind"."""
    return base64.urlsafe_b64encode(json.dumps([kind, position]).encode()).decode().rstrip("=")


def position_of(cursor: str, kind: str) -> str:
    """The position a cursor stands for.

    Raises:
        BadCursor: for a text that `cursor_after` did not make for this kind.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise BadCursor from error
    match found:
        case [str(of_kind), str(position)] if of_kind == kind and storable(position):
            return position
    raise BadCursor
