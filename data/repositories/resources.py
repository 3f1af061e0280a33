"""Every kind of record the generic repository serves, described by its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Column, ColumnElement, FromClause, Select, Table, and_, select
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import JSON

from data.orm import (
    Asset,
    AssetModel,
    AssetRelation,
    Contract,
    Customer,
    Engineer,
    EngineerPosition,
    Row,
    Shift,
    Site,
    Skill,
    SkillRelation,
    Territory,
    Visit,
    WorkOrder,
)
from data.repositories.bodies import (
    Namings,
    named_by_asset_model,
    named_by_engineer,
    named_by_shift,
    named_by_work_order,
)
from data.repositories.records import Record

BOOKKEEPING = ("tenant_id", "id", "version", "created_at", "updated_at", "updated_by")


@dataclass(frozen=True)
class Resource:
    """A kind of record.

    `links` maps a field that names another record to the kind it names; its column is called `<field>_id`.
    `key` holds the fields by which the caller knows a record. `order` is the column that pages go by.
    `namings` finds what a body names beside the columns.
    """

    model: type[Row]
    links: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ("external_id",)
    order: Literal["external_id", "id"] = "external_id"
    namings: Namings | None = None

    @property
    def kind(self) -> str:
        return self.table.name

    @cached_property
    def table(self) -> Table:
        table = self.model.__table__
        assert isinstance(table, Table)
        return table

    @cached_property
    def plain(self) -> tuple[Column[Any], ...]:
        """The columns that are fields of their own."""
        taken = {*BOOKKEEPING, *(f"{name}_id" for name in self.links)}
        return tuple(column for column in self.table.columns if column.name not in taken)

    @cached_property
    def fields(self) -> tuple[str, ...]:
        return (*self.links, *(column.name for column in self.plain))

    @cached_property
    def _linked(self) -> Mapping[str, FromClause]:
        """Under which name the table that a field names is joined; by field, since two may name the same kind."""
        return {name: RESOURCES[kind].table.alias(f"linked_{name}") for name, kind in self.links.items()}

    @cached_property
    def _source(self) -> FromClause:
        source: FromClause = self.table
        for name, linked in self._linked.items():
            source = source.outerjoin(
                linked, and_(linked.c.tenant_id == self.table.c.tenant_id, linked.c.id == self.table.c[f"{name}_id"])
            )
        return source

    def value(self, name: str) -> ColumnElement[Any]:
        """A field in SQL, as the caller knows it; also `updated_at`, for who wants what has changed.

        Raises:
            ValueError: if there is no such field.
        """
        if name in self._linked:
            return self._linked[name].c.external_id
        if name not in (*self.fields, "updated_at"):
            raise ValueError(f"{self.kind} has no field {name}")
        return self.table.c[name]

    def key_columns(self) -> list[ColumnElement[Any]]:
        return [self.value(name) for name in self.key]

    def select_records(self) -> Select[Any]:
        """All that `record` needs, of every tenant."""
        own = (self.table.c[name] for name in BOOKKEEPING[1:])
        return select(*own, *(self.value(name).label(f"field_{name}") for name in self.fields)).select_from(
            self._source
        )

    def select_keys(self) -> Select[Any]:
        """The internal id and the caller's key, of every tenant."""
        return select(self.table.c.id, *self.key_columns()).select_from(self._source)

    def record(self, row: Any) -> Record:
        """A row of `select_records`."""
        values = {name: getattr(row, f"field_{name}") for name in self.fields}
        return Record(row.id, row.version, row.created_at, row.updated_at, row.updated_by, values)

    def key_of(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(values[name] for name in self.key)

    def target_key(self, name: str, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The key of what a field names; where that is known within another record, the same one as here."""
        target = RESOURCES[self.links[name]]
        return tuple(values[name if part == "external_id" else part] for part in target.key)


def default_of(column: Column[Any]) -> Any:
    """What a field is that the caller leaves out."""
    if isinstance(column.default, ScalarElementColumnDefault):
        return column.default.arg
    return {} if isinstance(column.type, JSON) and not column.nullable else None


RESOURCES: Mapping[str, Resource] = {
    resource.kind: resource
    for resource in (
        Resource(Territory),
        Resource(Customer),
        Resource(Contract, links={"customer": "customer"}),
        Resource(Site, links={"customer": "customer", "territory": "territory"}),
        Resource(Skill),
        Resource(SkillRelation, links={"from_skill": "skill", "to_skill": "skill"}),
        Resource(AssetModel, namings=named_by_asset_model),
        Resource(Asset, links={"site": "site", "asset_model": "asset_model", "contract": "contract"}),
        Resource(AssetRelation, links={"from_asset": "asset", "to_asset": "asset"}),
        Resource(Engineer, links={"territory": "territory"}, namings=named_by_engineer),
        Resource(
            Shift, links={"engineer": "engineer"}, key=("engineer", "external_id"), order="id", namings=named_by_shift
        ),
        Resource(EngineerPosition, links={"engineer": "engineer"}, key=("engineer",), order="id"),
        Resource(
            WorkOrder,
            links={"site": "site", "asset": "asset", "territory": "territory"},
            namings=named_by_work_order,
        ),
        Resource(Visit, links={"work_order": "work_order", "engineer": "engineer", "shift": "shift"}),
    )
}
"""By kind, in an order in which they can be written."""
