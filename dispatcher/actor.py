"""Who asks: the principal of every command and event."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Who (`principal`, an id and no name) does something for which tenant, and why where it was said.

    When it was done is the clock's to say.
    """

    tenant_id: str
    principal: str
    reason: str | None = None
