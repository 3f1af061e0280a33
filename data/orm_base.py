"""What all tables share: column types, the base class, and the columns every row has."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKeyConstraint, Index, Integer, MetaData, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

from data.clock import ID_LENGTH


class UtcDateTime(TypeDecorator[datetime]):
    """Aware instants in, aware instants in UTC out; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant needs a time zone: {value.isoformat()}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        # SQLite has no zones: what was written is UTC.
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonText(TypeDecorator[Any]):
    """A JSON document kept as it was written, so that its hash can be recomputed.

    PostgreSQL's JSONB rewrites numbers (`1e+22`, `-0.0`) and the order of keys.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


JsonObject = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON object of ours, whose values count and not their spelling."""

InternalId = String(ID_LENGTH).with_variant(String(ID_LENGTH, collation="C"), "postgresql")
ExternalId = Text().with_variant(Text(collation="C"), "postgresql")
"""Ids of the caller, compared and sorted byte by byte on both databases: pages keep their order everywhere."""


def json_text(value: Any) -> str:
    """JSON as both databases get it: UTF-8, no NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def canonical_sha256(value: Any) -> str:
    """SHA-256 over a JSON value with sorted keys, as `dispatcher.documents.problem_sha256` of a problem."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Base(DeclarativeBase):
    """Every constraint has a name that both databases and the migrations agree on."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )


class Row(Base):
    """The columns of every table. The tenant comes first in every key, so no row can name one of another tenant.

    `version` counts the changes of a row from 1; whoever writes on an older one is refused. `updated_by` is the
    principal of the last change.
    """

    __abstract__ = True

    tenant_id: Mapped[str] = mapped_column(ExternalId, primary_key=True, sort_order=-20)
    id: Mapped[str] = mapped_column(InternalId, primary_key=True, sort_order=-19)
    version: Mapped[int] = mapped_column(Integer, sort_order=-18)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, sort_order=-17)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, sort_order=-16)
    updated_by: Mapped[str] = mapped_column(Text, sort_order=-15)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}


class Named:
    """A row that its owner knows by an id of their own."""

    external_id: Mapped[str] = mapped_column(ExternalId, sort_order=-10)


def refers(column: str, table: str, *, part_of: bool = False) -> tuple[ForeignKeyConstraint, Index]:
    """A reference within the tenant, and the index that deleting the other side needs.

    `part_of`: the row belongs to the one it names and goes with it; otherwise it protects it.
    """
    constraint = ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete="CASCADE" if part_of else None
    )
    return constraint, Index(None, "tenant_id", column)


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The SQL of a check that a text is one of a few."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def exactly_one(*columns: str) -> str:
    """The SQL of a check that one of the columns is filled and the others are empty."""
    return " + ".join(f"(CASE WHEN {column} IS NULL THEN 0 ELSE 1 END)" for column in columns) + " = 1"
