"""A short text that changes with everything that a snapshot is made of: what is asked twice need not be read twice."""

from __future__ import annotations

from sqlalchemy import func, select

from data.orm import Base
from data.session import UnitOfWork

_FIGURES = ("id", "tenant_id", "version", "updated_at")
# Plans have versions of their own, what is told of the past changes nothing, and no plan looks at positions, of which
# there are many a second.
_LEFT_OUT = (
    "engineer_position",
    "event",
    "event_head",
    "outbox",
    "plan",
    "plan_scope",
    "planning_run",
    "route",
    "scope_head",
)


def state_version(work: UnitOfWork) -> str:
    """The same while no record of the tenant that planning reads is written or deleted.

    Every write raises a version and every deletion lowers a count, so that the figures of a table, with the instant
    of its last change, tell two states apart.
    """
    parts = []
    for table in Base.metadata.sorted_tables:
        if table.name in _LEFT_OUT or not all(name in table.c for name in _FIGURES):
            continue
        query = select(func.count(), func.sum(table.c.version), func.max(table.c.updated_at), func.max(table.c.id))
        row = work.session.execute(query.where(table.c.tenant_id == work.tenant_id)).one()
        if row[0]:
            parts.append(f"{table.name}:" + "/".join(str(value) for value in row))
    return ";".join(parts)
