"""From the caller's keys to internal ids, and who refers to a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, Table, select, tuple_

from data.orm import Base, Mention
from data.repositories.records import storable
from data.repositories.resources import RESOURCES, Resource
from data.session import UnitOfWork
from dispatcher.errors import RecordKey

Key = tuple[str, ...]
Item = TypeVar("Item")

# SQLite takes 32 766 parameters in a statement, PostgreSQL 65 535.
_CHUNK = 1000
_MENTION = Base.metadata.tables[Mention.__tablename__]
_BODIES = ("engineer", "shift", "work_order", "asset_model")
# Rows that stand for a plan name it, since nobody knows them by a name of their own.
_PARTS_OF_A_PLAN = ("plan_scope", "scope_head", "route")


def chunks(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The items in pieces that fit into one statement."""
    for start in range(0, len(items), _CHUNK):
        yield items[start : start + _CHUNK]


def among(columns: Sequence[ColumnElement[Any]], keys: Sequence[Key]) -> ColumnElement[bool]:
    """Whether the columns together are one of the keys."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return tuple_(*columns).in_(keys)


def ids_of(work: UnitOfWork, resource: Resource, keys: Iterable[Key]) -> dict[Key, str]:
    """The internal ids of the keys that there are."""
    found: dict[Key, str] = {}
    wanted = sorted(key for key in set(keys) if all(storable(part) for part in key))
    for chunk in chunks(wanted):
        query = resource.select_keys().where(
            resource.table.c.tenant_id == work.tenant_id, among(resource.key_columns(), chunk)
        )
        found.update((tuple(key), row_id) for row_id, *key in work.session.execute(query))
    return found


def users_of(work: UnitOfWork, table: Table, row_id: str, limit: int) -> list[RecordKey]:
    """Up to `limit` of the records that refer to a row and do not go with it."""
    found: dict[RecordKey, None] = {}
    for kind, query in _user_queries(work, table, row_id):
        rows = work.session.execute(query.limit(limit))
        found.update((RecordKey(kind, tuple(key)), None) for _, *key in rows)
        if len(found) >= limit:
            break
    return list(found)[:limit]


def _user_queries(work: UnitOfWork, table: Table, row_id: str) -> Iterator[tuple[str, Select[Any]]]:
    """Queries for (id, key…) of users, by their kind."""
    for user in Base.metadata.sorted_tables:
        for constraint in user.foreign_key_constraints:
            if constraint.referred_table is not table or constraint.ondelete == "CASCADE":
                continue
            (column,) = (column for column in constraint.columns if column.name != "tenant_id")
            names_it = (user.c.tenant_id == work.tenant_id) & (column == row_id)
            if user is _MENTION:
                for kind in _BODIES:
                    bodies = RESOURCES[kind]
                    named_in = select(user.c[f"by_{kind}_id"]).where(names_it)
                    own = (bodies.table.c.tenant_id == work.tenant_id) & bodies.table.c.id.in_(named_in)
                    yield kind, bodies.select_keys().where(own).order_by(bodies.table.c.id)
            elif user.name in _PARTS_OF_A_PLAN:
                yield "plan", select(user.c.plan_id, user.c.plan_id).where(names_it).distinct().order_by(user.c.plan_id)
            else:
                yield user.name, RESOURCES[user.name].select_keys().where(names_it).order_by(user.c.id)
