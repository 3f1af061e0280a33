"""Promises to customers: what a contract changes of them, how machines hang together, what happened to work orders.

Revision: 0003, after 0002.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("contract", sa.Column("sla", JSON))
    _create(
        "asset_relation",
        sa.Column("external_id", KEY, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("from_asset_id", ID, nullable=False),
        sa.Column("to_asset_id", ID, nullable=False),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("uq_asset_relation_tenant_id_external_id")),
        _refers("asset_relation", "from_asset_id", "asset"),
        _refers("asset_relation", "to_asset_id", "asset"),
        sa.CheckConstraint("type IN ('part_of', 'feeds')", name=op.f("ck_asset_relation_type")),
    )
    _index("asset_relation", "tenant_id", "from_asset_id")
    _index("asset_relation", "tenant_id", "to_asset_id")
    _create(
        "work_order_mark",
        sa.Column("work_order_id", ID, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("before", sa.Text()),
        sa.Column("parent_id", ID),
        sa.Column("reason", sa.Text()),
        _refers("work_order_mark", "work_order_id", "work_order", ondelete="CASCADE"),
        _refers("work_order_mark", "parent_id", "work_order", ondelete="CASCADE"),
        sa.CheckConstraint("kind IN ('state', 'status', 'level', 'parent')", name=op.f("ck_work_order_mark_kind")),
    )
    _index("work_order_mark", "tenant_id", "work_order_id")
    _index("work_order_mark", "tenant_id", "parent_id")


def downgrade() -> None:
    op.drop_table("work_order_mark")
    op.drop_table("asset_relation")
    op.drop_column("contract", "sla")


def _create(table: str, *own: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        sa.Column("tenant_id", KEY, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        *own,
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{table}")),
    )


def _refers(table: str, column: str, target: str, **options: Any) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=op.f(f"fk_{table}_tenant_id_{column}"),
        **options,
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))
